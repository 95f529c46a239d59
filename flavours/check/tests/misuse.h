/*
 * Small programs that misuse io_uring, each beside one like it that is right.
 *
 * Without an argument a program prints its cases: name, the rules that the case breaks ("-" if it is right; "-RULE": not
 * heeded; "+RULE": reported if asked for), the request that the report must name ("-" if none), and the signal by which the
 * case ends (0 if none). With a name it runs that case. One that hangs is ended by an alarm.
 */
#ifndef MISUSE_H
#define MISUSE_H

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_SKIP 77
#define NOINLINE __attribute__((noinline))
/* The function keeps its frame: its last call is no jump. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

struct misuse {
    const char *name;
    void (*run)(void);
    const char *rule;
    const char *request;
    int signal;
};

#define WRONG(function, rule, request) { #function, function, rule, request, 0 }
#define ASKED(function, rule, request) { #function, function, "+" rule, request, 0 }
#define RIGHT(function) { #function, function, "-", "-", 0 }
/* It ends by a signal. */
#define WRONG_ENDS(function, rule, request, signal) { #function, function, rule, request, signal }
#define RIGHT_ENDS(function, signal) { #function, function, "-", "-", signal }

#define MUST(condition)                                                             \
    do {                                                                            \
        if (!(condition)) {                                                         \
            printf("%s:%d: want %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            fflush(stdout);                                                         \
            _exit(1);                                                               \
        }                                                                           \
    } while (0)

static inline void open_ring(struct io_uring *ring, unsigned entries, unsigned flags)
{
    int ret = io_uring_queue_init(entries, ring, flags);

    if (ret == -EINVAL && flags) {
        printf("the kernel has no set-up flags %#x\n", flags);
        exit(EXIT_SKIP);
    }
    MUST(ret == 0);
}

static inline struct io_uring_sqe *take(struct io_uring *ring, unsigned long long data)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    MUST(sqe != NULL);
    io_uring_prep_nop(sqe);
    sqe->user_data = data;
    return sqe;
}

/* Waits for a completion, marks it as seen, and returns its result. */
static inline int reap(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    int res;

    MUST(io_uring_wait_cqe(ring, &cqe) == 0);
    res = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return res;
}

static inline int run_misuse(const struct misuse *cases, size_t count, int argc, char **argv)
{
    for (size_t i = 0; i < count; i++) {
        if (argc < 2) {
            printf("%s\t%s\t%s\t%d\n", cases[i].name, cases[i].rule, cases[i].request, cases[i].signal);
        } else if (!strcmp(argv[1], cases[i].name)) {
            alarm(20);
            cases[i].run();
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}

#define MISUSE_MAIN(cases)                                                          \
    int main(int argc, char **argv)                                                 \
    {                                                                               \
        return run_misuse(cases, sizeof(cases) / sizeof((cases)[0]), argc, argv);   \
    }

#endif
