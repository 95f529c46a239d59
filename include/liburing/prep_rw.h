/* Hand-written. Requests that move or place a file's data: read, write, splice, sync, allocate, advise. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_RW_H
#define LIBURING_PREP_RW_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares to read into a buffer, as pread(2) does. */
IOURINGINLINE void io_uring_prep_read(struct io_uring_sqe *sqe, int fd, void *buf, unsigned nbytes, __u64 offset)
    LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_READ, fd, offset, uring_ptr_to_u64(buf), nbytes);
}

/* Prepares to write from a buffer, as pwrite(2) does. */
IOURINGINLINE void io_uring_prep_write(struct io_uring_sqe *sqe, int fd, const void *buf, unsigned nbytes,
                                       __u64 offset) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_WRITE, fd, offset, uring_ptr_to_u64(buf), nbytes);
}

/* Prepares to read into several buffers, as preadv(2) does. */
IOURINGINLINE void io_uring_prep_readv(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs, unsigned nr_vecs,
                                       __u64 offset) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_READV, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs);
}

/* Prepares to write from several buffers, as pwritev(2) does. */
IOURINGINLINE void io_uring_prep_writev(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                        unsigned nr_vecs, __u64 offset) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_WRITEV, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs);
}

/* Prepares to read into several buffers with RWF_* flags, as preadv2(2) does. */
IOURINGINLINE void io_uring_prep_readv2(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                        unsigned nr_vecs, __u64 offset, int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_READV, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs, (__u32) flags);
}

/* Prepares to write from several buffers with RWF_* flags, as pwritev2(2) does. */
IOURINGINLINE void io_uring_prep_writev2(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                         unsigned nr_vecs, __u64 offset, int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_WRITEV, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs, (__u32) flags);
}

/* Prepares to read into registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_read_fixed(struct io_uring_sqe *sqe, int fd, void *buf, unsigned nbytes,
                                            __u64 offset, int buf_index) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_READ_FIXED, fd, offset, uring_ptr_to_u64(buf), nbytes);
    sqe->buf_index = (__u16) buf_index;
}

/* Prepares to write from registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_write_fixed(struct io_uring_sqe *sqe, int fd, const void *buf, unsigned nbytes,
                                             __u64 offset, int buf_index) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_WRITE_FIXED, fd, offset, uring_ptr_to_u64(buf), nbytes);
    sqe->buf_index = (__u16) buf_index;
}

/* Prepares to read into several parts of registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_readv_fixed(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                             unsigned nr_vecs, __u64 offset, int flags, int buf_index)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_READV_FIXED, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs, (__u32) flags);
    sqe->buf_index = (__u16) buf_index;
}

/* Prepares to write from several parts of registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_writev_fixed(struct io_uring_sqe *sqe, int fd, const struct iovec *iovecs,
                                              unsigned nr_vecs, __u64 offset, int flags, int buf_index)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_WRITEV_FIXED, fd, offset, uring_ptr_to_u64(iovecs), nr_vecs, (__u32) flags);
    sqe->buf_index = (__u16) buf_index;
}

/* Prepares to read again and again, each time into a provided buffer. */
IOURINGINLINE void io_uring_prep_read_multishot(struct io_uring_sqe *sqe, int fd, unsigned nbytes, __u64 offset,
                                                int buf_group) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_READ_MULTISHOT, fd, offset, 0, nbytes);
    io_uring_sqe_set_buf_group(sqe, buf_group);
    sqe->flags = IOSQE_BUFFER_SELECT;
}

/* Prepares to move data from one descriptor to another, as splice(2) does. */
IOURINGINLINE void io_uring_prep_splice(struct io_uring_sqe *sqe, int fd_in, int64_t off_in, int fd_out,
                                        int64_t off_out, unsigned int nbytes, unsigned int splice_flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SPLICE, fd_out, (__u64) off_out, (__u64) off_in, nbytes, splice_flags);
    sqe->splice_fd_in = fd_in;
}

/* Prepares to copy data from one pipe to another, as tee(2) does. */
IOURINGINLINE void io_uring_prep_tee(struct io_uring_sqe *sqe, int fd_in, int fd_out, unsigned int nbytes,
                                     unsigned int splice_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_TEE, fd_out, 0, 0, nbytes, splice_flags);
    sqe->splice_fd_in = fd_in;
}

/* Prepares to bring a file to the disk, as fsync(2) does. */
IOURINGINLINE void io_uring_prep_fsync(struct io_uring_sqe *sqe, int fd, unsigned fsync_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FSYNC, fd, 0, 0, 0, fsync_flags);
}

/* Prepares to bring a part of a file to the disk, as sync_file_range(2) does. */
IOURINGINLINE void io_uring_prep_sync_file_range(struct io_uring_sqe *sqe, int fd, unsigned len, __u64 offset,
                                                 int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SYNC_FILE_RANGE, fd, offset, 0, len, (__u32) flags);
}

/* Prepares to allocate or free a part of a file, as fallocate(2) does. */
IOURINGINLINE void io_uring_prep_fallocate(struct io_uring_sqe *sqe, int fd, int mode, __u64 offset, __u64 len)
    LIBURING_NOEXCEPT
{
    /* The length is too wide for the field of that name. */
    _io_uring_prep(sqe, IORING_OP_FALLOCATE, fd, offset, len, (__u32) mode);
}

/* Prepares to set the size of an open file, as ftruncate(2) does. */
IOURINGINLINE void io_uring_prep_ftruncate(struct io_uring_sqe *sqe, int fd, _LIBURING_LOFF_T len) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_FTRUNCATE, fd, (__u64) len, 0, 0);
}

/* Prepares to say how a part of a file will be used, as posix_fadvise(2) does. */
IOURINGINLINE void io_uring_prep_fadvise(struct io_uring_sqe *sqe, int fd, __u64 offset, __u32 len, int advice)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FADVISE, fd, offset, 0, len, (__u32) advice);
}

/* Prepares to say how a part of a file will be used, whatever its length. */
IOURINGINLINE void io_uring_prep_fadvise64(struct io_uring_sqe *sqe, int fd, __u64 offset, off_t len, int advice)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FADVISE, fd, offset, (__u64) len, 0, (__u32) advice);
}

/* Prepares to say how a piece of memory will be used, as madvise(2) does. */
IOURINGINLINE void io_uring_prep_madvise(struct io_uring_sqe *sqe, void *addr, __u32 length, int advice)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_MADVISE, -1, 0, uring_ptr_to_u64(addr), length, (__u32) advice);
}

/* Prepares to say how a piece of memory will be used, whatever its length. */
IOURINGINLINE void io_uring_prep_madvise64(struct io_uring_sqe *sqe, void *addr, off_t length, int advice)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_MADVISE, -1, (__u64) length, uring_ptr_to_u64(addr), 0, (__u32) advice);
}

#endif
