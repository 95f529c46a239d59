/*
 * A thread that waits on a ring looks for events in place of the library's own
 * thread. Whoever else completes a request wakes it, whoever else waits is
 * served, and when it has left somebody goes on.
 */
#include <poll.h>
#include <pthread.h>

#include "file.h"
#include "ring.h"

/* Fewer in an emulated machine. */
#ifndef LED_ROUNDS
#define LED_ROUNDS 200
#endif

enum { DELAY_US = 300 };

static struct io_uring ring;
static int ends[2];

/* Something to wait for that does not come: with it a thread leads. */
static void wait_for_nothing(struct io_uring *on, __u64 data)
{
    static char never[8];
    struct io_uring_sqe *sqe = next_sqe(on);

    io_uring_prep_read(sqe, ends[0], never, sizeof(never), 0);
    io_uring_sqe_set_data64(sqe, data);
    SUBMIT(on, 1);
}

static void begin(void)
{
    CHECK_SYS(pipe(ends));
    ring_open(&ring, 16, 0);
    wait_for_nothing(&ring, 1);
}

static void *send_messages(void *unused)
{
    struct io_uring other;

    ring_open(&other, 4, 0);
    for (unsigned i = 0; i < LED_ROUNDS; i++) {
        usleep(DELAY_US);
        io_uring_prep_msg_ring(next_sqe(&other), ring.ring_fd, 0, 2, 0);
        CHECK_EQ(run_res(&other), 0);
    }
    io_uring_queue_exit(&other);
    return unused;
}

/* Another thread's completions wake it. */
static void messages(void)
{
    pthread_t thread;

    begin();
    CHECK_EQ(pthread_create(&thread, NULL, send_messages, NULL), 0);
    for (unsigned i = 0; i < LED_ROUNDS; i++)
        CHECK_EQ(reap(&ring).data, 2);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    io_uring_queue_exit(&ring);
}

/* So do those of workers. */
static void workers(void)
{
    begin();
    for (unsigned i = 0; i < LED_ROUNDS; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
        io_uring_sqe_set_data64(sqe, 2);
        CHECK_EQ(run_done(&ring).data, 2);
    }
    io_uring_queue_exit(&ring);
}

static int own[2][2];

static void *wait_on_own(void *argument)
{
    int *pair = argument;
    struct io_uring mine;
    char byte;

    ring_open(&mine, 4, 0);
    for (unsigned i = 0; i < LED_ROUNDS; i++) {
        io_uring_prep_recv(next_sqe(&mine), pair[0], &byte, 1, 0);
        CHECK_EQ(run_res(&mine), 1);
    }
    io_uring_queue_exit(&mine);
    return NULL;
}

/* Two threads wait on a ring each. */
static void two_wait(void)
{
    pthread_t threads[2];

    for (unsigned t = 0; t < 2; t++) {
        make_socketpair(own[t], SOCK_STREAM);
        CHECK_EQ(pthread_create(&threads[t], NULL, wait_on_own, own[t]), 0);
    }
    for (unsigned i = 0; i < LED_ROUNDS; i++) {
        for (unsigned t = 0; t < 2; t++) {
            usleep(i % 3 ? 0 : DELAY_US);
            CHECK_EQ(write(own[(t + i) % 2][1], "x", 1), 1);
        }
    }
    for (unsigned t = 0; t < 2; t++)
        CHECK_EQ(pthread_join(threads[t], NULL), 0);
}

/* The program waits now on the ring, now in poll: nobody leads there. */
static void waits_and_polls(void)
{
    int pair[2];
    char byte;

    begin();
    make_socketpair(pair, SOCK_STREAM);
    for (unsigned i = 0; i < LED_ROUNDS; i++) {
        struct pollfd slot = { .fd = ring.ring_fd, .events = POLLIN };
        pid_t child;

        io_uring_prep_recv(next_sqe(&ring), pair[0], &byte, 1, 0);
        SUBMIT(&ring, 1);
        child = CHECK_SYS(fork());
        if (child == 0) {
            usleep(DELAY_US);
            _exit(write(pair[1], "x", 1) == 1 ? 0 : 1);
        }
        if (i % 2) {
            while (poll(&slot, 1, -1) < 0)
                CHECK_EQ(errno, EINTR);
        }
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(waitpid(child, NULL, 0), child);
    }
    io_uring_queue_exit(&ring);
}

static void *reap_one(void *unused)
{
    CHECK_EQ(reap(&ring).data, 2);
    return unused;
}

/* A child that is forked off meanwhile uses the ring, too: it can wake nobody but by the ring's memory. */
static void forked_meanwhile(void)
{
    begin();
    for (unsigned i = 0; i < 50; i++) {
        pthread_t thread;
        pid_t child;
        int status;

        CHECK_EQ(pthread_create(&thread, NULL, reap_one, NULL), 0);
        usleep(DELAY_US);
        child = CHECK_SYS(fork());
        if (child == 0) {
            /* where the children before have left the queue */
            ring.sq.sqe_head = ring.sq.sqe_tail = *ring.sq.ktail;
            submit_nop(&ring, 2);
            _exit(0);
        }
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    io_uring_queue_exit(&ring);
}

static void *close_and_write(void *unused)
{
    usleep(20000);
    CHECK_SYS(close(ring.ring_fd));
    usleep(20000);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    return unused;
}

/* A thread that waits on a ring keeps it, whoever closes the descriptor. */
static void closed_meanwhile(void)
{
    pthread_t thread;

    begin();
    CHECK_EQ(pthread_create(&thread, NULL, close_and_write, NULL), 0);
    CHECK_EQ(reap(&ring).res, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    /* the number is nobody's now */
    ring.ring_fd = ring.enter_ring_fd = -1;
    io_uring_queue_exit(&ring);
}

static void *ask(void *unused)
{
    struct io_uring mine;
    int pair[2];
    char byte;

    CHECK_SYS(pipe(pair));
    ring_open(&mine, 8, 0);
    io_uring_prep_poll_multishot(next_sqe(&mine), pair[0], POLLIN);
    SUBMIT(&mine, 1);
    for (unsigned i = 0; i < 20 * LED_ROUNDS; i++) {
        CHECK_EQ(write(pair[1], "x", 1), 1);
        CHECK_EQ(io_uring_get_events(&mine), 0);
        CHECK_EQ(read(pair[0], &byte, 1), 1);
        CHECK_EQ(io_uring_cq_ready(&mine), 1);
        CHECK_EQ(reap(&mine).res, POLLIN);
    }
    io_uring_prep_msg_ring(next_sqe(&mine), ring.ring_fd, 0, 2, 0);
    SUBMIT(&mine, 1);
    io_uring_queue_exit(&mine);
    return unused;
}

/* The one that leads takes an event, and another thread asks for it at once. */
static void asked_meanwhile(void)
{
    pthread_t thread;

    begin();
    CHECK_EQ(pthread_create(&thread, NULL, ask, NULL), 0);
    CHECK_EQ(reap(&ring).data, 2);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(messages),        CASE(workers),          CASE(two_wait),
    CASE(waits_and_polls), CASE(forked_meanwhile), CASE(closed_meanwhile),
    CASE(asked_meanwhile),
};

TEST_MAIN(cases)
