/* A signal ends every wait, whatever was submitted before it in the same call. */
#include "ring.h"

static volatile sig_atomic_t signals_seen;

static void on_signal(int signal_number)
{
    (void) signal_number;
    signals_seen++;
}

/* A pending signal, and a mask that unblocks it during a wait. So it always comes after the submission. */
static sigset_t raise_for_wait(void)
{
    sigset_t blocked, open_mask;

    signal(SIGUSR1, on_signal);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    signals_seen = 0;
    raise(SIGUSR1);
    sigemptyset(&open_mask);
    return open_mask;
}

struct pending_read {
    int fds[2];
    char byte;
};

/* A request that does not complete by itself. */
static void add_read(struct io_uring *ring, struct pending_read *read)
{
    CHECK_SYS(pipe(read->fds));
    io_uring_prep_read(next_sqe(ring), read->fds[0], &read->byte, 1, 0);
}

static void finish_read(struct io_uring *ring, struct pending_read *read)
{
    CHECK_EQ(write(read->fds[1], "x", 1), 1);
    CHECK_EQ(reap(ring).res, 1);
    close(read->fds[0]);
    close(read->fds[1]);
}

static void after_the_submission(void)
{
    struct __kernel_timespec ts = millis(10000);
    struct __kernel_timespec *limits[] = { NULL, &ts };

    for (unsigned i = 0; i < ARRAY_LEN(limits); i++) {
        struct io_uring ring;
        struct io_uring_cqe *cqe = (struct io_uring_cqe *) &ring;
        struct pending_read read;
        sigset_t open_mask;

        if (!limits[i])
            better_than_reference("a signal ends a wait without a limit that submits");
        ring_open(&ring, 4, 0);
        add_read(&ring, &read);
        open_mask = raise_for_wait();
        CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, limits[i], &open_mask), 1);
        CHECK_EQ(signals_seen, 1);
        CHECK(cqe == NULL);

        /* with nothing submitted the error is returned */
        open_mask = raise_for_wait();
        CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, limits[i], &open_mask), -EINTR);
        CHECK(cqe == NULL);
        finish_read(&ring, &read);
        io_uring_queue_exit(&ring);
    }
}

/* The kernel does not report a signal if one completion is there and the program waits for more. */
static void beside_a_completion(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = NULL;
    struct pending_read read;
    sigset_t open_mask;

    better_than_reference("a signal ends a wait for several completions that submits");
    ring_open(&ring, 4, 0);
    add_read(&ring, &read);
    io_uring_prep_nop(next_sqe(&ring));
    open_mask = raise_for_wait();
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 2, NULL, &open_mask), 2);
    CHECK_EQ(signals_seen, 1);
    CHECK(cqe != NULL);
    take(&ring, cqe);
    finish_read(&ring, &read);
    io_uring_queue_exit(&ring);
}

/* The same holds for a ring with a submission thread. */
static void with_a_submission_thread(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = NULL;
    struct pending_read read;
    sigset_t open_mask;

    better_than_reference("a signal ends a wait without a limit that submits");
    need_setup(IORING_SETUP_SQPOLL, "a submission thread");
    ring_open(&ring, 4, IORING_SETUP_SQPOLL);
    add_read(&ring, &read);
    open_mask = raise_for_wait();
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, NULL, &open_mask), 1);
    CHECK(cqe == NULL);
    finish_read(&ring, &read);
    io_uring_queue_exit(&ring);
}

static volatile sig_atomic_t stop;

static void on_alarm(int signal_number)
{
    (void) signal_number;
    stop = 1;
}

/* A wait on a polled ring ends after millions of system calls, which an emulated processor may need minutes for. */
static void need_fast_calls(struct io_uring *ring)
{
    enum { CALLS = 2000, MOST_MS = 20 };
    long long start = now_ms(CLOCK_MONOTONIC);

    for (unsigned i = 0; i < CALLS; i++)
        CHECK_EQ(io_uring_get_events(ring), 0);
    if (now_ms(CLOCK_MONOTONIC) - start > MOST_MS)
        skip("system calls are too slow here");
}

/* With nothing to poll for, the kernel returns at once and does not check for signals. */
static void on_a_polled_ring(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = NULL;

    better_than_reference("a wait on a polled ring comes to an end");
    need_setup(IORING_SETUP_IOPOLL, "completion polling");
    ring_open(&ring, 4, IORING_SETUP_IOPOLL);
    need_fast_calls(&ring);
    signal(SIGALRM, on_alarm);
    alarm(1);
    while (!stop)
        CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), -EINTR);
    CHECK(cqe == NULL);
    io_uring_queue_exit(&ring);
}

static void on_kernels_without_limits(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = NULL;
    struct __kernel_timespec ts = millis(10000);
    struct pending_read read;
    sigset_t open_mask;

    better_than_reference("a signal ends a wait with a limit on old kernels");
    ring_open(&ring, 4, 0);
    ring.features &= ~IORING_FEAT_EXT_ARG;
    open_mask = raise_for_wait();
    CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 1, &ts, &open_mask), -EINTR);
    CHECK(cqe == NULL);
    add_read(&ring, &read);
    open_mask = raise_for_wait();
    CHECK_EQ(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, &open_mask), 1);
    CHECK(cqe == NULL);
    finish_read(&ring, &read);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(after_the_submission),
    CASE(beside_a_completion),
    CASE(with_a_submission_thread),
    CASE(on_a_polled_ring),
    CASE(on_kernels_without_limits),
};

TEST_MAIN(cases)
