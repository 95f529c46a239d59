/* Completions signalled through an eventfd. */
#include <poll.h>
#include <sys/eventfd.h>

#include "file.h"

/* The number of signals since the last read, 0 if there was none. */
static uint64_t notices(int fd)
{
    uint64_t count = 0;

    if (read(fd, &count, sizeof(count)) < 0)
        CHECK_EQ(errno, EAGAIN);
    return count;
}

static void every_completion(void)
{
    struct io_uring ring;
    int fd = CHECK_SYS(eventfd(0, EFD_NONBLOCK));

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_unregister_eventfd(&ring), -ENXIO);
    CHECK_EQ(io_uring_register_eventfd(&ring, fd), 0);
    CHECK_EQ(io_uring_register_eventfd(&ring, fd), -EBUSY);
    CHECK(io_uring_cq_eventfd_enabled(&ring));
    CHECK_EQ(notices(fd), 0);
    submit_nop(&ring, 1);
    CHECK_EQ(notices(fd), 1);
    submit_nop(&ring, 2);
    submit_nop(&ring, 3);
    CHECK_EQ(notices(fd), 2);
    CHECK_EQ(io_uring_unregister_eventfd(&ring), 0);
    submit_nop(&ring, 4);
    CHECK_EQ(notices(fd), 0);
    CHECK_EQ(io_uring_register_eventfd(&ring, 9999), -EBADF);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* Only requests that a worker thread completes are signalled. */
static void async_only(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct pollfd poll_fd;
    int fd = CHECK_SYS(eventfd(0, EFD_NONBLOCK));

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_eventfd_async(&ring, fd), 0);
    submit_nop(&ring, 1);
    reap(&ring);
    CHECK_EQ(notices(fd), 0);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    CHECK_EQ(run_res(&ring), 0);
    /* the signal may come a moment after the completion */
    poll_fd.fd = fd;
    poll_fd.events = POLLIN;
    CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
    CHECK_EQ(notices(fd), 1);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void toggled(void)
{
    struct io_uring ring;
    int fd = CHECK_SYS(eventfd(0, EFD_NONBLOCK));

    need_kernel(5, 8, "the completion ring's flags");
    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_eventfd(&ring, fd), 0);
    CHECK_EQ(io_uring_cq_eventfd_toggle(&ring, true), 0);
    CHECK_EQ(io_uring_cq_eventfd_toggle(&ring, false), 0);
    CHECK(!io_uring_cq_eventfd_enabled(&ring));
    submit_nop(&ring, 1);
    CHECK_EQ(notices(fd), 0);
    CHECK_EQ(io_uring_cq_eventfd_toggle(&ring, true), 0);
    CHECK(io_uring_cq_eventfd_enabled(&ring));
    submit_nop(&ring, 2);
    CHECK_EQ(notices(fd), 1);
    io_uring_queue_exit(&ring);
    close(fd);
}

/*
 * Old kernels lack these flags: the eventfd is always enabled and cannot be
 * disabled.
 */
static void no_flags(void)
{
    struct io_uring ring;

    ring_open(&ring, 8, 0);
    ring.cq.kflags = NULL;
    CHECK(io_uring_cq_eventfd_enabled(&ring));
    CHECK_EQ(io_uring_cq_eventfd_toggle(&ring, true), 0);
    CHECK_EQ(io_uring_cq_eventfd_toggle(&ring, false), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(every_completion),
    CASE(async_only),
    CASE(toggled),
    CASE(no_flags),
};

TEST_MAIN(cases)
