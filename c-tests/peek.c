/* Peeking at completions without waiting: one, a batch, all of them. */
#include "ring.h"

static void add_nops(struct io_uring *ring, __u64 first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct io_uring_sqe *sqe = next_sqe(ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, first + i);
    }
    SUBMIT(ring, count);
}

static void one(void)
{
    struct io_uring ring;
    struct io_uring_cqe *first, *again;
    unsigned available = 9;

    ring_open(&ring, 4, 0);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(__io_uring_peek_cqe(&ring, &first, &available), 0);
    CHECK(first == NULL);
    CHECK_EQ(available, 0);
    add_nops(&ring, 5, 2);
    CHECK_EQ(__io_uring_peek_cqe(&ring, &again, &available), 0);
    CHECK_EQ(available, 2);
    CHECK_EQ(__io_uring_peek_cqe(&ring, &again, NULL), 0);
    CHECK_EQ(io_uring_peek_cqe(&ring, &first), 0);
    CHECK(first == again);
    CHECK_EQ(io_uring_peek_cqe(&ring, &again), 0);
    CHECK(first == again); /* a peek does not consume the completion */
    CHECK_EQ(first->user_data, 5);
    io_uring_cqe_seen(&ring, first);
    io_uring_cqe_seen(&ring, NULL); /* null is ignored */
    CHECK_EQ(io_uring_peek_cqe(&ring, &again), 0);
    CHECK_EQ(again->user_data, 6);
    io_uring_queue_exit(&ring);
}

static void batch(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqes[8];
    __u64 seen = 0;

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_peek_batch_cqe(&ring, cqes, 8), 0);
    for (unsigned round = 0; round < 20; round++) {
        add_nops(&ring, seen, 5);
        memset(cqes, 0, sizeof(cqes));
        CHECK_EQ(io_uring_peek_batch_cqe(&ring, cqes, 0), 0);
        CHECK_EQ(io_uring_peek_batch_cqe(&ring, cqes, 3), 3);
        CHECK(cqes[3] == NULL);
        CHECK_EQ(io_uring_peek_batch_cqe(&ring, cqes, 8), 5);
        CHECK(cqes[5] == NULL);
        for (unsigned i = 0; i < 5; i++)
            CHECK_EQ(cqes[i]->user_data, seen + i);
        io_uring_cq_advance(&ring, 2);
        CHECK_EQ(io_uring_peek_batch_cqe(&ring, cqes, 8), 3);
        CHECK_EQ(cqes[0]->user_data, seen + 2);
        io_uring_cq_advance(&ring, 3);
        io_uring_cq_advance(&ring, 0);
        seen += 5;
    }
    io_uring_queue_exit(&ring);
}

static void each(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    unsigned head, count = 0, start;
    __u64 seen = 0;

    ring_open(&ring, 8, 0);
    io_uring_for_each_cqe(&ring, head, cqe)
        count++;
    CHECK_EQ(count, 0);
    for (unsigned round = 0; round < 20; round++) {
        add_nops(&ring, seen, 7);
        start = *ring.cq.khead;
        count = 0;
        io_uring_for_each_cqe(&ring, head, cqe) {
            CHECK_EQ(head, start + count);
            CHECK_EQ(cqe->user_data, seen + count);
            count++;
            if (count == 4)
                break;
        }
        CHECK_EQ(count, 4);
        CHECK_EQ(io_uring_cq_ready(&ring), 7);
        io_uring_cq_advance(&ring, 7);
        seen += 7;
    }
    io_uring_queue_exit(&ring);
}

/* The iterator alone visits the completions that were there when it began. */
static void iterator(void)
{
    struct io_uring ring;
    struct io_uring_cqe_iter iter;
    struct io_uring_cqe *cqe = NULL;
    unsigned count = 0;

    ring_open(&ring, 8, 0);
    add_nops(&ring, 0, 3);
    iter = io_uring_cqe_iter_init(&ring);
    add_nops(&ring, 3, 2);
    while (io_uring_cqe_iter_next(&iter, &cqe))
        CHECK_EQ(cqe->user_data, count++);
    CHECK_EQ(count, 3);
    io_uring_queue_exit(&ring);
}

/* The call that the waits are built on, as old programs use it. */
static void get_cqe(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    ring_open(&ring, 8, 0);
    CHECK_EQ(__io_uring_get_cqe(&ring, &cqe, 0, 0, NULL), -EAGAIN);
    CHECK(cqe == NULL);
    add_nops(&ring, 1, 1);
    CHECK_EQ(__io_uring_get_cqe(&ring, &cqe, 0, 1, NULL), 0);
    CHECK_EQ(take(&ring, cqe).data, 1);

    /* with a submission: the caller has moved the tail itself */
    io_uring_prep_nop(next_sqe(&ring));
    io_uring_smp_store_release(ring.sq.ktail, ring.sq.sqe_tail);
    CHECK_EQ(__io_uring_get_cqe(&ring, &cqe, 1, 1, NULL), 1);
    CHECK(cqe != NULL);
    CHECK_EQ(io_uring_sq_ready(&ring), 0);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(one),
    CASE(batch),
    CASE(each),
    CASE(iterator),
    CASE(get_cqe),
};

TEST_MAIN(cases)
