/* A minimal use of each opcode that works on files, paths and time: for probe.c. */
#ifndef FALLBACK_USES_FILES_H
#define FALLBACK_USES_FILES_H

#include <poll.h>
#include <sys/xattr.h>

#include "file.h"

enum { SOME = 64, GROUP = 7 };

static struct io_uring ring;
static char buffer[4096], other[4096];

static inline struct io_uring_sqe *sqe(void)
{
    return next_sqe(&ring);
}

/* The result of what is prepared. */
static inline int run(void)
{
    return run_res(&ring);
}

/* The result of the first of two requests, the second of which lets it complete. */
static inline int run_first(void)
{
    struct done dones[2];

    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    return find_done(dones, 2, 1).res;
}

static inline struct io_uring_sqe *first(struct io_uring_sqe *one)
{
    io_uring_sqe_set_data64(one, 1);
    return one;
}

static inline int data_file(void)
{
    return make_file("data", sizeof(buffer), 3);
}

static inline void use_nop(void)
{
    io_uring_prep_nop(sqe());
    CHECK_EQ(run(), 0);
}

/* A double SQE, in a ring of mixed sizes; in the ring at hand it has no room. */
static inline int run_double(void (*prepare)(struct io_uring_sqe *sqe))
{
    struct io_uring mixed;
    int res;

    ring_open(&mixed, 4, IORING_SETUP_SQE_MIXED);
    for (unsigned i = 0; i < 5; i++) {
        struct io_uring_sqe *one = io_uring_get_sqe128(&mixed);

        CHECK(one != NULL);
        prepare(one);
        SUBMIT(&mixed, 2);
        res = reap(&mixed).res;
    }
    io_uring_queue_exit(&mixed);
    return res;
}

static inline void use_nop128(void)
{
    CHECK_EQ(run_double(io_uring_prep_nop128), 0);
}

static inline void use_read(void)
{
    io_uring_prep_read(sqe(), data_file(), buffer, sizeof(buffer), 0);
    CHECK_EQ(run(), sizeof(buffer));
    CHECK_PATTERN(buffer, sizeof(buffer), 3);
}

static inline void check_written(int fd)
{
    CHECK_EQ(run(), SOME);
    CHECK_EQ(pread(fd, other, SOME, 0), SOME);
    CHECK_MEM(other, buffer, SOME);
}

static inline void use_write(void)
{
    int fd = make_file("out", 0, 0);

    io_uring_prep_write(sqe(), fd, buffer, SOME, 0);
    check_written(fd);
}

static struct iovec halves[2] = { { buffer, SOME / 2 }, { buffer + SOME / 2, SOME / 2 } };

static inline void use_readv(void)
{
    io_uring_prep_readv(sqe(), data_file(), halves, 2, 0);
    CHECK_EQ(run(), SOME);
    CHECK_PATTERN(buffer, SOME, 3);
}

static inline void use_writev(void)
{
    int fd = make_file("out", 0, 0);

    io_uring_prep_writev(sqe(), fd, halves, 2, 0);
    check_written(fd);
}

static inline void with_buffer(void)
{
    struct iovec whole = { buffer, sizeof(buffer) };

    io_uring_unregister_buffers(&ring);
    CHECK_EQ(io_uring_register_buffers(&ring, &whole, 1), 0);
}

static inline void use_read_fixed(void)
{
    with_buffer();
    io_uring_prep_read_fixed(sqe(), data_file(), buffer, SOME, 0, 0);
    CHECK_EQ(run(), SOME);
    CHECK_PATTERN(buffer, SOME, 3);
}

static inline void use_write_fixed(void)
{
    int fd = make_file("out", 0, 0);

    with_buffer();
    io_uring_prep_write_fixed(sqe(), fd, buffer, SOME, 0, 0);
    check_written(fd);
}

static inline void use_readv_fixed(void)
{
    with_buffer();
    io_uring_prep_readv_fixed(sqe(), data_file(), halves, 2, 0, 0, 0);
    CHECK_EQ(run(), SOME);
    CHECK_PATTERN(buffer, SOME, 3);
}

static inline void use_writev_fixed(void)
{
    int fd = make_file("out", 0, 0);

    with_buffer();
    io_uring_prep_writev_fixed(sqe(), fd, halves, 2, 0, 0, 0);
    check_written(fd);
}

static inline void use_read_multishot(void)
{
    int ends[2];
    struct done done;

    CHECK_SYS(pipe(ends));
    io_uring_prep_provide_buffers(sqe(), other, SOME, 2, GROUP, 0);
    CHECK_EQ(run(), 0);
    io_uring_prep_read_multishot(sqe(), ends[0], 0, 0, GROUP);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(write(ends[1], "ab", 2), 2);
        done = reap(&ring);
        CHECK_EQ(done.res, 2);
        CHECK(done.flags & IORING_CQE_F_BUFFER);
        CHECK(done.flags & IORING_CQE_F_MORE);
    }
    CHECK_SYS(close(ends[1]));
    CHECK(!(reap(&ring).flags & IORING_CQE_F_MORE));
}

static inline void use_fsync(void)
{
    io_uring_prep_fsync(sqe(), data_file(), IORING_FSYNC_DATASYNC);
    CHECK_EQ(run(), 0);
}

static inline void use_sync_file_range(void)
{
    io_uring_prep_sync_file_range(sqe(), data_file(), SOME, 0, SYNC_FILE_RANGE_WRITE);
    CHECK_EQ(run(), 0);
}

static inline off_t size_of(int fd)
{
    struct stat status;

    CHECK_SYS(fstat(fd, &status));
    return status.st_size;
}

static inline void use_fallocate(void)
{
    int fd = make_file("out", 0, 0);

    io_uring_prep_fallocate(sqe(), fd, 0, 0, 10000);
    CHECK_EQ(run(), 0);
    CHECK_EQ(size_of(fd), 10000);
}

static inline void use_ftruncate(void)
{
    int fd = data_file();

    io_uring_prep_ftruncate(sqe(), fd, 5);
    CHECK_EQ(run(), 0);
    CHECK_EQ(size_of(fd), 5);
}

static inline void use_fadvise(void)
{
    io_uring_prep_fadvise(sqe(), data_file(), 0, 0, POSIX_FADV_RANDOM);
    CHECK_EQ(run(), 0);
}

static inline void use_madvise(void)
{
    char *pages = new_pages(1);

    pages[0] = 1;
    io_uring_prep_madvise(sqe(), pages, (__u32) page_size(), MADV_DONTNEED);
    CHECK_EQ(run(), 0);
    CHECK_EQ(pages[0], 0);
}

static inline void use_splice(void)
{
    int ends[2];

    CHECK_SYS(pipe(ends));
    io_uring_prep_splice(sqe(), data_file(), 0, ends[1], -1, SOME, 0);
    CHECK_EQ(run(), SOME);
    CHECK_EQ(read(ends[0], buffer, sizeof(buffer)), SOME);
    CHECK_PATTERN(buffer, SOME, 3);
}

static inline void use_tee(void)
{
    int from[2], to[2];

    CHECK_SYS(pipe(from));
    CHECK_SYS(pipe(to));
    CHECK_EQ(write(from[1], "abc", 3), 3);
    io_uring_prep_tee(sqe(), from[0], to[1], SOME, 0);
    CHECK_EQ(run(), 3);
    CHECK_EQ(read(to[0], buffer, SOME), 3);
    CHECK_EQ(read(from[0], buffer, SOME), 3);
}

static inline void use_poll_add(void)
{
    int ends[2];

    CHECK_SYS(pipe(ends));
    io_uring_prep_poll_add(sqe(), ends[0], POLLIN);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(reap(&ring).res, POLLIN);
}

static inline void use_poll_remove(void)
{
    int ends[2];

    CHECK_SYS(pipe(ends));
    io_uring_prep_poll_add(first(sqe()), ends[0], POLLIN);
    io_uring_prep_poll_remove(sqe(), 1);
    CHECK_EQ(run_first(), -ECANCELED);
}

static inline void use_timeout(void)
{
    struct __kernel_timespec time = millis(1);

    io_uring_prep_timeout(sqe(), &time, 0, 0);
    CHECK_EQ(run(), -ETIME);
}

static inline void use_timeout_remove(void)
{
    struct __kernel_timespec time = millis(60000);

    io_uring_prep_timeout(first(sqe()), &time, 0, 0);
    io_uring_prep_timeout_remove(sqe(), 1, 0);
    CHECK_EQ(run_first(), -ECANCELED);
}

static inline void use_link_timeout(void)
{
    struct __kernel_timespec time = millis(1);
    struct io_uring_sqe *one = first(sqe());
    int ends[2];

    CHECK_SYS(pipe(ends));
    io_uring_prep_read(one, ends[0], buffer, SOME, 0);
    io_uring_sqe_set_flags(one, IOSQE_IO_LINK);
    one->user_data = 2;
    io_uring_prep_link_timeout(first(sqe()), &time, 0);
    CHECK_EQ(run_first(), -ETIME);
}

static inline void use_async_cancel(void)
{
    int ends[2];

    CHECK_SYS(pipe(ends));
    io_uring_prep_read(first(sqe()), ends[0], buffer, SOME, 0);
    io_uring_prep_cancel64(sqe(), 1, 0);
    CHECK_EQ(run_first(), -ECANCELED);
}

static inline void use_openat(void)
{
    int fd;

    close(data_file());
    io_uring_prep_openat(sqe(), AT_FDCWD, "data", O_RDONLY, 0);
    fd = run();
    CHECK_EQ(read(fd, buffer, SOME), SOME);
}

static inline void use_openat2(void)
{
    struct open_how how = { .flags = O_RDONLY };
    int fd;

    close(data_file());
    io_uring_prep_openat2(sqe(), AT_FDCWD, "data", &how);
    fd = run();
    CHECK_EQ(read(fd, buffer, SOME), SOME);
}

static inline void use_close(void)
{
    int fd = data_file();

    io_uring_prep_close(sqe(), fd);
    CHECK_EQ(run(), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
}

static inline void use_statx(void)
{
    struct statx status;

    close(data_file());
    io_uring_prep_statx(sqe(), AT_FDCWD, "data", 0, STATX_SIZE, &status);
    CHECK_EQ(run(), 0);
    CHECK_EQ(status.stx_size, sizeof(buffer));
}

static inline void use_unlinkat(void)
{
    close(data_file());
    io_uring_prep_unlink(sqe(), "data", 0);
    CHECK_EQ(run(), 0);
    CHECK_EQ(access("data", F_OK), -1);
}

static inline void use_renameat(void)
{
    close(data_file());
    io_uring_prep_rename(sqe(), "data", "renamed");
    CHECK_EQ(run(), 0);
    CHECK_SYS(unlink("renamed"));
}

static inline void use_mkdirat(void)
{
    io_uring_prep_mkdir(sqe(), "folder", 0755);
    CHECK_EQ(run(), 0);
    CHECK_SYS(rmdir("folder"));
}

static inline void use_symlinkat(void)
{
    io_uring_prep_symlink(sqe(), "target", "symbolic");
    CHECK_EQ(run(), 0);
    CHECK_EQ(readlink("symbolic", buffer, SOME), 6);
}

static inline void use_linkat(void)
{
    close(data_file());
    io_uring_prep_link(sqe(), "data", "second", 0);
    CHECK_EQ(run(), 0);
    CHECK_SYS(unlink("second"));
}

static inline void use_setxattr(void)
{
    close(data_file());
    io_uring_prep_setxattr(sqe(), "user.a", "value", "data", 0, 5);
    CHECK_EQ(run(), 0);
    CHECK_EQ(getxattr("data", "user.a", buffer, SOME), 5);
}

static inline void use_getxattr(void)
{
    close(data_file());
    CHECK_SYS(setxattr("data", "user.a", "value", 5, 0));
    io_uring_prep_getxattr(sqe(), "user.a", buffer, "data", SOME);
    CHECK_EQ(run(), 5);
}

static inline void use_fsetxattr(void)
{
    int fd = data_file();

    io_uring_prep_fsetxattr(sqe(), fd, "user.a", "value", 0, 5);
    CHECK_EQ(run(), 0);
    CHECK_EQ(fgetxattr(fd, "user.a", buffer, SOME), 5);
}

static inline void use_fgetxattr(void)
{
    int fd = data_file();

    CHECK_SYS(fsetxattr(fd, "user.a", "value", 5, 0));
    io_uring_prep_fgetxattr(sqe(), fd, "user.a", buffer, SOME);
    CHECK_EQ(run(), 5);
}

static inline void use_files_update(void)
{
    int none = -1, slot = data_file();
    struct io_uring_sqe *read;

    io_uring_unregister_files(&ring);
    CHECK_EQ(io_uring_register_files(&ring, &none, 1), 0);
    io_uring_prep_files_update(sqe(), &slot, 1, 0);
    CHECK_EQ(run(), 1);
    read = sqe();
    io_uring_prep_read(read, 0, buffer, SOME, 0);
    io_uring_sqe_set_flags(read, IOSQE_FIXED_FILE);
    CHECK_EQ(run(), SOME);
    CHECK_PATTERN(buffer, SOME, 3);
}

static inline void use_fixed_fd_install(void)
{
    int slot = data_file(), fd;

    io_uring_unregister_files(&ring);
    CHECK_EQ(io_uring_register_files(&ring, &slot, 1), 0);
    io_uring_prep_fixed_fd_install(sqe(), 0, 0);
    fd = run();
    CHECK_EQ(pread(fd, buffer, SOME, 0), SOME);
}

#endif
