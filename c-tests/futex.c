/* Futex requests: wait, wake, and waiting for several. */
#include <linux/futex.h>

#include "file.h"

#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 0x02
#endif
#ifndef FUTEX2_PRIVATE
#define FUTEX2_PRIVATE 128
#endif

enum { FLAGS = FUTEX2_SIZE_U32 | FUTEX2_PRIVATE };

static void add_wait(struct io_uring *ring, uint32_t *futex, uint64_t value, uint64_t mask,
                     __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_futex_wait(sqe, futex, value, mask, FLAGS, 0);
    io_uring_sqe_set_data64(sqe, data);
    SUBMIT(ring, 1);
}

/* Wakes through a second ring, so only waits complete on the first. */
static int wake(uint32_t *futex, uint64_t count, uint64_t mask)
{
    struct io_uring other;
    int woken;

    ring_open(&other, 2, 0);
    io_uring_prep_futex_wake(next_sqe(&other), futex, count, mask, FLAGS, 0);
    woken = run_res(&other);
    io_uring_queue_exit(&other);
    return woken;
}

static void wait_and_wake(void)
{
    struct io_uring ring;
    uint32_t futex = 5;
    struct done done;

    need_op(IORING_OP_FUTEX_WAIT, "futex");
    ring_open(&ring, 8, 0);
    add_wait(&ring, &futex, 6, FUTEX_BITSET_MATCH_ANY, 1);
    CHECK_EQ(reap(&ring).res, -EAGAIN); /* the futex does not hold 6 */
    add_wait(&ring, &futex, 5, FUTEX_BITSET_MATCH_ANY, 1);
    add_wait(&ring, &futex, 5, FUTEX_BITSET_MATCH_ANY, 2);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(wake(&futex, 1, FUTEX_BITSET_MATCH_ANY), 1);
    done = reap(&ring);
    CHECK_EQ(done.res, 0);
    CHECK(done.data == 1 || done.data == 2);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(wake(&futex, 100, FUTEX_BITSET_MATCH_ANY), 1);
    CHECK_EQ(reap(&ring).data, 3 - done.data);
    CHECK_EQ(wake(&futex, 100, FUTEX_BITSET_MATCH_ANY), 0);
    io_uring_queue_exit(&ring);
}

static void wake_by_mask(void)
{
    struct io_uring ring;
    uint32_t futex = 0;

    need_op(IORING_OP_FUTEX_WAIT, "futex");
    ring_open(&ring, 8, 0);
    add_wait(&ring, &futex, 0, 1, 1);
    add_wait(&ring, &futex, 0, 2, 2);
    CHECK_EQ(wake(&futex, 100, 2), 1);
    CHECK_EQ(reap(&ring).data, 2);
    CHECK_EQ(wake(&futex, 100, 1), 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);
}

static void wait_for_several(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    uint32_t futexes[3] = { 1, 2, 3 };
    struct futex_waitv waits[3];

    need_op(IORING_OP_FUTEX_WAITV, "futex");
    memset(waits, 0, sizeof(waits));
    for (unsigned i = 0; i < 3; i++) {
        waits[i].val = futexes[i];
        waits[i].uaddr = (uintptr_t) &futexes[i];
        waits[i].flags = FLAGS;
    }
    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_futex_waitv(sqe, waits, 3, 0);
    SUBMIT(&ring, 1);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(wake(&futexes[2], 1, FUTEX_BITSET_MATCH_ANY), 1);
    CHECK_EQ(reap(&ring).res, 2); /* the index of the woken futex */
    io_uring_prep_futex_waitv(next_sqe(&ring), waits, 0, 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(wait_and_wake),
    CASE(wake_by_mask),
    CASE(wait_for_several),
};

TEST_MAIN(cases)
