/* Hand-written. Requests that wait for threads and processes. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_FUTEX_H
#define LIBURING_PREP_FUTEX_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares to wait on a futex that holds val. */
IOURINGINLINE void io_uring_prep_futex_wait(struct io_uring_sqe *sqe, const uint32_t *futex, uint64_t val,
                                            uint64_t mask, uint32_t futex_flags, unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FUTEX_WAIT, (int) futex_flags, val, uring_ptr_to_u64(futex), 0, flags);
    sqe->addr3 = mask;
}

/* Prepares to wake up to val waiters of a futex. */
IOURINGINLINE void io_uring_prep_futex_wake(struct io_uring_sqe *sqe, const uint32_t *futex, uint64_t val,
                                            uint64_t mask, uint32_t futex_flags, unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FUTEX_WAKE, (int) futex_flags, val, uring_ptr_to_u64(futex), 0, flags);
    sqe->addr3 = mask;
}

/* Prepares to wait on several futexes, for any of them. */
IOURINGINLINE void io_uring_prep_futex_waitv(struct io_uring_sqe *sqe, const struct futex_waitv *futex,
                                             uint32_t nr_futex, unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FUTEX_WAITV, 0, 0, uring_ptr_to_u64(futex), nr_futex, flags);
}

/* Prepares to wait for a child process to change state, as waitid(2) does. */
IOURINGINLINE void io_uring_prep_waitid(struct io_uring_sqe *sqe, idtype_t idtype, id_t id, siginfo_t *infop,
                                        int options, unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_WAITID, (int) id, uring_ptr_to_u64(infop), 0, (__u32) idtype, flags);
    sqe->file_index = (__u32) options;
}

#endif
