/* Hand-written. The two queues: taking SQEs, looking at CQEs, giving them back. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_QUEUE_H
#define LIBURING_QUEUE_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/*
 * The submission queue
 */

/* How far an SQE's index is shifted to index sq.sqes, by the flags of a ring. */
IOURINGINLINE unsigned io_uring_sqe_shift_from_flags(unsigned flags) LIBURING_NOEXCEPT
{
    return flags / IORING_SETUP_SQE128 % 2;
}

/* How far an SQE's index is shifted to index sq.sqes of a ring. */
IOURINGINLINE unsigned io_uring_sqe_shift(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    return io_uring_sqe_shift_from_flags(ring->flags);
}

/*
 * Zig reads this header, too. Where a function has an ordered access, which Zig can't translate, it calls the symbol in
 * liburing-ffi instead. So what has no ordered access calls nothing that has one and no symbol. And no access is the
 * initial value of a variable: newer versions of Zig translate such a function wrongly.
 */

/*
 * Acquire: the kernel is done with an SQE before it moves the head past it, and only then may the SQE be filled anew.
 * That matters where a thread of the kernel polls the queue. Elsewhere the head moves within our own system calls and
 * any load would do, but to find out which ring this is costs more than the order does.
 */
#define _io_uring_sq_head(ring) io_uring_smp_load_acquire((ring)->sq.khead)

/* How far the kernel has come in the submission queue. */
IOURINGINLINE unsigned io_uring_load_sq_head(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    return _io_uring_sq_head(ring);
}

/* How many SQEs were taken and not consumed by the kernel. */
IOURINGINLINE unsigned io_uring_sq_ready(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    return ring->sq.sqe_tail - _io_uring_sq_head(ring);
}

/* How many SQEs can still be taken. */
IOURINGINLINE unsigned io_uring_sq_space_left(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    return _io_uring_sq_head(ring) + ring->sq.ring_entries - ring->sq.sqe_tail;
}

/* Waits until an SQE can be taken, where a kernel thread submits. */
IOURINGINLINE int io_uring_sqring_wait(struct io_uring *ring) LIBURING_NOEXCEPT
{
    if ((ring->flags & IORING_SETUP_SQPOLL) && io_uring_sq_space_left(ring) == 0)
        return __io_uring_sqring_wait(ring);
    return 0;
}

/* Takes a free SQE to fill in. */
IOURINGINLINE struct io_uring_sqe *io_uring_get_sqe(struct io_uring *ring) LIBURING_NOEXCEPT
{
    /* liburing.so has this one as a symbol too: programs from before 2.2 call it. */
    struct io_uring_sqe *sqe = NULL;
    unsigned tail = ring->sq.sqe_tail;

    if (uring_likely(tail - _io_uring_sq_head(ring) < ring->sq.ring_entries)) {
        size_t index = tail & ring->sq.ring_mask;

        if (_liburing_rare(ring->flags & IORING_SETUP_SQE128))
            index *= 2;
        sqe = &ring->sq.sqes[index];
        ring->sq.sqe_tail = tail + 1;
        io_uring_initialize_sqe(sqe);
    }
    return sqe;
}

/* Takes a free SQE to fill in, as io_uring_get_sqe() does. */
IOURINGINLINE struct io_uring_sqe *_io_uring_get_sqe(struct io_uring *ring) LIBURING_NOEXCEPT
{
    return io_uring_get_sqe(ring);
}

/* Takes a free SQE of 128 bytes to fill in. */
IOURINGINLINE struct io_uring_sqe *io_uring_get_sqe128(struct io_uring *ring) LIBURING_NOEXCEPT
{
    struct io_uring_sqe *sqe;
    unsigned tail, used, index;

    if (ring->flags & IORING_SETUP_SQE128)
        return io_uring_get_sqe(ring);
    if (!(ring->flags & IORING_SETUP_SQE_MIXED))
        return NULL;

    tail = ring->sq.sqe_tail;
    used = tail - _io_uring_sq_head(ring);
    index = tail & ring->sq.ring_mask;
    sqe = &ring->sq.sqes[index];
    if (uring_unlikely(index == ring->sq.ring_mask)) {
        if (used + 2 >= ring->sq.ring_entries)
            return NULL;
        io_uring_initialize_sqe(sqe);
        io_uring_prep_nop(sqe);
        sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
        sqe = ring->sq.sqes;
        tail++;
    } else if (used + 1 >= ring->sq.ring_entries) {
        return NULL;
    }
    ring->sq.sqe_tail = tail + 2;
    io_uring_initialize_sqe(sqe);
    return sqe;
}

/*
 * The completion queue
 */

/* How far a CQE's index is shifted to index cq.cqes, by the flags of a ring. */
IOURINGINLINE unsigned io_uring_cqe_shift_from_flags(unsigned flags) LIBURING_NOEXCEPT
{
    return flags / IORING_SETUP_CQE32 % 2;
}

/* How far a CQE's index is shifted to index cq.cqes of a ring. */
IOURINGINLINE unsigned io_uring_cqe_shift(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    return io_uring_cqe_shift_from_flags(ring->flags);
}

/* How many entries of the queue a CQE takes. */
IOURINGINLINE unsigned io_uring_cqe_nr(const struct io_uring_cqe *cqe) LIBURING_NOEXCEPT
{
    /* The flag is the sign bit of the lower half: that half, widened, has it on top, and a shift isolates it. */
    return 1 + ((__u32) (__s16) cqe->flags >> 31);
}

/* How many CQEs wait to be looked at. */
IOURINGINLINE unsigned io_uring_cq_ready(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    return io_uring_smp_load_acquire(ring->cq.ktail) - *ring->cq.khead;
}

/* Whether the kernel holds CQEs that found no room in the queue. */
IOURINGINLINE bool io_uring_cq_has_overflow(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    return (IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0;
}

/* Gives CQEs back to the kernel, the oldest first. */
IOURINGINLINE void io_uring_cq_advance(struct io_uring *ring, unsigned nr) LIBURING_NOEXCEPT
{
    unsigned *khead;

    /* With 0 the ring is not touched at all: it may have no queues. */
    if (nr == 0)
        return;
    /* Release: the program has read the CQEs before the kernel may overwrite them. Only the program writes the head. */
    khead = ring->cq.khead;
    io_uring_smp_store_release(khead, nr + *khead);
}

/* Gives one CQE back to the kernel. */
IOURINGINLINE void io_uring_cqe_seen(struct io_uring *ring, struct io_uring_cqe *cqe) LIBURING_NOEXCEPT
{
    unsigned *khead, head;

    if (cqe == NULL)
        return;
    khead = ring->cq.khead;
    head = *khead + 1;
    /* A branch beats the sum: hardly any CQE takes two entries. */
    if (_liburing_rare(cqe->flags & IORING_CQE_F_32))
        head++;
    /* Release: as in io_uring_cq_advance(). */
    io_uring_smp_store_release(khead, head);
}

/* A walk over the CQEs that are there when it starts. */
struct io_uring_cqe_iter {
    struct io_uring_cqe *cqes;
    unsigned mask;
    unsigned shift;
    unsigned head;
    unsigned tail;
};

/* Starts a walk over the CQEs that are there. */
IOURINGINLINE struct io_uring_cqe_iter io_uring_cqe_iter_init(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    struct io_uring_cqe_iter iter;

    /* Acquire: the CQEs before the tail are complete. */
    iter.tail = io_uring_smp_load_acquire(ring->cq.ktail);
    iter.head = *ring->cq.khead;
    iter.shift = io_uring_cqe_shift(ring);
    iter.mask = ring->cq.ring_mask;
    iter.cqes = ring->cq.cqes;
    return iter;
}

/* The next CQE of a walk. */
IOURINGINLINE bool io_uring_cqe_iter_next(struct io_uring_cqe_iter *iter, struct io_uring_cqe **cqe) LIBURING_NOEXCEPT
{
    struct io_uring_cqe *next;
    unsigned head = iter->head;
    size_t index = head & iter->mask;

    if (head == iter->tail)
        return false;
    /* In bytes: the shift for a CQE's size and the ring's own make one. */
    next = (struct io_uring_cqe *) (void *) ((char *) iter->cqes + (index << (iter->shift + 4)));
    iter->head = head + io_uring_cqe_nr(next);
    *cqe = next;
    return true;
}

/*
 * Runs its body for each CQE that is there when it starts: cqe_ points to it, head_ is its index. At the end head_ is
 * the first index it did not walk over.
 */
#define io_uring_for_each_cqe(ring_, head_, cqe_) \
    _io_uring_for_each_cqe(_LIBURING_NAME(_io_uring_walk, __LINE__), ring_, head_, cqe_)

/* Loops may be nested, so that each line's has a variable of its own. */
#define _io_uring_for_each_cqe(walk_, ring_, head_, cqe_)                                                             \
    for (struct io_uring_cqe_iter walk_ = io_uring_cqe_iter_init(ring_);                                              \
         io_uring_cqe_iter_next(((head_) = walk_.head, &walk_), &(cqe_)); (void) (head_))

/*
 * Internal CQEs: those that only fill the gap before the wrap, and the timeouts of waits on kernels without
 * IORING_FEAT_EXT_ARG. Programs don't get to see them.
 */

/* Whether cqe may be one: the CQE alone tells, so that ordinary ones cost no look at the ring's features. */
_LIBURING_PRIVATE bool _io_uring_maybe_internal(const struct io_uring_cqe *cqe) LIBURING_NOEXCEPT
{
    return (cqe->flags & IORING_CQE_F_SKIP) || cqe->user_data == LIBURING_UDATA_TIMEOUT;
}

/* Whether cqe was one, and taken off the queue. A timeout's error goes to *err, and the answer is false. */
_LIBURING_PRIVATE bool io_uring_skip_cqe(struct io_uring *ring, struct io_uring_cqe *cqe, int *err) LIBURING_NOEXCEPT
{
    if (!(cqe->flags & IORING_CQE_F_SKIP)) {
        if (cqe->user_data != LIBURING_UDATA_TIMEOUT || (ring->features & IORING_FEAT_EXT_ARG))
            return false;
        if (cqe->res < 0)
            *err = cqe->res;
    }
    io_uring_cq_advance(ring, io_uring_cqe_nr(cqe));
    return *err == 0;
}

/*
 * Finding the first CQE
 */

/* The number of CQEs that are there, and the first one if that is not 0. */
_LIBURING_PRIVATE unsigned _io_uring_first_cqe(const struct io_uring *ring, struct io_uring_cqe **cqe)
    LIBURING_NOEXCEPT
{
    unsigned tail, head;

    /* Acquire: the CQEs before the tail are complete. Only the program writes the head. */
    tail = io_uring_smp_load_acquire(ring->cq.ktail);
    head = *ring->cq.khead;
    if (uring_likely(tail != head)) {
        size_t index = head & ring->cq.ring_mask;

        if (_liburing_rare(ring->flags & IORING_SETUP_CQE32))
            index *= 2;
        *cqe = &ring->cq.cqes[index];
    }
    return tail - head;
}

/* Whether a system call may turn up CQEs: where completions are polled for, or overflow or task work is announced. */
_LIBURING_PRIVATE bool _io_uring_kernel_holds_cqes(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    return (ring->flags & IORING_SETUP_IOPOLL) ||
           (IO_URING_READ_ONCE(*ring->sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
}

/* Waits until wait_nr CQEs are there. */
IOURINGINLINE int io_uring_wait_cqe_nr(struct io_uring *ring, struct io_uring_cqe **cqe_ptr, unsigned wait_nr)
    LIBURING_NOEXCEPT
{
    return __io_uring_get_cqe(ring, cqe_ptr, 0, wait_nr, NULL);
}

/* gcc warns of an inline function that is not to be inlined; without inline it would warn of one that is not used. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wattributes"

/* Finds the first CQE behind internal ones. What it yields is what __io_uring_peek_cqe() does. */
_LIBURING_COLD int _io_uring_peek_past_internal(struct io_uring *ring, struct io_uring_cqe **cqe_ptr,
                                                unsigned *nr_available) LIBURING_NOEXCEPT
{
    struct io_uring_cqe *cqe = NULL;
    unsigned available;
    int err = 0;

    while ((available = io_uring_cq_ready(ring)) != 0) {
        cqe = &ring->cq.cqes[(*ring->cq.khead & ring->cq.ring_mask) << io_uring_cqe_shift(ring)];
        if (!io_uring_skip_cqe(ring, cqe, &err))
            break;
        cqe = NULL;
    }
    *cqe_ptr = err ? NULL : cqe;
    if (nr_available)
        *nr_available = available;
    return err;
}

/* io_uring_peek_cqe() (wait_nr 0) or io_uring_wait_cqe() (wait_nr 1) where an internal CQE may come first. */
_LIBURING_COLD int _io_uring_get_past_internal(struct io_uring *ring, struct io_uring_cqe **cqe_ptr, unsigned wait_nr)
    LIBURING_NOEXCEPT
{
    if (_io_uring_peek_past_internal(ring, cqe_ptr, NULL) == 0) {
        if (*cqe_ptr)
            return 0;
        if (wait_nr == 0 && !_io_uring_kernel_holds_cqes(ring))
            return -EAGAIN;
    }
    return io_uring_wait_cqe_nr(ring, cqe_ptr, wait_nr);
}

#pragma GCC diagnostic pop

/* Finds the first CQE without a system call. */
IOURINGINLINE int __io_uring_peek_cqe(struct io_uring *ring, struct io_uring_cqe **cqe_ptr, unsigned *nr_available)
    LIBURING_NOEXCEPT
{
    struct io_uring_cqe *cqe;
    unsigned available = _io_uring_first_cqe(ring, &cqe);

    if (uring_unlikely(available == 0))
        cqe = NULL;
    else if (_liburing_rare(_io_uring_maybe_internal(cqe)))
        return _io_uring_peek_past_internal(ring, cqe_ptr, nr_available);
    *cqe_ptr = cqe;
    if (nr_available)
        *nr_available = available;
    return 0;
}

/* Looks at the first CQE without waiting. */
IOURINGINLINE int io_uring_peek_cqe(struct io_uring *ring, struct io_uring_cqe **cqe_ptr) LIBURING_NOEXCEPT
{
    struct io_uring_cqe *cqe;

    if (uring_likely(_io_uring_first_cqe(ring, &cqe))) {
        if (_liburing_rare(_io_uring_maybe_internal(cqe)))
            return _io_uring_get_past_internal(ring, cqe_ptr, 0);
        *cqe_ptr = cqe;
        return 0;
    }
    *cqe_ptr = NULL;
    if (_io_uring_kernel_holds_cqes(ring))
        return io_uring_wait_cqe_nr(ring, cqe_ptr, 0);
    return -EAGAIN;
}

/* Waits for a CQE. */
IOURINGINLINE int io_uring_wait_cqe(struct io_uring *ring, struct io_uring_cqe **cqe_ptr) LIBURING_NOEXCEPT
{
    struct io_uring_cqe *cqe;

    if (uring_likely(_io_uring_first_cqe(ring, &cqe))) {
        if (_liburing_rare(_io_uring_maybe_internal(cqe)))
            return _io_uring_get_past_internal(ring, cqe_ptr, 1);
        *cqe_ptr = cqe;
        return 0;
    }
    *cqe_ptr = NULL;
    return io_uring_wait_cqe_nr(ring, cqe_ptr, 1);
}

/*
 * The registered eventfd
 */

/* Whether completions signal the registered eventfd. */
IOURINGINLINE bool io_uring_cq_eventfd_enabled(const struct io_uring *ring) LIBURING_NOEXCEPT
{
    const unsigned *kflags = ring->cq.kflags;

    return kflags == NULL || (*kflags & IORING_CQ_EVENTFD_DISABLED) == 0;
}

/* Makes completions signal the registered eventfd, or not. */
IOURINGINLINE int io_uring_cq_eventfd_toggle(struct io_uring *ring, bool enabled) LIBURING_NOEXCEPT
{
    unsigned *kflags = ring->cq.kflags;
    unsigned now;

    if (kflags == NULL)
        return enabled ? 0 : -EOPNOTSUPP;
    now = *kflags;
    if (enabled == ((now & IORING_CQ_EVENTFD_DISABLED) != 0))
        IO_URING_WRITE_ONCE(*kflags, now ^ IORING_CQ_EVENTFD_DISABLED);
    return 0;
}

#endif
