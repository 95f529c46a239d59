/* Signal handlers that enter the ring while they interrupt a call on it. Raw calls. */
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>

#include "read_one.h"

static struct raw *in_handler;
static int handler_file;
static volatile int handler_returned;
static sigjmp_buf jump;

static void call_in(int signal_number)
{
    struct raw *r = in_handler;

    (void) signal_number;
    raw_request(r, 5, IORING_OP_READ, handler_file, buffer + BLOCK, BLOCK, 2 * BLOCK);
    handler_returned = io_uring_enter(r->fd, 1, 0, 0);
}

static void jump_out(int signal_number)
{
    (void) signal_number;
    siglongjmp(jump, 1);
}

/* Sends the first thread a signal once it waits. */
static void *send_alarm(void *argument)
{
    until_entered(getpid());
    CHECK_SYS(syscall(SYS_tgkill, getpid(), getpid(), SIGALRM));
    return argument;
}

static pthread_t alarm_while_waiting(void)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, send_alarm, NULL), 0);
    return thread;
}

/* A handler submits while its thread waits, or leaves the wait by longjmp. */
static void handlers(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), pipes[2];
    pthread_t thread;
    struct raw r;

    CHECK_SYS(pipe(pipes));
    handler_file = fd;
    in_handler = &r;
    raw_open(&r, 8, 0, NULL);
    for (int i = 0; i < 3; i++) {
        signal(SIGALRM, call_in);
        thread = alarm_while_waiting();
        raw_request(&r, 1, IORING_OP_READ, pipes[0], buffer, 1, 0);
        handler_returned = 0;
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_EQ(handler_returned, 1);
        CHECK_EQ(*r.sq_head, *r.sq_tail);
        CHECK_EQ(raw_wait(&r).index, 5);
        CHECK_PATTERN(buffer + BLOCK, BLOCK, 2 * BLOCK);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).index, 1);

        signal(SIGALRM, jump_out);
        thread = alarm_while_waiting();
        if (!sigsetjmp(jump, 1)) {
            raw_request(&r, 2, IORING_OP_READ, pipes[0], buffer, 1, 0);
            io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS);
            test_fail(__FILE__, __LINE__, "came back");
        }
        CHECK_EQ(pthread_join(thread, NULL), 0);
        read_one(&r, fd);
        CHECK_EQ(*r.sq_head, *r.sq_tail);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).index, 2);
        CHECK_EQ(raw_ready(&r), 0);
    }
    raw_close(&r);
}

/* A handler enters the ring at any instruction of a call. There is one thread. */
static struct {
    struct raw *r;
    unsigned calls, submits;
    volatile int goes_on;
    long submitted;
    int error;
} handler;

/* Each handler arms the timer for the next one, so that even a slow thread gets on. */
static void arm_timer(void)
{
    struct itimerval once = { { 0, 0 }, { 0, 50 } };

    setitimer(ITIMER_REAL, &once, NULL);
}

static void enter_from_handler(int signal_number)
{
    static const unsigned to_submit[] = { 0, 0, 1, 8 };
    unsigned count = handler.submits ? to_submit[handler.calls % 4] : 0;
    int saved = errno, returned;

    (void) signal_number;
    returned = io_uring_enter(handler.r->fd, count, 0, IORING_ENTER_GETEVENTS);
    handler.calls++;
    if (returned < 0)
        handler.error = errno;
    else
        handler.submitted += returned;
    if (handler.goes_on)
        arm_timer();
    errno = saved;
}

static void start_signals(struct raw *r, int submits, int on_stack)
{
    static char stack[1 << 16];
    int stack_flag = on_stack ? SA_ONSTACK : 0;
    struct sigaction action = { .sa_handler = enter_from_handler, .sa_flags = SA_RESTART | stack_flag };
    stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };

    memset(&handler, 0, sizeof(handler));
    handler.r = r;
    handler.submits = submits;
    CHECK_SYS(sigaltstack(&other, NULL));
    CHECK_SYS(sigaction(SIGALRM, &action, NULL));
    handler.goes_on = 1;
    arm_timer();
}

static void stop_signals(void)
{
    struct itimerval never = { 0 };

    handler.goes_on = 0;
    CHECK_SYS(setitimer(ITIMER_REAL, &never, NULL));
    CHECK_EQ(handler.error, 0);
}

static void handlers_at_any_moment(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct raw r;

    for (int kind = 0; kind < 4; kind++) {
        long submitted = 0, events = 0, rounds = 0;
        int returned;

        raw_open(&r, 8, 0, NULL);
        start_signals(&r, kind & 1, kind & 2);
        while (handler.calls < 10000) {
            memset(buffer, 0, 8 * 64);
            for (unsigned i = 0; i < 8; i++)
                raw_request(&r, i, IORING_OP_READ, fd, buffer + i * 64, 64, i * 500);
            while (*r.sq_head != *r.sq_tail) {
                unsigned head = *r.sq_head;

                returned = io_uring_enter(r.fd, *r.sq_tail - head, 1, IORING_ENTER_GETEVENTS);
                if (returned < 0) {
                    CHECK_EQ(errno, EINTR);
                    continue;
                }
                submitted += returned;
                if (!(kind & 1))
                    CHECK_EQ(*r.sq_head - head, returned);
            }
            rounds++;
            while (events < rounds * 8) {
                CHECK_EQ(raw_wait(&r).res, 64);
                events++;
            }
            for (unsigned i = 0; i < 8; i++)
                CHECK_PATTERN(buffer + i * 64, 64, i * 500);
        }
        stop_signals();
        CHECK_EQ(raw_ready(&r), 0);
        CHECK_EQ(submitted + handler.submitted, rounds * 8);
        CHECK_EQ(*r.sq_dropped, 0);
        raw_close(&r);
    }
}

/* Bad indexes and refused iocbs, with handlers that enter. */
static void handlers_and_bad_entries(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), refused = 0;
    struct raw r;
    unsigned dropped = 0;

    raw_open(&r, 8, 0, NULL);
    start_signals(&r, 0, 0);
    while (handler.calls < 10000) {
        unsigned pushed = *r.sq_tail + 4;

        raw_request(&r, 0, IORING_OP_READ, fd, buffer, 64, 0);
        raw_push(&r, 8);
        raw_fill(&r, 1, 77, fd, buffer, 64, 0);
        raw_push(&r, 1);
        raw_push(&r, 99);
        while (*r.sq_head != pushed)
            if (io_uring_enter(r.fd, 4, 0, 0) < 0) {
                CHECK_EQ(errno, EINVAL);
                CHECK_EQ(r.array[*r.sq_head & r.sq_mask], 1);
                r.iocbs[1].opcode = IORING_OP_READ;
                refused++;
            }
        dropped += 2;
        CHECK_EQ(*r.sq_dropped, dropped);
        CHECK_EQ(raw_spin(&r).index, 0);
        CHECK_EQ(raw_spin(&r).index, 1);
        CHECK_EQ(raw_ready(&r), 0);
    }
    stop_signals();
    CHECK_EQ(refused, dropped / 2);
    raw_close(&r);
}

/* Several threads share a ring and try again when it is busy. Handlers run on all of them. */
#define CROWD 3
#define CROWD_ROUNDS 4000

static struct {
    struct raw r;
    pthread_mutex_t lock;
    pthread_t threads[CROWD];
    unsigned char results[CROWD * CROWD_ROUNDS][8];
    long pushed, events, submitted;
    int file;
} crowd;

static void nudge(int signal_number)
{
    int saved = errno;

    (void) signal_number;
    if (io_uring_enter(crowd.r.fd, 0, 0, IORING_ENTER_GETEVENTS) < 0 && errno != EBUSY)
        test_fail(__FILE__, __LINE__, "enter: %s", strerror(errno));
    errno = saved;
}

static void reap_crowd(void)
{
    struct raw *r = &crowd.r;

    while (raw_ready(r)) {
        CHECK_EQ(raw_spin(r).res, 8);
        crowd.events++;
    }
}

static void *submit_and_retry(void *argument)
{
    struct raw *r = &crowd.r;
    sigset_t set;
    int returned;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (int round = 0; round < CROWD_ROUNDS; round++) {
        /* with the handler blocked, as it would wait for its own thread */
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        pthread_mutex_lock(&crowd.lock);
        while (*r->sq_tail - __atomic_load_n(r->sq_head, __ATOMIC_ACQUIRE) == r->p.sq_entries ||
               crowd.pushed - crowd.events >= 8) {
            pthread_mutex_unlock(&crowd.lock);
            returned = io_uring_enter(r->fd, 8, 0, 0);
            if (returned > 0)
                __atomic_fetch_add(&crowd.submitted, returned, __ATOMIC_RELAXED);
            pthread_mutex_lock(&crowd.lock);
            reap_crowd();
        }
        raw_request(r, *r->sq_tail & r->sq_mask, IORING_OP_READ, crowd.file, crowd.results[crowd.pushed], 8,
                    crowd.pushed % 1000 * 8);
        crowd.pushed++;
        pthread_mutex_unlock(&crowd.lock);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        while ((returned = io_uring_enter(r->fd, 1, 0, 0)) < 0)
            CHECK_EQ(errno, EBUSY);
        __atomic_fetch_add(&crowd.submitted, returned, __ATOMIC_RELAXED);
    }
    return argument;
}

static void *nudge_them(void *argument)
{
    for (;;) {
        for (int i = 0; i < CROWD; i++)
            pthread_kill(crowd.threads[i], SIGUSR1);
        usleep(20);
    }
    return argument;
}

static void many_threads_one_ring(void)
{
    struct sigaction action = { .sa_handler = nudge, .sa_flags = SA_RESTART };
    struct raw *r = &crowd.r;
    pthread_t nudger;

    crowd.file = pattern_file("data", 16 * BLOCK, O_RDONLY);
    pthread_mutex_init(&crowd.lock, NULL);
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    raw_open(r, 16, 0, NULL);
    for (int i = 0; i < CROWD; i++)
        CHECK_EQ(pthread_create(&crowd.threads[i], NULL, submit_and_retry, NULL), 0);
    CHECK_EQ(pthread_create(&nudger, NULL, nudge_them, NULL), 0);
    for (int i = 0; i < CROWD; i++) {
        /* joined only after the signals have stopped: a joined thread must not be sent one */
        while (pthread_tryjoin_np(crowd.threads[i], NULL) == EBUSY)
            usleep(1000);
        if (i == 0) {
            pthread_cancel(nudger);
            pthread_join(nudger, NULL);
        }
    }
    while (*r->sq_head != *r->sq_tail)
        crowd.submitted += CHECK_SYS(io_uring_enter(r->fd, 16, 0, 0));
    for (double end = seconds() + 10; crowd.events < crowd.pushed;) {
        CHECK(seconds() < end);
        reap_crowd();
    }
    usleep(1000);
    CHECK_EQ(raw_ready(r), 0);
    CHECK_EQ(crowd.pushed, CROWD * CROWD_ROUNDS);
    CHECK_EQ(crowd.submitted, crowd.pushed);
    for (long i = 0; i < crowd.pushed; i++)
        CHECK_PATTERN(crowd.results[i], 8, i % 1000 * 8);
    raw_close(r);
}

static const struct test_case cases[] = {
    CASE(handlers), CASE(handlers_at_any_moment), CASE(handlers_and_bad_entries), CASE(many_threads_one_ring),
};
TEST_MAIN(cases)
