/* Hand-written. Provided buffer rings: buffers that the kernel picks from when a request needs one. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_BUF_RING_H
#define LIBURING_BUF_RING_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* The mask for a buffer ring of ring_entries entries, a power of two. */
IOURINGINLINE int io_uring_buf_ring_mask(__u32 ring_entries) LIBURING_NOEXCEPT
{
    return (int) (ring_entries - 1);
}

/* Makes a buffer ring empty. */
IOURINGINLINE void io_uring_buf_ring_init(struct io_uring_buf_ring *br) LIBURING_NOEXCEPT
{
    br->tail = 0;
}

/* Writes a buffer into a buffer ring, for io_uring_buf_ring_advance() to show it to the kernel. */
IOURINGINLINE void io_uring_buf_ring_add(struct io_uring_buf_ring *br, void *addr, unsigned int len,
                                         unsigned short bid, int mask, int buf_offset) LIBURING_NOEXCEPT
{
    /* Not the whole entry: the first one's reserved bytes are the ring's tail. */
    struct io_uring_buf *buf = &br->bufs[(br->tail + (unsigned) buf_offset) & (unsigned) mask];

    buf->addr = uring_ptr_to_u64(addr);
    buf->len = len;
    buf->bid = bid;
}

/* Shows the kernel count buffers that were added. */
IOURINGINLINE void io_uring_buf_ring_advance(struct io_uring_buf_ring *br, int count) LIBURING_NOEXCEPT
{
    /* Release: the entries are complete before the kernel sees them. */
    io_uring_smp_store_release(&br->tail, (__u16) (br->tail + count));
}

/* Shows the kernel buf_count buffers and gives cq_count CQEs back. */
IOURINGINLINE void __io_uring_buf_ring_cq_advance(struct io_uring *ring, struct io_uring_buf_ring *br, int cq_count,
                                                  int buf_count) LIBURING_NOEXCEPT
{
    io_uring_buf_ring_advance(br, buf_count);
    io_uring_cq_advance(ring, (unsigned) cq_count);
}

/* Shows the kernel count buffers and gives as many CQEs back. */
IOURINGINLINE void io_uring_buf_ring_cq_advance(struct io_uring *ring, struct io_uring_buf_ring *br, int count)
    LIBURING_NOEXCEPT
{
    __io_uring_buf_ring_cq_advance(ring, br, count, count);
}

/* How many buffers the kernel has not used yet. */
IOURINGINLINE int io_uring_buf_ring_available(struct io_uring *ring, struct io_uring_buf_ring *br,
                                              unsigned short bgid) LIBURING_NOEXCEPT
{
    uint16_t head;
    int ret = io_uring_buf_ring_head(ring, bgid, &head);

    return ret ? ret : (uint16_t) (br->tail - head);
}

#endif
