/* How a file of rows (steps-*.c) counts a call, and what the files share (steps-help.c). */
#ifndef STEPS_H
#define STEPS_H

#include <stdio.h>

struct io_uring;

struct shared {
    char name[64];
};

extern struct shared *shared;

/* Neither inlined nor specialised: the arguments are in registers, as in any caller. */
#if defined(__clang__)
#define ROW __attribute__((__noinline__))
#else
#define ROW __attribute__((__noinline__, __noipa__))
#endif

/* Runs `call` between two breakpoints. Symbols are bound before the program starts, so no call binds one. */
#define COUNT(row, call)                                                                                               \
    do {                                                                                                               \
        snprintf(shared->name, sizeof(shared->name), "%s", row);                                                       \
        __asm__ volatile("int3" ::: "memory");                                                                         \
        call;                                                                                                          \
        __asm__ volatile("int3" ::: "memory");                                                                         \
    } while (0)

/* The same for a call that must return `expected`. */
#define COUNT_IS(row, expected, call)                                                                                  \
    do {                                                                                                               \
        long ret_;                                                                                                     \
        COUNT(row, ret_ = (call));                                                                                     \
        check(ret_ == (long) (expected), "the call counted");                                                          \
    } while (0)

void check(int ok, const char *what);

/* Helpers of several files of rows. */
void take_nops(struct io_uring *ring, unsigned nr);
void complete(struct io_uring *ring, unsigned nr);
void drain(struct io_uring *ring);

#endif
