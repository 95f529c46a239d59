/* What all parts of the fuzzer share: the world that calls act on, functions and their arguments, and records. */
#ifndef FUZZ_H
#define FUZZ_H

#include <liburing-ffi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "own.h"

typedef void (*any_fn)(void);

#define MAX_ARGS 8
#define NR_RINGS 3
#define NR_BUF_RINGS 3
#define NR_IOVECS 8
#define NR_TIMES 6
/* The first ones that are long enough to outlive every sequence. */
#define FIRST_LONG_TIME 3
#define DATA_SIZE 8192
#define MEM_SIZE 65536
/* Descriptors of the world's files, and the end of all descriptors. */
#define FIRST_FILE 10
#define PIPE_READ 10
#define PIPE_WRITE 11
#define SOCKET_A 12
#define SOCKET_B 13
#define EVENTFD 14
#define ZERO_FILE 15
#define NULL_FILE 16
#define EPOLL 17
#define LISTENER 18
#define FIRST_FREE 19
#define FD_LIMIT 40
/* How far a library may raise the limit. */
#define FD_HARD_LIMIT 4096
#define UNMAPPED 0xdead0000ull

/* What an argument is drawn from. */
enum kind {
    K_NOTHING, K_NUMBER, K_BOOL, K_ADDRESS, K_RING, K_SQE, K_CQE, K_CQE_OUT, K_ITER, K_PARAMS, K_PROBE, K_BUF_RING,
    K_TIME, K_SIGSET, K_IOVECS, K_FILES, K_INTS, K_COUNTS, K_TAGS, K_MSG, K_PATH, K_BUF_REG, K_RESTRICTIONS,
    K_SYNC_CANCEL, K_MESSAGE, K_CMSG, K_REGION, K_DATA, K_FD, K_RING_FD, K_ENTRIES, K_SETUP_FLAGS, K_SQE_FLAGS, K_WAIT_NR,
    K_LENGTH, K_MEM, K_MEM_SIZE, K_USER_DATA, K_SQE_OP, K_REGISTER_OP, K_SMALL, K_OFFSET, K_POLL_MASK, K_MASK,
    K_ENTER_FLAGS, K_ENTER_ARG, K_ENTER_SIZE, K_BUF_RING_FLAGS, K_ERR, K_HEAD, K_MIN_WAIT,
};

/* The call may wait for completions: a timer ends the wait. */
#define BLOCKS 1
/* It writes arguments into an SQE and does nothing else. */
#define FILLS 2

struct function {
    const char *name;
    enum kind result;
    unsigned nr_args;
    enum kind kinds[MAX_ARGS];
    /* Bits of the arguments that are pointers. */
    unsigned pointers;
    /* Bytes of each. */
    unsigned char sizes[MAX_ARGS];
    unsigned flags;
    /* A function of the fuzzer's own; those of the library are looked up. */
    any_fn own;
    uint64_t (*call)(any_fn fn, const uint64_t *a);
};

extern const struct function functions[];
extern const unsigned nr_functions;

struct step {
    uint16_t function;
    uint64_t raw[MAX_ARGS];
};

struct buf_ring {
    struct io_uring_buf_ring *ring;
    unsigned entries;
};

/*
 * All that calls are given. It lies at one address in every process, so addresses in it may be compared. Members before
 * `params` hold addresses that differ and are compared by what they point to; the others byte by byte.
 */
struct world {
    struct io_uring ring[NR_RINGS];
    bool live[NR_RINGS];
    /* There has been one. */
    bool had_ring;
    /* Set up by io_uring_queue_mmap(). */
    bool mapped[NR_RINGS];
    /* Memory of the world that a ring lives in, from 1, or 0. */
    unsigned in_mem[NR_RINGS];
    struct io_uring_cqe *cqe[16];
    struct io_uring_cqe_iter iter;
    int iter_ring;
    struct io_uring_sqe *sqe;
    int sqe_ring;
    struct io_uring_cqe *seen_cqe;
    int cqe_ring;
    struct io_uring_probe *probe;
    struct buf_ring buf_ring[NR_BUF_RINGS];
    uint64_t next_user_data;
    int setup_fd;
    struct io_uring_params setup_params;

    struct io_uring_params params[2];
    struct io_uring_sqe free_sqe[2];
    uint64_t free_cqe[8];
    struct __kernel_timespec time[NR_TIMES];
    sigset_t sigset[2];
    struct io_uring_getevents_arg enter_arg[2];
    struct iovec iovec[NR_IOVECS];
    int files[8];
    int ints[8];
    unsigned counts[8];
    __u64 tags[8];
    struct msghdr msg[2];
    char path[2][16];
    struct io_uring_buf_reg buf_reg[2];
    struct io_uring_restriction restriction[4];
    struct io_uring_sync_cancel_reg sync_cancel[2];
    struct io_uring_region_desc region_desc;
    struct io_uring_mem_region_reg region;
    struct io_uring_buf bufs[64];
    uint64_t free_probe[2 + 256];
    int err;
    uint16_t head;
    uint64_t data[DATA_SIZE / 8];
    uint64_t end;

    char waits[4096] __attribute__((aligned(4096)));
    char mem[2][MEM_SIZE] __attribute__((aligned(4096)));
};

static struct world *const w = (struct world *) 0x200000000ull;

void world_make(void);
bool in_data(uint64_t address, uint64_t length);
int ring_of(const void *ring);

/* An argument as it is passed, made of what was drawn. */
uint64_t resolve(enum kind kind, uint64_t raw);

/*
 * Around each call. `before` returns whether the call is made: it is not where the program would be at fault, or where
 * the two libraries differ on purpose. Arguments may be changed by it. `after` returns what to compare.
 */
bool before(const char *name, uint64_t *a);
uint64_t after(const char *name, const uint64_t *a, uint64_t result);
/* Turns SQEs into ones whose completion does not depend on time: see tame.c. */
void tame_pending(void);
/* While a call runs that may wait, signals interrupt it again and again. */
void limit_wait(const struct function *f, bool begin);

/* What is compared. */
enum label {
    L_SKIPPED, L_RESULT, L_RESULT_WORD, L_LIVE, L_RING, L_SQ, L_CQ, L_CQE, L_ARRAY, L_OUT, L_ITER, L_MEMORY, L_FD,
    L_LIMIT, L_SIZE, L_MAP, L_SIGNAL,
};

struct word {
    uint32_t step;
    uint16_t label;
    uint16_t index;
    uint64_t value;
};

#define MAX_STEPS 160
#define MAX_WORDS 65536

/* What one process says of one sequence. */
struct record {
    unsigned nr_words;
    /* Calls of the library that were made. */
    unsigned calls;
    /* The step that was begun last. */
    unsigned step;
    int status;
    /* Arguments as they were passed, for printing. */
    bool made[MAX_STEPS];
    uint64_t args[MAX_STEPS][MAX_ARGS];
    uint64_t base;
    struct word words[MAX_WORDS];
};

extern struct record *record;
/* Every word instead of a hash of many. */
extern bool in_full;

const char *label_name(enum label label);
void emit(enum label label, unsigned index, uint64_t value);
void observe(const struct function *f, uint64_t result);
void observe_begin(void);

#endif
