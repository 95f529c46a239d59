/* Rows of the inline functions for queues and buffer rings. */
#include "steps-rows.h"

#include <liburing.h>

ROW struct io_uring_sqe *get_sqe(struct io_uring *ring) { return io_uring_get_sqe(ring); }
ROW void cqe_seen(struct io_uring *ring, struct io_uring_cqe *cqe) { io_uring_cqe_seen(ring, cqe); }
ROW void cq_advance(struct io_uring *ring, unsigned nr) { io_uring_cq_advance(ring, nr); }
ROW unsigned cq_ready(struct io_uring *ring) { return io_uring_cq_ready(ring); }
ROW unsigned sq_space_left(struct io_uring *ring) { return io_uring_sq_space_left(ring); }
ROW void buf_ring_add(struct io_uring_buf_ring *br, void *addr, unsigned len, unsigned short bid, int mask, int offset)
{
    io_uring_buf_ring_add(br, addr, len, bid, mask, offset);
}
ROW void buf_ring_advance(struct io_uring_buf_ring *br, int count) { io_uring_buf_ring_advance(br, count); }
ROW void buf_ring_cq_advance(struct io_uring *ring, struct io_uring_buf_ring *br, int count)
{
    io_uring_buf_ring_cq_advance(ring, br, count);
}

void count_inlines(struct io_uring *ring)
{
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;

    COUNT("get_sqe", sqe = get_sqe(ring));
    io_uring_prep_nop(sqe);
    check(io_uring_submit_and_wait(ring, 1) == 1, "submitting");
    check(io_uring_peek_cqe(ring, &cqe) == 0, "peeking");
    COUNT("cq_ready", cq_ready(ring));
    COUNT("sq_space_left", sq_space_left(ring));
    COUNT("cqe_seen", cqe_seen(ring, cqe));
    complete(ring, 8);
    COUNT("cq_advance by 8", cq_advance(ring, 8));
    drain(ring);
}

void count_buf_ring(struct io_uring *ring)
{
    static char buffer[4096];
    struct io_uring_buf_ring *br;
    int err = 0;

    br = io_uring_setup_buf_ring(ring, 16, 1, 0, &err);
    check(br != NULL, "setting a buffer ring up");
    COUNT("buf_ring_add", buf_ring_add(br, buffer, sizeof(buffer), 3, io_uring_buf_ring_mask(16), 0));
    COUNT("buf_ring_advance", buf_ring_advance(br, 1));
    complete(ring, 1);
    io_uring_buf_ring_add(br, buffer, sizeof(buffer), 4, io_uring_buf_ring_mask(16), 0);
    COUNT("buf_ring_cq_advance", buf_ring_cq_advance(ring, br, 1));
    check(io_uring_free_buf_ring(ring, br, 16, 1) == 0, "freeing a buffer ring");
}
