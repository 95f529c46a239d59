/*
 * A program may be busy on its rings: each of its waits is satisfied at once,
 * or has no time. What waits for a descriptor or a time is served all the same,
 * before the program has gone round many times.
 */
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "file.h"
#include "ring.h"

enum {
    TRIES = 30,
    /* No machine goes round as often in a few milliseconds. */
    MANY = 200000,
    RECEIVE = 2,
    TIMER = 3,
    NOP = 4,
};

static struct io_uring ring;
static int pair[2];
static char byte;

/* Waits for something that takes a moment: the library's own thread then stands by. */
static void wait_for_a_moment(void)
{
    struct __kernel_timespec moment = { .tv_nsec = 1000000 };

    io_uring_prep_timeout(next_sqe(&ring), &moment, 0, 0);
    CHECK_EQ(run_res(&ring), -ETIME);
}

static void begin_receive(struct io_uring *on)
{
    struct io_uring_sqe *sqe = next_sqe(on);

    io_uring_prep_recv(sqe, pair[0], &byte, 1, 0);
    io_uring_sqe_set_data64(sqe, RECEIVE);
    SUBMIT(on, 1);
}

/* A request that is complete at once, and waited for. Returns whether another one has completed. */
static bool go_round(__u64 other)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);
    bool seen = false;

    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, NOP);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 1), 1);
    while (io_uring_cq_ready(&ring) > 0)
        seen |= reap(&ring).data == other;
    return seen;
}

static void receive(void)
{
    unsigned rounds = 0;

    make_socketpair(pair, SOCK_STREAM);
    ring_open(&ring, 16, 0);
    for (unsigned i = 0; i < TRIES; i++) {
        wait_for_a_moment();
        begin_receive(&ring);
        CHECK_EQ(write(pair[1], "x", 1), 1);
        for (rounds = 0; !go_round(RECEIVE); rounds++)
            CHECK_LE(rounds, MANY);
    }
    io_uring_queue_exit(&ring);
}

static long long nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void timer(void)
{
    ring_open(&ring, 16, 0);
    for (unsigned i = 0; i < TRIES; i++) {
        struct __kernel_timespec time = { .tv_nsec = 3000000 };
        struct io_uring_sqe *sqe;
        long long end;
        unsigned late = 0;

        wait_for_a_moment();
        sqe = next_sqe(&ring);
        io_uring_prep_timeout(sqe, &time, 0, 0);
        io_uring_sqe_set_data64(sqe, TIMER);
        SUBMIT(&ring, 1);
        end = nanoseconds() + time.tv_nsec;
        while (!go_round(TIMER)) {
            late += nanoseconds() > end;
            CHECK_LE(late, MANY);
        }
    }
    io_uring_queue_exit(&ring);
}

/* A wait without a time sees what has happened before it. */
static void no_time(void)
{
    make_socketpair(pair, SOCK_STREAM);
    ring_open(&ring, 16, 0);
    for (unsigned i = 0; i < TRIES; i++) {
        struct __kernel_timespec none = { 0 };
        struct io_uring_cqe *cqe;

        wait_for_a_moment();
        begin_receive(&ring);
        CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &none), -ETIME);
        CHECK_EQ(write(pair[1], "x", 1), 1);
        CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &none), 0);
        CHECK_EQ(cqe->user_data, RECEIVE);
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
}

static void *poll_ring(void *other)
{
    struct pollfd slot = { .fd = ((struct io_uring *) other)->ring_fd, .events = POLLIN };

    while (poll(&slot, 1, -1) < 0)
        CHECK_EQ(errno, EINTR);
    return NULL;
}

/* Another thread waits in a call of its own. */
static void for_another(void)
{
    struct io_uring other;

    make_socketpair(pair, SOCK_STREAM);
    ring_open(&ring, 16, 0);
    ring_open(&other, 16, 0);
    for (unsigned i = 0; i < TRIES; i++) {
        pthread_t thread;
        unsigned rounds = 0;

        begin_receive(&other);
        CHECK_EQ(pthread_create(&thread, NULL, poll_ring, &other), 0);
        wait_for_a_moment();
        CHECK_EQ(write(pair[1], "x", 1), 1);
        for (; io_uring_cq_ready(&other) == 0; rounds++) {
            CHECK(!go_round(RECEIVE));
            CHECK_LE(rounds, MANY);
        }
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_EQ(reap(&other).data, RECEIVE);
    }
    io_uring_queue_exit(&other);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(receive),
    CASE(timer),
    CASE(no_time),
    CASE(for_another),
};

TEST_MAIN(cases)
