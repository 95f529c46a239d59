/* Extended attributes by path and by descriptor. */
#include <sys/xattr.h>

#include "file.h"

static int prepare(struct io_uring *ring)
{
    int fd = make_file("file", 1, 0);

    need_op(IORING_OP_FSETXATTR, "xattr");
    if (fsetxattr(fd, "user.probe", "1", 1, 0) < 0)
        skip("user attributes are refused here: %s", strerror(errno));
    ring_open(ring, 4, 0);
    return fd;
}

static void by_descriptor(void)
{
    struct io_uring ring;
    char value[16];
    int fd = prepare(&ring);

    io_uring_prep_fsetxattr(next_sqe(&ring), fd, "user.name", "value", 0, 5);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(fgetxattr(fd, "user.name", value, sizeof(value)), 5);
    CHECK_MEM(value, "value", 5);
    io_uring_prep_fsetxattr(next_sqe(&ring), fd, "user.name", "other", XATTR_CREATE, 5);
    CHECK_EQ(run_res(&ring), -EEXIST);

    memset(value, 0, sizeof(value));
    io_uring_prep_fgetxattr(next_sqe(&ring), fd, "user.name", value, sizeof(value));
    CHECK_EQ(run_res(&ring), 5);
    CHECK_MEM(value, "value", 5);
    io_uring_prep_fgetxattr(next_sqe(&ring), fd, "user.name", value, 3);
    CHECK_EQ(run_res(&ring), -ERANGE);
    io_uring_prep_fgetxattr(next_sqe(&ring), fd, "user.absent", value, sizeof(value));
    CHECK_EQ(run_res(&ring), -ENODATA);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void by_path(void)
{
    struct io_uring ring;
    char value[16];
    int fd = prepare(&ring);

    io_uring_prep_setxattr(next_sqe(&ring), "user.path", "abc", "file", XATTR_CREATE, 3);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(fgetxattr(fd, "user.path", value, sizeof(value)), 3);
    io_uring_prep_setxattr(next_sqe(&ring), "user.path", "abc", "file", XATTR_CREATE, 3);
    CHECK_EQ(run_res(&ring), -EEXIST);

    memset(value, 0, sizeof(value));
    io_uring_prep_getxattr(next_sqe(&ring), "user.path", value, "file", sizeof(value));
    CHECK_EQ(run_res(&ring), 3);
    CHECK_MEM(value, "abc", 3);
    io_uring_prep_getxattr(next_sqe(&ring), "user.path", value, "absent", sizeof(value));
    CHECK_EQ(run_res(&ring), -ENOENT);
    io_uring_queue_exit(&ring);
    close(fd);
}

static const struct test_case cases[] = {
    CASE(by_descriptor),
    CASE(by_path),
};

TEST_MAIN(cases)
