/* More completions than the ring holds: the kernel keeps the rest and posts it later. */
#include "ring.h"

static void open_small(struct io_uring *ring, unsigned flags)
{
    ring_open(ring, 4, flags); /* 8 completions */
    CHECK_EQ(ring->cq.ring_entries, 8);
    if (!(ring->features & IORING_FEAT_NODROP)) {
        io_uring_queue_exit(ring);
        skip("the kernel drops completions that do not fit");
    }
}

/* Submits nops numbered from `first` without reading a completion. */
static void flood(struct io_uring *ring, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        submit_nop(ring, first + i);
}

static void kept_and_flushed_by_peek(void)
{
    struct io_uring ring;

    open_small(&ring, 0);
    flood(&ring, 0, 8);
    CHECK(!io_uring_cq_has_overflow(&ring));
    flood(&ring, 8, 5);
    CHECK(io_uring_cq_has_overflow(&ring));
    CHECK_EQ(io_uring_cq_ready(&ring), 8);
    for (unsigned i = 0; i < 13; i++) {
        struct io_uring_cqe *cqe;

        CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), 0);
        CHECK_EQ(take(&ring, cqe).data, i);
    }
    CHECK(!io_uring_cq_has_overflow(&ring));
    CHECK_NO_CQE(&ring);
    CHECK_EQ(*ring.cq.koverflow, 0);
    CHECK_EQ(*ring.sq.kdropped, 0);
    io_uring_queue_exit(&ring);
}

/* Asks for no completion while the CQ is full and the kernel keeps more. */
static void batch_of_none(void)
{
    static const unsigned kinds[] = {0, IORING_SETUP_CQE_MIXED};
    struct io_uring_cqe *cqe;
    struct io_uring ring;

    need_setup(IORING_SETUP_CQE_MIXED, "completions of mixed size");
    for (unsigned i = 0; i < 2; i++) {
        open_small(&ring, kinds[i]);
        flood(&ring, 0, 13);
        CHECK(io_uring_cq_has_overflow(&ring));
        CHECK_EQ(io_uring_peek_batch_cqe(&ring, &cqe, 0), 0);
        CHECK_EQ(io_uring_cq_ready(&ring), 8);
        io_uring_queue_exit(&ring);
    }
}

static void flushed_by_batch(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqes[16];

    open_small(&ring, 0);
    flood(&ring, 0, 20);
    for (unsigned seen = 0; seen < 20;) {
        unsigned count = io_uring_peek_batch_cqe(&ring, cqes, 16);

        CHECK_GT(count, 0);
        CHECK_LE(count, 8);
        for (unsigned i = 0; i < count; i++)
            CHECK_EQ(cqes[i]->user_data, seen + i);
        io_uring_cq_advance(&ring, count);
        seen += count;
    }
    CHECK_EQ(io_uring_peek_batch_cqe(&ring, cqes, 16), 0);
    CHECK(!io_uring_cq_has_overflow(&ring));
    io_uring_queue_exit(&ring);
}

static void flushed_by_wait(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    open_small(&ring, 0);
    flood(&ring, 0, 12);
    io_uring_cq_advance(&ring, 8);
    CHECK_EQ(io_uring_cq_ready(&ring), 0);
    CHECK_EQ(io_uring_wait_cqe_nr(&ring, &cqe, 4), 0);
    CHECK_EQ(cqe->user_data, 8);
    CHECK_EQ(io_uring_cq_ready(&ring), 4);
    io_uring_queue_exit(&ring);
}

static void flushed_by_get_events(void)
{
    struct io_uring ring;

    open_small(&ring, 0);
    flood(&ring, 0, 10);
    io_uring_cq_advance(&ring, 8);
    CHECK_EQ(io_uring_get_events(&ring), 0);
    CHECK_EQ(io_uring_cq_ready(&ring), 2);
    CHECK(!io_uring_cq_has_overflow(&ring));
    io_uring_queue_exit(&ring);
}

/* io_uring_submit() on a ring with an overflow flushes it too, even with nothing to submit. */
static void flushed_by_submit(void)
{
    struct io_uring ring;

    open_small(&ring, 0);
    flood(&ring, 0, 10);
    io_uring_cq_advance(&ring, 8);
    SUBMIT(&ring, 0);
    CHECK_EQ(io_uring_cq_ready(&ring), 2);
    io_uring_queue_exit(&ring);
}

static void deferred_work(void)
{
    const unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    struct io_uring ring;

    need_setup(flags, "deferred completion work");
    open_small(&ring, flags);
    flood(&ring, 0, 11);
    for (unsigned i = 0; i < 11; i++)
        CHECK_EQ(reap(&ring).data, i);
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(kept_and_flushed_by_peek),
    CASE(batch_of_none),
    CASE(flushed_by_batch),
    CASE(flushed_by_wait),
    CASE(flushed_by_get_events),
    CASE(flushed_by_submit),
    CASE(deferred_work),
};

TEST_MAIN(cases)
