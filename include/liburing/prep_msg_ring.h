/* Hand-written. Messages from one ring to another. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_MSG_RING_H
#define LIBURING_PREP_MSG_RING_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares to post a CQE in another ring. */
IOURINGINLINE void io_uring_prep_msg_ring(struct io_uring_sqe *sqe, int fd, unsigned int len, __u64 data,
                                          unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_MSG_RING, fd, data, IORING_MSG_DATA, len, flags);
}

/* Prepares to post a CQE with flags in another ring. */
IOURINGINLINE void io_uring_prep_msg_ring_cqe_flags(struct io_uring_sqe *sqe, int fd, unsigned int len, __u64 data,
                                                    unsigned int flags, unsigned int cqe_flags) LIBURING_NOEXCEPT
{
    io_uring_prep_msg_ring(sqe, fd, len, data, flags | IORING_MSG_RING_FLAGS_PASS);
    sqe->file_index = cqe_flags;
}

/* Prepares to send a registered file to another ring. */
IOURINGINLINE void io_uring_prep_msg_ring_fd(struct io_uring_sqe *sqe, int fd, int source_fd, int target_fd,
                                             __u64 data, unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_MSG_RING, fd, data, IORING_MSG_SEND_FD, 0, flags);
    _io_uring_set_direct(sqe, (__u32) target_fd);
    sqe->addr3 = (__u64) source_fd;
}

/* Prepares to send a registered file to a free slot of another ring. */
IOURINGINLINE void io_uring_prep_msg_ring_fd_alloc(struct io_uring_sqe *sqe, int fd, int source_fd, __u64 data,
                                                   unsigned int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_msg_ring_fd(sqe, fd, source_fd, (int) IORING_FILE_INDEX_ALLOC, data, flags);
}

#endif
