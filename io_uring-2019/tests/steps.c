/*
 * A signal handler at many instructions of a call. The processor traps after every instruction, and the handler acts at
 * one of them: at each `stride`-th in turn. Nothing is left to chance. Raw calls.
 */
#include <setjmp.h>
#include <ucontext.h>

#include "read_one.h"

#define REQUESTS 4

static struct raw ring;
static int file;
static long step, turn;
/* With the linked library each round takes longer, as its rings are given back later. */
#ifdef LINKED
static long stride = 29;
#else
static long stride = 7;
#endif
static void (*act)(void);
static int acted_return;

static void on_trap(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    int saved = errno;

    (void) signal_number;
    (void) info;
    if (++step == turn) {
        /* traps are slow, and no more are needed */
        interrupted->uc_mcontext.gregs[REG_EFL] &= ~0x100L;
        act();
    }
    errno = saved;
}

static void set_trap_flag(void)
{
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static void clear_trap_flag(void)
{
    __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static void prepare(void (*action)(void))
{
    struct sigaction on = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

    file = pattern_file("data", 16 * BLOCK, O_RDONLY);
    act = action;
    turn = 0;
    CHECK_SYS(sigaction(SIGTRAP, &on, NULL));
}

static void push_requests(void)
{
    memset(buffer, 0, REQUESTS * 64);
    for (int i = 0; i < REQUESTS; i++)
        raw_request(&ring, i, IORING_OP_READ, file, buffer + i * 64, 64, i * 500);
}

/* Sets up a ring with requests, and moves on to the next instruction to act at. */
static void next_turn(void)
{
    turn += stride;
    step = 0;
    raw_open(&ring, 8, 0, NULL);
    push_requests();
}

/* Whether the call was over before its turn came. */
static int is_over(void)
{
    if (step == 0)
        skip("the processor does not trap");
    return step < turn;
}

static int call_in_steps(unsigned to_submit, unsigned min_complete, unsigned flags)
{
    int returned;

    set_trap_flag();
    returned = io_uring_enter(ring.fd, to_submit, min_complete, flags);
    clear_trap_flag();
    return returned;
}

/* Each request was done exactly once. */
static void all_done(void)
{
    unsigned seen = 0;

    CHECK_EQ(*ring.sq_head, *ring.sq_tail);
    for (int i = 0; i < REQUESTS; i++) {
        struct io_uring_event event = raw_spin(&ring);

        CHECK_EQ(event.res, 64);
        CHECK_EQ(seen & 1 << event.index, 0);
        seen |= 1 << event.index;
        CHECK_PATTERN(buffer + i * 64, 64, i * 500);
    }
    CHECK_EQ(raw_ready(&ring), 0);
}

static void enter_only(void)
{
    acted_return = io_uring_enter(ring.fd, 0, 0, IORING_ENTER_GETEVENTS);
}

static void entering(void)
{
    prepare(enter_only);
    do {
        next_turn();
        acted_return = 0;
        CHECK_EQ(call_in_steps(REQUESTS, 1, IORING_ENTER_GETEVENTS), REQUESTS);
        CHECK_EQ(acted_return, 0);
        all_done();
        raw_close(&ring);
    } while (!is_over());
    printf("    %ld instructions\n", turn);
}

static void submit(void)
{
    acted_return = io_uring_enter(ring.fd, 3, 0, 0);
}

static void submitting(void)
{
    prepare(submit);
    do {
        int returned;

        next_turn();
        acted_return = 0;
        returned = call_in_steps(REQUESTS, 0, 0);
        CHECK_GE(returned, 0);
        CHECK_GE(acted_return, 0);
        CHECK_EQ(returned + acted_return, REQUESTS);
        all_done();
        raw_close(&ring);
    } while (!is_over());
}

/* A forked child goes on with a copy of the call, while the parent is in the next call. */
static pid_t parent;
static int gate[2];

static void fork_here(void)
{
    char byte;

    if (CHECK_SYS(fork()) == 0) {
        CHECK_EQ(read(gate[0], &byte, 1), 1);
        until_entered(parent);
    }
}

static void forking(void)
{
    enum { LET_IN = 9 };
    int pipes[2], status, let_in = 0;

    parent = getpid();
    prepare(fork_here);
    /* the kernel is slow to end a child that has a ring */
    stride = 41;
    CHECK_SYS(pipe(pipes));
    CHECK_SYS(pipe(gate));
    do {
        turn += stride;
        step = 0;
        raw_open(&ring, 8, 0, NULL);
        raw_request(&ring, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(ring.fd, 1, 0, 0), 1);
        push_requests();
        if (call_in_steps(REQUESTS, 0, 0) != REQUESTS)
            CHECK(getpid() != parent);
        if (getpid() != parent) {
            int came_in = io_uring_enter(ring.fd, 0, 0, 0) == 0;

            if (!came_in)
                CHECK_EQ(errno, EBUSY);
            CHECK_EQ(write(pipes[1], "x", 1), 1);
            _exit(came_in ? LET_IN : 0);
        }
        all_done();
        CHECK_EQ(write(is_over() ? pipes[1] : gate[1], "x", 1), 1);
        CHECK_EQ(io_uring_enter(ring.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
        CHECK_EQ(raw_spin(&ring).res, 1);
        if (!is_over()) {
            CHECK_GT(wait(&status), 0);
            CHECK(WIFEXITED(status));
            if (WEXITSTATUS(status) == LET_IN)
                let_in++;
            else
                CHECK_EQ(status, 0);
        }
        raw_close(&ring);
    } while (!is_over());
    /* at a few instructions the child is about to give the lock back, and does so */
    CHECK_LE(let_in, 1);
}

/* The handler leaves the call by longjmp, and the thread goes on. */
static sigjmp_buf out;

static void jump_out(void)
{
    siglongjmp(out, 1);
}

static void jumping(void)
{
    prepare(jump_out);
    do {
        next_turn();
        if (!sigsetjmp(out, 1))
            CHECK_EQ(call_in_steps(REQUESTS, 0, 0), REQUESTS);
        for (int i = 0; i < 2; i++)
            CHECK_GE(io_uring_enter(ring.fd, REQUESTS, 0, 0), 0);
        all_done();
        raw_unmap(&ring);
        close(ring.fd);
    } while (!is_over());
    /* a call that was left so keeps what it holds, so this process just ends */
    _exit(0);
}

static void close_ring(void)
{
    close(ring.fd);
}

static void closing(void)
{
    prepare(close_ring);
    do {
        int returned;

        next_turn();
        returned = call_in_steps(REQUESTS, 0, 0);
        if (returned < 0)
            CHECK_EQ(errno, EBADF);
        else
            CHECK_EQ(returned, REQUESTS);
        if (is_over())
            close(ring.fd);
        raw_unmap(&ring);
        raw_gone(0);
    } while (!is_over());
}

static void overflowing(void)
{
    prepare(enter_only);
    /* counting the backlog takes many instructions */
    stride = 9973;
    do {
        next_turn();
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(io_uring_enter(ring.fd, REQUESTS, 0, 0), REQUESTS);
            push_requests();
        }
        CHECK_EQ(*ring.cq_overflow, REQUESTS);
        acted_return = 0;
        CHECK_EQ(call_in_steps(REQUESTS, 0, 0), REQUESTS);
        CHECK_EQ(acted_return, 0);
        CHECK_EQ(*ring.cq_overflow, 2 * REQUESTS);
        for (int i = 0; i < 6 * REQUESTS; i++)
            CHECK_EQ(raw_wait(&ring).res, 64);
        CHECK_EQ(*ring.cq_overflow, 2 * REQUESTS);
        raw_close(&ring);
    } while (!is_over());
}

static const struct test_case cases[] = {
    CASE(entering), CASE(submitting), CASE(forking), CASE(jumping), CASE(closing), CASE(overflowing),
};
TEST_MAIN(cases)
