/*
 * Rings for `uring stat` to look at: one that overflows, one with a submission thread, registered files and a registered
 * buffer, one that waits. Prints what the rings' own memory says of each, and waits for the end of its input.
 * With "unreaped": one with two completions that it never takes. With "credentials USER": one with a submission thread,
 * made before it becomes that user.
 */
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(call) do { if ((call) < 0) { perror(#call); exit(1); } } while (0)

static void show(const struct io_uring *ring, const char *name)
{
    printf("%s %d pending %u unseen %u\n", name, ring->ring_fd, *ring->sq.ktail - *ring->sq.khead,
           *ring->cq.ktail - *ring->cq.khead);
}

static void wait_for_the_end(void)
{
    char byte;

    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
}

static int unreaped(void)
{
    struct io_uring ring;

    CHECK(io_uring_queue_init(8, &ring, 0));
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    CHECK(io_uring_submit(&ring));
    wait_for_the_end();
    return 0;
}

static int credentials(uid_t user)
{
    struct io_uring ring;

    CHECK(io_uring_queue_init(8, &ring, IORING_SETUP_SQPOLL));
    CHECK(setuid(user));
    printf("user %u\n", getuid());
    wait_for_the_end();
    return 0;
}

int main(int argc, char **argv)
{
    struct io_uring overflowing, polled, waiting;
    struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 100 };
    struct iovec buffer = { malloc(8192), 8192 };
    char byte;
    int pair[2];

    if (argc > 1 && !strcmp(argv[1], "unreaped"))
        return unreaped();
    if (argc > 2 && !strcmp(argv[1], "credentials"))
        return credentials(atoi(argv[2]));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK(io_uring_queue_init(4, &overflowing, 0));
    for (int i = 0; i < 20; i++) {
        io_uring_prep_nop(io_uring_get_sqe(&overflowing));
        if (i % 4 == 3)
            CHECK(io_uring_submit(&overflowing));
    }
    CHECK(io_uring_queue_init_params(8, &polled, &params));
    CHECK(io_uring_register_files(&polled, pair, 2));
    CHECK(io_uring_register_buffers(&polled, &buffer, 1));
    CHECK(io_uring_queue_init(64, &waiting, 0));
    for (int i = 0; i < 3; i++)
        io_uring_prep_poll_add(io_uring_get_sqe(&waiting), pair[0], 1);
    io_uring_prep_recv(io_uring_get_sqe(&waiting), pair[0], &byte, 1, 0);
    CHECK(io_uring_submit(&waiting));
    /* Published, and not given to the kernel. */
    io_uring_prep_nop(io_uring_get_sqe(&waiting));
    io_uring_prep_nop(io_uring_get_sqe(&waiting));
    __atomic_store_n(waiting.sq.ktail, waiting.sq.sqe_tail, __ATOMIC_RELEASE);
    show(&overflowing, "overflowing");
    show(&polled, "polled");
    show(&waiting, "waiting");
    wait_for_the_end();
    return 0;
}
