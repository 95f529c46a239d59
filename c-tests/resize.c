/* Rings that change their size while they are in use. */
#include "ring.h"

enum { FLAGS = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };

static void open_resizable(struct io_uring *ring, unsigned entries)
{
    need_kernel(6, 13, "ring resizing");
    ring_open(ring, entries, FLAGS);
}

static int resize(struct io_uring *ring, unsigned sq_entries, unsigned cq_entries)
{
    struct io_uring_params params;
    int result;

    memset(&params, 0, sizeof(params));
    params.sq_entries = sq_entries;
    params.cq_entries = cq_entries;
    params.flags = cq_entries ? IORING_SETUP_CQSIZE : 0;
    result = io_uring_resize_rings(ring, &params);
    CHECK_EQ(params.flags, 0);
    return result;
}

static void add_nops(struct io_uring *ring, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct io_uring_sqe *sqe = next_sqe(ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, first + i);
    }
}

static void grow_and_shrink(void)
{
    static const unsigned sizes[] = { 32, 8, 256, 2, 64 };
    struct io_uring ring;
    struct leak_mark mark;
    unsigned data = 0;

    mark = leak_mark();
    open_resizable(&ring, 8);
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        CHECK_EQ(resize(&ring, sizes[i], 0), 0);
        CHECK_EQ(ring.sq.ring_entries, sizes[i]);
        CHECK_EQ(ring.cq.ring_entries, 2 * sizes[i]);
        CHECK_EQ(io_uring_sq_space_left(&ring), sizes[i]);
        for (unsigned round = 0; round < 3; round++) {
            add_nops(&ring, data, sizes[i]);
            CHECK(io_uring_get_sqe(&ring) == NULL);
            CHECK_EQ(io_uring_submit_and_wait(&ring, sizes[i]), sizes[i]);
            for (unsigned k = 0; k < sizes[i]; k++)
                CHECK_EQ(reap(&ring).data, data++);
        }
    }
    /* the old mappings are gone; each queue may now have its own */
    CHECK_LE(count_maps().ring_maps, 3);
    CHECK_EQ(count_fds(), mark.fds + 1);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
}

/* Unread completions and unsubmitted requests are kept. */
static void keeps_what_is_queued(void)
{
    struct io_uring ring;

    open_resizable(&ring, 8);
    add_nops(&ring, 0, 5);
    SUBMIT(&ring, 5);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(reap(&ring).data, i);
    add_nops(&ring, 5, 4);
    SUBMIT(&ring, 4);
    CHECK_EQ(io_uring_get_events(&ring), 0);
    CHECK_EQ(io_uring_cq_ready(&ring), 6);

    CHECK_EQ(resize(&ring, 64, 0), 0);
    CHECK_EQ(io_uring_cq_ready(&ring), 6);
    for (unsigned i = 3; i < 9; i++)
        CHECK_EQ(reap(&ring).data, i);
    add_nops(&ring, 9, 64);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 64), 64);
    for (unsigned i = 9; i < 73; i++)
        CHECK_EQ(reap(&ring).data, i);
    io_uring_queue_exit(&ring);
}

/* Unpublished requests are kept too. */
static void keeps_what_is_prepared(void)
{
    struct io_uring ring;

    better_than_reference("unsubmitted requests survive a change of size");
    open_resizable(&ring, 8);
    add_nops(&ring, 0, 6);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 6), 6);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQ(reap(&ring).data, i);
    add_nops(&ring, 6, 5); /* across the end of the queue */
    CHECK_EQ(resize(&ring, 4, 0), -EOVERFLOW);
    CHECK_EQ(resize(&ring, 32, 0), 0);
    CHECK_EQ(io_uring_sq_ready(&ring), 5);
    CHECK_EQ(io_uring_sq_space_left(&ring), 27);
    add_nops(&ring, 11, 1);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 6), 6);
    for (unsigned i = 6; i < 12; i++)
        CHECK_EQ(reap(&ring).data, i);
    io_uring_queue_exit(&ring);
}

static void completion_queue_only(void)
{
    struct io_uring ring;

    open_resizable(&ring, 8);
    CHECK_EQ(resize(&ring, 8, 128), 0);
    CHECK_EQ(ring.sq.ring_entries, 8);
    CHECK_EQ(ring.cq.ring_entries, 128);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);
}

/* A resize to a size too small for the queued entries changes nothing. */
static void too_small(void)
{
    struct io_uring ring;

    open_resizable(&ring, 16);
    add_nops(&ring, 0, 16);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 16), 16);
    CHECK_EQ(resize(&ring, 2, 0), -EOVERFLOW);
    CHECK_EQ(ring.sq.ring_entries, 16);
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(reap(&ring).data, i);
    io_uring_queue_exit(&ring);
}

static void refused(void)
{
    struct io_uring ring;
    struct leak_mark mark;

    need_kernel(6, 13, "ring resizing");
    mark = leak_mark();
    ring_open(&ring, 8, 0);
    CHECK_EQ(resize(&ring, 16, 0), -EINVAL);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);

    ring_open(&ring, 8, FLAGS);
    CHECK_EQ(resize(&ring, 0, 0), -EINVAL);
    CHECK_EQ(resize(&ring, 1u << 30, 0), -EINVAL);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);

    /* the program owns the memory: the library refuses without a system call */
    ring_open(&ring, 8, FLAGS | IORING_SETUP_NO_MMAP);
    {
        struct io_uring_params params;

        memset(&params, 0, sizeof(params));
        params.sq_entries = 16;
        CHECK_EQ(io_uring_resize_rings(&ring, &params), -EINVAL);
    }
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
}

/* Set up past the library, so that there is an array of SQE numbers, of which the kernel says less when it resizes. */
static void with_array(void)
{
    static const unsigned sizes[] = { 16, 1, 64 };
    struct io_uring_params params;
    struct io_uring ring;
    unsigned data = 0;
    int fd;

    need_kernel(6, 13, "ring resizing");
    better_than_reference("a ring with an array of SQE numbers can be resized");
    memset(&params, 0, sizeof(params));
    params.flags = FLAGS;
    fd = io_uring_setup(8, &params);
    CHECK_GE(fd, 0);
    CHECK_EQ(io_uring_queue_mmap(fd, &params, &ring), 0);
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        CHECK_EQ(resize(&ring, sizes[i], 0), 0);
        for (unsigned round = 0; round < 3; round++) {
            add_nops(&ring, data, sizes[i]);
            CHECK_EQ(io_uring_submit_and_wait(&ring, sizes[i]), sizes[i]);
            for (unsigned k = 0; k < sizes[i]; k++)
                CHECK_EQ(reap(&ring).data, data++);
        }
    }
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(grow_and_shrink),
    CASE(keeps_what_is_queued),
    CASE(keeps_what_is_prepared),
    CASE(completion_queue_only),
    CASE(too_small),
    CASE(refused),
    CASE(with_array),
};

TEST_MAIN(cases)
