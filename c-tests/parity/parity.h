/* Parts of the parity test: a world of memory that functions act on, and random input for it. */
#ifndef PARITY_H
#define PARITY_H

#include <liburing.h>

typedef void (*any_fn)(void);

#define ENTRIES 64

/* All memory that the functions under test read and write. Its address is constant, so pointers can be compared too. */
struct world {
    struct io_uring ring;
    unsigned sq_head, sq_tail, sq_flags, cq_head, cq_tail, cq_flags;
    /* Entries of double size take two each. */
    struct io_uring_sqe sqes[2 * ENTRIES];
    uint64_t cqes[2 * ENTRIES][2];
    struct io_uring_buf bufs[ENTRIES];
    uint64_t probe[2 + 256];
    struct msghdr msg;
    uint64_t buffer[64];
    struct io_uring_cqe_iter iter;
    /* The values that a function returns and writes through its pointers. */
    uint64_t result;
    struct io_uring_cqe *cqe;
    unsigned count;
    int err;
};

extern struct world w;

/* The arguments of a call. */
extern uint64_t arg[8];

/* Random numbers; the same seed gives the same ones. Half of those of `value` are edge cases. */
void seed_random(uint64_t seed, const char *name);
uint64_t bits(void);
uint64_t below(uint64_t limit);
bool one_in(unsigned n);
uint64_t value(void);

/* A function whose input needs preparing: `prepare` sets the world and the arguments, `call` calls. */
struct ring_case {
    const char *name;
    any_fn fn;
    void (*prepare)(void);
    void (*call)(any_fn fn);
};

extern const struct ring_case ring_cases[];
extern const unsigned nr_ring_cases;

/* Functions of the header that liburing-ffi does not have: each is compared with its expected effect. */
struct local_case {
    const char *name;
    /* Returns false if it differs. */
    bool (*holds)(void);
};

extern const struct local_case local_cases[];
extern const unsigned nr_local_cases;

/* Rings for the cases. */
void make_ring(void);
void make_cqes(void);
struct io_uring_cqe *cqe_at(unsigned index);

/* A function of the library under test. */
any_fn library_fn(const char *name);

#endif
