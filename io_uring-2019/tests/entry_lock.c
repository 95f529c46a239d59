/* One call at a time holds a ring's entry lock: threads, and children. Raw calls. */
#include <pthread.h>
#include <setjmp.h>

#include "read_one.h"

struct waiter {
    struct raw *r;
    int returned, error;
    volatile pid_t thread;
};

static void *enter_and_wait(void *argument)
{
    struct waiter *waiter = argument;

    waiter->thread = gettid();
    waiter->returned = io_uring_enter(waiter->r->fd, 0, 1, IORING_ENTER_GETEVENTS);
    waiter->error = errno;
    return NULL;
}

/* Waits until that thread waits. */
static void until_waiting(struct waiter *waiter)
{
    while (!waiter->thread)
        ;
    until_entered(waiter->thread);
}

static void *just_wait(void *argument)
{
    pause();
    return argument;
}

/* Another thread's call fails while one waits. */
static void busy(void)
{
    int pipes[2];
    struct raw r;
    struct waiter waiter = { .r = &r };
    pthread_t thread;

    CHECK_SYS(pipe(pipes));
    raw_open(&r, 8, 0, NULL);
    raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
    CHECK_EQ(pthread_create(&thread, NULL, enter_and_wait, &waiter), 0);
    until_waiting(&waiter);
    FAILS(io_uring_enter(r.fd, 0, 0, 0), EBUSY);
    FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EBUSY);
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(waiter.returned, 0);
    CHECK_EQ(io_uring_enter(r.fd, 0, 0, 0), 0);
    CHECK_EQ(raw_wait(&r).res, 1);
    raw_close(&r);
}

/* The ring stays until the call on it has returned. */
static void closed_while_waiting(void)
{
    int pipes[2];
    struct leak_mark mark;
    struct raw r;
    struct waiter waiter = { .r = &r };
    pthread_t thread;

    CHECK_SYS(pipe(pipes));
    /* so that libc has a thread's stack in its cache already */
    CHECK_EQ(pthread_create(&thread, NULL, just_wait, NULL), 0);
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    mark = leak_mark();
    for (int i = 0; i < 10; i++) {
        waiter.thread = 0;
        raw_open(&r, 8, 0, NULL);
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        CHECK_EQ(pthread_create(&thread, NULL, enter_and_wait, &waiter), 0);
        until_waiting(&waiter);
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

/* A thread leaves the wait without returning, and sleeps elsewhere or ends. Then the lock can be taken from it. */
enum leaving { JUMP, END, STAY, LEAVINGS };

static struct {
    struct raw *r;
    enum leaving how;
    volatile pid_t thread;
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
    leaver.thread = gettid();
    if (!sigsetjmp(leaver.jump, 1)) {
        FAILS(io_uring_enter(leaver.r->fd, 0, 1, IORING_ENTER_GETEVENTS), EINTR);
        CHECK_EQ(leaver.how, STAY);
    }
    if (leaver.how == JUMP)
        wait_at_gate();
    return argument;
}

/* Has a thread wait, and leave the wait. */
static pthread_t wait_and_leave(void)
{
    pthread_t thread;

    leaver.thread = 0;
    CHECK_EQ(pthread_create(&thread, NULL, leave_a_wait, NULL), 0);
    while (!leaver.thread)
        ;
    until_entered(leaver.thread);
    FAILS(io_uring_enter(leaver.r->fd, 0, 0, 0), EBUSY);
    CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
    if (leaver.how == END) {
        CHECK_EQ(pthread_join(thread, NULL), 0);
        /* the kernel lists a joined thread for a moment longer */
        while (kill(leaver.thread, 0) == 0)
            usleep(100);
    } else {
        until_left(leaver.thread);
    }
    return thread;
}

static void end_leaver(pthread_t thread)
{
    if (leaver.how == END)
        return;
    CHECK_EQ(write(leaver.gate[1], "x", 1), 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* Then another thread enters, or the ring is closed at once. */
static void leaving(int others_enter)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), pipes[2];
    struct leak_mark mark;
    struct raw r;

    CHECK_SYS(pipe(pipes));
    CHECK_SYS(pipe(leaver.gate));
    signal(SIGUSR1, leave);
    leaver.r = &r;
    /* each twice, so that libc has a thread's stack in its cache the second time */
    for (int i = 0; i < 2 * LEAVINGS; i++) {
        pthread_t thread;

        if (i == LEAVINGS)
            mark = mark_alone();
        leaver.how = i % LEAVINGS;
        raw_open(&r, 8, 0, NULL);
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        thread = wait_and_leave();
        if (others_enter) {
            for (int j = 0; j < 3; j++)
                read_one(&r, fd);
            CHECK_EQ(write(pipes[1], "x", 1), 1);
            CHECK_EQ(io_uring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
            CHECK_EQ(raw_wait(&r).res, 1);
            end_leaver(thread);
            read_one(&r, fd);
            raw_close(&r);
        } else {
            raw_close(&r);
            end_leaver(thread);
        }
    }
    CHECK_GONE(mark);
}

static void left_by_a_thread(void)
{
    leaving(1);
}

static void left_and_closed(void)
{
    leaving(0);
}

/* Parent and child share a ring. The child enters while the parent waits. */
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
            until_entered(getppid());
            for (int i = 0; i < 3; i++)
                FAILS(io_uring_enter(r.fd, 0, 0, 0), EBUSY);
            if (quits) {
                raw_unmap(&r);
                close(r.fd);
            }
            CHECK_EQ(write(pipes[1], "x", 1), 1);
            while (!quits && io_uring_enter(r.fd, 0, 0, 0) < 0)
                CHECK_EQ(errno, EBUSY);
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

/* A child is killed in the middle of a call of its first thread or of another one. */
static void child_killed_in_a_call(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), pipes[2];
    struct leak_mark mark = leak_mark();
    struct raw r;
    siginfo_t ended;
    struct waiter waiter = { .r = &r };
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
                CHECK_EQ(pthread_create(&thread, NULL, enter_and_wait, &waiter), 0);
                pthread_join(thread, NULL);
            }
            /* the parent may hold the lock just now */
            do
                enter_and_wait(&waiter);
            while (waiter.returned < 0 && waiter.error == EBUSY);
            _exit(0);
        }
        while (io_uring_enter(r.fd, 0, 0, 0) == 0)
            usleep(1000);
        CHECK_EQ(errno, EBUSY);
        CHECK_SYS(kill(child, SIGKILL));
        /* waited for, or not yet */
        CHECK_SYS(waitid(P_PID, child, &ended, WEXITED | (i & 2 ? 0 : WNOWAIT)));
        for (int j = 0; j < 3; j++)
            read_one(&r, fd);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).res, 1);
        if (!(i & 2))
            CHECK_EQ(waitpid(child, NULL, 0), child);
        raw_close(&r);
        close(pipes[0]);
        close(pipes[1]);
    }
    CHECK_GONE(mark);
}

static const struct test_case cases[] = {
    CASE(busy), CASE(closed_while_waiting), CASE(left_by_a_thread), CASE(left_and_closed), CASE(busy_for_a_child),
    CASE(child_killed_in_a_call),
};
TEST_MAIN(cases)
