/* Taking completions as inline functions do. */
#ifndef TAKE_INLINE_H
#define TAKE_INLINE_H

#include "ring.h"

/* Takes all that are there, without a call into the library. Returns how many. */
static inline unsigned take_inline(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;

    io_uring_for_each_cqe(ring, head, cqe)
        count++;
    io_uring_cq_advance(ring, count);
    return count;
}

#endif
