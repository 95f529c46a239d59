/*
 * Requests hold the file, not the number: POSIX locks survive, and a number
 * that is used anew leads no request to the other file.
 */
#include <sys/wait.h>

#include "file.h"
#include "ring.h"

#include <poll.h>

static bool is_locked(const char *name)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int fd = open(name, O_RDWR);

        _exit(fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 1 : 0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void locks_survive(void)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct io_uring ring;
    char buffer[64];
    int fd = make_file("locked", 4096, 1);

    CHECK_SYS(fcntl(fd, F_SETLK, &lock));
    CHECK(is_locked("locked"));
    ring_open(&ring, 64, 0);
    for (unsigned round = 0; round < 10000; round++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        switch (round % 4) {
        case 0: io_uring_prep_read(sqe, fd, buffer, sizeof(buffer), 0); break;
        case 1: io_uring_prep_write(sqe, fd, buffer, sizeof(buffer), 0); break;
        case 2: io_uring_prep_poll_add(sqe, fd, POLLIN); break;
        case 3: io_uring_prep_fadvise(sqe, fd, 0, 0, POSIX_FADV_NORMAL); break;
        }
        CHECK_GE(run_res(&ring), 0);
    }
    CHECK(is_locked("locked"));
    io_uring_queue_exit(&ring);
    CHECK(is_locked("locked"));
    close(fd);
}

static void number_used_anew(void)
{
    struct io_uring ring;
    char buffer[8];

    ring_open(&ring, 8, 0);
    for (unsigned round = 0; round < 1000; round++) {
        struct io_uring_sqe *sqe;
        int first[2], second[2];

        make_socketpair(first, SOCK_STREAM);
        sqe = next_sqe(&ring);
        io_uring_prep_recv(sqe, first[0], buffer, sizeof(buffer), 0);
        SUBMIT(&ring, 1);
        CHECK_SYS(close(first[0]));
        make_socketpair(second, SOCK_STREAM);
        CHECK_EQ(second[0], first[0]);
        CHECK_EQ(write(second[1], "wrong", 5), 5);
        CHECK_NO_CQE(&ring);
        CHECK_EQ(write(first[1], "own", 3), 3);
        CHECK_EQ(reap(&ring).res, 3);
        CHECK_MEM(buffer, "own", 3);
        CHECK_EQ(read(second[0], buffer, sizeof(buffer)), 5);
        CHECK_SYS(close(first[1]));
        CHECK_SYS(close(second[0]));
        CHECK_SYS(close(second[1]));
    }
    io_uring_queue_exit(&ring);
}

/* The ring's own number: what is there now is no ring. */
static void ring_number_used_anew(void)
{
    struct io_uring ring;
    int fd;

    ring_open(&ring, 8, 0);
    CHECK_SYS(close(ring.ring_fd));
    fd = make_file("instead", 10, 1);
    CHECK_EQ(fd, ring.ring_fd);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(io_uring_submit(&ring), -EOPNOTSUPP);
    CHECK_EQ(io_uring_enter((unsigned) fd, 1, 0, 0, NULL), -EOPNOTSUPP);
    /* closes what is there now, as any program that closes a number twice */
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(locks_survive),
    CASE(number_used_anew),
    CASE(ring_number_used_anew),
};

TEST_MAIN(cases)
