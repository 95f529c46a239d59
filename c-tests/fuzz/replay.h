/*
 * What a printed sequence includes: each call is followed by all that the fuzzer compares, on standard output. Build it
 * as `make fuzz-replay PROGRAM=FILE` does, and compare what it prints with one library and with the other.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "fuzz.h"

void begin(void);
void start(const char *name, uint64_t *args);
void stop(const char *name, const uint64_t *args, uint64_t result);

#define WORD(x) ((uint64_t) (uintptr_t) (x))
#define WORDS_0()
#define WORDS_1(a) WORD(a)
#define WORDS_2(a, ...) WORD(a), WORDS_1(__VA_ARGS__)
#define WORDS_3(a, ...) WORD(a), WORDS_2(__VA_ARGS__)
#define WORDS_4(a, ...) WORD(a), WORDS_3(__VA_ARGS__)
#define WORDS_5(a, ...) WORD(a), WORDS_4(__VA_ARGS__)
#define WORDS_6(a, ...) WORD(a), WORDS_5(__VA_ARGS__)
#define WORDS_7(a, ...) WORD(a), WORDS_6(__VA_ARGS__)
#define WORDS_8(a, ...) WORD(a), WORDS_7(__VA_ARGS__)
#define WORDS_N(_0, _1, _2, _3, _4, _5, _6, _7, _8, name, ...) name
#define WORDS(...)                                                                                                    \
    WORDS_N(_, ##__VA_ARGS__, WORDS_8, WORDS_7, WORDS_6, WORDS_5, WORDS_4, WORDS_3, WORDS_2, WORDS_1, WORDS_0)        \
    (__VA_ARGS__)

#define AROUND(name, call, ...)                                                                                       \
    do {                                                                                                              \
        uint64_t args[MAX_ARGS] = {WORDS(__VA_ARGS__)}, result = 0;                                                   \
        start(#name, args);                                                                                           \
        call;                                                                                                         \
        stop(#name, args, result);                                                                                    \
    } while (0)

/* Functions that return a value, those that return nothing, and the one that returns a structure. */
#define CALL(name, ...) AROUND(name, result = WORD(name(__VA_ARGS__)), ##__VA_ARGS__)
#define DO(name, ...) AROUND(name, name(__VA_ARGS__), ##__VA_ARGS__)
#define ITERATE(name, ...) AROUND(name, w->iter = name(__VA_ARGS__), ##__VA_ARGS__)

#endif
