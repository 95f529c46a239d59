/* Random numbers, and rings with random contents. */
#include <string.h>

#include "parity.h"

struct world w __attribute__((aligned(64)));
uint64_t arg[8];

static uint64_t state;

void seed_random(uint64_t seed, const char *name)
{
    state = seed;
    for (; *name; name++)
        state = (state ^ (unsigned char) *name) * 0x100000001b3u;
}

/* SplitMix64. */
uint64_t bits(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t below(uint64_t limit)
{
    return bits() % limit;
}

bool one_in(unsigned n)
{
    return below(n) == 0;
}

uint64_t value(void)
{
    static const uint64_t edges[] = {
        0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
        0xfffffffe, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffffe,
        0xffffffffffffffff,
    };

    return one_in(2) ? edges[below(sizeof(edges) / sizeof(edges[0]))] : bits() >> below(64);
}

struct io_uring_cqe *cqe_at(unsigned index)
{
    return (struct io_uring_cqe *) w.cqes[index];
}

/* A counter: any value, and often one about to wrap. */
static unsigned counter(void)
{
    return one_in(2) ? (unsigned) bits() : (unsigned) (0 - below(ENTRIES + 2));
}

/*
 * A ring whose pointers lead into the world. It has no descriptor, so a system call on it always fails in the same way.
 */
void make_ring(void)
{
    static const unsigned flags[] = {IORING_SETUP_IOPOLL,    IORING_SETUP_SQPOLL,    IORING_SETUP_SQE128,
                                     IORING_SETUP_SQE_MIXED, IORING_SETUP_SQE_MIXED, IORING_SETUP_CQE32,
                                     IORING_SETUP_CQE_MIXED, IORING_SETUP_DEFER_TASKRUN};
    struct io_uring *ring = &w.ring;

    ring->flags = 0;
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (one_in(3))
            ring->flags |= flags[i];
    ring->features = one_in(3) ? 0 : IORING_FEAT_EXT_ARG;
    ring->features |= (unsigned) bits() & ~IORING_FEAT_EXT_ARG;
    ring->ring_fd = ring->enter_ring_fd = -1;
    ring->int_flags = 0;

    ring->sq.khead = &w.sq_head;
    ring->sq.ktail = &w.sq_tail;
    ring->sq.kflags = &w.sq_flags;
    ring->sq.array = NULL;
    ring->sq.sqes = w.sqes;
    ring->sq.ring_entries = 1u << below(7);
    ring->sq.ring_mask = ring->sq.ring_entries - 1;
    w.sq_head = counter();
    /* Sometimes a state that no kernel makes. */
    ring->sq.sqe_tail = w.sq_head + (one_in(32) ? (unsigned) bits() : (unsigned) below(ring->sq.ring_entries + 1));
    ring->sq.sqe_head = w.sq_tail = ring->sq.sqe_tail;
    w.sq_flags = one_in(2) ? 0 : (unsigned) bits() & 7;

    ring->cq.khead = &w.cq_head;
    ring->cq.ktail = &w.cq_tail;
    ring->cq.kflags = one_in(4) ? NULL : &w.cq_flags;
    ring->cq.cqes = cqe_at(0);
    ring->cq.ring_entries = 1u << below(7);
    ring->cq.ring_mask = ring->cq.ring_entries - 1;
    w.cq_head = counter();
    w.cq_tail = w.cq_head + (one_in(4) ? 0 : (unsigned) below(ring->cq.ring_entries + 1));
    make_cqes();
}

/* CQEs of all kinds. No CQE that is internal to the library may reach beyond the tail. */
void make_cqes(void)
{
    const struct io_uring_cq *cq = &w.ring.cq;
    unsigned shift = w.ring.flags & IORING_SETUP_CQE32 ? 1 : 0;

    for (unsigned i = 0; i < 2 * ENTRIES; i++) {
        struct io_uring_cqe *cqe = cqe_at(i);

        cqe->flags &= ~(IORING_CQE_F_SKIP | IORING_CQE_F_32);
        if (one_in(3))
            cqe->flags |= IORING_CQE_F_SKIP;
        if (one_in(3))
            cqe->flags |= IORING_CQE_F_32;
        if (one_in(3))
            cqe->user_data = LIBURING_UDATA_TIMEOUT;
        if (one_in(8))
            cqe->res = 0;
    }
    for (unsigned head = w.cq_head; head != w.cq_tail; head++) {
        struct io_uring_cqe *cqe = cqe_at((head & cq->ring_mask) << shift);

        if (head + 1 == w.cq_tail)
            cqe->flags &= ~IORING_CQE_F_32;
        else if (cqe->flags & IORING_CQE_F_32)
            head++;
    }
}
