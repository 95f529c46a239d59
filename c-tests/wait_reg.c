/* Waits whose arguments lie in a registered region. */
#include <sys/mman.h>

#include "ring.h"

enum { SHORT_MS = 20, LONG_MS = 10000 };

static int register_wait_region(struct io_uring *ring, void *memory)
{
    struct io_uring_region_desc region;
    struct io_uring_mem_region_reg reg;

    memset(&region, 0, sizeof(region));
    region.user_addr = (__u64) (uintptr_t) memory;
    region.size = page_size();
    region.flags = IORING_MEM_REGION_TYPE_USER;
    memset(&reg, 0, sizeof(reg));
    reg.region_uptr = (__u64) (uintptr_t) &region;
    reg.flags = IORING_MEM_REGION_REG_WAIT_ARG;
    return io_uring_register_region(ring, &reg);
}

static struct io_uring_reg_wait *open_with_region(struct io_uring *ring)
{
    struct io_uring_reg_wait *waits = (struct io_uring_reg_wait *) new_pages(1);

    need_kernel(6, 13, "a registered wait");
    ring_open(ring, 8, IORING_SETUP_R_DISABLED);
    CHECK_EQ(register_wait_region(ring, waits), 0);
    CHECK_EQ(io_uring_enable_rings(ring), 0);
    return waits;
}

static void timeout_from_region(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct io_uring_reg_wait *waits = open_with_region(&ring);
    long long start = now_ms(CLOCK_MONOTONIC);

    waits[0].ts = millis(LONG_MS);
    waits[0].flags = IORING_REG_WAIT_TS;
    waits[3].ts = millis(SHORT_MS);
    waits[3].flags = IORING_REG_WAIT_TS;
    CHECK_EQ(io_uring_submit_and_wait_reg(&ring, &cqe, 1, 3), -ETIME);
    CHECK(cqe == NULL);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);

    io_uring_prep_nop(next_sqe(&ring));
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(io_uring_submit_and_wait_reg(&ring, &cqe, 2, 0), 2);
    CHECK(cqe != NULL);
    CHECK_EQ(io_uring_cq_ready(&ring), 2);
    io_uring_queue_exit(&ring);
}

static void minimum_wait_from_region(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct io_uring_reg_wait *waits = open_with_region(&ring);
    long long start = now_ms(CLOCK_MONOTONIC);

    waits[1].ts = millis(LONG_MS);
    waits[1].flags = IORING_REG_WAIT_TS;
    waits[1].min_wait_usec = SHORT_MS * 1000;
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(io_uring_submit_and_wait_reg(&ring, &cqe, 8, 1), 1);
    CHECK(cqe != NULL);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, SHORT_MS - 1);
    CHECK_LT(now_ms(CLOCK_MONOTONIC) - start, LONG_MS);
    io_uring_queue_exit(&ring);
}

static void index_outside_region(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    open_with_region(&ring);
    CHECK_EQ(io_uring_submit_and_wait_reg(&ring, &cqe, 1,
                                          (int) (page_size() / sizeof(struct io_uring_reg_wait))),
             -EFAULT);
    io_uring_queue_exit(&ring);
}

static void without_region(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    need_kernel(6, 13, "a registered wait");
    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_submit_and_wait_reg(&ring, &cqe, 1, 0), -EFAULT);
    ring.features &= ~IORING_FEAT_EXT_ARG;
    CHECK_EQ(io_uring_submit_and_wait_reg(&ring, &cqe, 1, 0), -EINVAL);
    io_uring_queue_exit(&ring);
}

static void region_errors(void)
{
    struct io_uring ring;
    struct io_uring_mem_region_reg reg;
    char *memory = new_pages(1);

    need_kernel(6, 13, "memory regions");
    ring_open(&ring, 8, 0);
    /* wait arguments can be registered only while the ring is disabled */
    CHECK_EQ(register_wait_region(&ring, memory), -EINVAL);
    memset(&reg, 0, sizeof(reg));
    CHECK_EQ(io_uring_register_region(&ring, &reg), -EFAULT);
    reg.flags = 1u << 20;
    reg.region_uptr = (__u64) (uintptr_t) memory;
    CHECK_EQ(io_uring_register_region(&ring, &reg), -EINVAL);
    io_uring_queue_exit(&ring);
}

/* The call for an interface that no released kernel has. */
static void withdrawn_call(void)
{
    struct io_uring ring;
    struct io_uring_reg_wait wait;

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_wait_reg(&ring, &wait, 1), -EINVAL);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(timeout_from_region),
    CASE(minimum_wait_from_region),
    CASE(index_outside_region),
    CASE(without_region),
    CASE(region_errors),
    CASE(withdrawn_call),
};

TEST_MAIN(cases)
