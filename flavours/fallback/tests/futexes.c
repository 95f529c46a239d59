/*
 * Waiting on futexes beside cancelling and limits: what was taken back is no
 * waiter any more, and no wake is lost to it.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>

#include "file.h"
#include "ring.h"

/* Fewer in an emulated machine. */
#ifndef WOKEN_ROUNDS
#define WOKEN_ROUNDS 1000
#endif

enum { FLAGS = 0x02 /* 32 bits */ | 128 /* private */ };

static struct io_uring ring;
static uint32_t word;

static int wake_plainly(int count)
{
    return (int) syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* Nanoseconds on the monotonic clock. */
static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

static void wait_for_word(uint64_t mask, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_futex_wait(sqe, &word, 0, mask, FLAGS, 0);
    io_uring_sqe_set_data64(sqe, data);
    SUBMIT(&ring, 1);
}

static int cancel(__u64 data)
{
    struct io_uring_sync_cancel_reg which = { .addr = data, .timeout = { -1, -1 } };

    return io_uring_register_sync_cancel(&ring, &which);
}

static void cancelled(void)
{
    struct io_uring other;

    ring_open(&ring, 8, 0);
    wait_for_word(FUTEX_BITSET_MATCH_ANY, 1);
    CHECK_EQ(cancel(1), 1);
    CHECK_EQ(reap(&ring).res, -ECANCELED);
    /* an ended ring waits no more, either */
    wait_for_word(FUTEX_BITSET_MATCH_ANY, 2);
    io_uring_queue_exit(&ring);
    ring_open(&other, 8, 0);
    /* the one that was called goes by itself, and is not waited for */
    while (wake_plainly(1) != 0)
        usleep(1000);
    io_uring_queue_exit(&other);
}

static void limited(void)
{
    struct __kernel_timespec time = millis(5);
    struct io_uring_sqe *sqe;

    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_futex_wait(sqe, &word, 0, FUTEX_BITSET_MATCH_ANY, FLAGS, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 1);
    io_uring_prep_link_timeout(sqe = next_sqe(&ring), &time, 0);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 2);
    for (unsigned i = 0; i < 2; i++) {
        struct done done = reap(&ring);

        /* of the timeout the kernel says how many it ended */
        CHECK_EQ(done.res, done.data == 1 ? -ECANCELED : 1);
    }
    io_uring_queue_exit(&ring);
}

static unsigned asked;

/* One wake that finds a waiter, each time that it is asked for. */
static void *wake_once_each(void *unused)
{
    (void) unused;
    for (unsigned round = 1; round <= WOKEN_ROUNDS; round++) {
        while (__atomic_load_n(&asked, __ATOMIC_ACQUIRE) < round)
            sched_yield();
        while (wake_plainly(1) == 0)
            sched_yield();
    }
    return NULL;
}

/* Of two requests one is cancelled, and one wake comes at the same moment: the wake ends the other one, or the first. */
static void wakes_beside_cancelling(uint64_t mask)
{
    pthread_t thread;

    asked = 0;
    ring_open(&ring, 64, 0);
    CHECK_EQ(pthread_create(&thread, NULL, wake_once_each, NULL), 0);
    for (unsigned round = 1; round <= WOKEN_ROUNDS; round++) {
        bool taken;

        wait_for_word(mask, 1);
        wait_for_word(mask, 2);
        __atomic_store_n(&asked, round, __ATOMIC_RELEASE);
        /* at first the older one is the one that a wake finds */
        taken = cancel(1) == 1;
        if (!taken)
            CHECK_EQ(cancel(2), 1);
        for (unsigned i = 0; i < 2; i++) {
            struct done done = reap(&ring);

            CHECK_EQ(done.res, (done.data == 1) == taken ? -ECANCELED : 0);
        }
        CHECK_NO_CQE(&ring);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    io_uring_queue_exit(&ring);
}

static void woken_or_cancelled(void)
{
    wakes_beside_cancelling(FUTEX_BITSET_MATCH_ANY);
}

static void with_masks(void)
{
    wakes_beside_cancelling(5);
}

/*
 * A thread that waits with a mask wakes up each quarter of a second, to see if
 * its request was cancelled. A wake of a ring's finds it then, too.
 */
static void between_sleeps(void)
{
    enum { WAITERS = 64, ROUNDS = 8, WAKE = 1000 };
    const int64_t quarter = 250000000, step = 20000;
    static uint32_t words[WAITERS];
    int64_t began[WAITERS];

    ring_open(&ring, 2 * WAITERS, 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < WAITERS; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            io_uring_prep_futex_wait(sqe, &words[i], 0, 1, FLAGS, 0);
            io_uring_sqe_set_data64(sqe, i);
            began[i] = now();
            SUBMIT(&ring, 1);
        }
        for (unsigned i = 0; i < WAITERS; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            io_uring_prep_futex_wake(sqe, &words[i], 1, 1, FLAGS, 0);
            io_uring_sqe_set_data64(sqe, WAKE);
            while (now() < began[i] + quarter + round * step)
                sched_yield();
            SUBMIT(&ring, 1);
            for (unsigned j = 0; j < 2; j++) {
                struct done done = reap(&ring);

                CHECK_EQ(done.res, done.data == WAKE ? 1 : 0);
            }
        }
    }
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(cancelled),
    CASE(limited),
    CASE(woken_or_cancelled),
    CASE(with_masks),
    CASE(between_sleeps),
};

TEST_MAIN(cases)
