/* Entries of double size: SQE128, CQE32, and rings that mix both sizes. */
#include "ring.h"

static void big_requests(void)
{
    struct io_uring ring;
    unsigned sent = 0, seen = 0;

    need_setup(IORING_SETUP_SQE128, "128-byte requests");
    ring_open(&ring, 4, IORING_SETUP_SQE128);
    CHECK_EQ(io_uring_sqe_shift(&ring), 1);
    CHECK_EQ(io_uring_sqe_shift_from_flags(IORING_SETUP_SQE128), 1);
    CHECK_EQ(io_uring_sqe_shift_from_flags(0), 0);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 3; i++) {
            struct io_uring_sqe *sqe = i == 1 ? io_uring_get_sqe128(&ring) : next_sqe(&ring);

            CHECK_EQ((char *) sqe - (char *) ring.sq.sqes, 128 * (sent % 4));
            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, sent++);
            /* the second half belongs to the request */
            memset(sqe + 1, 0xff, sizeof(*sqe));
        }
        SUBMIT(&ring, 3);
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(reap(&ring).data, seen++);
    }
    io_uring_queue_exit(&ring);
}

/* A command with 80 bytes of its own data; this file takes no commands. */
static void big_command(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int fd = CHECK_SYS(open("file", O_RDWR | O_CREAT, 0600));

    need_setup(IORING_SETUP_SQE128, "128-byte requests");
    need_op(IORING_OP_URING_CMD, "command");
    ring_open(&ring, 4, IORING_SETUP_SQE128);
    sqe = io_uring_get_sqe128(&ring);
    io_uring_prep_uring_cmd128(sqe, 5, fd);
    CHECK_EQ(sqe->opcode, IORING_OP_URING_CMD128);
    CHECK_EQ(sqe->cmd_op, 5);
    CHECK_EQ(run_res(&ring), kernel_has_op(IORING_OP_URING_CMD128) ? -EOPNOTSUPP : -EINVAL);
    io_uring_prep_uring_cmd(io_uring_get_sqe128(&ring), 5, fd);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void big_request_needs_its_ring(void)
{
    struct io_uring ring;

    ring_open(&ring, 4, 0);
    CHECK(io_uring_get_sqe128(&ring) == NULL);
    CHECK_EQ(io_uring_sq_ready(&ring), 0);
    io_uring_queue_exit(&ring);
}

static void big_completions(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqes[8], *cqe;
    unsigned head, sent = 0, seen = 0;

    need_setup(IORING_SETUP_CQE32, "32-byte completions");
    ring_open(&ring, 4, IORING_SETUP_CQE32);
    CHECK_EQ(io_uring_cqe_shift(&ring), 1);
    CHECK_EQ(io_uring_cqe_shift_from_flags(IORING_SETUP_CQE32), 1);
    /* this batch crosses the end of the ring every few rounds */
    for (unsigned round = 0; round < 10; round++) {
        unsigned count = 0;

        for (unsigned i = 0; i < 3; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, sent++);
        }
        SUBMIT(&ring, 3);
        CHECK_EQ(io_uring_peek_batch_cqe(&ring, cqes, 8), 3);
        for (unsigned i = 0; i < 3; i++) {
            CHECK_EQ(cqes[i]->user_data, seen + i);
            CHECK_EQ((((char *) cqes[i] - (char *) ring.cq.cqes)) % 32, 0);
        }
        io_uring_for_each_cqe(&ring, head, cqe) {
            CHECK(cqe == cqes[count]);
            count++;
        }
        CHECK_EQ(count, 3);
        CHECK_EQ(reap(&ring).data, seen++);
        CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
        CHECK(cqe == cqes[1]);
        io_uring_cq_advance(&ring, 2);
        seen += 2;
    }
    io_uring_queue_exit(&ring);
}

static void both_big(void)
{
    struct io_uring ring;

    need_setup(IORING_SETUP_SQE128 | IORING_SETUP_CQE32, "entries of double size");
    ring_open(&ring, 8, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
    for (unsigned i = 0; i < 40; i++) {
        submit_nop(&ring, i);
        CHECK_EQ(reap(&ring).data, i);
    }
    io_uring_queue_exit(&ring);
}

/* ---- completions of both sizes on one ring ---- */

static void add_mixed_nop(struct io_uring *ring, bool big, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_nop(sqe);
    if (big) {
        sqe->nop_flags = IORING_NOP_CQE32;
        sqe->off = data + 1000;
        sqe->addr = data + 2000;
    }
    io_uring_sqe_set_data64(sqe, data);
}

static bool is_big(__u64 data)
{
    return data % 5 == 1 || data % 5 == 2;
}

static void check_mixed(const struct io_uring_cqe *cqe, __u64 data)
{
    CHECK(!(cqe->flags & IORING_CQE_F_SKIP));
    CHECK_EQ(cqe->user_data, data);
    CHECK_EQ(cqe->res, 0);
    CHECK_EQ(!!(cqe->flags & IORING_CQE_F_32), is_big(data));
    CHECK_EQ(io_uring_cqe_nr(cqe), is_big(data) ? 2 : 1);
    if (is_big(data)) {
        CHECK_EQ(cqe->big_cqe[0], data + 1000);
        CHECK_EQ(cqe->big_cqe[1], data + 2000);
    }
}

/* The waits skip the gap that the kernel leaves at the end of the ring. */
static void mixed_one_by_one(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = millis(10000);

    need_setup(IORING_SETUP_CQE_MIXED, "completions of mixed size");
    ring_open(&ring, 4, IORING_SETUP_CQE_MIXED);
    for (__u64 data = 0; data < 200; data++) {
        struct io_uring_cqe *cqe;

        add_mixed_nop(&ring, is_big(data), data);
        SUBMIT(&ring, 1);
        switch (data % 4) {
        case 0:
            CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
            break;
        case 1:
            CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), 0);
            break;
        case 2:
            CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &ts), 0);
            break;
        default:
            CHECK_EQ(io_uring_wait_cqe_nr(&ring, &cqe, 1), 0);
        }
        check_mixed(cqe, data);
        io_uring_cqe_seen(&ring, cqe);
        CHECK_EQ(io_uring_cq_ready(&ring), 0);
    }
    io_uring_queue_exit(&ring);
}

static void mixed_in_batches(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqes[8];
    __u64 sent = 0, seen = 0;
    bool short_batch = false;

    need_setup(IORING_SETUP_CQE_MIXED, "completions of mixed size");
    ring_open(&ring, 4, IORING_SETUP_CQE_MIXED);
    while (seen < 300) {
        unsigned count, slots = 0;
        int added = 0;

        while (sent < seen + 4) {
            add_mixed_nop(&ring, is_big(sent), sent);
            sent++;
            added++;
        }
        CHECK_EQ(io_uring_submit(&ring), added);
        count = io_uring_peek_batch_cqe(&ring, cqes, 8);
        CHECK_GT(count, 0);
        short_batch |= count < 4;
        for (unsigned i = 0; i < count; i++) {
            check_mixed(cqes[i], seen++);
            slots += io_uring_cqe_nr(cqes[i]);
        }
        io_uring_cq_advance(&ring, slots);
    }
    CHECK(short_batch); /* a gap ended a batch, so the test met one */
    io_uring_queue_exit(&ring);
}

static void mixed_for_each(void)
{
    struct io_uring ring;
    __u64 sent = 0, seen = 0;
    unsigned gaps = 0;

    need_setup(IORING_SETUP_CQE_MIXED, "completions of mixed size");
    ring_open(&ring, 4, IORING_SETUP_CQE_MIXED);
    while (seen < 300) {
        struct io_uring_cqe *cqe;
        unsigned head, slots = 0;

        for (unsigned i = 0; i < 3; i++, sent++)
            add_mixed_nop(&ring, is_big(sent), sent);
        SUBMIT(&ring, 3);
        io_uring_for_each_cqe(&ring, head, cqe) {
            slots += io_uring_cqe_nr(cqe);
            if (cqe->flags & IORING_CQE_F_SKIP)
                gaps++;
            else
                check_mixed(cqe, seen++);
        }
        CHECK_EQ(seen, sent);
        CHECK_EQ(slots, io_uring_cq_ready(&ring));
        io_uring_cq_advance(&ring, slots);
    }
    CHECK_GT(gaps, 0);
    io_uring_queue_exit(&ring);
}

/* ---- requests of both sizes on one ring ---- */

static void mixed_requests(void)
{
    struct io_uring ring;

    need_setup(IORING_SETUP_SQE_MIXED, "requests of mixed size");
    need_op(IORING_OP_NOP128, "128-byte nop");
    ring_open(&ring, 8, IORING_SETUP_SQE_MIXED);
    for (__u64 data = 0; data < 100; data++) {
        bool big = data % 3 != 0;
        struct io_uring_sqe *sqe = big ? io_uring_get_sqe128(&ring) : next_sqe(&ring);

        CHECK(sqe != NULL);
        if (big)
            io_uring_prep_nop128(sqe);
        else
            io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, data);
        CHECK_GE(io_uring_submit(&ring), 1);
        CHECK_EQ(reap(&ring).data, data);
        CHECK_EQ(io_uring_sq_ready(&ring), 0);
    }
    io_uring_queue_exit(&ring);
}

/*
 * The helper alone, on a ring with the flag for mixed sizes: a big request never crosses the end. A nop without a
 * completion fills the last slot instead.
 */
static void mixed_request_slots(void)
{
    struct io_uring ring;
    struct io_uring_sqe *big;

    ring_open(&ring, 8, 0);
    ring.flags |= IORING_SETUP_SQE_MIXED;
    for (unsigned i = 0; i < 7; i++)
        io_uring_prep_nop(next_sqe(&ring));
    CHECK(io_uring_get_sqe128(&ring) == NULL);
    CHECK_EQ(io_uring_sq_ready(&ring), 7);
    ring.flags &= ~IORING_SETUP_SQE_MIXED;
    SUBMIT(&ring, 7);
    for (unsigned i = 0; i < 7; i++)
        reap(&ring);

    ring.flags |= IORING_SETUP_SQE_MIXED;
    big = io_uring_get_sqe128(&ring);
    CHECK(big == ring.sq.sqes);
    CHECK_EQ(io_uring_sq_ready(&ring), 3);
    CHECK_EQ(ring.sq.sqes[7].opcode, IORING_OP_NOP);
    CHECK_EQ(ring.sq.sqes[7].flags, IOSQE_CQE_SKIP_SUCCESS);
    ring.flags &= ~IORING_SETUP_SQE_MIXED;
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(big_requests),
    CASE(big_command),
    CASE(big_request_needs_its_ring),
    CASE(big_completions),
    CASE(both_big),
    CASE(mixed_one_by_one),
    CASE(mixed_in_batches),
    CASE(mixed_for_each),
    CASE(mixed_requests),
    CASE(mixed_request_slots),
};

TEST_MAIN(cases)
