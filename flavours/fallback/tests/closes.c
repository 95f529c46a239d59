/*
 * Requests to close that come while others use the descriptor: behind them in a
 * chain, behind all others, and where the thread that runs them is the one that
 * would have to end the others. And requests where no descriptor is left to wait
 * with.
 */
#include <poll.h>
#include <sys/resource.h>

#include "file.h"

enum { FIRST = 1, SECOND, CLOSE, READ };

static struct io_uring ring;
static char page[4096];

static void name(struct io_uring_sqe *sqe, __u64 data, unsigned flags)
{
    io_uring_sqe_set_data64(sqe, data);
    io_uring_sqe_set_flags(sqe, flags);
}

static void prep_close(int fd, unsigned flags)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_close(sqe, fd);
    name(sqe, CLOSE, flags);
}

static void is_closed(int fd)
{
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
    CHECK_EQ(errno, EBADF);
}

static void behind_a_sync(void)
{
    ring_open(&ring, 8, 0);
    for (unsigned round = 0; round < 100; round++) {
        int fd = make_file("file", 10, 1);
        struct io_uring_sqe *sqe = next_sqe(&ring);
        struct done done;

        io_uring_prep_write(sqe, fd, "x", 1, 0);
        name(sqe, FIRST, IOSQE_IO_LINK);
        sqe = next_sqe(&ring);
        io_uring_prep_fsync(sqe, fd, 0);
        name(sqe, SECOND, IOSQE_IO_LINK);
        prep_close(fd, 0);
        SUBMIT(&ring, 3);
        done = reap(&ring);
        CHECK_EQ(done.data, FIRST);
        CHECK_EQ(done.res, 1);
        done = reap(&ring);
        CHECK_EQ(done.data, SECOND);
        CHECK_EQ(done.res, 0);
        done = reap(&ring);
        CHECK_EQ(done.data, CLOSE);
        CHECK_EQ(done.res, 0);
        is_closed(fd);
    }
    io_uring_queue_exit(&ring);
}

static void behind_all(void)
{
    ring_open(&ring, 8, 0);
    for (unsigned round = 0; round < 100; round++) {
        int fd = make_file("file", sizeof(page), 1);
        struct io_uring_sqe *sqe = next_sqe(&ring);
        struct done done;

        io_uring_prep_read(sqe, fd, page, sizeof(page), 0);
        name(sqe, FIRST, IOSQE_ASYNC);
        prep_close(fd, IOSQE_IO_DRAIN);
        SUBMIT(&ring, 2);
        done = reap(&ring);
        CHECK_EQ(done.data, FIRST);
        CHECK_EQ(done.res, (int) sizeof(page));
        done = reap(&ring);
        CHECK_EQ(done.data, CLOSE);
        CHECK_EQ(done.res, 0);
        is_closed(fd);
    }
    io_uring_queue_exit(&ring);
}

/* The first of the writes, which go one after the other, has it linked to it. */
static void between_writes(void)
{
    enum { WRITES = 8 };

    ring_open(&ring, 16, 0);
    for (unsigned round = 0; round < 100; round++) {
        int fd = make_file("file", sizeof(page), 1);
        struct done dones[WRITES + 1];

        for (unsigned i = 0; i < WRITES; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            io_uring_prep_write(sqe, fd, page, 100, 100 * i);
            name(sqe, READ + i, IOSQE_ASYNC | (i == 0 ? IOSQE_IO_LINK : 0));
            if (i == 0)
                prep_close(fd, 0);
        }
        SUBMIT(&ring, WRITES + 1);
        reap_all(&ring, dones, WRITES + 1);
        CHECK_EQ(find_done(dones, WRITES + 1, READ).res, 100);
        for (unsigned i = 1; i < WRITES; i++) {
            int res = find_done(dones, WRITES + 1, READ + i).res;

            /* The file may be closed before the request is submitted. */
            CHECK(res == 100 || res == -EBADF);
        }
        CHECK_EQ(find_done(dones, WRITES + 1, CLOSE).res, 0);
        is_closed(fd);
    }
    io_uring_queue_exit(&ring);
}

/* The waiting thread sees the event, starts the request to close, and takes the ends of the reads. */
static void beside_direct_reads(void)
{
    enum { READS = 32, SIZE = 1 << 20 };
    char *area;

    CHECK_EQ(posix_memalign((void **) &area, 4096, READS * SIZE), 0);
    memset(area, 1, READS * SIZE);
    ring_open(&ring, 64, 0);
    for (unsigned round = 0; round < 3; round++) {
        struct done dones[READS + 2];
        struct io_uring_sqe *sqe;
        int ends[2], fd = make_file("file", 0, 0);

        CHECK_EQ(write(fd, area, READS * SIZE), READS * SIZE);
        CHECK_SYS(fsync(fd));
        close(fd);
        fd = open("file", O_RDONLY | O_DIRECT);
        if (fd < 0)
            skip("this file system has no O_DIRECT");
        CHECK_SYS(pipe(ends));
        sqe = next_sqe(&ring);
        io_uring_prep_poll_add(sqe, ends[0], POLLIN);
        name(sqe, FIRST, IOSQE_IO_LINK);
        prep_close(fd, 0);
        for (unsigned i = 0; i < READS; i++) {
            sqe = next_sqe(&ring);
            io_uring_prep_read(sqe, fd, area + i * SIZE, SIZE, (__u64) i * SIZE);
            name(sqe, READ + i, 0);
        }
        SUBMIT(&ring, READS + 2);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        reap_all(&ring, dones, READS + 2);
        CHECK_EQ(find_done(dones, READS + 2, FIRST).res, POLLIN);
        CHECK_EQ(find_done(dones, READS + 2, CLOSE).res, 0);
        for (unsigned i = 0; i < READS; i++)
            CHECK_EQ(find_done(dones, READS + 2, READ + i).res, SIZE);
        is_closed(fd);
        close(ends[0]);
        close(ends[1]);
    }
    io_uring_queue_exit(&ring);
    free(area);
}

/* No descriptor can be made any more. */
static void fill_descriptors(int highest)
{
    struct rlimit limit;

    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = (rlim_t) highest + 1;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_EQ(dup(highest), -1);
    CHECK_EQ(errno, EMFILE);
}

/* The request goes on with its file, or ends. */
static void without_room(void)
{
    struct io_uring_sqe *sqe;
    int ends[2], res;

    ring_open(&ring, 8, 0);
    CHECK_SYS(pipe(ends));
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, ends[0], page, 1, 0);
    name(sqe, FIRST, IOSQE_IO_HARDLINK);
    io_uring_prep_nop(next_sqe(&ring));
    SUBMIT(&ring, 2);
    fill_descriptors(ends[1]);
    CHECK_SYS(close(ends[0]));
    res = (int) write(ends[1], "x", 1);
    CHECK(res == 1 || errno == EPIPE);
    CHECK_EQ(reap(&ring).res, res == 1 ? 1 : -EMFILE);
    CHECK_EQ(reap(&ring).res, 0);
    io_uring_queue_exit(&ring);
}

/* Nor can the library make any to wait with. */
static void first_without_room(void)
{
    struct io_uring_sqe *sqe;
    int ends[2], others[2], res;

    ring_open(&ring, 8, 0);
    CHECK_SYS(pipe(ends));
    CHECK_SYS(pipe(others));
    fill_descriptors(others[1]);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, ends[0], page, 1, 0);
    name(sqe, FIRST, IOSQE_IO_LINK);
    io_uring_prep_nop(next_sqe(&ring));
    SUBMIT(&ring, 2);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(reap(&ring).res, 1);
    CHECK_EQ(reap(&ring).res, 0);
    /* A splice waits for events alone: it ends, or goes on as the kernel's does. */
    io_uring_prep_splice(next_sqe(&ring), ends[0], -1, others[1], -1, 1, 0);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    res = reap(&ring).res;
    CHECK(res == 1 || res == -EMFILE);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(behind_a_sync),
    CASE(behind_all),
    CASE(between_writes),
    CASE(beside_direct_reads),
    CASE(without_room),
    CASE(first_without_room),
};

TEST_MAIN(cases)
