/* Poll requests: once, multishot, changed and removed. */
#include <poll.h>

#include "file.h"

static void add_poll(struct io_uring *ring, int fd, unsigned mask, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_poll_add(sqe, fd, mask);
    io_uring_sqe_set_data64(sqe, data);
}

static void once(void)
{
    struct io_uring ring;
    struct done done;
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    add_poll(&ring, fds[1], POLLOUT, 1);
    done = run_done(&ring);
    CHECK_EQ(done.res, POLLOUT);

    add_poll(&ring, fds[0], POLLIN, 2);
    SUBMIT(&ring, 1);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    done = reap(&ring);
    CHECK_EQ(done.data, 2);
    CHECK_EQ(done.res, POLLIN);
    CHECK(!(done.flags & IORING_CQE_F_MORE));

    close(fds[1]);
    add_poll(&ring, fds[0], POLLPRI, 3);
    CHECK_EQ(run_res(&ring), POLLHUP);
    add_poll(&ring, 9999, POLLIN, 4);
    CHECK_EQ(run_res(&ring), -EBADF);
    io_uring_queue_exit(&ring);
    close(fds[0]);
}

/* Bits above 16 arrive as well, on either byte order. */
static void wide_mask(void)
{
    struct io_uring ring;
    int fds[2];

    make_socketpair(fds, SOCK_STREAM);
    ring_open(&ring, 4, 0);
    CHECK(ring.features & IORING_FEAT_POLL_32BITS);
    add_poll(&ring, fds[0], POLLIN | (1u << 28) /* EPOLLEXCLUSIVE */, 1);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(reap(&ring).res, POLLIN);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void multishot(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    char byte;
    int fds[2];

    need_kernel(5, 13, "multishot poll");
    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_poll_multishot(sqe, fds[0], POLLIN);
    io_uring_sqe_set_data64(sqe, 1);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 3; i++) {
        struct done done;

        CHECK_EQ(write(fds[1], "x", 1), 1);
        done = reap(&ring);
        CHECK_EQ(done.data, 1);
        CHECK_EQ(done.res, POLLIN);
        CHECK(done.flags & IORING_CQE_F_MORE);
        CHECK_EQ(read(fds[0], &byte, 1), 1);
    }
    CHECK_NO_CQE(&ring);

    sqe = next_sqe(&ring);
    io_uring_prep_poll_remove(sqe, 1);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 2).res, 0);
    CHECK_EQ(find_done(dones, 2, 1).res, -ECANCELED);
    CHECK(!(find_done(dones, 2, 1).flags & IORING_CQE_F_MORE));
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void removed(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    io_uring_prep_poll_remove(next_sqe(&ring), 1);
    CHECK_EQ(run_res(&ring), -ENOENT);
    add_poll(&ring, fds[0], POLLIN, 0xabcdef0123456789ull);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_poll_remove(sqe, 0xabcdef0123456789ull);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 0xabcdef0123456789ull).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 2).res, 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void updated(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    int fds[2];

    need_kernel(5, 13, "poll update");
    make_socketpair(fds, SOCK_STREAM);
    ring_open(&ring, 4, 0);
    add_poll(&ring, fds[0], POLLIN, 1);
    SUBMIT(&ring, 1);

    sqe = next_sqe(&ring);
    io_uring_prep_poll_update(sqe, 1, 7, 0, IORING_POLL_UPDATE_USER_DATA);
    io_uring_sqe_set_data64(sqe, 2);
    CHECK_EQ(run_done(&ring).res, 0);

    /* the socket can always be written to, so the new mask fires at once */
    sqe = next_sqe(&ring);
    io_uring_prep_poll_update(sqe, 7, 0, POLLOUT, IORING_POLL_UPDATE_EVENTS);
    io_uring_sqe_set_data64(sqe, 3);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 3).res, 0);
    CHECK_EQ(find_done(dones, 2, 7).res, POLLOUT);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static const struct test_case cases[] = {
    CASE(once),
    CASE(wide_mask),
    CASE(multishot),
    CASE(removed),
    CASE(updated),
};

TEST_MAIN(cases)
