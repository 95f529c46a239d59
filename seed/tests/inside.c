/* One call at a time is inside a ring: threads, signals' handlers, children. Raw calls. */
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>

#include "one.h"

struct waiter {
    struct raw *r;
    int returned, error;
    volatile int started;
};

static void *wait_there(void *argument)
{
    struct waiter *waiter = argument;

    waiter->started = 1;
    waiter->returned = io_uring_enter(waiter->r->fd, 0, 1, IORING_ENTER_GETEVENTS);
    waiter->error = errno;
    return NULL;
}

static void *just_wait(void *argument)
{
    pause();
    return argument;
}

/* One thread at a time. */
static void busy(void)
{
    int pipes[2];
    struct raw r;
    struct waiter waiter = { &r, 0, 0, 0 };
    pthread_t thread;

    CHECK_SYS(pipe(pipes));
    raw_open(&r, 8, 0, NULL);
    raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
    CHECK_EQ(pthread_create(&thread, NULL, wait_there, &waiter), 0);
    while (!waiter.started)
        ;
    usleep(50000);
    FAILS(io_uring_enter(r.fd, 0, 0, 0), EBUSY);
    FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EBUSY);
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(waiter.returned, 0);
    CHECK_EQ(io_uring_enter(r.fd, 0, 0, 0), 0);
    CHECK_EQ(raw_wait(&r).res, 1);
    raw_close(&r);
}

/* The ring lives until the call on it has returned. */
static void closed_while_waiting(void)
{
    int pipes[2];
    struct leak_mark mark;
    struct raw r;
    struct waiter waiter = { &r, 0, 0, 0 };
    pthread_t thread;

    CHECK_SYS(pipe(pipes));
    /* so that the stack of a thread is there already */
    CHECK_EQ(pthread_create(&thread, NULL, just_wait, NULL), 0);
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    mark = leak_mark();
    for (int i = 0; i < 10; i++) {
        waiter.started = 0;
        raw_open(&r, 8, 0, NULL);
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        CHECK_EQ(pthread_create(&thread, NULL, wait_there, &waiter), 0);
        while (!waiter.started)
            ;
        usleep(10000);
        CHECK_EQ(close(r.fd), 0);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_EQ(waiter.returned, 0);
        CHECK_EQ(raw_spin(&r).res, 1);
        raw_unmap(&r);
        raw_gone(0);
        CHECK_GONE(mark);
    }
}

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

/* A handler submits while its thread waits, or leaves the wait for good. */
static void handlers(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), pipes[2];
    struct raw r;

    CHECK_SYS(pipe(pipes));
    handler_file = fd;
    in_handler = &r;
    raw_open(&r, 8, 0, NULL);
    for (int i = 0; i < 3; i++) {
        signal(SIGALRM, call_in);
        ualarm(20000, 0);
        raw_request(&r, 1, IORING_OP_READ, pipes[0], buffer, 1, 0);
        handler_returned = 0;
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        while (handler_returned == 0)
            ;
        CHECK_EQ(handler_returned, 1);
        CHECK_EQ(*r.sq_head, *r.sq_tail);
        CHECK_EQ(raw_wait(&r).index, 5);
        CHECK_PATTERN(buffer + BLOCK, BLOCK, 2 * BLOCK);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).index, 1);

        signal(SIGALRM, jump_out);
        if (!sigsetjmp(jump, 1)) {
            raw_request(&r, 2, IORING_OP_READ, pipes[0], buffer, 1, 0);
            ualarm(20000, 0);
            io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS);
            test_fail(__FILE__, __LINE__, "came back");
        }
        read_one(&r, fd);
        CHECK_EQ(*r.sq_head, *r.sq_tail);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).index, 2);
        CHECK_EQ(raw_ready(&r), 0);
    }
    raw_close(&r);
}


/* A handler that comes in at any instruction of the call, of the one thread there is. */
static struct {
    struct raw *r;
    unsigned calls, submits;
    long submitted;
    int error;
} visitor;

static void visit(int signal_number)
{
    static const unsigned to_submit[] = { 0, 0, 1, 8 };
    int saved = errno, returned;

    (void) signal_number;
    returned = io_uring_enter(visitor.r->fd, visitor.submits ? to_submit[visitor.calls % 4] : 0, 0, IORING_ENTER_GETEVENTS);
    visitor.calls++;
    if (returned < 0)
        visitor.error = errno;
    else
        visitor.submitted += returned;
    errno = saved;
}

static void start_visits(struct raw *r, int submits, int on_stack)
{
    static char stack[1 << 16];
    struct sigaction action = { .sa_handler = visit, .sa_flags = SA_RESTART | (on_stack ? SA_ONSTACK : 0) };
    stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct itimerval often = { { 0, 50 }, { 0, 50 } };

    memset(&visitor, 0, sizeof(visitor));
    visitor.r = r;
    visitor.submits = submits;
    CHECK_SYS(sigaltstack(&other, NULL));
    CHECK_SYS(sigaction(SIGALRM, &action, NULL));
    CHECK_SYS(setitimer(ITIMER_REAL, &often, NULL));
}

static void end_visits(void)
{
    struct itimerval never = { 0 };

    CHECK_SYS(setitimer(ITIMER_REAL, &never, NULL));
    CHECK_EQ(visitor.error, 0);
}

static void handlers_at_any_moment(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct raw r;

    for (int kind = 0; kind < 4; kind++) {
        long submitted = 0, events = 0, rounds = 0;
        int returned;

        raw_open(&r, 8, 0, NULL);
        start_visits(&r, kind & 1, kind & 2);
        while (visitor.calls < 20000) {
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
        end_visits();
        CHECK_EQ(raw_ready(&r), 0);
        CHECK_EQ(submitted + visitor.submitted, rounds * 8);
        CHECK_EQ(*r.sq_dropped, 0);
        raw_close(&r);
    }
}

/* Bad indexes and iocbs that are refused, with visits. */
static void handlers_and_bad_entries(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), refused = 0;
    struct raw r;
    unsigned dropped = 0;

    raw_open(&r, 8, 0, NULL);
    start_visits(&r, 0, 0);
    while (visitor.calls < 20000) {
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
    end_visits();
    CHECK_EQ(refused, dropped / 2);
    raw_close(&r);
}

/* Several threads with one ring, which try again when it is busy, and handlers on all of them. */
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

static void *be_one_of_many(void *argument)
{
    struct raw *r = &crowd.r;
    sigset_t set;
    int returned;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (int round = 0; round < CROWD_ROUNDS; round++) {
        /* without the handler: it would wait for its own thread */
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

static void a_crowd(void)
{
    struct sigaction action = { .sa_handler = nudge, .sa_flags = SA_RESTART };
    struct raw *r = &crowd.r;
    pthread_t nudger;

    crowd.file = pattern_file("data", 16 * BLOCK, O_RDONLY);
    pthread_mutex_init(&crowd.lock, NULL);
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    raw_open(r, 16, 0, NULL);
    for (int i = 0; i < CROWD; i++)
        CHECK_EQ(pthread_create(&crowd.threads[i], NULL, be_one_of_many, NULL), 0);
    CHECK_EQ(pthread_create(&nudger, NULL, nudge_them, NULL), 0);
    for (int i = 0; i < CROWD; i++) {
        /* what is joined cannot be sent signals */
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

/* A thread leaves the wait without returning, and falls asleep or ends: nobody is inside. */
enum leaving { JUMP, END, STAY, LEAVINGS };

static struct {
    struct raw *r;
    enum leaving how;
    sigjmp_buf jump;
    int gate[2];
} leaver;

static void wait_at_gate(void)
{
    char byte;

    while (read(leaver.gate[0], &byte, 1) < 0 && errno == EINTR)
        ;
}

static void leave(int signal_number)
{
    (void) signal_number;
    if (leaver.how == JUMP)
        siglongjmp(leaver.jump, 1);
    if (leaver.how == END)
        pthread_exit(NULL);
    wait_at_gate();
}

static void *leave_a_wait(void *argument)
{
    if (!sigsetjmp(leaver.jump, 1)) {
        FAILS(io_uring_enter(leaver.r->fd, 0, 1, IORING_ENTER_GETEVENTS), EINTR);
        CHECK_EQ(leaver.how, STAY);
    }
    if (leaver.how == JUMP)
        wait_at_gate();
    return argument;
}

static void left_by_a_thread(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), pipes[2];
    struct leak_mark mark;
    struct raw r;

    CHECK_SYS(pipe(pipes));
    CHECK_SYS(pipe(leaver.gate));
    signal(SIGUSR1, leave);
    leaver.r = &r;
    /* each twice, so that the stack of a thread is there the second time */
    for (int i = 0; i < 2 * LEAVINGS; i++) {
        pthread_t thread;

        if (i == LEAVINGS)
            mark = leak_mark();
        leaver.how = i % LEAVINGS;
        raw_open(&r, 8, 0, NULL);
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        CHECK_EQ(pthread_create(&thread, NULL, leave_a_wait, NULL), 0);
        usleep(20000);
        FAILS(io_uring_enter(r.fd, 0, 0, 0), EBUSY);
        CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
        usleep(20000);
        for (int j = 0; j < 3; j++)
            read_one(&r, fd);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(io_uring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
        CHECK_EQ(raw_wait(&r).res, 1);
        if (leaver.how != END)
            CHECK_EQ(write(leaver.gate[1], "x", 1), 1);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        read_one(&r, fd);
        raw_close(&r);
    }
    CHECK_GONE(mark);
}

/* The same, and nobody enters before the ring is closed. */
static void left_and_closed(void)
{
    struct leak_mark mark;
    int pipes[2];
    struct raw r;

    CHECK_SYS(pipe(pipes));
    CHECK_SYS(pipe(leaver.gate));
    signal(SIGUSR1, leave);
    leaver.r = &r;
    for (int i = 0; i < 2 * LEAVINGS; i++) {
        pthread_t thread;

        if (i == LEAVINGS)
            mark = leak_mark();
        leaver.how = i % LEAVINGS;
        raw_open(&r, 8, 0, NULL);
        CHECK_EQ(pthread_create(&thread, NULL, leave_a_wait, NULL), 0);
        usleep(20000);
        CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
        usleep(20000);
        raw_close(&r);
        if (leaver.how != END)
            CHECK_EQ(write(leaver.gate[1], "x", 1), 1);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
    CHECK_GONE(mark);
}

/* Parent and child share a ring: the parent waits, and the child comes. */
static void busy_for_a_child(void)
{
    struct leak_mark mark = leak_mark();
    int pipes[2], status;
    struct raw r;
    pid_t child;

    for (int quits = 0; quits < 2; quits++) {
        CHECK_SYS(pipe(pipes));
        raw_open(&r, 8, 0, NULL);
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        child = CHECK_SYS(fork());
        if (child == 0) {
            usleep(50000);
            for (int i = 0; i < 3; i++)
                FAILS(io_uring_enter(r.fd, 0, 0, 0), EBUSY);
            if (quits) {
                raw_unmap(&r);
                close(r.fd);
            }
            CHECK_EQ(write(pipes[1], "x", 1), 1);
            usleep(50000);
            for (int i = 0; i < 3 && !quits; i++)
                CHECK_EQ(io_uring_enter(r.fd, 0, 0, 0), 0);
            _exit(0);
        }
        CHECK_EQ(io_uring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
        CHECK_EQ(raw_wait(&r).res, 1);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(io_uring_enter(r.fd, 0, 0, 0), 0);
        raw_close(&r);
        close(pipes[0]);
        close(pipes[1]);
    }
    CHECK_GONE(mark);
}

/* A child ends in the middle of a call, in its first thread or in another one. */
static void child_killed_inside(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), pipes[2], status;
    struct leak_mark mark = leak_mark();
    struct raw r;
    struct waiter waiter = { &r, 0, 0, 0 };
    pid_t child;

    for (int i = 0; i < 4; i++) {
        CHECK_SYS(pipe(pipes));
        raw_open(&r, 8, 0, NULL);
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        child = CHECK_SYS(fork());
        if (child == 0) {
            pthread_t thread;

            if (i & 1) {
                CHECK_EQ(pthread_create(&thread, NULL, wait_there, &waiter), 0);
                pthread_join(thread, NULL);
            }
            wait_there(&waiter);
            _exit(0);
        }
        usleep(50000);
        FAILS(io_uring_enter(r.fd, 0, 0, 0), EBUSY);
        CHECK_SYS(kill(child, SIGKILL));
        if (i & 2)
            CHECK_EQ(waitpid(child, &status, 0), child);
        else
            usleep(50000);
        for (int j = 0; j < 3; j++)
            read_one(&r, fd);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).res, 1);
        if (!(i & 2))
            CHECK_EQ(waitpid(child, &status, 0), child);
        raw_close(&r);
        close(pipes[0]);
        close(pipes[1]);
    }
    CHECK_GONE(mark);
}

static const struct test_case cases[] = {
    CASE(busy), CASE(closed_while_waiting), CASE(handlers), CASE(handlers_at_any_moment), CASE(handlers_and_bad_entries),
    CASE(a_crowd), CASE(left_by_a_thread), CASE(left_and_closed), CASE(busy_for_a_child), CASE(child_killed_inside),
};
TEST_MAIN(cases)
