/* Rows of whole cycles: requests are taken, submitted, waited for and given back. */
#include "steps-rows.h"

#include <liburing.h>

/* A whole cycle of `batch` nops through a ring, one completion at a time. */
ROW void cycle(struct io_uring *ring, unsigned batch)
{
    struct io_uring_cqe *cqe;

    for (unsigned i = 0; i < batch; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, i);
    }
    io_uring_submit(ring);
    for (unsigned i = 0; i < batch; i++) {
        if (io_uring_wait_cqe(ring, &cqe))
            break;
        io_uring_cqe_seen(ring, cqe);
    }
}

/* The whole cycle that has a limit of its own (steps.py): one call submits and waits, and each completion is waited for. */
ROW void full_cycle_wait(struct io_uring *ring, unsigned batch)
{
    struct io_uring_cqe *cqe;

    for (unsigned i = 0; i < batch; i++)
        io_uring_prep_nop(io_uring_get_sqe(ring));
    io_uring_submit_and_wait(ring, 1);
    for (unsigned i = 0; i < batch; i++) {
        if (io_uring_wait_cqe(ring, &cqe))
            break;
        io_uring_cqe_seen(ring, cqe);
    }
}

/* The same with io_uring_peek_cqe(). */
ROW void full_cycle_peek(struct io_uring *ring, unsigned batch)
{
    struct io_uring_cqe *cqe;

    for (unsigned i = 0; i < batch; i++)
        io_uring_prep_nop(io_uring_get_sqe(ring));
    io_uring_submit_and_wait(ring, 1);
    while (io_uring_peek_cqe(ring, &cqe) == 0)
        io_uring_cqe_seen(ring, cqe);
}

/* The same with one call to submit and wait, and io_uring_for_each_cqe. */
ROW __u64 cycle_walk(struct io_uring *ring, unsigned batch)
{
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;
    __u64 sum = 0;

    for (unsigned i = 0; i < batch; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, i);
    }
    io_uring_submit_and_wait(ring, batch);
    io_uring_for_each_cqe(ring, head, cqe) {
        sum += cqe->user_data;
        seen++;
    }
    io_uring_cq_advance(ring, seen);
    return sum;
}

void count_cycles(struct io_uring *ring)
{
    static const unsigned batches[] = {1, 8, 32};
    char name[64];

    for (unsigned i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        snprintf(name, sizeof(name), "cycle of %u", batches[i]);
        COUNT(name, cycle(ring, batches[i]));
        check(io_uring_cq_ready(ring) == 0, "reaping");
        snprintf(name, sizeof(name), "cycle of %u, submit_and_wait and a walk", batches[i]);
        COUNT(name, cycle_walk(ring, batches[i]));
        check(io_uring_cq_ready(ring) == 0, "reaping");
        snprintf(name, sizeof(name), "full cycle of %u, wait_cqe", batches[i]);
        COUNT(name, full_cycle_wait(ring, batches[i]));
        check(io_uring_cq_ready(ring) == 0, "reaping");
        snprintf(name, sizeof(name), "full cycle of %u, peek_cqe", batches[i]);
        COUNT(name, full_cycle_peek(ring, batches[i]));
        check(io_uring_cq_ready(ring) == 0, "reaping");
    }
}
