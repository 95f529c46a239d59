/* Hand-written. Cancelling requests. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_CANCEL_H
#define LIBURING_PREP_CANCEL_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares to cancel requests by their user data. */
IOURINGINLINE void io_uring_prep_cancel64(struct io_uring_sqe *sqe, __u64 user_data, int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_ASYNC_CANCEL, -1, 0, user_data, 0, (__u32) flags);
}

/* Prepares to cancel requests whose user data is a pointer. */
IOURINGINLINE void io_uring_prep_cancel(struct io_uring_sqe *sqe, const void *user_data, int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_cancel64(sqe, uring_ptr_to_u64(user_data), flags);
}

/* Prepares to cancel requests by the descriptor that they use. */
IOURINGINLINE void io_uring_prep_cancel_fd(struct io_uring_sqe *sqe, int fd, unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_ASYNC_CANCEL, fd, 0, 0, 0, flags | IORING_ASYNC_CANCEL_FD);
}

#endif
