/* Hand-written. What every request has: the fields common to all, its flags, and the data that comes back with it. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_SQE_H
#define LIBURING_SQE_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Says that io_uring_sqe_set_data64() and io_uring_cqe_get_data64() exist. */
#define LIBURING_HAVE_DATA64

/* An address in the form in which SQEs carry it. */
_LIBURING_PRIVATE __u64 uring_ptr_to_u64(const void *ptr) LIBURING_NOEXCEPT
{
    return (uintptr_t) ptr;
}

/*
 * The fields that every prep function writes. The others keep what io_uring_get_sqe() or the program put there.
 */
_LIBURING_PRIVATE void _io_uring_prep(struct io_uring_sqe *sqe, unsigned op, int fd, __u64 off, __u64 addr,
                                      __u32 len) LIBURING_NOEXCEPT
{
    sqe->opcode = (__u8) op;
    sqe->fd = fd;
    sqe->off = off;
    sqe->addr = addr;
    sqe->len = len;
}

/* The same, and the flags that mean something else for each opcode. */
_LIBURING_PRIVATE void _io_uring_prep_flags(struct io_uring_sqe *sqe, unsigned op, int fd, __u64 off, __u64 addr,
                                            __u32 len, __u32 op_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, op, fd, off, addr, len);
    sqe->rw_flags = (__kernel_rwf_t) op_flags;
}

/*
 * A length as requests to send and receive carry it. The kernel transfers no more than this at once, and refuses lengths
 * beyond INT_MAX. The lower 32 bits of a greater length may be 0, whose result looks like the end of the data.
 */
_LIBURING_PRIVATE __u32 _io_uring_transfer_len(size_t len) LIBURING_NOEXCEPT
{
    return len < 0x7ffff000 ? (__u32) len : 0x7ffff000;
}

/*
 * SQEs count direct descriptors from 1, since 0 stands for an ordinary descriptor. IORING_FILE_INDEX_ALLOC, the
 * highest number there is, stays as it is.
 */
_LIBURING_PRIVATE void _io_uring_set_direct(struct io_uring_sqe *sqe, __u32 slot) LIBURING_NOEXCEPT
{
    slot++;
    if (slot == 0)
        slot = IORING_FILE_INDEX_ALLOC;
    sqe->file_index = slot;
}

/* Makes a request put the descriptor it opens into slot file_index of the registered files. */
_LIBURING_PRIVATE void __io_uring_set_target_fixed_file(struct io_uring_sqe *sqe, unsigned int file_index)
    LIBURING_NOEXCEPT
{
    sqe->file_index = 1 + file_index;
}

/* Clears the fields of an SQE that no prep function is sure to write. */
IOURINGINLINE void io_uring_initialize_sqe(struct io_uring_sqe *sqe) LIBURING_NOEXCEPT
{
    sqe->ioprio = sqe->flags = 0;
    sqe->rw_flags = 0;
    sqe->personality = sqe->buf_index = 0;
    sqe->optlen = 0;
    sqe->attr_type_mask = sqe->attr_ptr = 0;
}

/* Prepares the fields that most requests share; the rest is up to the caller. */
IOURINGINLINE void io_uring_prep_rw(int op, struct io_uring_sqe *sqe, int fd, const void *addr, unsigned len,
                                    __u64 offset) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, (unsigned) op, fd, offset, uring_ptr_to_u64(addr), len);
}

/* Prepares a request that does nothing. */
IOURINGINLINE void io_uring_prep_nop(struct io_uring_sqe *sqe) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_NOP, -1, 0, 0, 0);
}

/* Prepares a request that does nothing in an SQE of 128 bytes. */
IOURINGINLINE void io_uring_prep_nop128(struct io_uring_sqe *sqe) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_NOP128, -1, 0, 0, 0);
}

/* Sets the pointer that comes back in the request's CQE. */
IOURINGINLINE void io_uring_sqe_set_data(struct io_uring_sqe *sqe, void *data) LIBURING_NOEXCEPT
{
    sqe->user_data = uring_ptr_to_u64(data);
}

/* Sets the number that comes back in the request's CQE. */
IOURINGINLINE void io_uring_sqe_set_data64(struct io_uring_sqe *sqe, __u64 data) LIBURING_NOEXCEPT
{
    sqe->user_data = data;
}

/* The pointer that a request was given by io_uring_sqe_set_data(). */
IOURINGINLINE void *io_uring_cqe_get_data(const struct io_uring_cqe *cqe) LIBURING_NOEXCEPT
{
    return (void *) (uintptr_t) cqe->user_data;
}

/* The number that a request was given by io_uring_sqe_set_data64(). */
IOURINGINLINE __u64 io_uring_cqe_get_data64(const struct io_uring_cqe *cqe) LIBURING_NOEXCEPT
{
    return cqe->user_data;
}

/* Sets a request's IOSQE_* flags, in place of those it had. */
IOURINGINLINE void io_uring_sqe_set_flags(struct io_uring_sqe *sqe, unsigned flags) LIBURING_NOEXCEPT
{
    sqe->flags = (__u8) flags;
}

/* Sets the group of provided buffers that a request takes its buffer from. */
IOURINGINLINE void io_uring_sqe_set_buf_group(struct io_uring_sqe *sqe, int bgid) LIBURING_NOEXCEPT
{
    sqe->buf_group = (__u16) bgid;
}

/* Whether the kernel knows an opcode, by what a probe found out. */
IOURINGINLINE int io_uring_opcode_supported(const struct io_uring_probe *p, int op) LIBURING_NOEXCEPT
{
    /* As unsigned, a negative number is above every opcode. */
    return (unsigned) op <= p->last_op && (p->ops[op].flags & IO_URING_OP_SUPPORTED);
}

#endif
