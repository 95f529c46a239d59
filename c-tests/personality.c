/* Personalities: requests that run with credentials registered before. */
#include "file.h"

static int open_secret(struct io_uring *ring, int personality)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_openat(sqe, AT_FDCWD, "secret", O_RDONLY, 0);
    sqe->personality = (__u16) personality;
    return run_res(ring);
}

static void credentials(void)
{
    struct io_uring ring;
    int fd, id;

    need_root("a change of credentials");
    close(make_file("secret", 3, 0));
    CHECK_SYS(chmod("secret", 0600));
    ring_open(&ring, 4, 0);
    id = io_uring_register_personality(&ring);
    CHECK_GT(id, 0);
    if (seteuid(65534) < 0) {
        io_uring_queue_exit(&ring);
        skip("the user can't be changed: %s", strerror(errno));
    }
    CHECK_EQ(open_secret(&ring, 0), -EACCES);
    fd = open_secret(&ring, id);
    CHECK_GE(fd, 0);
    close(fd);
    CHECK_EQ(io_uring_unregister_personality(&ring, id), 0);
    CHECK_EQ(open_secret(&ring, id), -EINVAL);
    CHECK_SYS(seteuid(0));
    io_uring_queue_exit(&ring);
}

static void numbers(void)
{
    struct io_uring ring;
    int first, second;

    ring_open(&ring, 4, 0);
    first = io_uring_register_personality(&ring);
    second = io_uring_register_personality(&ring);
    CHECK_GT(first, 0);
    CHECK_GT(second, 0);
    CHECK_NE(first, second);
    CHECK_EQ(io_uring_unregister_personality(&ring, first), 0);
    CHECK_EQ(io_uring_unregister_personality(&ring, first), -EINVAL);
    CHECK_EQ(io_uring_unregister_personality(&ring, 54321), -EINVAL);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(credentials),
    CASE(numbers),
};

TEST_MAIN(cases)
