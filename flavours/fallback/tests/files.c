/*
 * Requests hold the file, not the number: POSIX locks survive, and a number
 * that is used anew leads no request to the other file. Watchers of files and of
 * rings are told.
 */
#include <sys/inotify.h>
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

/* Fewer in an emulated machine. */
#ifndef LOCKED_ROUNDS
#define LOCKED_ROUNDS 10000
#endif

static void locks_survive(void)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct io_uring ring;
    char buffer[64];
    int fd = make_file("locked", 4096, 1);

    CHECK_SYS(fcntl(fd, F_SETLK, &lock));
    CHECK(is_locked("locked"));
    ring_open(&ring, 64, 0);
    for (unsigned round = 0; round < LOCKED_ROUNDS; round++) {
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

/* Reads past the page cache are seen by a watcher of the same program, as all others are. */
static void watched(void)
{
    struct inotify_event event;
    struct io_uring ring;
    void *block;
    int watch = CHECK_SYS(inotify_init1(IN_NONBLOCK)), fd;

    close(make_file("watched", 4096, 1));
    fd = open("watched", O_RDONLY | O_DIRECT);
    if (fd < 0)
        skip("this file system has no O_DIRECT");
    CHECK_EQ(posix_memalign(&block, 4096, 4096), 0);
    CHECK_SYS(inotify_add_watch(watch, "watched", IN_ACCESS));
    ring_open(&ring, 4, 0);
    io_uring_prep_read(next_sqe(&ring), fd, block, 4096, 0);
    CHECK_EQ(run_res(&ring), 4096);
    CHECK_EQ(read(watch, &event, sizeof(event)), (ssize_t) sizeof(event));
    CHECK_EQ(event.mask, IN_ACCESS);
    io_uring_queue_exit(&ring);
    free(block);
    close(fd);
    close(watch);
}

/* A completion on one ring completes a poll of its descriptor on another, before the call returns. */
static void ring_polled_by_ring(void)
{
    struct io_uring first, second;

    ring_open(&first, 4, 0);
    ring_open(&second, 4, 0);
    for (unsigned round = 0; round < 100; round++) {
        io_uring_prep_poll_add(next_sqe(&second), first.ring_fd, POLLIN);
        SUBMIT(&second, 1);
        submit_nop(&first, 1);
        CHECK_EQ(io_uring_cq_ready(&second), 1);
        CHECK_EQ(reap(&second).res, POLLIN);
        reap(&first);
    }
    io_uring_queue_exit(&first);
    io_uring_queue_exit(&second);
}

/* A file that is closed and its number used anew in the submission that writes to it, past the page cache. */
static void closed_behind_a_write(void)
{
    static char page[4096] __attribute__((aligned(4096)));
    struct io_uring ring;
    char before, first;
    int made = make_file("other", sizeof(page), 1);

    CHECK_EQ(pread(made, &before, 1, 0), 1);
    close(made);
    close(make_file("written", sizeof(page), 2));
    ring_open(&ring, 8, 0);
    memset(page, ~before, sizeof(page));
    for (unsigned round = 0; round < 20; round++) {
        int fd = open("written", O_RDWR | O_DIRECT), other = -1;

        if (fd < 0)
            skip("no O_DIRECT here");
        for (unsigned i = 1; i <= 3; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            if (i == 1)
                io_uring_prep_write(sqe, fd, page, sizeof(page), 0);
            else if (i == 2)
                io_uring_prep_close(sqe, fd);
            else
                io_uring_prep_openat(sqe, AT_FDCWD, "other", O_RDWR | O_DIRECT, 0);
            io_uring_sqe_set_data64(sqe, i);
        }
        SUBMIT(&ring, 3);
        for (unsigned i = 0; i < 3; i++) {
            struct done done = reap(&ring);

            if (done.data == 1)
                CHECK_EQ(done.res, (int) sizeof(page));
            else if (done.data == 2)
                CHECK_EQ(done.res, 0);
            else
                other = done.res;
        }
        CHECK_SYS(other);
        close(other);
        other = CHECK_SYS(open("other", O_RDONLY));
        CHECK_EQ(read(other, &first, 1), 1);
        CHECK_EQ(first, before);
        close(other);
    }
    io_uring_queue_exit(&ring);
}

/*
 * The library keeps its own descriptors away from the low numbers. A program
 * that closes a descriptor twice would close one of them, and what it opens
 * next would be written to.
 */
static void low_numbers_stay_free(void)
{
    static char page[4096] __attribute__((aligned(4096)));
    struct __kernel_timespec time = { .tv_nsec = 1000000 };
    struct io_uring_cqe *cqe;
    struct io_uring ring;
    sigset_t mask;
    int ends[2], direct, lowest;

    CHECK_SYS(pipe(ends));
    close(make_file("direct", sizeof(page), 1));
    ring_open(&ring, 8, 0);
    lowest = dup(ends[0]);
    CHECK_SYS(lowest);
    close(lowest);
    for (unsigned round = 0; round < 20; round++) {
        struct pollfd ready = { .fd = ring.ring_fd, .events = POLLIN };

        /* The library's own thread completes it. */
        io_uring_prep_poll_add(next_sqe(&ring), ends[0], POLLIN);
        SUBMIT(&ring, 1);
        CHECK_EQ(write(ends[1], page, 1), 1);
        CHECK_EQ(poll(&ready, 1, -1), 1);
        CHECK_EQ(reap(&ring).res, POLLIN);
        CHECK_EQ(read(ends[0], page, 1), 1);
    }
    sigemptyset(&mask);
    CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 1, &time, &mask), -ETIME);
    direct = open("direct", O_RDONLY | O_DIRECT);
    if (direct >= 0) {
        io_uring_prep_read(next_sqe(&ring), direct, page, sizeof(page), 0);
        CHECK_GE(run_res(&ring), 0);
        close(direct);
    }
    CHECK_EQ(dup(ends[0]), lowest);
    close(lowest);
    io_uring_queue_exit(&ring);
}

/* For how many descriptors the kernel has room. */
static unsigned room(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    unsigned size = 0;

    CHECK(status != NULL);
    while (size == 0 && fgets(line, sizeof(line), status))
        sscanf(line, "FDSize: %u", &size);
    fclose(status);
    return size;
}

/* It grows when a ring is set up: a request during which it grows waits for all processors, once there is a thread. */
static void no_request_makes_room(void)
{
    struct __kernel_timespec time = { .tv_nsec = 1000000 };
    struct io_uring_sqe *sqe;
    struct io_uring ring;
    int ends[2];
    unsigned before;

    CHECK_SYS(pipe(ends));
    ring_open(&ring, 8, 0);
    before = room();
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    sqe->flags |= IOSQE_ASYNC;
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_timeout(next_sqe(&ring), &time, 0, 0);
    CHECK_EQ(run_res(&ring), -ETIME);
    CHECK_EQ(room(), before);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(locks_survive),
    CASE(low_numbers_stay_free),
    CASE(no_request_makes_room),
    CASE(number_used_anew),
    CASE(closed_behind_a_write),
    CASE(ring_number_used_anew),
    CASE(watched),
    CASE(ring_polled_by_ring),
};

TEST_MAIN(cases)
