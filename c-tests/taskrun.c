/* Rings that run completion work on request: COOP_TASKRUN, DEFER_TASKRUN. */
#include <poll.h>
#include <pthread.h>

#include "file.h"

enum { DEFER = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };

static bool work_is_pending(struct io_uring *ring)
{
    return IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_TASKRUN;
}

static void start_read(struct io_uring *ring, int fd, char *byte)
{
    io_uring_prep_read(next_sqe(ring), fd, byte, 1, 0);
    SUBMIT(ring, 1);
}

/* The flag in the ring reports pending work, and a peek then enters the kernel for it. */
static void flagged(unsigned flags)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe, *cqes[4];
    char byte;
    int fds[2];

    need_setup(flags, "deferred completion work");
    make_socketpair(fds, SOCK_STREAM);
    ring_open(&ring, 4, flags);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(!work_is_pending(&ring));
        start_read(&ring, fds[0], &byte);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        if (flags & IORING_SETUP_DEFER_TASKRUN) {
            CHECK(work_is_pending(&ring));
            CHECK_EQ(io_uring_cq_ready(&ring), 0);
        }
        switch (i) {
        case 0:
            CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), 0);
            break;
        case 1:
            CHECK_EQ(io_uring_peek_batch_cqe(&ring, cqes, 4), 1);
            cqe = cqes[0];
            break;
        default:
            CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
        }
        CHECK_EQ(take(&ring, cqe).res, 1);
    }
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void cooperative(void)
{
    flagged(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
}

static void deferred(void)
{
    flagged(DEFER | IORING_SETUP_TASKRUN_FLAG);
}

/* Without the flag no completion appears until a call asks for events. */
static void asks_for_events(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    char byte;
    int fds[2];

    need_setup(DEFER, "deferred completion work");
    make_socketpair(fds, SOCK_STREAM);
    ring_open(&ring, 4, DEFER);
    start_read(&ring, fds[0], &byte);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), -EAGAIN);
    CHECK_EQ(io_uring_get_events(&ring), 0);
    CHECK_EQ(io_uring_cq_ready(&ring), 1);
    CHECK_EQ(reap(&ring).res, 1);
    CHECK_EQ(io_uring_get_events(&ring), 0);

    start_read(&ring, fds[0], &byte);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(io_uring_submit_and_get_events(&ring), 1);
    CHECK_EQ(io_uring_cq_ready(&ring), 2);
    io_uring_cq_advance(&ring, 2);

    start_read(&ring, fds[0], &byte);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(io_uring_submit_and_get_events(&ring), 0);
    CHECK_EQ(io_uring_cq_ready(&ring), 1);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* Until there is completion work, done by whichever thread. None of it is asked for. */
static void await_work(struct io_uring *ring)
{
    struct pollfd ready = { .fd = ring->ring_fd, .events = POLLIN };

    /* The kernel may lose the wake while it takes note of a ring's first poll. */
    while (poll(&ready, 1, 100) == 0)
        ;
    CHECK_EQ(ready.revents & POLLIN, POLLIN);
    CHECK_EQ(io_uring_cq_ready(ring), 0);
}

/* A request whose completion was not asked for yet is not over, so a drained one waits for it. */
static void drains_what_is_deferred(void)
{
    struct io_uring ring;
    char byte;
    int fd = make_file("data", 4096, 1);

    need_setup(DEFER, "deferred completion work");
    ring_open(&ring, 8, DEFER);
    for (unsigned round = 0; round < 20; round++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        io_uring_prep_read(sqe, fd, &byte, 1, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
        io_uring_sqe_set_data64(sqe, 1);
        SUBMIT(&ring, 1);
        await_work(&ring);
        for (unsigned i = 2; i <= 3; i++) {
            sqe = next_sqe(&ring);
            io_uring_prep_nop(sqe);
            io_uring_sqe_set_flags(sqe, i == 2 ? IOSQE_IO_LINK | IOSQE_IO_DRAIN : 0);
            io_uring_sqe_set_data64(sqe, i);
        }
        SUBMIT(&ring, 2);
        CHECK_EQ(io_uring_cq_ready(&ring), 0);
        for (unsigned i = 1; i <= 3; i++)
            CHECK_EQ(reap(&ring).data, i);
    }
    io_uring_queue_exit(&ring);
    close(fd);
}

/* The completions of one request come in the order in which they happened. */
static void multishot_in_order(void)
{
    enum { BUFFERS = 16, ROUNDS = 50 };
    static char bytes[BUFFERS];
    struct io_uring_buf_ring *pool;
    struct io_uring_sqe *sqe;
    struct io_uring ring;
    int fds[2], error;

    need_setup(DEFER, "deferred completion work");
    make_socketpair(fds, SOCK_STREAM);
    ring_open(&ring, 8, DEFER);
    pool = io_uring_setup_buf_ring(&ring, BUFFERS, 0, 0, &error);
    CHECK(pool != NULL);
    for (unsigned i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(pool, &bytes[i], 1, i, io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(pool, BUFFERS);
    sqe = next_sqe(&ring);
    io_uring_prep_recv_multishot(sqe, fds[0], NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    SUBMIT(&ring, 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        CHECK_EQ(write(fds[1], "a", 1), 1);
        await_work(&ring);
        CHECK_EQ(write(fds[1], "b", 1), 1);
        for (unsigned i = 0; i < 2; i++) {
            struct done done = reap(&ring);
            unsigned id = done.flags >> IORING_CQE_BUFFER_SHIFT;

            CHECK_EQ(done.res, 1);
            CHECK_EQ(bytes[id], "ab"[i]);
            io_uring_buf_ring_add(pool, &bytes[id], 1, id, io_uring_buf_ring_mask(BUFFERS), 0);
            io_uring_buf_ring_advance(pool, 1);
        }
    }
    CHECK_EQ(io_uring_free_buf_ring(&ring, pool, BUFFERS, 0), 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void *submit_elsewhere(void *ring)
{
    return (void *) (intptr_t) io_uring_submit((struct io_uring *) ring);
}

static void single_issuer(void)
{
    struct io_uring ring;
    pthread_t thread;
    void *result;

    need_setup(IORING_SETUP_SINGLE_ISSUER, "a single issuer");
    ring_open(&ring, 4, IORING_SETUP_SINGLE_ISSUER);
    submit_nop(&ring, 1);
    reap(&ring);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(pthread_create(&thread, NULL, submit_elsewhere, &ring), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((intptr_t) result, -EEXIST);
    SUBMIT(&ring, 1);
    reap(&ring);
    io_uring_queue_exit(&ring);
}

static void bad_combinations(void)
{
    struct io_uring ring;
    struct leak_mark mark;

    need_setup(DEFER, "deferred completion work");
    mark = leak_mark();
    CHECK_EQ(io_uring_queue_init(4, &ring, IORING_SETUP_DEFER_TASKRUN), -EINVAL);
    CHECK_EQ(io_uring_queue_init(4, &ring, IORING_SETUP_TASKRUN_FLAG), -EINVAL);
    CHECK_EQ(io_uring_queue_init(4, &ring, DEFER | IORING_SETUP_SQPOLL), -EINVAL);
    CHECK_NO_LEAK(mark);
}

/* Whether the kernel counts the wait as waiting for I/O is not visible: the test checks for no error. */
static void iowait_switch(void)
{
    struct io_uring ring;

    ring_open(&ring, 4, 0);
    if (!(ring.features & IORING_FEAT_NO_IOWAIT)) {
        CHECK_EQ(io_uring_set_iowait(&ring, false), -EOPNOTSUPP);
        io_uring_queue_exit(&ring);
        skip("the kernel has no iowait switch");
    }
    CHECK_EQ(io_uring_set_iowait(&ring, false), 0);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(io_uring_submit_and_wait(&ring, 1), 1);
    CHECK_EQ(io_uring_set_iowait(&ring, true), 0);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(io_uring_submit_and_wait(&ring, 1), 1);
    ring.features &= ~IORING_FEAT_NO_IOWAIT;
    CHECK_EQ(io_uring_set_iowait(&ring, false), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(cooperative),
    CASE(deferred),
    CASE(asks_for_events),
    CASE(drains_what_is_deferred),
    CASE(multishot_in_order),
    CASE(single_issuer),
    CASE(bad_combinations),
    CASE(iowait_switch),
};

TEST_MAIN(cases)
