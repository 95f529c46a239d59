/* Hand-written. Requests on the file system: open, close, stat, names, extended attributes, pipes, registered files. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_FS_H
#define LIBURING_PREP_FS_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Opens a file, as openat() does. */
IOURINGINLINE void io_uring_prep_openat(struct io_uring_sqe *sqe, int dfd, const char *path, int flags, mode_t mode)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_OPENAT, dfd, 0, uring_ptr_to_u64(path), mode, (__u32) flags);
}

/* Opens a file into slot file_index of the registered files, or a free one with IORING_FILE_INDEX_ALLOC. */
IOURINGINLINE void io_uring_prep_openat_direct(struct io_uring_sqe *sqe, int dfd, const char *path, int flags,
                                               mode_t mode, unsigned file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_openat(sqe, dfd, path, flags, mode);
    _io_uring_set_direct(sqe, file_index);
}

/* Opens a file, as open() does. */
IOURINGINLINE void io_uring_prep_open(struct io_uring_sqe *sqe, const char *path, int flags, mode_t mode)
    LIBURING_NOEXCEPT
{
    io_uring_prep_openat(sqe, AT_FDCWD, path, flags, mode);
}

/* The same into a slot of the registered files. */
IOURINGINLINE void io_uring_prep_open_direct(struct io_uring_sqe *sqe, const char *path, int flags, mode_t mode,
                                             unsigned file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_open(sqe, path, flags, mode);
    _io_uring_set_direct(sqe, file_index);
}

/* Opens a file, as openat2() does. */
IOURINGINLINE void io_uring_prep_openat2(struct io_uring_sqe *sqe, int dfd, const char *path,
                                         const struct open_how *how) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_OPENAT2, dfd, uring_ptr_to_u64(how), uring_ptr_to_u64(path), sizeof(*how));
}

/* The same into a slot of the registered files. */
IOURINGINLINE void io_uring_prep_openat2_direct(struct io_uring_sqe *sqe, int dfd, const char *path,
                                                const struct open_how *how, unsigned file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_openat2(sqe, dfd, path, how);
    _io_uring_set_direct(sqe, file_index);
}

/* Closes a descriptor. */
IOURINGINLINE void io_uring_prep_close(struct io_uring_sqe *sqe, int fd) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_CLOSE, fd, 0, 0, 0);
}

/* Empties slot file_index of the registered files. */
IOURINGINLINE void io_uring_prep_close_direct(struct io_uring_sqe *sqe, unsigned file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_close(sqe, 0);
    __io_uring_set_target_fixed_file(sqe, file_index);
}

/* Asks for what statx() tells. */
IOURINGINLINE void io_uring_prep_statx(struct io_uring_sqe *sqe, int dfd, const char *path, int flags, unsigned mask,
                                       struct statx *statxbuf) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_STATX, dfd, uring_ptr_to_u64(statxbuf), uring_ptr_to_u64(path), mask,
                         (__u32) flags);
}

/* Renames a file, as renameat2() does. */
IOURINGINLINE void io_uring_prep_renameat(struct io_uring_sqe *sqe, int olddfd, const char *oldpath, int newdfd,
                                          const char *newpath, unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_RENAMEAT, olddfd, uring_ptr_to_u64(newpath), uring_ptr_to_u64(oldpath),
                         (__u32) newdfd, flags);
}

/* Renames a file, as rename() does. */
IOURINGINLINE void io_uring_prep_rename(struct io_uring_sqe *sqe, const char *oldpath, const char *newpath)
    LIBURING_NOEXCEPT
{
    io_uring_prep_renameat(sqe, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

/* Removes a name, as unlinkat() does. */
IOURINGINLINE void io_uring_prep_unlinkat(struct io_uring_sqe *sqe, int dfd, const char *path, int flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_UNLINKAT, dfd, 0, uring_ptr_to_u64(path), 0, (__u32) flags);
}

/* Removes a name in or below the working directory, with unlinkat()'s flags. */
IOURINGINLINE void io_uring_prep_unlink(struct io_uring_sqe *sqe, const char *path, int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_unlinkat(sqe, AT_FDCWD, path, flags);
}

/* Makes a directory, as mkdirat() does. */
IOURINGINLINE void io_uring_prep_mkdirat(struct io_uring_sqe *sqe, int dfd, const char *path, mode_t mode)
    LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_MKDIRAT, dfd, 0, uring_ptr_to_u64(path), mode);
}

/* Makes a directory, as mkdir() does. */
IOURINGINLINE void io_uring_prep_mkdir(struct io_uring_sqe *sqe, const char *path, mode_t mode) LIBURING_NOEXCEPT
{
    io_uring_prep_mkdirat(sqe, AT_FDCWD, path, mode);
}

/* Makes a symbolic link, as symlinkat() does. */
IOURINGINLINE void io_uring_prep_symlinkat(struct io_uring_sqe *sqe, const char *target, int newdirfd,
                                           const char *linkpath) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_SYMLINKAT, newdirfd, uring_ptr_to_u64(linkpath), uring_ptr_to_u64(target), 0);
}

/* Makes a symbolic link, as symlink() does. */
IOURINGINLINE void io_uring_prep_symlink(struct io_uring_sqe *sqe, const char *target, const char *linkpath)
    LIBURING_NOEXCEPT
{
    io_uring_prep_symlinkat(sqe, target, AT_FDCWD, linkpath);
}

/* Gives a file another name, as linkat() does. */
IOURINGINLINE void io_uring_prep_linkat(struct io_uring_sqe *sqe, int olddfd, const char *oldpath, int newdfd,
                                        const char *newpath, int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_LINKAT, olddfd, uring_ptr_to_u64(newpath), uring_ptr_to_u64(oldpath),
                         (__u32) newdfd, (__u32) flags);
}

/* Gives a file another name, both in or below the working directory, with linkat()'s flags. */
IOURINGINLINE void io_uring_prep_link(struct io_uring_sqe *sqe, const char *oldpath, const char *newpath, int flags)
    LIBURING_NOEXCEPT
{
    io_uring_prep_linkat(sqe, AT_FDCWD, oldpath, AT_FDCWD, newpath, flags);
}

/* Reads an extended attribute of the file at a path. */
IOURINGINLINE void io_uring_prep_getxattr(struct io_uring_sqe *sqe, const char *name, char *value, const char *path,
                                          unsigned int len) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_GETXATTR, 0, uring_ptr_to_u64(value), uring_ptr_to_u64(name), len, 0);
    sqe->addr3 = uring_ptr_to_u64(path);
}

/* Sets an extended attribute of the file at a path. */
IOURINGINLINE void io_uring_prep_setxattr(struct io_uring_sqe *sqe, const char *name, const char *value,
                                          const char *path, int flags, unsigned int len) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SETXATTR, 0, uring_ptr_to_u64(value), uring_ptr_to_u64(name), len,
                         (__u32) flags);
    sqe->addr3 = uring_ptr_to_u64(path);
}

/* Reads an extended attribute of an open file. */
IOURINGINLINE void io_uring_prep_fgetxattr(struct io_uring_sqe *sqe, int fd, const char *name, char *value,
                                           unsigned int len) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FGETXATTR, fd, uring_ptr_to_u64(value), uring_ptr_to_u64(name), len, 0);
}

/* Sets an extended attribute of an open file. */
IOURINGINLINE void io_uring_prep_fsetxattr(struct io_uring_sqe *sqe, int fd, const char *name, const char *value,
                                           int flags, unsigned int len) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FSETXATTR, fd, uring_ptr_to_u64(value), uring_ptr_to_u64(name), len,
                         (__u32) flags);
}

/* Makes a pipe, as pipe2() does: two descriptors in fds. */
IOURINGINLINE void io_uring_prep_pipe(struct io_uring_sqe *sqe, int *fds, int pipe_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_PIPE, 0, 0, uring_ptr_to_u64(fds), 0, (__u32) pipe_flags);
}

/* Makes a pipe in two slots of the registered files, from file_index on, or free ones with IORING_FILE_INDEX_ALLOC. */
IOURINGINLINE void io_uring_prep_pipe_direct(struct io_uring_sqe *sqe, int *fds, int pipe_flags,
                                             unsigned int file_index) LIBURING_NOEXCEPT
{
    io_uring_prep_pipe(sqe, fds, pipe_flags);
    _io_uring_set_direct(sqe, file_index);
}

/* Puts descriptors into the registered files, from slot offset on. */
IOURINGINLINE void io_uring_prep_files_update(struct io_uring_sqe *sqe, int *fds, unsigned nr_fds, int offset)
    LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_FILES_UPDATE, -1, (__u64) offset, uring_ptr_to_u64(fds), nr_fds);
}

/* Makes an ordinary descriptor for registered file fd. Sets the IOSQE_* flags that this takes. */
IOURINGINLINE void io_uring_prep_fixed_fd_install(struct io_uring_sqe *sqe, int fd, unsigned int flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_FIXED_FD_INSTALL, fd, 0, 0, 0, flags);
    sqe->flags = IOSQE_FIXED_FILE;
}

#endif
