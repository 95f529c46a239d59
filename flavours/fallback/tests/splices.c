/*
 * Requests that move bytes between files while a pipe or a socket has none, or
 * no room: nobody waits for them, and they hold their files.
 */
#include "file.h"

enum { SPLICE = 1, OTHER };

static struct io_uring ring;
static int from[2], to[2];

static void prep_splice(int source, int target, __s64 offset, unsigned length)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_splice(sqe, source, -1, target, offset, length, 0);
    io_uring_sqe_set_data64(sqe, SPLICE);
}

static void has(int fd, const char *text)
{
    char got[8] = "";

    CHECK_EQ(read(fd, got, sizeof(got)), (int) strlen(text));
    CHECK_MEM(got, text, strlen(text));
}

/* Behind more of them than there are workers for disks. */
static void others_go_on(void)
{
    enum { SPLICES = 300 };
    int fd = make_file("file", 10, 1);
    struct done done;

    CHECK_SYS(pipe(from));
    CHECK_SYS(pipe(to));
    ring_open(&ring, 512, 0);
    for (unsigned i = 0; i < SPLICES; i++)
        prep_splice(from[0], to[1], -1, 1);
    io_uring_prep_fsync(next_sqe(&ring), fd, 0);
    SUBMIT(&ring, SPLICES + 1);
    done = reap(&ring);
    CHECK_EQ(done.data, 0);
    CHECK_EQ(done.res, 0);
    for (unsigned i = 0; i < SPLICES; i++) {
        CHECK_EQ(write(from[1], "x", 1), 1);
        done = reap(&ring);
        CHECK_EQ(done.data, SPLICE);
        CHECK_EQ(done.res, 1);
        has(to[0], "x");
    }
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
}

static void ring_ends(void)
{
    int pair[2];

    CHECK_SYS(pipe(from));
    CHECK_SYS(pipe(to));
    make_socketpair(pair, SOCK_STREAM);
    ring_open(&ring, 8, 0);
    prep_splice(from[0], to[1], -1, 1);
    prep_splice(from[0], make_file("file", 10, 1), 0, 1);
    prep_splice(pair[0], to[1], -1, 1);
    io_uring_prep_tee(next_sqe(&ring), from[0], to[1], 1, 0);
    SUBMIT(&ring, 4);
    /* Most likely they run by then. */
    usleep(20000);
    io_uring_queue_exit(&ring);
}

static void waits_for_room(void)
{
    char page[4096] = "";
    unsigned filled = 0;
    struct done done;

    CHECK_SYS(pipe(from));
    CHECK_SYS(pipe(to));
    CHECK_SYS(fcntl(to[1], F_SETFL, O_NONBLOCK));
    while (write(to[1], page, sizeof(page)) == sizeof(page))
        filled++;
    CHECK_SYS(fcntl(to[1], F_SETFL, 0));
    CHECK_EQ(write(from[1], "own", 3), 3);
    ring_open(&ring, 8, 0);
    prep_splice(from[0], to[1], -1, 3);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < filled; i++)
        CHECK_EQ(read(to[0], page, sizeof(page)), sizeof(page));
    done = reap(&ring);
    CHECK_EQ(done.res, 3);
    has(to[0], "own");
    io_uring_queue_exit(&ring);
}

/* What does not wait in a system call does not wait here. */
static void refused(void)
{
    int file = make_file("file", 10, 1);

    CHECK_SYS(pipe(from));
    CHECK_SYS(pipe(to));
    ring_open(&ring, 8, 0);
    prep_splice(from[1], to[1], -1, 1);
    CHECK_EQ(run_res(&ring), -EBADF);
    prep_splice(from[0], to[0], -1, 1);
    CHECK_EQ(run_res(&ring), -EBADF);
    prep_splice(file, file, 0, 1);
    CHECK_EQ(run_res(&ring), -EINVAL);
    prep_splice(from[0], to[1], -1, 0);
    CHECK_EQ(run_res(&ring), 0);
    prep_splice(from[0], to[1], 0, 1);
    CHECK_EQ(run_res(&ring), -ESPIPE);
    io_uring_prep_splice(next_sqe(&ring), from[0], -1, to[1], -1, 1, SPLICE_F_NONBLOCK);
    CHECK_EQ(run_res(&ring), -EAGAIN);
    CHECK_SYS(fcntl(from[0], F_SETFL, O_NONBLOCK));
    prep_splice(from[0], file, 0, 1);
    CHECK_EQ(run_res(&ring), -EAGAIN);
    CHECK_SYS(close(from[1]));
    prep_splice(from[0], to[1], -1, 1);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_queue_exit(&ring);
}

/* The numbers of both sides are others' before the bytes come. The kernel looks the first one up a moment after the call. */
static void holds(int target)
{
    int instead[2];

    ring_open(&ring, 8, 0);
    prep_splice(from[0], target, target == to[1] ? -1 : 0, 3);
    SUBMIT(&ring, 1);
    /* What runs it has found nothing yet, or has. */
    submit_nop(&ring, OTHER);
    CHECK_EQ(reap(&ring).data, OTHER);
    CHECK_SYS(pipe(instead));
    CHECK_SYS(dup2(instead[1], target));
    CHECK_SYS(dup2(instead[0], from[0]));
    CHECK_EQ(write(instead[1], "other", 5), 5);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(from[1], "own", 3), 3);
    CHECK_EQ(reap(&ring).res, 3);
    has(instead[0], "other");
    CHECK_SYS(close(instead[0]));
    CHECK_SYS(close(instead[1]));
    CHECK_SYS(close(from[0]));
    CHECK_SYS(close(from[1]));
    CHECK_SYS(close(target));
    io_uring_queue_exit(&ring);
}

static void numbers_used_anew(void)
{
    for (unsigned round = 0; round < 200; round++) {
        char got[3];
        int fd;

        CHECK_SYS(pipe(from));
        CHECK_SYS(pipe(to));
        holds(to[1]);
        has(to[0], "own");
        CHECK_SYS(close(to[0]));
        CHECK_SYS(pipe(from));
        holds(make_file("file", 10, 1));
        fd = CHECK_SYS(open("file", O_RDONLY));
        CHECK_EQ(read(fd, got, 3), 3);
        CHECK_MEM(got, "own", 3);
        CHECK_SYS(close(fd));
        make_socketpair(from, SOCK_STREAM);
        CHECK_SYS(pipe(to));
        holds(to[1]);
        has(to[0], "own");
        CHECK_SYS(close(to[0]));
    }
}

static const struct test_case cases[] = {
    CASE(others_go_on),
    CASE(ring_ends),
    CASE(waits_for_room),
    CASE(refused),
    CASE(numbers_used_anew),
};

TEST_MAIN(cases)
