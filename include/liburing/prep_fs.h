/* Hand-written. Requests on the file system: open, close, stat, names, extended attributes, pipes, registered files. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_FS_H
#define LIBURING_PREP_FS_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares to open a file, as openat(2) does. */
IOURINGINLINE void io_uring_prep_openat(struct io_uring_sqe *sqe, int dfd, const char *path, int flags, mode_t mode)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_OPENAT, dfd, 0, uring_ptr_to_u64(path), mode, (__u32) flags);
}

/* Prepares to open a file straight into the registered files, as openat(2) does. */
IOURINGINLINE void io_uring_prep_openat_direct(struct io_uring_sqe *sqe, int dfd, const char *path, int flags,
                                               mode_t mode, unsigned file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_openat(sqe, dfd, path, flags, mode);
    _io_uring_set_direct(sqe, file_index);
}

/* Prepares to open a file, as open(2) does. */
IOURINGINLINE void io_uring_prep_open(struct io_uring_sqe *sqe, const char *path, int flags, mode_t mode)
    LIBURING_NOEXCEPT
{
    io_uring_prep_openat(sqe, AT_FDCWD, path, flags, mode);
}

/* Prepares to open a file straight into the registered files, as open(2) does. */
IOURINGINLINE void io_uring_prep_open_direct(struct io_uring_sqe *sqe, const char *path, int flags, mode_t mode,
                                             unsigned file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_open(sqe, path, flags, mode);
    _io_uring_set_direct(sqe, file_index);
}

/* Prepares to open a file, as openat2(2) does. */
IOURINGINLINE void io_uring_prep_openat2(struct io_uring_sqe *sqe, int dfd, const char *path,
                                         const struct open_how *how) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_OPENAT2, dfd, uring_ptr_to_u64(how), uring_ptr_to_u64(path), sizeof(*how));
}

/* Prepares to open a file straight into the registered files, as openat2(2) does. */
IOURINGINLINE void io_uring_prep_openat2_direct(struct io_uring_sqe *sqe, int dfd, const char *path,
                                                const struct open_how *how, unsigned file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_openat2(sqe, dfd, path, how);
    _io_uring_set_direct(sqe, file_index);
}

/* Prepares to close a descriptor, as close(2) does. */
IOURINGINLINE void io_uring_prep_close(struct io_uring_sqe *sqe, int fd) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_CLOSE, fd, 0, 0, 0);
}

/* Prepares to empty a slot of the registered files. */
IOURINGINLINE void io_uring_prep_close_direct(struct io_uring_sqe *sqe, unsigned file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_close(sqe, 0);
    __io_uring_set_target_fixed_file(sqe, file_index);
}

/* Prepares to ask what is known of a file, as statx(2) does. */
IOURINGINLINE void io_uring_prep_statx(struct io_uring_sqe *sqe, int dfd, const char *path, int flags, unsigned mask,
                                       struct statx *statxbuf) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_STATX, dfd, uring_ptr_to_u64(statxbuf), uring_ptr_to_u64(path), mask,
                         (__u32) flags);
}

/* Prepares to rename a file, as renameat2(2) does. */
IOURINGINLINE void io_uring_prep_renameat(struct io_uring_sqe *sqe, int olddfd, const char *oldpath, int newdfd,
                                          const char *newpath, unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_RENAMEAT, olddfd, uring_ptr_to_u64(newpath), uring_ptr_to_u64(oldpath),
                         (__u32) newdfd, flags);
}

/* Prepares to rename a file, as rename(2) does. */
IOURINGINLINE void io_uring_prep_rename(struct io_uring_sqe *sqe, const char *oldpath, const char *newpath)
    LIBURING_NOEXCEPT
{
    io_uring_prep_renameat(sqe, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

/* Prepares to remove a name, as unlinkat(2) does. */
IOURINGINLINE void io_uring_prep_unlinkat(struct io_uring_sqe *sqe, int dfd, const char *path, int flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_UNLINKAT, dfd, 0, uring_ptr_to_u64(path), 0, (__u32) flags);
}

/* Prepares to remove a name, as unlink(2) does. */
IOURINGINLINE void io_uring_prep_unlink(struct io_uring_sqe *sqe, const char *path, int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_unlinkat(sqe, AT_FDCWD, path, flags);
}

/* Prepares to make a directory, as mkdirat(2) does. */
IOURINGINLINE void io_uring_prep_mkdirat(struct io_uring_sqe *sqe, int dfd, const char *path, mode_t mode)
    LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_MKDIRAT, dfd, 0, uring_ptr_to_u64(path), mode);
}

/* Prepares to make a directory, as mkdir(2) does. */
IOURINGINLINE void io_uring_prep_mkdir(struct io_uring_sqe *sqe, const char *path, mode_t mode) LIBURING_NOEXCEPT
{
    io_uring_prep_mkdirat(sqe, AT_FDCWD, path, mode);
}

/* Prepares to make a symbolic link, as symlinkat(2) does. */
IOURINGINLINE void io_uring_prep_symlinkat(struct io_uring_sqe *sqe, const char *target, int newdirfd,
                                           const char *linkpath) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_SYMLINKAT, newdirfd, uring_ptr_to_u64(linkpath), uring_ptr_to_u64(target), 0);
}

/* Prepares to make a symbolic link, as symlink(2) does. */
IOURINGINLINE void io_uring_prep_symlink(struct io_uring_sqe *sqe, const char *target, const char *linkpath)
    LIBURING_NOEXCEPT
{
    io_uring_prep_symlinkat(sqe, target, AT_FDCWD, linkpath);
}

/* Prepares to give a file another name, as linkat(2) does. */
IOURINGINLINE void io_uring_prep_linkat(struct io_uring_sqe *sqe, int olddfd, const char *oldpath, int newdfd,
                                        const char *newpath, int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_LINKAT, olddfd, uring_ptr_to_u64(newpath), uring_ptr_to_u64(oldpath),
                         (__u32) newdfd, (__u32) flags);
}

/* Prepares to give a file another name, as link(2) does. */
IOURINGINLINE void io_uring_prep_link(struct io_uring_sqe *sqe, const char *oldpath, const char *newpath, int flags)
    LIBURING_NOEXCEPT
{
    io_uring_prep_linkat(sqe, AT_FDCWD, oldpath, AT_FDCWD, newpath, flags);
}

/* Prepares to read an extended attribute of the file at a path, as getxattr(2) does. */
IOURINGINLINE void io_uring_prep_getxattr(struct io_uring_sqe *sqe, const char *name, char *value, const char *path,
                                          unsigned int len) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_GETXATTR, 0, uring_ptr_to_u64(value), uring_ptr_to_u64(name), len, 0);
    sqe->addr3 = uring_ptr_to_u64(path);
}

/* Prepares to set an extended attribute of the file at a path, as setxattr(2) does. */
IOURINGINLINE void io_uring_prep_setxattr(struct io_uring_sqe *sqe, const char *name, const char *value,
                                          const char *path, int flags, unsigned int len) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SETXATTR, 0, uring_ptr_to_u64(value), uring_ptr_to_u64(name), len,
                         (__u32) flags);
    sqe->addr3 = uring_ptr_to_u64(path);
}

/* Prepares to read an extended attribute of an open file, as fgetxattr(2) does. */
IOURINGINLINE void io_uring_prep_fgetxattr(struct io_uring_sqe *sqe, int fd, const char *name, char *value,
                                           unsigned int len) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FGETXATTR, fd, uring_ptr_to_u64(value), uring_ptr_to_u64(name), len, 0);
}

/* Prepares to set an extended attribute of an open file, as fsetxattr(2) does. */
IOURINGINLINE void io_uring_prep_fsetxattr(struct io_uring_sqe *sqe, int fd, const char *name, const char *value,
                                           int flags, unsigned int len) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FSETXATTR, fd, uring_ptr_to_u64(value), uring_ptr_to_u64(name), len,
                         (__u32) flags);
}

/* Prepares to make a pipe, as pipe2(2) does. */
IOURINGINLINE void io_uring_prep_pipe(struct io_uring_sqe *sqe, int *fds, int pipe_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_PIPE, 0, 0, uring_ptr_to_u64(fds), 0, (__u32) pipe_flags);
}

/* Prepares to make a pipe straight in the registered files. */
IOURINGINLINE void io_uring_prep_pipe_direct(struct io_uring_sqe *sqe, int *fds, int pipe_flags,
                                             unsigned int file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_pipe(sqe, fds, pipe_flags);
    _io_uring_set_direct(sqe, file_index);
}

/* Prepares to put descriptors into the registered files, from slot offset on. */
IOURINGINLINE void io_uring_prep_files_update(struct io_uring_sqe *sqe, int *fds, unsigned nr_fds, int offset)
    LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_FILES_UPDATE, -1, (__u64) offset, uring_ptr_to_u64(fds), nr_fds);
}

/* Prepares to make an ordinary descriptor of a registered file. */
IOURINGINLINE void io_uring_prep_fixed_fd_install(struct io_uring_sqe *sqe, int fd, unsigned int flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FIXED_FD_INSTALL, fd, 0, 0, 0, flags);
    sqe->flags = IOSQE_FIXED_FILE;
}

#endif
