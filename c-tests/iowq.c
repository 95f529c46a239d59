/* The worker threads: their CPUs and their number. */
#include "ring.h"

static void run_in_worker(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_nop(sqe);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    CHECK_EQ(run_res(ring), 0);
}

static void affinity(void)
{
    struct io_uring ring;
    cpu_set_t allowed, one;
    int cpu = 0;

    need_kernel(5, 14, "worker affinity");
    CHECK_SYS(sched_getaffinity(0, sizeof(allowed), &allowed));
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_iowq_aff(&ring, sizeof(one), &one), 0);
    run_in_worker(&ring);
    CHECK_EQ(io_uring_unregister_iowq_aff(&ring), 0);
    run_in_worker(&ring);
    CHECK_EQ(io_uring_register_iowq_aff(&ring, sizeof(one), NULL), -EINVAL);
    /* a size that does not fit the system call's argument */
    CHECK_EQ(io_uring_register_iowq_aff(&ring, (size_t) 1 << 31, &one), -EINVAL);
    io_uring_queue_exit(&ring);
}

/* The call sets new limits and returns the old ones; 0 changes nothing. */
static void limits(void)
{
    struct io_uring ring;
    unsigned values[2] = { 0, 0 };
    unsigned bounded, unbounded;

    need_kernel(5, 15, "worker limits");
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_iowq_max_workers(&ring, values), 0);
    bounded = values[0];
    unbounded = values[1];
    CHECK_GT(bounded, 0);
    CHECK_GT(unbounded, 0);
    values[0] = 2;
    values[1] = 3;
    CHECK_EQ(io_uring_register_iowq_max_workers(&ring, values), 0);
    CHECK_EQ(values[0], bounded);
    CHECK_EQ(values[1], unbounded);
    values[0] = values[1] = 0;
    CHECK_EQ(io_uring_register_iowq_max_workers(&ring, values), 0);
    CHECK_EQ(values[0], 2);
    CHECK_EQ(values[1], 3);
    run_in_worker(&ring);
    CHECK_EQ(io_uring_register_iowq_max_workers(&ring, NULL), -EINVAL);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(affinity),
    CASE(limits),
};

TEST_MAIN(cases)
