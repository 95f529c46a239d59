/*
 * SIGSYS is the library's: what a program that handles, ignores or blocks it
 * gets, and what programs get that it executes.
 *
 * signals ring: sets a ring up with an instruction. The exit status says who
 * serves it.
 * signals filters COUNT: the same, if the process has so many filters.
 */
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "bare.h"
#include "file.h"
#include "ring.h"

enum { SERVED = 42, REFUSED = 43, KERNELS = 44 };

static volatile sig_atomic_t handled;
static struct io_uring *used;

/* Who serves a ring that is set up with an instruction. */
static int set_up(void)
{
    struct io_uring_params params = { 0 };
    int fd = (int) bare_call(SYS_io_uring_setup, 4, (long) &params, 0, 0, 0, 0), by = SERVED;

    if (fd < 0)
        return REFUSED;
    if (count_ring_fds() > 0)
        by = KERNELS;
    CHECK_SYS(close(fd));
    return by;
}

static void on_signal(int number)
{
    (void) number;
    handled++;
}

static void on_signal_with_ring(int number)
{
    long ret;

    (void) number;
    /* the ring, or the library, may be what was interrupted */
    ret = bare_call(SYS_io_uring_enter, used->ring_fd, 0, 0, IORING_ENTER_GETEVENTS, 0, 0);
    CHECK(ret == 0 || ret == -EBUSY || ret == -EAGAIN);
    handled++;
}

static void often(int signal_number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal_number };
    struct itimerspec times = { .it_interval = { 0, 211000 }, .it_value = { 0, 211000 } };
    timer_t timer;

    /* all others are blocked meanwhile, as many programs have it */
    sigfillset(&action.sa_mask);
    CHECK_SYS(sigaction(signal_number, &action, NULL));
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    CHECK_SYS(timer_settime(timer, 0, &times, NULL));
}

/* Signals whose handlers make such calls come during such calls. */
static void during_a_call(void)
{
    struct __kernel_timespec soon = { .tv_nsec = 300000 };
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    ring_open(&ring, 8, 0);
    used = &ring;
    often(SIGPROF, on_signal_with_ring);
    for (unsigned i = 0; i < 1000; i++) {
        int ret;

        io_uring_prep_timeout(next_sqe(&ring), &soon, 0, 0);
        do
            ret = io_uring_submit(&ring);
        while (ret == -EBUSY || ret == -EINTR);
        do
            ret = io_uring_wait_cqe(&ring, &cqe);
        while (ret == -EBUSY || ret == -EINTR);
        CHECK_EQ(ret, 0);
        CHECK_EQ(cqe->res, -ETIME);
        io_uring_cqe_seen(&ring, cqe);
    }
    CHECK_GT(handled, 100);
    signal(SIGPROF, SIG_IGN);
    io_uring_queue_exit(&ring);
}

/* A wait ends with -EINTR, as the kernel's, also where the handler says that calls go on. */
static void ends_a_wait(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct io_uring ring;
    pid_t child;

    ring_open(&ring, 8, 0);
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    child = CHECK_SYS(fork());
    if (child == 0)
        for (;;) {
            usleep(20000);
            if (kill(getppid(), SIGUSR1) < 0 || getppid() == 1)
                _exit(0);
        }
    CHECK_EQ(bare_call(SYS_io_uring_enter, ring.ring_fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0), -EINTR);
    CHECK_SYS(kill(child, SIGKILL));
    CHECK_EQ(waitpid(child, NULL, 0), child);
    CHECK_GT(handled, 0);
    io_uring_queue_exit(&ring);
}

static const siginfo_t *told;
static siginfo_t kept;

static void on_sigsys(int number, siginfo_t *info, void *context)
{
    CHECK_EQ(number, SIGSYS);
    CHECK(context != NULL);
    kept = *info;
    told = &kept;
    /* a ring in this very handler */
    CHECK_EQ(set_up(), SERVED);
    handled++;
}

/* The program's handler gets what is not the library's. */
static void own_handler(void)
{
    struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO }, before;

    CHECK_SYS(sigaction(SIGSYS, NULL, &before));
    CHECK(before.sa_handler == SIG_DFL);
    sigfillset(&action.sa_mask);
    CHECK_SYS(sigaction(SIGSYS, &action, &before));
    CHECK(before.sa_handler == SIG_DFL);
    CHECK_EQ(set_up(), SERVED);
    CHECK_EQ(handled, 0);
    CHECK_SYS(raise(SIGSYS));
    CHECK_EQ(handled, 1);
    CHECK(told == &kept && kept.si_code == SI_TKILL);
    CHECK_SYS(sigaction(SIGSYS, NULL, &before));
    CHECK(before.sa_sigaction == on_sigsys);
    CHECK_EQ(before.sa_flags & SA_SIGINFO, SA_SIGINFO);
    CHECK_EQ(sigismember(&before.sa_mask, SIGUSR2), 1);
    CHECK((void *) signal(SIGSYS, on_signal) == (void *) on_sigsys);
    CHECK_SYS(raise(SIGSYS));
    CHECK_EQ(handled, 2);
    CHECK(signal(SIGSYS, SIG_IGN) == on_signal);
    CHECK_SYS(raise(SIGSYS));
    CHECK_EQ(handled, 2);
    CHECK_EQ(set_up(), SERVED);
}

static void once_only(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int) SA_RESETHAND }, before;

    CHECK_SYS(sigaction(SIGSYS, &action, NULL));
    CHECK_SYS(raise(SIGSYS));
    CHECK_EQ(handled, 1);
    CHECK_SYS(sigaction(SIGSYS, NULL, &before));
    CHECK(before.sa_handler == SIG_DFL);
}

/* What a child comes to: `how` runs in it. */
static int outcome(void (*how)(void))
{
    int status;
    pid_t child = CHECK_SYS(fork());

    if (child == 0) {
        how();
        _exit(set_up());
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

static bool is_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static bool is_served(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == SERVED;
}

static void raise_it(void)
{
    raise(SIGSYS);
}

/* Nothing else has changed: it ends the program. */
static void without_a_handler(void)
{
    CHECK(is_killed(outcome(raise_it)));
}

static void block_all(void)
{
    sigset_t all, before;

    sigfillset(&all);
    CHECK_SYS(sigprocmask(SIG_SETMASK, &all, NULL));
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
    CHECK_EQ(sigismember(&before, SIGTERM), 1);
    CHECK_EQ(sigismember(&before, SIGSYS), 0);
}

static void block_by_instruction(void)
{
    unsigned long long all = ~0ull;

    bare_call(SYS_rt_sigprocmask, SIG_BLOCK, (long) &all, 0, 8, 0, 0);
}

static void handle_by_instruction(void)
{
    /* the default action */
    static const unsigned long none[8];

    CHECK_EQ(bare_call(SYS_rt_sigaction, SIGSYS, (long) none, 0, 8, 0, 0), 0);
}

static void blocked(void)
{
    CHECK(is_served(outcome(block_all)));
    /* as docs/fallback.md says */
    CHECK(is_killed(outcome(block_by_instruction)));
    CHECK(is_killed(outcome(handle_by_instruction)));
}

static char *const arguments[] = { "signals", "ring", NULL };
static char *const nothing[] = { NULL };
extern char **environ;

static void run_with_library(void)
{
    execv("/proc/self/exe", arguments);
}

static void run_with_library_and_blocked(void)
{
    block_by_instruction();
    run_with_library();
}

static void run_without_library(void)
{
    execve("/proc/self/exe", arguments, nothing);
}

static void run_without_the_switch(void)
{
    unsetenv("LIBURING_FALLBACK_SIGSYS");
    run_with_library();
}

static unsigned filters(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[200];
    unsigned count = 0;

    CHECK(status != NULL);
    while (fgets(line, sizeof(line), status))
        (void) sscanf(line, "Seccomp_filters: %u", &count);
    fclose(status);
    return count;
}

static void count_in_the_child(void)
{
    char *counting[] = { "signals", "filters", NULL, NULL }, text[20];

    snprintf(text, sizeof(text), "%u", filters());
    counting[2] = text;
    execv("/proc/self/exe", counting);
}

/* What is executed has the filter, and needs the library. */
static void executed(void)
{
    pid_t child;
    int status;

    CHECK(is_served(outcome(run_with_library)));
    CHECK(is_served(outcome(run_with_library_and_blocked)));
    CHECK(is_killed(outcome(run_without_library)));
    CHECK(is_killed(outcome(run_without_the_switch)));
    /* the filter is not installed once more */
    CHECK(is_served(outcome(count_in_the_child)));
    CHECK_EQ(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(is_served(status));
}

static void give_up_in_child(void)
{
    pid_t child = vfork();

    if (child == 0)
        _exit(signal(SIGSYS, SIG_DFL) == SIG_ERR);
    CHECK_SYS(child);
    CHECK_EQ(waitpid(child, NULL, 0), child);
}

/* What a child of vfork(2) does with the signal is its own, though the memory is its parent's. */
static void in_a_child(void)
{
    struct sigaction action;

    CHECK(signal(SIGSYS, on_signal) != SIG_ERR);
    give_up_in_child();
    CHECK_SYS(sigaction(SIGSYS, NULL, &action));
    CHECK(action.sa_handler == on_signal);
}

static const struct test_case cases[] = {
    CASE(during_a_call),
    CASE(ends_a_wait),
    CASE(own_handler),
    CASE(once_only),
    CASE(without_a_handler),
    CASE(blocked),
    CASE(executed),
    CASE(in_a_child),
};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "ring") == 0)
        return set_up();
    if (argc == 3 && strcmp(argv[1], "filters") == 0)
        return filters() == (unsigned) atoi(argv[2]) ? set_up() : 1;
    return run_cases(cases, ARRAY_LEN(cases), argc, argv);
}
