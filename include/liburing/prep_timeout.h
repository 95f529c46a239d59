/* Hand-written. Timeouts: on their own, and for the request before. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_TIMEOUT_H
#define LIBURING_PREP_TIMEOUT_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares to complete after a time, or after a number of completions. */
IOURINGINLINE void io_uring_prep_timeout(struct io_uring_sqe *sqe, const struct __kernel_timespec *ts, unsigned count,
                                         unsigned flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_TIMEOUT, -1, count, uring_ptr_to_u64(ts), 1, flags);
}

/* Prepares to cancel a timeout. */
IOURINGINLINE void io_uring_prep_timeout_remove(struct io_uring_sqe *sqe, __u64 user_data, unsigned flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_TIMEOUT_REMOVE, -1, 0, user_data, 0, flags);
}

/* Prepares to give a timeout another time. */
IOURINGINLINE void io_uring_prep_timeout_update(struct io_uring_sqe *sqe, const struct __kernel_timespec *ts,
                                                __u64 user_data, unsigned flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_TIMEOUT_REMOVE, -1, uring_ptr_to_u64(ts), user_data, 0,
                         flags | IORING_TIMEOUT_UPDATE);
}

/* Prepares to cancel the request before if it takes too long. */
IOURINGINLINE void io_uring_prep_link_timeout(struct io_uring_sqe *sqe, const struct __kernel_timespec *ts,
                                              unsigned flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_LINK_TIMEOUT, -1, 0, uring_ptr_to_u64(ts), 1, flags);
}

#endif
