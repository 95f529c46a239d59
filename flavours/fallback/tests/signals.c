/*
 * Signals at any instruction: a handler may call what handlers may call, and a
 * wait with a signal mask misses none.
 */
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "file.h"
#include "ring.h"

enum { ROUNDS = 30000, MASKED_ROUNDS = 3000 };

static struct io_uring ring;
static volatile sig_atomic_t handled;
static int watched;

static void on_signal(int number)
{
    int before = errno;
    struct pollfd slot = { .fd = watched, .events = POLLIN };

    (void) number;
    handled++;
    (void) poll(&slot, 1, 0);
    (void) close(dup(watched));
    /* the ring may be the one that was interrupted: -EBUSY then */
    (void) io_uring_enter((unsigned) ring.ring_fd, 0, 0, IORING_ENTER_GETEVENTS, NULL);
    errno = before;
}

static void handle(int number)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    CHECK_SYS(sigaction(number, &action, NULL));
}

static int complete(void)
{
    struct io_uring_cqe *cqe;
    int ret, res;

    do
        ret = io_uring_submit_and_wait(&ring, 1);
    while (ret == -EINTR || ret == -EBUSY);
    do
        ret = io_uring_wait_cqe(&ring, &cqe);
    while (ret == -EINTR || ret == -EBUSY);
    CHECK_EQ(ret, 0);
    res = cqe->res;
    io_uring_cqe_seen(&ring, cqe);
    return res;
}

static void at_any_instruction(void)
{
    struct itimerspec often = { .it_interval = { 0, 137000 }, .it_value = { 0, 137000 } };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF };
    timer_t timer;
    int fd = make_file("data", 4096, 1), pair[2];
    char block[64];

    make_socketpair(pair, SOCK_STREAM);
    watched = pair[0];
    ring_open(&ring, 8, 0);
    handle(SIGPROF);
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    CHECK_SYS(timer_settime(timer, 0, &often, NULL));
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        switch (i % 5) {
        case 0:
            io_uring_prep_read(sqe, fd, block, sizeof(block), 0);
            CHECK_EQ(complete(), (int) sizeof(block));
            break;
        case 1:
            io_uring_prep_send(sqe, pair[1], block, 8, 0);
            CHECK_EQ(complete(), 8);
            break;
        case 2:
            io_uring_prep_recv(sqe, pair[0], block, sizeof(block), 0);
            CHECK_EQ(complete(), 8);
            break;
        case 3:
            io_uring_prep_nop(sqe);
            io_uring_sqe_set_flags(sqe, i % 50 == 3 ? IOSQE_ASYNC : 0);
            CHECK_EQ(complete(), 0);
            break;
        default:
            io_uring_prep_poll_add(sqe, pair[0], POLLOUT);
            CHECK_EQ(complete(), POLLOUT);
            free(malloc(i % 4096));
        }
    }
    CHECK_SYS(timer_delete(timer));
    CHECK_GT(handled, 100);
    io_uring_queue_exit(&ring);
}

static pthread_t waiter;

static void *send_signals(void *argument)
{
    volatile unsigned *round = argument;

    for (unsigned i = 0; i < MASKED_ROUNDS; i++) {
        while (*round <= i)
            ;
        for (volatile unsigned spin = 0; spin < i % 1000 * 10; spin++)
            ;
        CHECK_EQ(pthread_kill(waiter, SIGUSR1), 0);
    }
    return NULL;
}

/* The signal is let in by the wait alone, whenever it comes. */
static void in_masked_waits(void)
{
    static volatile unsigned round;
    static char byte;
    sigset_t none, one;
    pthread_t thread;
    int pair[2];

    sigemptyset(&none);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    waiter = pthread_self();
    make_socketpair(pair, SOCK_STREAM);
    watched = pair[1];
    ring_open(&ring, 8, 0);
    io_uring_prep_recv(next_sqe(&ring), pair[0], &byte, 1, 0);
    SUBMIT(&ring, 1);
    handle(SIGUSR1);
    CHECK_EQ(pthread_create(&thread, NULL, send_signals, (void *) &round), 0);
    for (unsigned i = 0; i < MASKED_ROUNDS; i++) {
        struct io_uring_cqe *cqe;

        round = i + 1;
        CHECK_EQ(io_uring_wait_cqes(&ring, &cqe, 1, NULL, &none), -EINTR);
        CHECK_EQ(handled, (int) i + 1);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(at_any_instruction),
    CASE(in_masked_waits),
};

TEST_MAIN(cases)
