/* Hand-written. Provided buffers by request, the older kind: a buffer ring (buf_ring.h) is cheaper. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_BUF_H
#define LIBURING_PREP_BUF_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares to give the kernel nr buffers of len bytes each to pick from. */
IOURINGINLINE void io_uring_prep_provide_buffers(struct io_uring_sqe *sqe, void *addr, int len, int nr, int bgid,
                                                 int bid) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_PROVIDE_BUFFERS, nr, (__u64) bid, uring_ptr_to_u64(addr), (__u32) len);
    io_uring_sqe_set_buf_group(sqe, bgid);
}

/* Prepares to take up to nr provided buffers back. */
IOURINGINLINE void io_uring_prep_remove_buffers(struct io_uring_sqe *sqe, int nr, int bgid) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_REMOVE_BUFFERS, nr, 0, 0, 0);
    io_uring_sqe_set_buf_group(sqe, bgid);
}

#endif
