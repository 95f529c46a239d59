/* Opening and closing files, as descriptors and as direct descriptors. */
#include "file.h"

static int read_direct(struct io_uring *ring, int slot, char *buffer, unsigned size)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_read(sqe, slot, buffer, size, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    return run_res(ring);
}

static int close_direct(struct io_uring *ring, unsigned slot)
{
    io_uring_prep_close_direct(next_sqe(ring), slot);
    return run_res(ring);
}

static void open_by_path(void)
{
    struct io_uring ring;
    struct stat status;
    int fd, again;

    umask(0);
    ring_open(&ring, 4, 0);
    io_uring_prep_open(next_sqe(&ring), "new", O_RDWR | O_CREAT | O_EXCL, 0640);
    fd = run_res(&ring);
    CHECK_GE(fd, 0);
    CHECK_SYS(fstat(fd, &status));
    CHECK_EQ(status.st_mode & 0777, 0640);
    CHECK_EQ(write(fd, "x", 1), 1);

    io_uring_prep_open(next_sqe(&ring), "new", O_RDWR | O_CREAT | O_EXCL, 0640);
    CHECK_EQ(run_res(&ring), -EEXIST);
    io_uring_prep_open(next_sqe(&ring), "absent", O_RDONLY, 0);
    CHECK_EQ(run_res(&ring), -ENOENT);

    io_uring_prep_open(next_sqe(&ring), "new", O_RDONLY | O_CLOEXEC, 0);
    again = run_res(&ring);
    CHECK_GE(again, 0);
    CHECK_EQ(fcntl(again, F_GETFD), FD_CLOEXEC);

    io_uring_prep_close(next_sqe(&ring), fd);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_close(next_sqe(&ring), fd);
    CHECK_EQ(run_res(&ring), -EBADF);
    io_uring_prep_close(next_sqe(&ring), again);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_queue_exit(&ring);
}

static void open_at_directory(void)
{
    struct io_uring ring;
    int dir, fd;

    CHECK_SYS(mkdir("sub", 0755));
    dir = CHECK_SYS(open("sub", O_RDONLY | O_DIRECTORY));
    ring_open(&ring, 4, 0);
    io_uring_prep_openat(next_sqe(&ring), dir, "inner", O_WRONLY | O_CREAT, 0600);
    fd = run_res(&ring);
    CHECK_GE(fd, 0);
    CHECK_EQ(access("sub/inner", F_OK), 0);
    close(fd);
    close(dir);
    io_uring_queue_exit(&ring);
}

static void open_how(void)
{
    struct io_uring ring;
    struct open_how how;
    int fd, dir;

    CHECK_SYS(mkdir("sub", 0755));
    close(make_file("outside", 3, 0));
    CHECK_SYS(symlink("../outside", "sub/way-out"));
    dir = CHECK_SYS(open("sub", O_RDONLY | O_DIRECTORY));
    ring_open(&ring, 4, 0);

    memset(&how, 0, sizeof(how));
    how.flags = O_RDONLY;
    io_uring_prep_openat2(next_sqe(&ring), dir, "way-out", &how);
    fd = run_res(&ring);
    CHECK_GE(fd, 0);
    close(fd);

    how.resolve = RESOLVE_BENEATH;
    io_uring_prep_openat2(next_sqe(&ring), dir, "way-out", &how);
    CHECK_EQ(run_res(&ring), -EXDEV);
    close(dir);
    io_uring_queue_exit(&ring);
}

static void direct_slots(void)
{
    struct io_uring ring;
    struct open_how how;
    char buffer[16];
    unsigned fds;

    close(make_file("a", 10, 1));
    close(make_file("b", 11, 2));
    need_kernel(5, 19, "sparse file tables");
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 4), 0);
    fds = count_fds();

    io_uring_prep_open_direct(next_sqe(&ring), "a", O_RDONLY, 0, 2);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(read_direct(&ring, 2, buffer, sizeof(buffer)), 10);
    CHECK_PATTERN(buffer, 10, 1);

    io_uring_prep_openat_direct(next_sqe(&ring), AT_FDCWD, "b", O_RDONLY, 0, 0);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(read_direct(&ring, 0, buffer, sizeof(buffer)), 11);

    memset(&how, 0, sizeof(how));
    how.flags = O_RDONLY;
    io_uring_prep_openat2_direct(next_sqe(&ring), AT_FDCWD, "b", &how, 3);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(read_direct(&ring, 3, buffer, sizeof(buffer)), 11);

    /* the kernel picks the one free slot; then none is left */
    io_uring_prep_open_direct(next_sqe(&ring), "a", O_RDONLY, 0, IORING_FILE_INDEX_ALLOC);
    CHECK_EQ(run_res(&ring), 1);
    CHECK_EQ(read_direct(&ring, 1, buffer, sizeof(buffer)), 10);
    io_uring_prep_openat2_direct(next_sqe(&ring), AT_FDCWD, "a", &how,
                                 IORING_FILE_INDEX_ALLOC);
    CHECK_EQ(run_res(&ring), -ENFILE);
    CHECK_EQ(count_fds(), fds);

    CHECK_EQ(close_direct(&ring, 2), 0);
    CHECK_EQ(close_direct(&ring, 2), -EBADF);
    CHECK_EQ(read_direct(&ring, 2, buffer, sizeof(buffer)), -EBADF);
    CHECK_EQ(close_direct(&ring, 0), 0);
    io_uring_prep_open_direct(next_sqe(&ring), "a", O_RDONLY, 0, 9);
    CHECK_EQ(run_res(&ring), -EINVAL);
    CHECK_EQ(io_uring_unregister_files(&ring), 0);
    io_uring_queue_exit(&ring);
}

/* A direct descriptor becomes an ordinary one. */
static void install_direct(void)
{
    struct io_uring ring;
    char buffer[8];
    int fd, kept;

    need_op(IORING_OP_FIXED_FD_INSTALL, "fixed fd install");
    close(make_file("a", 5, 3));
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 2), 0);
    io_uring_prep_open_direct(next_sqe(&ring), "a", O_RDONLY, 0, 1);
    CHECK_EQ(run_res(&ring), 0);

    io_uring_prep_fixed_fd_install(next_sqe(&ring), 1, 0);
    fd = run_res(&ring);
    CHECK_GE(fd, 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(read(fd, buffer, sizeof(buffer)), 5);
    CHECK_PATTERN(buffer, 5, 3);
    io_uring_prep_fixed_fd_install(next_sqe(&ring), 1, IORING_FIXED_FD_NO_CLOEXEC);
    kept = run_res(&ring);
    CHECK_GE(kept, 0);
    CHECK_EQ(fcntl(kept, F_GETFD), 0);
    io_uring_prep_fixed_fd_install(next_sqe(&ring), 0, 0);
    CHECK_EQ(run_res(&ring), -EBADF);
    close(fd);
    close(kept);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(open_by_path),
    CASE(open_at_directory),
    CASE(open_how),
    CASE(direct_slots),
    CASE(install_direct),
};

TEST_MAIN(cases)
