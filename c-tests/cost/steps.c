/* Counts the instructions that library calls execute in user space, by single-stepping a child. */
#include "steps-rows.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Steps the child from one breakpoint to the next. Returns the number of instructions between them. */
static long step_to_breakpoint(pid_t child)
{
    for (long steps = 0;; steps++) {
        int status;

        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) || waitpid(child, &status, 0) != child)
            return -1;
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
            return -1;

        siginfo_t info;

        if (ptrace(PTRACE_GETSIGINFO, child, NULL, &info))
            return -1;
        /* A step stops with TRAP_TRACE, a breakpoint instruction with another code. */
        if (info.si_code == SI_KERNEL)
            return steps;
    }
}

/* Lets the child run on to its next breakpoint; false when it has ended. */
static int run_to_breakpoint(pid_t child, int *status)
{
    int signal = 0;

    for (;;) {
        if (ptrace(PTRACE_CONT, child, NULL, (void *) (long) signal) || waitpid(child, status, 0) != child)
            return -1;
        if (!WIFSTOPPED(*status))
            return 0;
        if (WSTOPSIG(*status) == SIGTRAP)
            return 1;
        signal = WSTOPSIG(*status);
    }
}

int main(void)
{
    long overhead = 0;
    int status;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return perror("mmap"), 1;

    pid_t child = fork();

    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(2);
        raise(SIGSTOP);
        run_rows();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
        return perror("fork"), 1;

    for (;;) {
        int more = run_to_breakpoint(child, &status);

        if (more < 0)
            return perror("ptrace"), 1;
        if (more == 0)
            break;

        long steps = step_to_breakpoint(child);

        if (steps < 0)
            return fprintf(stderr, "lost the child in %s\n", shared->name), 1;
        /* The first row calls an empty function. Its count is subtracted from all others. */
        if (!strcmp(shared->name, "nothing"))
            overhead = steps;
        else
            printf("%s\t%ld\n", shared->name, steps - overhead);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fprintf(stderr, "the rows ended with status %#x after %s\n", status, shared->name), 1;
    return 0;
}
