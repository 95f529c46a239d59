/* Rings and fork: shared with the child, or not mapped in it. */
#include "ring.h"

static int child_status(pid_t child)
{
    int status;

    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* By default parent and child work on the same ring. */
static void shared_with_child(void)
{
    struct io_uring ring;
    pid_t child;

    ring_open(&ring, 4, 0);
    child = CHECK_SYS(fork());
    if (child == 0) {
        submit_nop(&ring, 77);
        _exit(0);
    }
    CHECK_EQ(child_status(child), 0);
    /* the parent sees the completion of the child's request */
    CHECK_EQ(reap(&ring).data, 77);
    io_uring_queue_exit(&ring);
}

static void kept_from_child(unsigned flags)
{
    struct io_uring ring;
    pid_t child;

    ring_open(&ring, 256, flags);
    CHECK_EQ(io_uring_ring_dontfork(&ring), 0);
    child = CHECK_SYS(fork());
    if (child == 0)
        _exit(count_maps().ring_maps == 0 ? 0 : 1);
    CHECK_EQ(child_status(child), 0);
    CHECK_EQ(count_maps().ring_maps, 2);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);
}

static void plain_ring(void)
{
    kept_from_child(0);
}

static void ring_of_big_entries(void)
{
    need_setup(IORING_SETUP_SQE128 | IORING_SETUP_CQE32, "entries of double size");
    kept_from_child(IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
}

/* With a mapping for each queue, the child has none of the three. */
static void three_maps(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    pid_t child;
    int fd;

    need_rings();
    memset(&params, 0, sizeof(params));
    fd = CHECK_SYS(raw_setup(4, &params));
    params.features &= ~IORING_FEAT_SINGLE_MMAP;
    CHECK_EQ(io_uring_queue_mmap(fd, &params, &ring), 0);
    CHECK_EQ(count_maps().ring_maps, 3);
    CHECK_EQ(io_uring_ring_dontfork(&ring), 0);
    child = CHECK_SYS(fork());
    if (child == 0)
        _exit(count_maps().ring_maps == 0 ? 0 : 1);
    CHECK_EQ(child_status(child), 0);
    io_uring_queue_exit(&ring);
}

static void ring_without_maps(void)
{
    struct io_uring ring;

    memset(&ring, 0, sizeof(ring));
    CHECK_EQ(io_uring_ring_dontfork(&ring), -EINVAL);
}

static const struct test_case cases[] = {
    CASE(shared_with_child),
    CASE(plain_ring),
    CASE(ring_of_big_entries),
    CASE(three_maps),
    CASE(ring_without_maps),
};

TEST_MAIN(cases)
