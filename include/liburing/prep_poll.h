/* Hand-written. Requests that wait for a descriptor to become ready. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_POLL_H
#define LIBURING_PREP_POLL_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* POLL* events in the form in which SQEs carry them: on big-endian machines the halves change places. */
_LIBURING_PRIVATE unsigned __io_uring_prep_poll_mask(unsigned poll_mask) LIBURING_NOEXCEPT
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return poll_mask << 16 | poll_mask >> 16;
#else
    return poll_mask;
#endif
}

/* Prepares to wait until a descriptor is ready, as poll(2) does. */
IOURINGINLINE void io_uring_prep_poll_add(struct io_uring_sqe *sqe, int fd, unsigned poll_mask) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_POLL_ADD, fd, 0, 0, 0, __io_uring_prep_poll_mask(poll_mask));
}

/* Prepares to be told each time that a descriptor becomes ready. */
IOURINGINLINE void io_uring_prep_poll_multishot(struct io_uring_sqe *sqe, int fd, unsigned poll_mask)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_POLL_ADD, fd, 0, 0, IORING_POLL_ADD_MULTI,
                         __io_uring_prep_poll_mask(poll_mask));
}

/* Prepares to cancel a poll request. */
IOURINGINLINE void io_uring_prep_poll_remove(struct io_uring_sqe *sqe, __u64 user_data) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_POLL_REMOVE, -1, 0, user_data, 0);
}

/* Prepares to change the events or the user data of a poll request. */
IOURINGINLINE void io_uring_prep_poll_update(struct io_uring_sqe *sqe, __u64 old_user_data, __u64 new_user_data,
                                             unsigned poll_mask, unsigned flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_POLL_REMOVE, -1, new_user_data, old_user_data, flags,
                         __io_uring_prep_poll_mask(poll_mask));
}

/* Prepares to change what an epoll descriptor watches, as epoll_ctl(2) does. */
IOURINGINLINE void io_uring_prep_epoll_ctl(struct io_uring_sqe *sqe, int epfd, int fd, int op,
                                           const struct epoll_event *ev) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_EPOLL_CTL, epfd, (__u32) fd, uring_ptr_to_u64(ev), (__u32) op);
}

/* Prepares to collect events of an epoll descriptor, as epoll_wait(2) does. */
IOURINGINLINE void io_uring_prep_epoll_wait(struct io_uring_sqe *sqe, int fd, struct epoll_event *events,
                                            int maxevents, unsigned flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_EPOLL_WAIT, fd, 0, uring_ptr_to_u64(events), (__u32) maxevents, flags);
}

#endif
