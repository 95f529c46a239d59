/* Counting system calls by a tracing parent, so that nothing depends on time. */
#ifndef TESTS_2019_COUNT_CALLS_H
#define TESTS_2019_COUNT_CALLS_H

#include <sys/ptrace.h>
#include <sys/user.h>

#include "raw.h"

/* Tells the tracing parent where a part begins and ends. The library makes no such call. */
static inline void mark(void)
{
    getppid();
}

/*
 * Runs `traced` in a child, and counts its main thread's system calls in the `parts` parts between its marks. `traced`
 * ends with _exit(0), or with _exit(EXIT_SKIP) for `reason`.
 */
static inline void count_calls(void (*traced)(void), long *counts, int parts, const char *reason)
{
    int status, at = -1, entry = 1;
    pid_t child = CHECK_SYS(fork());

    memset(counts, 0, parts * sizeof(*counts));
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(EXIT_SKIP);
        raise(SIGSTOP);
        traced();
        _exit(1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP)
        skip("ptrace is forbidden");
    CHECK(WIFSTOPPED(status));
    CHECK_SYS(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    for (;;) {
        struct user_regs_struct regs;

        CHECK_SYS(ptrace(PTRACE_SYSCALL, child, NULL, NULL));
        CHECK_EQ(waitpid(child, &status, 0), child);
        if (WIFEXITED(status))
            break;
        CHECK(WIFSTOPPED(status));
        CHECK_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
        if (entry) {
            CHECK_SYS(ptrace(PTRACE_GETREGS, child, NULL, &regs));
            if (regs.orig_rax == SYS_getppid)
                at++;
            else if (at >= 0 && at < parts)
                counts[at]++;
        }
        entry = !entry;
    }
    if (WEXITSTATUS(status) == EXIT_SKIP)
        skip("%s", reason);
    CHECK_EQ(status, 0);
    /* the marks were seen */
    CHECK_EQ(at, parts);
}

#endif
