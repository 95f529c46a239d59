/* Timeout requests. Times are only ever checked from below. */
#include "ring.h"

enum { SHORT_MS = 20, LONG_MS = 60000 };

static void add_timeout(struct io_uring *ring, struct __kernel_timespec *ts,
                        unsigned count, unsigned flags, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_timeout(sqe, ts, count, flags);
    io_uring_sqe_set_data64(sqe, data);
}

static void expires(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = millis(SHORT_MS);
    long long start = now_ms(CLOCK_MONOTONIC);

    ring_open(&ring, 4, 0);
    add_timeout(&ring, &ts, 0, 0, 1);
    SUBMIT(&ring, 1);
    memset(&ts, 0, sizeof(ts)); /* the kernel has read it at submission */
    CHECK_EQ(reap(&ring).res, -ETIME);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);
    io_uring_queue_exit(&ring);
}

/* With a count, that many other completions end the timeout early, with success. */
static void ends_with_count(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = millis(LONG_MS);
    struct done dones[3];

    ring_open(&ring, 4, 0);
    add_timeout(&ring, &ts, 2, 0, 1);
    SUBMIT(&ring, 1);
    submit_nop(&ring, 2);
    CHECK_EQ(reap(&ring).data, 2);
    CHECK_NO_CQE(&ring);
    submit_nop(&ring, 3);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, 0);
    CHECK_EQ(find_done(dones, 2, 3).res, 0);
    io_uring_queue_exit(&ring);
}

static void absolute_clocks(void)
{
    static const struct {
        clockid_t clock;
        unsigned flag;
    } clocks[] = {
        { CLOCK_MONOTONIC, 0 },
        { CLOCK_BOOTTIME, IORING_TIMEOUT_BOOTTIME },
        { CLOCK_REALTIME, IORING_TIMEOUT_REALTIME },
    };
    struct io_uring ring;

    need_kernel(5, 15, "a choice of clocks");
    ring_open(&ring, 4, 0);
    for (unsigned i = 0; i < ARRAY_LEN(clocks); i++) {
        struct timespec now;
        struct __kernel_timespec ts;
        long long start = now_ms(clocks[i].clock);

        clock_gettime(clocks[i].clock, &now);
        ts.tv_sec = now.tv_sec;
        ts.tv_nsec = now.tv_nsec + SHORT_MS * 1000000;
        if (ts.tv_nsec >= 1000000000) {
            ts.tv_sec++;
            ts.tv_nsec -= 1000000000;
        }
        add_timeout(&ring, &ts, 0, IORING_TIMEOUT_ABS | clocks[i].flag, i);
        CHECK_EQ(run_res(&ring), -ETIME);
        CHECK_GE(now_ms(clocks[i].clock) - start, SHORT_MS - 1);

        /* a time in the past expires at once; a machine may have run for less than a second */
        ts = (struct __kernel_timespec) { 0, 1 };
        add_timeout(&ring, &ts, 0, IORING_TIMEOUT_ABS | clocks[i].flag, i);
        CHECK_EQ(run_res(&ring), -ETIME);
    }
    io_uring_queue_exit(&ring);
}

static void removed(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = millis(LONG_MS);
    struct io_uring_sqe *sqe;
    struct done dones[2];

    ring_open(&ring, 4, 0);
    add_timeout(&ring, &ts, 0, 0, 11);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_timeout_remove(sqe, 99, 0);
    CHECK_EQ(run_res(&ring), -ENOENT);
    sqe = next_sqe(&ring);
    io_uring_prep_timeout_remove(sqe, 11, 0);
    io_uring_sqe_set_data64(sqe, 12);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 11).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 12).res, 0);
    io_uring_queue_exit(&ring);
}

static void updated(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = millis(LONG_MS);
    struct __kernel_timespec sooner = millis(SHORT_MS);
    struct io_uring_sqe *sqe;
    struct done dones[2];

    need_kernel(5, 11, "timeout update");
    ring_open(&ring, 4, 0);
    add_timeout(&ring, &ts, 0, 0, 11);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_timeout_update(sqe, &sooner, 99, 0);
    CHECK_EQ(run_res(&ring), -ENOENT);
    sqe = next_sqe(&ring);
    io_uring_prep_timeout_update(sqe, &sooner, 11, 0);
    io_uring_sqe_set_data64(sqe, 12);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 12).res, 0);
    CHECK_EQ(find_done(dones, 2, 11).res, -ETIME);
    io_uring_queue_exit(&ring);
}

static void multishot(void)
{
    enum { SHOTS = 4 };
    struct io_uring ring;
    struct __kernel_timespec ts = millis(5);
    long long start = now_ms(CLOCK_MONOTONIC);

    need_kernel(6, 4, "multishot timeouts");
    ring_open(&ring, 4, 0);
    add_timeout(&ring, &ts, SHOTS, IORING_TIMEOUT_MULTISHOT, 5);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < SHOTS; i++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.data, 5);
        CHECK_EQ(done.res, -ETIME);
        CHECK_EQ(!!(done.flags & IORING_CQE_F_MORE), i + 1 < SHOTS);
    }
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, 5 * SHOTS - 1);
    io_uring_queue_exit(&ring);
}

/* A timeout that expires breaks its chain, unless a flag makes expiry a success. */
static void expiry_in_a_chain(void)
{
    static const unsigned flags[] = { 0, IORING_TIMEOUT_ETIME_SUCCESS };
    struct io_uring ring;

    need_kernel(5, 16, "expiry as success");
    ring_open(&ring, 4, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct __kernel_timespec ts = millis(5);
        struct io_uring_sqe *sqe = next_sqe(&ring);
        struct done dones[2];

        io_uring_prep_timeout(sqe, &ts, 0, flags[i]);
        io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
        io_uring_sqe_set_data64(sqe, 1);
        sqe = next_sqe(&ring);
        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, 2);
        SUBMIT(&ring, 2);
        reap_all(&ring, dones, 2);
        CHECK_EQ(find_done(dones, 2, 1).res, -ETIME);
        CHECK_EQ(find_done(dones, 2, 2).res, i ? 0 : -ECANCELED);
    }
    io_uring_queue_exit(&ring);
}

static void bad_arguments(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = { -1, 0 };

    ring_open(&ring, 4, 0);
    /* older kernels wait until a negative time */
    if (kernel_at_least(5, 17)) {
        add_timeout(&ring, &ts, 0, 0, 1);
        CHECK_EQ(run_res(&ring), -EINVAL);
    }
    add_timeout(&ring, NULL, 0, 0, 1);
    CHECK_EQ(run_res(&ring), -EFAULT);
    add_timeout(&ring, &ts, 0, 1u << 30, 1);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
}

/* ---- timeouts that guard another request ---- */

static void add_guarded_read(struct io_uring *ring, int fd, char *byte,
                             struct __kernel_timespec *ts)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_read(sqe, fd, byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 1);
    sqe = next_sqe(ring);
    io_uring_prep_link_timeout(sqe, ts, 0);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(ring, 2);
}

static void guard_fires(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = millis(SHORT_MS);
    struct done dones[2];
    char byte;
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    add_guarded_read(&ring, fds[0], &byte, &ts);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 2).res, -ETIME);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void guard_not_needed(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = millis(LONG_MS);
    struct done dones[2];
    char byte;
    int fds[2];

    CHECK_SYS(pipe(fds));
    CHECK_EQ(write(fds[1], "x", 1), 1);
    ring_open(&ring, 4, 0);
    add_guarded_read(&ring, fds[0], &byte, &ts);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, 1);
    CHECK_EQ(find_done(dones, 2, 2).res, -ECANCELED);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void guard_updated(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = millis(LONG_MS);
    struct __kernel_timespec sooner = millis(SHORT_MS);
    struct io_uring_sqe *sqe;
    struct done dones[3];
    char byte;
    int fds[2];

    need_kernel(5, 15, "link timeout update");
    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    add_guarded_read(&ring, fds[0], &byte, &ts);
    sqe = next_sqe(&ring);
    io_uring_prep_timeout_update(sqe, &sooner, 2, IORING_LINK_TIMEOUT_UPDATE);
    io_uring_sqe_set_data64(sqe, 3);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 3);
    CHECK_EQ(find_done(dones, 3, 1).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 3, 2).res, -ETIME);
    CHECK_EQ(find_done(dones, 3, 3).res, 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static const struct test_case cases[] = {
    CASE(expires),
    CASE(ends_with_count),
    CASE(absolute_clocks),
    CASE(removed),
    CASE(updated),
    CASE(multishot),
    CASE(expiry_in_a_chain),
    CASE(bad_arguments),
    CASE(guard_fires),
    CASE(guard_not_needed),
    CASE(guard_updated),
};

TEST_MAIN(cases)
