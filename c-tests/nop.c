/* Nops: submission, completion, and the counters. */
#include "ring.h"

static void one_request(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int marker;

    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_sq_ready(&ring), 0);
    CHECK_EQ(io_uring_sq_space_left(&ring), 4);

    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data(sqe, &marker);
    CHECK_EQ(io_uring_sq_ready(&ring), 1);
    CHECK_EQ(io_uring_sq_space_left(&ring), 3);
    SUBMIT(&ring, 1);
    CHECK_EQ(io_uring_sq_ready(&ring), 0);

    CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
    CHECK_EQ(io_uring_cq_ready(&ring), 1);
    CHECK_EQ(cqe->res, 0);
    CHECK_EQ(cqe->flags, 0);
    CHECK(io_uring_cqe_get_data(cqe) == &marker);
    io_uring_cqe_seen(&ring, cqe);
    CHECK_EQ(io_uring_cq_ready(&ring), 0);
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
}

static void nothing_to_submit(void)
{
    struct io_uring ring;

    ring_open(&ring, 1, 0);
    SUBMIT(&ring, 0);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 0), 0);
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
}

static void full_queue(void)
{
    struct io_uring ring;

    ring_open(&ring, 8, 0);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 8; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, 0x1234567800000000ull + i);
        }
        CHECK(io_uring_get_sqe(&ring) == NULL);
        CHECK_EQ(io_uring_sq_space_left(&ring), 0);
        CHECK_EQ(io_uring_submit_and_wait(&ring, 8), 8);
        CHECK_EQ(io_uring_cq_ready(&ring), 8);
        for (unsigned i = 0; i < 8; i++)
            CHECK_EQ(reap(&ring).data, 0x1234567800000000ull + i);
    }
    io_uring_queue_exit(&ring);
}

/* Head and tail run far past the ring's size, in uneven steps. */
static void wrap_around(void)
{
    struct io_uring ring;
    __u64 sent = 0, seen = 0;

    ring_open(&ring, 4, 0);
    while (seen < 5000) {
        unsigned batch = 1 + sent % 4;

        for (unsigned i = 0; i < batch; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, sent++);
        }
        SUBMIT(&ring, batch);
        for (unsigned i = 0; i < batch; i++)
            CHECK_EQ(reap(&ring).data, seen++);
    }
    io_uring_queue_exit(&ring);
}

static void injected_result(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    need_kernel(6, 10, "a nop with a chosen result");
    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    sqe->nop_flags = IORING_NOP_INJECT_RESULT;
    sqe->len = 4242;
    CHECK_EQ(run_res(&ring), 4242);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    sqe->nop_flags = IORING_NOP_INJECT_RESULT;
    sqe->len = (unsigned) -ENOSPC;
    CHECK_EQ(run_res(&ring), -ENOSPC);
    io_uring_queue_exit(&ring);
}

/* A reused slot holds nothing of the previous request. */
static void slot_is_cleaned(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    ring_open(&ring, 1, 0);
    sqe = next_sqe(&ring);
    memset(sqe, 0xff, sizeof(*sqe));
    io_uring_prep_nop(sqe);
    /* the kernel refuses flags of all ones, which shows that it read them */
    CHECK_EQ(run_res(&ring), -EINVAL);

    sqe = next_sqe(&ring);
    CHECK_EQ(sqe->flags, 0);
    CHECK_EQ(sqe->ioprio, 0);
    CHECK_EQ(sqe->rw_flags, 0);
    CHECK_EQ(sqe->buf_index, 0);
    CHECK_EQ(sqe->personality, 0);
    CHECK_EQ(sqe->file_index, 0);
    CHECK_EQ(sqe->addr3, 0);
    CHECK_EQ(sqe->__pad2[0], 0);
    io_uring_prep_nop(sqe);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_queue_exit(&ring);
}

static void async_flag(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    io_uring_sqe_set_data64(sqe, 9);
    CHECK_EQ(run_done(&ring).data, 9);
    io_uring_queue_exit(&ring);
}

static void user_data(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    ring_open(&ring, 4, 0);
    submit_nop(&ring, ~0ull - 5);
    CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
    CHECK_EQ(io_uring_cqe_get_data64(cqe), ~0ull - 5);
    CHECK_EQ((uintptr_t) io_uring_cqe_get_data(cqe), (uintptr_t) (~0ull - 5));
    CHECK_EQ(io_uring_cqe_nr(cqe), 1);
    io_uring_queue_exit(&ring);
}

/* Programs built with an older header, without the inline function, call this symbol. */
extern struct io_uring_sqe *exported_get_sqe(struct io_uring *ring) __asm__("io_uring_get_sqe");

static void exported_symbol(void)
{
    struct io_uring ring;

    ring_open(&ring, 2, 0);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 2; i++) {
            struct io_uring_sqe *sqe = exported_get_sqe(&ring);

            CHECK(sqe == &ring.sq.sqes[i]);
            CHECK_EQ(sqe->flags, 0);
            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, i);
        }
        CHECK(exported_get_sqe(&ring) == NULL);
        SUBMIT(&ring, 2);
        CHECK_EQ(reap(&ring).data, 0);
        CHECK_EQ(reap(&ring).data, 1);
    }
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(one_request),
    CASE(nothing_to_submit),
    CASE(full_queue),
    CASE(wrap_around),
    CASE(injected_result),
    CASE(slot_is_cleaned),
    CASE(async_flag),
    CASE(user_data),
    CASE(exported_symbol),
};

TEST_MAIN(cases)
