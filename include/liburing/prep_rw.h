/* Hand-written. Requests that move or place a file's data: read, write, splice, sync, allocate, advise. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_RW_H
#define LIBURING_PREP_RW_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Reads nbytes at an offset into buf. Offset -1 is the file's own position. */
IOURINGINLINE void io_uring_prep_read(struct io_uring_sqe *sqe, int fd, void *buf, unsigned nbytes, __u64 offset)
    LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_READ, fd, offset, uring_ptr_to_u64(buf), nbytes);
}

/* Writes nbytes from buf at an offset. */
IOURINGINLINE void io_uring_prep_write(struct io_uring_sqe *sqe, int fd, const void *buf, unsigned nbytes,
                                       __u64 offset) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_WRITE, fd, offset, uring_ptr_to_u64(buf), nbytes);
}

/* Reads into several buffers, as preadv() does. */
IOURINGINLINE void io_uring_prep_readv(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs, unsigned nr_vecs,
                                       __u64 offset) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_READV, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs);
}

/* Writes from several buffers, as pwritev() does. */
IOURINGINLINE void io_uring_prep_writev(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                        unsigned nr_vecs, __u64 offset) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_WRITEV, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs);
}

/* Reads into several buffers with RWF_* flags, as preadv2() does. */
IOURINGINLINE void io_uring_prep_readv2(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                        unsigned nr_vecs, __u64 offset, int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_READV, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs, (__u32) flags);
}

/* Writes from several buffers with RWF_* flags, as pwritev2() does. */
IOURINGINLINE void io_uring_prep_writev2(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                         unsigned nr_vecs, __u64 offset, int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_WRITEV, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs, (__u32) flags);
}

/* Reads into a part of registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_read_fixed(struct io_uring_sqe *sqe, int fd, void *buf, unsigned nbytes,
                                            __u64 offset, int buf_index) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_READ_FIXED, fd, offset, uring_ptr_to_u64(buf), nbytes);
    sqe->buf_index = (__u16) buf_index;
}

/* Writes from a part of registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_write_fixed(struct io_uring_sqe *sqe, int fd, const void *buf, unsigned nbytes,
                                             __u64 offset, int buf_index) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_WRITE_FIXED, fd, offset, uring_ptr_to_u64(buf), nbytes);
    sqe->buf_index = (__u16) buf_index;
}

/* Reads into several parts of registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_readv_fixed(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                             unsigned nr_vecs, __u64 offset, int flags, int buf_index)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_READV_FIXED, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs, (__u32) flags);
    sqe->buf_index = (__u16) buf_index;
}

/* Writes from several parts of registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_writev_fixed(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                              unsigned nr_vecs, __u64 offset, int flags, int buf_index)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_WRITEV_FIXED, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs, (__u32) flags);
    sqe->buf_index = (__u16) buf_index;
}

/* Reads again and again, each time into a buffer of group buf_group. Sets the IOSQE_* flags that this takes. */
IOURINGINLINE void io_uring_prep_read_multishot(struct io_uring_sqe *sqe, int fd, unsigned nbytes, __u64 offset,
                                                int buf_group) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_READ_MULTISHOT, fd, offset, 0, nbytes);
    io_uring_sqe_set_buf_group(sqe, buf_group);
    sqe->flags = IOSQE_BUFFER_SELECT;
}

/*
 * Moves nbytes from one descriptor to another, of which one is a pipe. Offset -1 stands for a pipe, and for the file's
 * own position. SPLICE_F_FD_IN_FIXED in the flags says that fd_in is a registered file.
 */
IOURINGINLINE void io_uring_prep_splice(struct io_uring_sqe *sqe, int fd_in, int64_t off_in, int fd_out,
                                        int64_t off_out, unsigned int nbytes, unsigned int splice_flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SPLICE, fd_out, (__u64) off_out, (__u64) off_in, nbytes, splice_flags);
    sqe->splice_fd_in = fd_in;
}

/* Copies nbytes from one pipe to another and leaves them in the first. */
IOURINGINLINE void io_uring_prep_tee(struct io_uring_sqe *sqe, int fd_in, int fd_out, unsigned int nbytes,
                                     unsigned int splice_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_TEE, fd_out, 0, 0, nbytes, splice_flags);
    sqe->splice_fd_in = fd_in;
}

/* Brings a file to the disk; with IORING_FSYNC_DATASYNC as fdatasync() does. */
IOURINGINLINE void io_uring_prep_fsync(struct io_uring_sqe *sqe, int fd, unsigned fsync_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FSYNC, fd, 0, 0, 0, fsync_flags);
}

/* Brings a part of a file to the disk, as sync_file_range() does. */
IOURINGINLINE void io_uring_prep_sync_file_range(struct io_uring_sqe *sqe, int fd, unsigned len, __u64 offset,
                                                 int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SYNC_FILE_RANGE, fd, offset, 0, len, (__u32) flags);
}

/* Allocates or frees a part of a file, as fallocate() does. */
IOURINGINLINE void io_uring_prep_fallocate(struct io_uring_sqe *sqe, int fd, int mode, __u64 offset, __u64 len)
    LIBURING_NOEXCEPT
{
    /* The length is too wide for the field of that name. */
    _io_uring_prep(sqe, IORING_OP_FALLOCATE, fd, offset, len, (__u32) mode);
}

/* Sets a file's size. */
IOURINGINLINE void io_uring_prep_ftruncate(struct io_uring_sqe *sqe, int fd, loff_t len) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_FTRUNCATE, fd, (__u64) len, 0, 0);
}

/* Says how a part of a file will be used, as posix_fadvise() does. */
IOURINGINLINE void io_uring_prep_fadvise(struct io_uring_sqe *sqe, int fd, __u64 offset, __u32 len, int advice)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FADVISE, fd, offset, 0, len, (__u32) advice);
}

/* The same for lengths of 64 bits (Linux 6.11). */
IOURINGINLINE void io_uring_prep_fadvise64(struct io_uring_sqe *sqe, int fd, __u64 offset, off_t len, int advice)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FADVISE, fd, offset, (__u64) len, 0, (__u32) advice);
}

/* Says how a piece of memory will be used, as madvise() does. */
IOURINGINLINE void io_uring_prep_madvise(struct io_uring_sqe *sqe, void *addr, __u32 length, int advice)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_MADVISE, -1, 0, uring_ptr_to_u64(addr), length, (__u32) advice);
}

/* The same for lengths of 64 bits (Linux 6.11). */
IOURINGINLINE void io_uring_prep_madvise64(struct io_uring_sqe *sqe, void *addr, off_t length, int advice)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_MADVISE, -1, (__u64) length, uring_ptr_to_u64(addr), 0, (__u32) advice);
}

#endif
