/* The calls that wait for completions: with a count, a timeout, a signal mask. */
#include "ring.h"

enum { SHORT_MS = 20, LONG_MS = 10000 };

static struct io_uring_sqe *add_nop(struct io_uring *ring, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, data);
    return sqe;
}

static void wait_one_with_timeout(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = (struct io_uring_cqe *) &ring;
    struct __kernel_timespec ts = millis(SHORT_MS);
    long long start = now_ms(CLOCK_MONOTONIC);

    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &ts), -ETIME);
    CHECK(cqe == NULL);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);

    ts = millis(LONG_MS);
    submit_nop(&ring, 8);
    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &ts), 0);
    CHECK_EQ(take(&ring, cqe).data, 8);

    /* a time of zero is a peek; a null timespec is no limit */
    ts = millis(0);
    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &ts), -ETIME);
    submit_nop(&ring, 9);
    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, NULL), 0);
    CHECK_EQ(take(&ring, cqe).data, 9);
    io_uring_queue_exit(&ring);
}

/* On a timeout with fewer completions than asked for, the call still returns the first. */
static void wait_many_with_timeout(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = NULL;
    struct __kernel_timespec ts = millis(SHORT_MS);
    long long start;

    ring_open(&ring, 4, 0);
    submit_nop(&ring, 1);
    submit_nop(&ring, 2);
    CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 2, &ts, NULL), 0);
    CHECK_EQ(cqe->user_data, 1);
    CHECK_EQ(io_uring_cq_ready(&ring), 2);

    start = now_ms(CLOCK_MONOTONIC);
    CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 3, &ts, NULL), 0);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);
    CHECK_EQ(cqe->user_data, 1);
    io_uring_cq_advance(&ring, 2);
    CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 2, &ts, NULL), -ETIME);
    io_uring_queue_exit(&ring);
}

/* None of the pure waits submits prepared requests. */
static void wait_does_not_submit(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = millis(1);

    ring_open(&ring, 4, 0);
    if (!(ring.features & IORING_FEAT_EXT_ARG)) {
        io_uring_queue_exit(&ring);
        skip("the kernel has no extended wait argument");
    }
    add_nop(&ring, 1);
    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &ts), -ETIME);
    CHECK_EQ(io_uring_sq_ready(&ring), 1);
    SUBMIT(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);
}

static void wait_nr(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    ring_open(&ring, 8, 0);
    for (unsigned i = 0; i < 3; i++)
        add_nop(&ring, i);
    SUBMIT(&ring, 3);
    CHECK_EQ(io_uring_wait_cqe_nr(&ring, &cqe, 3), 0);
    CHECK_EQ(cqe->user_data, 0);
    CHECK_EQ(io_uring_cq_ready(&ring), 3);
    io_uring_cq_advance(&ring, 3);
    CHECK_EQ(io_uring_wait_cqe_nr(&ring, &cqe, 0), -EAGAIN);
    CHECK(cqe == NULL);
    io_uring_queue_exit(&ring);
}

static void submit_and_wait(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = NULL;
    struct __kernel_timespec ts = millis(LONG_MS);

    ring_open(&ring, 8, 0);
    add_nop(&ring, 1);
    add_nop(&ring, 2);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 2), 2);
    CHECK_EQ(io_uring_cq_ready(&ring), 2);
    io_uring_cq_advance(&ring, 2);

    add_nop(&ring, 3);
    add_nop(&ring, 4);
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 2, &ts, NULL), 2);
    CHECK_EQ(cqe->user_data, 3);
    CHECK_EQ(io_uring_cq_ready(&ring), 2);
    io_uring_cq_advance(&ring, 2);

    add_nop(&ring, 5);
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, NULL, NULL), 1);
    CHECK_EQ(take(&ring, cqe).data, 5);
    io_uring_queue_exit(&ring);
}

/* The number submitted is returned even if the wait then times out. */
static void submit_then_time_out(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = millis(SHORT_MS);
    char byte;
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, fds[0], &byte, 1, 0);
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL), 1);
    CHECK(cqe == NULL);
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL), -ETIME);
    CHECK(cqe == NULL);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(reap(&ring).res, 1);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static volatile sig_atomic_t signals_seen;

static void on_signal(int signal_number)
{
    (void) signal_number;
    signals_seen++;
}

/* The mask holds only during the wait: a pending signal is delivered then. */
static void wait_with_signal_mask(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = millis(LONG_MS);
    sigset_t blocked, open_mask;

    signal(SIGUSR1, on_signal);
    sigemptyset(&open_mask);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    ring_open(&ring, 4, 0);

    raise(SIGUSR1);
    CHECK_EQ(signals_seen, 0);
    CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 1, &ts, &open_mask), -EINTR);
    CHECK_EQ(signals_seen, 1);

    raise(SIGUSR1);
    CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 1, NULL, &open_mask), -EINTR);
    CHECK_EQ(signals_seen, 2);

    raise(SIGUSR1);
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, &open_mask), -EINTR);
    CHECK_EQ(signals_seen, 3);

    /* if the signal is blocked during the wait too, the wait times out instead */
    raise(SIGUSR1);
    ts = millis(SHORT_MS);
    CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 1, &ts, &blocked), -ETIME);
    CHECK_EQ(signals_seen, 3);
    io_uring_queue_exit(&ring);
}

/* After the minimum wait, the completions present are enough. */
static void minimum_wait(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = millis(LONG_MS);
    long long start;

    ring_open(&ring, 8, 0);
    if (!(ring.features & IORING_FEAT_MIN_TIMEOUT)) {
        CHECK_EQ(io_uring_wait_cqes_min_timeout(&ring, &cqe, 1, &ts, 1, NULL), -EINVAL);
        io_uring_queue_exit(&ring);
        skip("the kernel has no minimum wait");
    }
    start = now_ms(CLOCK_MONOTONIC);
    submit_nop(&ring, 1);
    CHECK_EQ(io_uring_wait_cqes_min_timeout(&ring, &cqe, 8, &ts, SHORT_MS * 1000, NULL), 0);
    CHECK_EQ(take(&ring, cqe).data, 1);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);
    CHECK_LT(now_ms(CLOCK_MONOTONIC) - start, LONG_MS);

    start = now_ms(CLOCK_MONOTONIC);
    add_nop(&ring, 2);
    CHECK_EQ(io_uring_submit_and_wait_min_timeout(&ring, &cqe, 8, &ts, SHORT_MS * 1000,
                                                  NULL), 1);
    CHECK_EQ(take(&ring, cqe).data, 2);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);
    CHECK_LT(now_ms(CLOCK_MONOTONIC) - start, LONG_MS);
    io_uring_queue_exit(&ring);
}

static void minimum_wait_unsupported(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = millis(1);

    ring_open(&ring, 4, 0);
    ring.features &= ~IORING_FEAT_MIN_TIMEOUT;
    CHECK_EQ(io_uring_wait_cqes_min_timeout(&ring, &cqe, 1, &ts, 1, NULL), -EINVAL);
    CHECK_EQ(io_uring_submit_and_wait_min_timeout(&ring, &cqe, 1, &ts, 1, NULL), -EINVAL);
    io_uring_queue_exit(&ring);
}

/* ---- kernels without the extended argument: the library submits a timeout request ---- */

static void open_without_ext_arg(struct io_uring *ring, unsigned entries)
{
    ring_open(ring, entries, 0);
    ring->features &= ~IORING_FEAT_EXT_ARG;
}

/* The timeout request is internal to the library: no result counts it. */
static void old_wait_times_out(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = (struct io_uring_cqe *) &ring;
    struct __kernel_timespec ts = millis(SHORT_MS);
    long long start = now_ms(CLOCK_MONOTONIC);

    better_than_reference("that time has passed is told on old kernels");
    open_without_ext_arg(&ring, 4);
    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &ts), -ETIME);
    CHECK(cqe == NULL);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);
    CHECK_EQ(io_uring_cq_ready(&ring), 0);
    cqe = (struct io_uring_cqe *) &ring;
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL), -ETIME);
    CHECK(cqe == NULL);

    /* on a timeout with fewer completions than asked for, the call still returns the first */
    add_nop(&ring, 7);
    start = now_ms(CLOCK_MONOTONIC);
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 3, &ts, NULL), 1);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);
    CHECK_EQ(take(&ring, cqe).data, 7);
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
}

/* On such kernels the wait submits prepared requests and hides its timeout's completion. */
static void old_wait_submits(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = millis(LONG_MS);

    better_than_reference("what is submitted on old kernels is counted without the timeout");
    open_without_ext_arg(&ring, 2);
    for (unsigned round = 0; round < 3; round++) {
        add_nop(&ring, 21);
        add_nop(&ring, 22); /* no room is left for the timeout */
        CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 2, &ts, NULL), 0);
        CHECK_EQ(take(&ring, cqe).data, 21);
        CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
        CHECK_EQ(take(&ring, cqe).data, 22);
        CHECK_NO_CQE(&ring);
    }
    add_nop(&ring, 23);
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL), 1);
    CHECK_EQ(take(&ring, cqe).data, 23);
    io_uring_queue_exit(&ring);
}

/* The next request in a timeout's slot belongs to the program, also if it sets no user_data. */
static void old_wait_leaves_no_mark(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = millis(1);

    better_than_reference("no slot keeps the user_data of the library's timeout");
    open_without_ext_arg(&ring, 2);
    for (unsigned round = 0; round < 4; round++) {
        CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &ts), -ETIME);
        for (unsigned i = 0; i < 2; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            CHECK(sqe->user_data != LIBURING_UDATA_TIMEOUT);
            sqe->opcode = IORING_OP_NOP;
        }
        SUBMIT(&ring, 2);
        CHECK(reap(&ring).data != LIBURING_UDATA_TIMEOUT);
        CHECK(reap(&ring).data != LIBURING_UDATA_TIMEOUT);
    }
    io_uring_queue_exit(&ring);
}

/* A wait that the kernel does not support publishes nothing either. */
static void unknown_wait_moves_nothing(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    better_than_reference("a registered wait that is refused publishes nothing");
    open_without_ext_arg(&ring, 4);
    add_nop(&ring, 1);
    CHECK_EQ(io_uring_submit_and_wait_reg(&ring, &cqe, 1, 0), -EINVAL);
    CHECK_EQ(*ring.sq.ktail, 0);
    CHECK_EQ(io_uring_sq_ready(&ring), 1);
    SUBMIT(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);
}

/* The minimum applies without a timeout too. */
static void minimum_wait_alone(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = NULL;
    long long start;

    better_than_reference("a minimum wait without a limit ends");
    ring_open(&ring, 8, 0);
    if (!(ring.features & IORING_FEAT_MIN_TIMEOUT)) {
        io_uring_queue_exit(&ring);
        skip("the kernel has no minimum wait");
    }
    start = now_ms(CLOCK_MONOTONIC);
    add_nop(&ring, 2);
    CHECK_EQ(io_uring_submit_and_wait_min_timeout(&ring, &cqe, 8, NULL, SHORT_MS * 1000, NULL), 1);
    CHECK_EQ(take(&ring, cqe).data, 2);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(wait_one_with_timeout),
    CASE(wait_many_with_timeout),
    CASE(wait_does_not_submit),
    CASE(wait_nr),
    CASE(submit_and_wait),
    CASE(submit_then_time_out),
    CASE(wait_with_signal_mask),
    CASE(minimum_wait),
    CASE(minimum_wait_unsupported),
    CASE(old_wait_times_out),
    CASE(old_wait_submits),
    CASE(old_wait_leaves_no_mark),
    CASE(unknown_wait_moves_nothing),
    CASE(minimum_wait_alone),
};

TEST_MAIN(cases)
