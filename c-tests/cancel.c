/* Cancelling requests: by user_data, by descriptor, all, and synchronously. */
#include <poll.h>

#include "file.h"

static void add_poll(struct io_uring *ring, int fd, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_poll_add(sqe, fd, POLLIN);
    io_uring_sqe_set_data64(sqe, data);
}

static void by_user_data(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    int fds[2], marker;

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 8, 0);
    add_poll(&ring, fds[0], 0xffffffff00000001ull);
    SUBMIT(&ring, 1);
    io_uring_prep_cancel64(next_sqe(&ring), 1, 0);
    CHECK_EQ(run_res(&ring), -ENOENT);
    sqe = next_sqe(&ring);
    io_uring_prep_cancel64(sqe, 0xffffffff00000001ull, 0);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 0xffffffff00000001ull).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 2).res, 0);

    /* the same with a pointer as the key */
    add_poll(&ring, fds[0], (__u64) (uintptr_t) &marker);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_cancel(sqe, &marker, 0);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, (__u64) (uintptr_t) &marker).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 2).res, 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void by_descriptor(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[3];
    int first[2], second[2];

    need_kernel(5, 19, "cancelling by descriptor");
    CHECK_SYS(pipe(first));
    CHECK_SYS(pipe(second));
    ring_open(&ring, 8, 0);
    add_poll(&ring, first[0], 1);
    add_poll(&ring, second[0], 2);
    add_poll(&ring, second[0], 3);
    SUBMIT(&ring, 3);
    sqe = next_sqe(&ring);
    io_uring_prep_cancel_fd(sqe, second[0], IORING_ASYNC_CANCEL_ALL);
    io_uring_sqe_set_data64(sqe, 4);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 3);
    CHECK_EQ(find_done(dones, 3, 2).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 3, 3).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 3, 4).res, 2); /* the number of cancelled requests */
    CHECK_NO_CQE(&ring);

    sqe = next_sqe(&ring);
    io_uring_prep_cancel_fd(sqe, first[0], 0);
    io_uring_sqe_set_data64(sqe, 5);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 5).res, 0);
    io_uring_queue_exit(&ring);
    close(first[0]);
    close(first[1]);
    close(second[0]);
    close(second[1]);
}

static void by_direct_descriptor(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    int fds[2];

    need_kernel(5, 19, "cancelling by descriptor");
    CHECK_SYS(pipe(fds));
    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_files(&ring, fds, 1), 0);
    add_poll(&ring, fds[0], 1);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_cancel_fd(sqe, 0, IORING_ASYNC_CANCEL_FD_FIXED);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 2).res, 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void any_and_all(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[4];
    int fds[2];

    need_kernel(5, 19, "cancelling any request");
    CHECK_SYS(pipe(fds));
    ring_open(&ring, 8, 0);
    for (unsigned i = 1; i <= 3; i++)
        add_poll(&ring, fds[0], i);
    SUBMIT(&ring, 3);
    sqe = next_sqe(&ring);
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    io_uring_sqe_set_data64(sqe, 4);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 4);
    for (unsigned i = 1; i <= 3; i++)
        CHECK_EQ(find_done(dones, 4, i).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 4, 4).res, 3);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void by_opcode(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    struct __kernel_timespec ts = millis(60000);
    int fds[2];

    need_kernel(6, 6, "cancelling by opcode");
    CHECK_SYS(pipe(fds));
    ring_open(&ring, 8, 0);
    add_poll(&ring, fds[0], 1);
    sqe = next_sqe(&ring);
    io_uring_prep_timeout(sqe, &ts, 0, 0);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 2);
    sqe = next_sqe(&ring);
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_OP);
    sqe->len = IORING_OP_TIMEOUT;
    io_uring_sqe_set_data64(sqe, 3);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 2).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 3).res, 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void synchronously(void)
{
    struct io_uring ring;
    struct io_uring_sync_cancel_reg reg;
    struct done done;
    int fds[2];

    need_kernel(6, 0, "synchronous cancel");
    CHECK_SYS(pipe(fds));
    ring_open(&ring, 8, 0);
    memset(&reg, 0, sizeof(reg));
    reg.addr = 7;
    reg.timeout.tv_sec = -1;
    reg.timeout.tv_nsec = -1;
    CHECK_EQ(io_uring_register_sync_cancel(&ring, &reg), -ENOENT);
    add_poll(&ring, fds[0], 7);
    SUBMIT(&ring, 1);
    CHECK_EQ(io_uring_register_sync_cancel(&ring, &reg), 0);
    done = reap(&ring);
    CHECK_EQ(done.data, 7);
    CHECK_EQ(done.res, -ECANCELED);

    memset(&reg, 0, sizeof(reg));
    reg.fd = fds[0];
    reg.flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
    reg.timeout.tv_sec = -1;
    reg.timeout.tv_nsec = -1;
    add_poll(&ring, fds[0], 8);
    add_poll(&ring, fds[0], 9);
    SUBMIT(&ring, 2);
    CHECK_GE(io_uring_register_sync_cancel(&ring, &reg), 0);
    CHECK_EQ(reap(&ring).res, -ECANCELED);
    CHECK_EQ(reap(&ring).res, -ECANCELED);
    reg.flags = 1u << 30;
    CHECK_EQ(io_uring_register_sync_cancel(&ring, &reg), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* A cancel also finds a read in a worker thread. */
static void running_in_worker(void)
{
    struct __kernel_timespec pause = millis(100);
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    struct done done;
    bool over = false;
    char byte;
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, fds[0], &byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    io_uring_sqe_set_data64(sqe, 1);
    SUBMIT(&ring, 1);
    /* a cancel has no effect while the request moves from the worker to a poll: cancel again */
    while (!over) {
        sqe = next_sqe(&ring);
        io_uring_prep_cancel64(sqe, 1, 0);
        io_uring_sqe_set_data64(sqe, 2);
        SUBMIT(&ring, 1);
        while (io_uring_wait_cqe_timeout(&ring, &cqe, &pause) == 0) {
            done = take(&ring, cqe);
            if (done.data == 1) {
                CHECK(done.res == -ECANCELED || done.res == -EINTR);
                over = true;
            } else {
                CHECK(done.res == 0 || done.res == -EALREADY || (over && done.res == -ENOENT));
            }
        }
    }
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static const struct test_case cases[] = {
    CASE(by_user_data),
    CASE(by_descriptor),
    CASE(by_direct_descriptor),
    CASE(any_and_all),
    CASE(by_opcode),
    CASE(synchronously),
    CASE(running_in_worker),
};

TEST_MAIN(cases)
