/* Set-up of rings: the recorded values, and the flags that change a ring. */
#include <sys/mman.h>

#include "file.h"

static void recorded_state(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    struct io_uring_params raw;
    int fd;

    need_rings();
    memset(&raw, 0, sizeof(raw));
    fd = CHECK_SYS(raw_setup(5, &raw));
    close(fd);

    memset(&params, 0, sizeof(params));
    CHECK_EQ(io_uring_queue_init_params(5, &ring, &params), 0);
    CHECK_EQ(params.sq_entries, 8);
    CHECK_EQ(params.cq_entries, 16);
    CHECK_EQ(params.features, raw.features);
    CHECK_EQ(ring.features, raw.features);
    CHECK_EQ(ring.flags, params.flags);
    CHECK_GE(ring.ring_fd, 0);
    CHECK_EQ(ring.enter_ring_fd, ring.ring_fd);
    CHECK_EQ(fcntl(ring.ring_fd, F_GETFD), FD_CLOEXEC);

    CHECK_EQ(ring.sq.ring_entries, 8);
    CHECK_EQ(ring.sq.ring_mask, 7);
    CHECK_EQ(*ring.sq.kring_entries, 8);
    CHECK_EQ(*ring.sq.kring_mask, 7);
    CHECK_EQ(ring.cq.ring_entries, 16);
    CHECK_EQ(ring.cq.ring_mask, 15);
    CHECK_EQ(*ring.cq.kring_entries, 16);
    CHECK_EQ(*ring.cq.kring_mask, 15);
    CHECK_EQ(*ring.sq.khead, 0);
    CHECK_EQ(*ring.sq.ktail, 0);
    CHECK_EQ(*ring.sq.kflags, 0);
    CHECK_EQ(*ring.sq.kdropped, 0);
    CHECK_EQ(*ring.cq.khead, 0);
    CHECK_EQ(*ring.cq.ktail, 0);
    CHECK_EQ(*ring.cq.kflags, 0);
    CHECK_EQ(*ring.cq.koverflow, 0);
    CHECK_EQ(ring.sq.sqe_head, 0);
    CHECK_EQ(ring.sq.sqe_tail, 0);
    CHECK_EQ(ring.sq.sqes_sz, 8 * sizeof(struct io_uring_sqe));
    CHECK((char *) ring.cq.cqes > (char *) ring.cq.ring_ptr);
    io_uring_queue_exit(&ring);
}

/* The array of SQE indexes is left out if the kernel allows it. */
static void index_array(void)
{
    struct io_uring ring;

    ring_open(&ring, 8, 0);
    if (kernel_at_least(6, 6)) {
        CHECK(ring.flags & IORING_SETUP_NO_SQARRAY);
        CHECK(ring.sq.array == NULL);
    } else {
        CHECK(!(ring.flags & IORING_SETUP_NO_SQARRAY));
        for (unsigned i = 0; i < 8; i++)
            CHECK_EQ(ring.sq.array[i], i);
    }
    io_uring_queue_exit(&ring);
    if (!kernel_at_least(6, 6))
        CHECK_EQ(io_uring_queue_init(8, &ring, IORING_SETUP_NO_SQARRAY), -EINVAL);
}

static void rounding(void)
{
    static const unsigned entries[][2] = { { 1, 1 }, { 2, 2 }, { 3, 4 }, { 100, 128 }, { 1024, 1024 } };

    for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
        struct io_uring ring;

        ring_open(&ring, entries[i][0], 0);
        CHECK_EQ(ring.sq.ring_entries, entries[i][1]);
        CHECK_EQ(ring.cq.ring_entries, 2 * entries[i][1]);
        CHECK_EQ(io_uring_sq_space_left(&ring), entries[i][1]);
        io_uring_queue_exit(&ring);
    }
}

static void chosen_completion_queue(void)
{
    struct io_uring ring;
    struct io_uring_params params;

    need_rings();
    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_CQSIZE;
    params.cq_entries = 100;
    CHECK_EQ(io_uring_queue_init_params(4, &ring, &params), 0);
    CHECK_EQ(ring.sq.ring_entries, 4);
    CHECK_EQ(ring.cq.ring_entries, 128);
    for (unsigned i = 0; i < 32; i++)
        for (unsigned k = 0; k < 4; k++)
            submit_nop(&ring, 4 * i + k);
    CHECK(!io_uring_cq_has_overflow(&ring));
    CHECK_EQ(io_uring_cq_ready(&ring), 128);
    io_uring_queue_exit(&ring);
}

/* Normally the first bad request ends a submission; with SUBMIT_ALL it does not. */
static void submit_all(void)
{
    static const unsigned flags[] = { 0, IORING_SETUP_SUBMIT_ALL };

    need_setup(IORING_SETUP_SUBMIT_ALL, "submission past an error");
    for (unsigned i = 0; i < 2; i++) {
        struct io_uring ring;
        struct done dones[3];

        ring_open(&ring, 4, flags[i]);
        for (unsigned k = 0; k < 3; k++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            io_uring_prep_nop(sqe);
            if (k == 1)
                sqe->opcode = 0xff;
            io_uring_sqe_set_data64(sqe, k);
        }
        CHECK_EQ(io_uring_submit(&ring), i ? 3 : 2);
        CHECK_EQ(io_uring_sq_ready(&ring), i ? 0 : 1);
        /* the rest goes with the next call */
        CHECK_EQ(io_uring_submit(&ring), i ? 0 : 1);
        reap_all(&ring, dones, 3);
        CHECK_EQ(find_done(dones, 3, 0).res, 0);
        CHECK_EQ(find_done(dones, 3, 1).res, -EINVAL);
        CHECK_EQ(find_done(dones, 3, 2).res, 0);
        io_uring_queue_exit(&ring);
    }
}

/* The library only maps a ring that the program has set up itself. */
static void queue_mmap(void)
{
    static const unsigned missing[] = { 0, IORING_FEAT_SINGLE_MMAP };

    need_rings();
    for (unsigned i = 0; i < 2; i++) {
        struct io_uring ring;
        struct io_uring_params params;
        struct leak_mark mark;
        int fd;

        memset(&params, 0, sizeof(params));
        fd = CHECK_SYS(raw_setup(4, &params));
        mark = leak_mark();
        /* an old kernel needs a mapping for each queue; this one still allows it */
        params.features &= ~missing[i];
        memset(&ring, 0xff, sizeof(ring));
        CHECK_EQ(io_uring_queue_mmap(fd, &params, &ring), 0);
        CHECK_EQ(count_maps().ring_maps, missing[i] ? 3 : 2);
        CHECK_EQ(ring.ring_fd, fd);
        CHECK_EQ(ring.enter_ring_fd, fd);
        CHECK_EQ(ring.flags, params.flags);
        CHECK_EQ(ring.features, params.features);
        CHECK_EQ(ring.int_flags, 0);
        for (unsigned k = 0; k < 4; k++)
            ring.sq.array[k] = k;
        for (unsigned k = 0; k < 20; k++) {
            submit_nop(&ring, k);
            CHECK_EQ(reap(&ring).data, k);
        }
        io_uring_queue_exit(&ring);
        CHECK_EQ(count_fds(), mark.fds - 1);
        CHECK_EQ(count_maps().ring_maps, 0);
    }
}

/* The program need not fill in the array of SQE indexes. */
static void queue_mmap_array(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    int fd;

    need_rings();
    better_than_reference("a mapped ring has its array of SQE indexes");
    memset(&params, 0, sizeof(params));
    fd = CHECK_SYS(raw_setup(4, &params));
    CHECK_EQ(io_uring_queue_mmap(fd, &params, &ring), 0);
    for (unsigned k = 0; k < 20; k++) {
        submit_nop(&ring, k);
        CHECK_EQ(reap(&ring).data, k);
    }
    io_uring_queue_exit(&ring);
}

static void many_rings(void)
{
    enum { COUNT = 64 };
    static struct io_uring rings[COUNT];
    struct leak_mark mark = leak_mark();

    for (unsigned i = 0; i < COUNT; i++)
        ring_open(&rings[i], 1u << i % 8, 0);
    for (unsigned i = 0; i < COUNT; i++)
        submit_nop(&rings[i], i);
    for (unsigned i = COUNT; i-- > 0;) {
        CHECK_EQ(reap(&rings[i]).data, i);
        io_uring_queue_exit(&rings[i]);
    }
    CHECK_NO_LEAK(mark);
}

/* With SQ_REWIND every submission starts at the first slot. */
static void rewinding(void)
{
    const unsigned flags = IORING_SETUP_SQ_REWIND | IORING_SETUP_NO_SQARRAY;
    struct io_uring ring;

    need_setup(flags, "a rewinding submission queue");
    ring_open(&ring, 4, flags);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 3; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            CHECK(sqe == &ring.sq.sqes[i]);
            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, i);
        }
        SUBMIT(&ring, 3);
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(reap(&ring).data, i);
    }
    io_uring_queue_exit(&ring);
}

/* Looking for a completion enters the kernel when one has overflowed, and keeps the SQEs taken before. */
static void rewinding_keeps_taken(void)
{
    const unsigned flags = IORING_SETUP_SQ_REWIND | IORING_SETUP_NO_SQARRAY;
    struct io_uring_cqe *cqe;
    struct io_uring ring;

    need_setup(flags, "a rewinding submission queue");
    ring_open(&ring, 4, flags);
    for (unsigned i = 0; i < 9; i++)
        submit_nop(&ring, i);
    io_uring_prep_nop(next_sqe(&ring));
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 20);
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(reap(&ring).data, i);
    CHECK(io_uring_cq_has_overflow(&ring));
    CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), 0);
    CHECK_EQ(cqe->user_data, 8);
    io_uring_cqe_seen(&ring, cqe);
    SUBMIT(&ring, 1);
    CHECK_EQ(reap(&ring).data, 20);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(recorded_state),
    CASE(index_array),
    CASE(rounding),
    CASE(chosen_completion_queue),
    CASE(submit_all),
    CASE(queue_mmap),
    CASE(queue_mmap_array),
    CASE(many_rings),
    CASE(rewinding),
    CASE(rewinding_keeps_taken),
};

TEST_MAIN(cases)
