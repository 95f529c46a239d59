/* Hand-written. Provided buffer rings: buffers that the kernel picks from when a request needs one. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_BUF_RING_H
#define LIBURING_BUF_RING_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* The mask for a ring of that many entries, a power of two. */
IOURINGINLINE int io_uring_buf_ring_mask(__u32 ring_entries) LIBURING_NOEXCEPT
{
    return (int) (ring_entries - 1);
}

/* Makes a ring empty. */
IOURINGINLINE void io_uring_buf_ring_init(struct io_uring_buf_ring *br) LIBURING_NOEXCEPT
{
    br->tail = 0;
}

/*
 * Writes a buffer into the ring, buf_offset entries after the last one that the kernel knows of. The kernel sees it
 * after io_uring_buf_ring_advance().
 */
IOURINGINLINE void io_uring_buf_ring_add(struct io_uring_buf_ring *br, void *addr, unsigned int len,
                                         unsigned short bid, int mask, int buf_offset) LIBURING_NOEXCEPT
{
    /* Not the whole entry: the first one's reserved bytes are the ring's tail. */
    struct io_uring_buf *buf = &br->bufs[(br->tail + (unsigned) buf_offset) & (unsigned) mask];

    buf->addr = uring_ptr_to_u64(addr);
    buf->len = len;
    buf->bid = bid;
}

/* Shows count more buffers to the kernel. Release: their entries are complete before it sees them. */
IOURINGINLINE void io_uring_buf_ring_advance(struct io_uring_buf_ring *br, int count) LIBURING_NOEXCEPT
{
    io_uring_smp_store_release(&br->tail, (__u16) (br->tail + count));
}

/* Shows buf_count more buffers to the kernel, then gives cq_count CQEs back. */
IOURINGINLINE void __io_uring_buf_ring_cq_advance(struct io_uring *ring, struct io_uring_buf_ring *br, int cq_count,
                                                  int buf_count) LIBURING_NOEXCEPT
{
    io_uring_buf_ring_advance(br, buf_count);
    io_uring_cq_advance(ring, (unsigned) cq_count);
}

/* The same where each CQE gave one buffer back. */
IOURINGINLINE void io_uring_buf_ring_cq_advance(struct io_uring *ring, struct io_uring_buf_ring *br, int count)
    LIBURING_NOEXCEPT
{
    __io_uring_buf_ring_cq_advance(ring, br, count, count);
}

/*
 * Number of buffers that the kernel has not consumed yet, or the error of io_uring_buf_ring_head(), negative.
 */
IOURINGINLINE int io_uring_buf_ring_available(struct io_uring *ring, struct io_uring_buf_ring *br,
                                              unsigned short bgid) LIBURING_NOEXCEPT
{
    uint16_t head;
    int ret = io_uring_buf_ring_head(ring, bgid, &head);

    return ret ? ret : (uint16_t) (br->tail - head);
}

#endif
