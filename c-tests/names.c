/* Requests that work on names: stat, rename, unlink, mkdir, links. */
#include "file.h"

/* Older versions of musl lack it. */
#ifndef STATX_SIZE
#include <linux/stat.h>
#endif

static void stat_by_path(void)
{
    struct io_uring ring;
    struct statx status;

    close(make_file("file", 1234, 0));
    CHECK_SYS(symlink("file", "way"));
    ring_open(&ring, 4, 0);
    memset(&status, 0, sizeof(status));
    io_uring_prep_statx(next_sqe(&ring), AT_FDCWD, "way", 0, STATX_SIZE | STATX_MODE,
                        &status);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(status.stx_size, 1234);
    CHECK(S_ISREG(status.stx_mode));
    io_uring_prep_statx(next_sqe(&ring), AT_FDCWD, "way", AT_SYMLINK_NOFOLLOW,
                        STATX_BASIC_STATS, &status);
    CHECK_EQ(run_res(&ring), 0);
    CHECK(S_ISLNK(status.stx_mode));
    io_uring_prep_statx(next_sqe(&ring), AT_FDCWD, "absent", 0, STATX_SIZE, &status);
    CHECK_EQ(run_res(&ring), -ENOENT);
    io_uring_queue_exit(&ring);
}

static void stat_by_descriptor(void)
{
    struct io_uring ring;
    struct statx status;
    int fd = make_file("file", 77, 0);

    ring_open(&ring, 4, 0);
    memset(&status, 0, sizeof(status));
    io_uring_prep_statx(next_sqe(&ring), fd, "", AT_EMPTY_PATH, STATX_SIZE, &status);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(status.stx_size, 77);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void rename_files(void)
{
    struct io_uring ring;
    int dir;

    need_op(IORING_OP_RENAMEAT, "renameat");
    close(make_file("one", 1, 0));
    close(make_file("two", 2, 0));
    CHECK_SYS(mkdir("sub", 0755));
    dir = CHECK_SYS(open("sub", O_RDONLY | O_DIRECTORY));
    ring_open(&ring, 4, 0);
    io_uring_prep_rename(next_sqe(&ring), "one", "first");
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(access("one", F_OK), -1);
    CHECK_EQ(access("first", F_OK), 0);
    io_uring_prep_renameat(next_sqe(&ring), AT_FDCWD, "first", AT_FDCWD, "two",
                           RENAME_NOREPLACE);
    CHECK_EQ(run_res(&ring), -EEXIST);
    io_uring_prep_renameat(next_sqe(&ring), AT_FDCWD, "first", dir, "moved", 0);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(access("sub/moved", F_OK), 0);
    io_uring_prep_renameat(next_sqe(&ring), dir, "moved", AT_FDCWD, "back", 0);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(access("back", F_OK), 0);
    close(dir);
    io_uring_queue_exit(&ring);
}

static void unlink_files(void)
{
    struct io_uring ring;
    int dir;

    need_op(IORING_OP_UNLINKAT, "unlinkat");
    close(make_file("one", 0, 0));
    CHECK_SYS(mkdir("sub", 0755));
    close(make_file("sub/two", 0, 0));
    dir = CHECK_SYS(open("sub", O_RDONLY | O_DIRECTORY));
    ring_open(&ring, 4, 0);
    io_uring_prep_unlink(next_sqe(&ring), "one", 0);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(access("one", F_OK), -1);
    io_uring_prep_unlink(next_sqe(&ring), "one", 0);
    CHECK_EQ(run_res(&ring), -ENOENT);
    io_uring_prep_unlink(next_sqe(&ring), "sub", AT_REMOVEDIR);
    CHECK_EQ(run_res(&ring), -ENOTEMPTY);
    io_uring_prep_unlinkat(next_sqe(&ring), dir, "two", 0);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_unlink(next_sqe(&ring), "sub", AT_REMOVEDIR);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(access("sub", F_OK), -1);
    close(dir);
    io_uring_queue_exit(&ring);
}

static void make_directories(void)
{
    struct io_uring ring;
    struct stat status;
    int dir;

    need_op(IORING_OP_MKDIRAT, "mkdirat");
    umask(0);
    ring_open(&ring, 4, 0);
    io_uring_prep_mkdir(next_sqe(&ring), "outer", 0751);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(stat("outer", &status));
    CHECK(S_ISDIR(status.st_mode));
    CHECK_EQ(status.st_mode & 0777, 0751);
    dir = CHECK_SYS(open("outer", O_RDONLY | O_DIRECTORY));
    io_uring_prep_mkdirat(next_sqe(&ring), dir, "inner", 0700);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(access("outer/inner", F_OK), 0);
    io_uring_prep_mkdirat(next_sqe(&ring), dir, "inner", 0700);
    CHECK_EQ(run_res(&ring), -EEXIST);
    close(dir);
    io_uring_queue_exit(&ring);
}

static void symbolic_links(void)
{
    struct io_uring ring;
    char target[32];
    int dir;

    need_op(IORING_OP_SYMLINKAT, "symlinkat");
    CHECK_SYS(mkdir("sub", 0755));
    dir = CHECK_SYS(open("sub", O_RDONLY | O_DIRECTORY));
    ring_open(&ring, 4, 0);
    io_uring_prep_symlink(next_sqe(&ring), "anywhere", "way");
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(readlink("way", target, sizeof(target)), 8);
    CHECK_MEM(target, "anywhere", 8);
    io_uring_prep_symlinkat(next_sqe(&ring), "there", dir, "way");
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(readlink("sub/way", target, sizeof(target)), 5);
    CHECK_MEM(target, "there", 5);
    io_uring_prep_symlink(next_sqe(&ring), "x", "way");
    CHECK_EQ(run_res(&ring), -EEXIST);
    close(dir);
    io_uring_queue_exit(&ring);
}

static void hard_links(void)
{
    struct io_uring ring;
    struct stat first, second;
    int dir;

    need_op(IORING_OP_LINKAT, "linkat");
    close(make_file("file", 3, 0));
    CHECK_SYS(symlink("file", "way"));
    CHECK_SYS(mkdir("sub", 0755));
    dir = CHECK_SYS(open("sub", O_RDONLY | O_DIRECTORY));
    ring_open(&ring, 4, 0);
    io_uring_prep_link(next_sqe(&ring), "file", "twin", 0);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(lstat("file", &first));
    CHECK_SYS(lstat("twin", &second));
    CHECK_EQ(first.st_ino, second.st_ino);
    io_uring_prep_linkat(next_sqe(&ring), AT_FDCWD, "way", dir, "triplet",
                         AT_SYMLINK_FOLLOW);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(lstat("sub/triplet", &second));
    CHECK_EQ(first.st_ino, second.st_ino);
    io_uring_prep_linkat(next_sqe(&ring), dir, "triplet", AT_FDCWD, "fourth", 0);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(lstat("fourth", &second));
    CHECK_EQ(second.st_nlink, 4);
    io_uring_prep_link(next_sqe(&ring), "file", "twin", 0);
    CHECK_EQ(run_res(&ring), -EEXIST);
    close(dir);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(stat_by_path),
    CASE(stat_by_descriptor),
    CASE(rename_files),
    CASE(unlink_files),
    CASE(make_directories),
    CASE(symbolic_links),
    CASE(hard_links),
};

TEST_MAIN(cases)
