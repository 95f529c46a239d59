/*
 * Features that older kernels lack. The library falls back where the interface says so, and returns the kernel's error
 * elsewhere. The ring stays usable, and nothing is left behind. Each release named is the first with the feature; from
 * it on, the same call must work.
 */
#include <sys/mman.h>

#include "ring.h"

/* The ring still works. */
static void check_usable(struct io_uring *ring)
{
    for (__u64 data = 1; data <= 3; data++) {
        submit_nop(ring, data);
        CHECK_EQ(reap(ring).data, data);
    }
}

#define SINCE(major, minor, expression, refusal) \
    CHECK_EQ(expression, kernel_at_least(major, minor) ? 0 : (refusal))

/* Requests complete in order, several times round the ring. */
static void check_order(struct io_uring *ring)
{
    unsigned entries = ring->sq.ring_entries;
    __u64 next = 0;

    for (unsigned round = 0; round < 5; round++) {
        unsigned count = round % 2 ? entries : entries - 1;

        for (unsigned i = 0; i < count; i++) {
            struct io_uring_sqe *sqe = next_sqe(ring);

            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, next + i);
        }
        SUBMIT(ring, (int) count);
        for (unsigned i = 0; i < count; i++)
            CHECK_EQ(reap(ring).data, next++);
    }
}

static void index_array(void)
{
    static const struct {
        unsigned flags;
        int major, minor;
    } setups[] = {
        { 0, 5, 1 }, { IORING_SETUP_CLAMP, 5, 6 }, { IORING_SETUP_SQE128, 5, 19 }, { IORING_SETUP_CQE32, 5, 19 },
        { IORING_SETUP_SINGLE_ISSUER, 6, 0 }, { IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 6, 1 },
        { IORING_SETUP_SUBMIT_ALL, 5, 18 },
    };

    for (unsigned i = 0; i < ARRAY_LEN(setups); i++) {
        struct io_uring_params params;
        struct io_uring ring;
        bool without;

        memset(&params, 0, sizeof(params));
        params.flags = setups[i].flags;
        if (!kernel_at_least(setups[i].major, setups[i].minor)) {
            CHECK_EQ(io_uring_queue_init_params(8, &ring, &params), -EINVAL);
            continue;
        }
        CHECK_EQ(io_uring_queue_init_params(8, &ring, &params), 0);
        without = ring.flags & IORING_SETUP_NO_SQARRAY;
        CHECK_EQ(without, kernel_at_least(6, 6));
        CHECK_EQ(!!(params.flags & IORING_SETUP_NO_SQARRAY), without);
        CHECK_EQ(ring.flags & ~(unsigned) IORING_SETUP_NO_SQARRAY, setups[i].flags);
        if (!without)
            for (unsigned at = 0; at < ring.sq.ring_entries; at++)
                CHECK_EQ(ring.sq.array[at], at);
        check_order(&ring);
        io_uring_queue_exit(&ring);
    }
}

static void index_array_with_thread(void)
{
    struct io_uring ring;

    CHECK_EQ(io_uring_queue_init(8, &ring, IORING_SETUP_SQPOLL), 0);
    CHECK_EQ(!!(ring.flags & IORING_SETUP_NO_SQARRAY), kernel_at_least(6, 6));
    for (__u64 data = 0; data < 40; data++) {
        submit_nop(&ring, data);
        CHECK_EQ(reap(&ring).data, data);
    }
    io_uring_queue_exit(&ring);
}

/* The library does not silently drop a flag that the caller asked for. */
static void set_up(unsigned flags, int major, int minor)
{
    struct leak_mark mark = leak_mark();
    struct io_uring ring;
    int result = KEEPS_ERRNO(io_uring_queue_init(8, &ring, flags));

    CHECK_EQ(result, kernel_at_least(major, minor) ? 0 : -EINVAL);
    if (!result) {
        CHECK_EQ(ring.flags & flags, flags);
        check_usable(&ring);
        io_uring_queue_exit(&ring);
    }
    CHECK_NO_LEAK(mark);
}

static void set_up_flags(void)
{
    set_up(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 6, 1);
    set_up(IORING_SETUP_NO_MMAP, 6, 5);
    set_up(IORING_SETUP_NO_SQARRAY, 6, 6);
    set_up(IORING_SETUP_CQE_MIXED, 6, 18);
    set_up(IORING_SETUP_SQE_MIXED, 6, 19);
}

static void polling_set_up(void)
{
    struct leak_mark mark = leak_mark();
    struct io_uring ring;
    int result = io_uring_queue_init(8, &ring, IORING_SETUP_IOPOLL | IORING_SETUP_HYBRID_IOPOLL);

    CHECK_EQ(result, kernel_at_least(6, 13) ? 0 : -EINVAL);
    if (!result)
        io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
}

static void own_memory(void)
{
    size_t size = 64 * 1024;
    struct io_uring_params params;
    struct io_uring ring;
    struct leak_mark mark;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    int result;

    CHECK(memory != MAP_FAILED);
    mark = leak_mark();
    memset(&params, 0, sizeof(params));
    result = KEEPS_ERRNO(io_uring_queue_init_mem(8, &ring, &params, memory, size));
    if (result == -ENOMEM)
        skip("the memory is not contiguous, as this kernel needs it");
    if (!kernel_at_least(6, 5)) {
        CHECK_EQ(result, -EINVAL);
    } else {
        CHECK_GT(result, 0);
        check_usable(&ring);
        io_uring_queue_exit(&ring);
    }
    CHECK_NO_LEAK(mark);
    munmap(memory, size);
}

static void minimum_wait(void)
{
    struct __kernel_timespec ts = millis(20);
    struct io_uring_cqe *cqe = NULL;
    struct io_uring ring;
    int wanted = kernel_at_least(6, 12) ? -ETIME : -EINVAL;

    ring_open(&ring, 4, 0);
    CHECK_EQ(!!(ring.features & IORING_FEAT_MIN_TIMEOUT), kernel_at_least(6, 12));
    CHECK_EQ(KEEPS_ERRNO(io_uring_wait_cqes_min_timeout(&ring, &cqe, 1, &ts, 1000, NULL)), wanted);
    CHECK_EQ(KEEPS_ERRNO(io_uring_submit_and_wait_min_timeout(&ring, &cqe, 1, &ts, 1000, NULL)), wanted);
    check_usable(&ring);
    io_uring_queue_exit(&ring);
}

static void registered_wait(void)
{
    struct io_uring_region_desc region;
    struct io_uring_mem_region_reg reg;
    struct io_uring_cqe *cqe = NULL;
    struct io_uring_reg_wait *wait;
    struct io_uring ring;
    void *memory = new_pages(1);

    ring_open(&ring, 4, IORING_SETUP_R_DISABLED);
    wait = (struct io_uring_reg_wait *) memory;
    wait->ts = millis(5);
    wait->flags = IORING_REG_WAIT_TS;
    memset(&region, 0, sizeof(region));
    region.user_addr = (__u64) (uintptr_t) memory;
    region.size = page_size();
    region.flags = IORING_MEM_REGION_TYPE_USER;
    memset(&reg, 0, sizeof(reg));
    reg.region_uptr = (__u64) (uintptr_t) &region;
    reg.flags = IORING_MEM_REGION_REG_WAIT_ARG;
    SINCE(6, 13, KEEPS_ERRNO(io_uring_register_region(&ring, &reg)), -EINVAL);
    CHECK_EQ(io_uring_enable_rings(&ring), 0);
    CHECK_EQ(KEEPS_ERRNO(io_uring_submit_and_wait_reg(&ring, &cqe, 1, 0)),
             kernel_at_least(6, 13) ? -ETIME : -EINVAL);
    check_usable(&ring);
    io_uring_queue_exit(&ring);
    munmap(memory, page_size());
}

static void resizing(void)
{
    struct io_uring_params params;
    struct io_uring ring;
    unsigned entries;

    ring_open(&ring, 8, kernel_at_least(6, 1) ? IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN : 0);
    memset(&params, 0, sizeof(params));
    params.sq_entries = 32;
    params.cq_entries = 64;
    params.flags = IORING_SETUP_CQSIZE;
    SINCE(6, 13, KEEPS_ERRNO(io_uring_resize_rings(&ring, &params)), -EINVAL);
    entries = kernel_at_least(6, 13) ? 32 : 8;
    CHECK_EQ(ring.sq.ring_entries, entries);
    CHECK_EQ(io_uring_sq_space_left(&ring), entries);
    check_order(&ring);
    io_uring_queue_exit(&ring);
}

static void registrations(void)
{
    struct io_uring_clock_register clock_register;
    struct io_uring_napi napi;
    struct io_uring ring, other;
    char buffer[4096];
    struct iovec vector = { buffer, sizeof(buffer) };

    ring_open(&ring, 4, 0);
    ring_open(&other, 4, 0);
    CHECK_EQ(io_uring_register_buffers(&other, &vector, 1), 0);
    SINCE(6, 12, KEEPS_ERRNO(io_uring_clone_buffers(&ring, &other)), -EINVAL);

    memset(&clock_register, 0, sizeof(clock_register));
    clock_register.clockid = CLOCK_BOOTTIME;
    SINCE(6, 12, KEEPS_ERRNO(io_uring_register_clock(&ring, &clock_register)), -EINVAL);

    memset(&napi, 0, sizeof(napi));
    napi.busy_poll_to = 10;
    SINCE(6, 9, KEEPS_ERRNO(io_uring_register_napi(&ring, &napi)), -EINVAL);
    SINCE(6, 15, KEEPS_ERRNO(io_uring_set_iowait(&ring, false)), -EOPNOTSUPP);
    check_usable(&ring);
    io_uring_queue_exit(&other);
    io_uring_queue_exit(&ring);
}

static void without_ring_descriptor(void)
{
    struct io_uring ring;
    int result;

    ring_open(&ring, 4, 0);
    CHECK_EQ(!!(ring.features & IORING_FEAT_REG_REG_RING), kernel_at_least(6, 3));
    CHECK_EQ(io_uring_register_ring_fd(&ring), kernel_at_least(5, 18) ? 1 : -EINVAL);
    result = KEEPS_ERRNO(io_uring_close_ring_fd(&ring));
    CHECK_EQ(result, kernel_at_least(6, 3) ? 1 : -EOPNOTSUPP);
    check_usable(&ring);
    io_uring_queue_exit(&ring);
}

static void buffer_rings(void)
{
    struct leak_mark mark;
    struct io_uring_buf_ring *buffers;
    struct io_uring ring;
    uint16_t head;
    int error = 0;

    ring_open(&ring, 4, 0);
    mark = leak_mark();
    buffers = io_uring_setup_buf_ring(&ring, 8, 1, IOU_PBUF_RING_INC, &error);
    CHECK((buffers != NULL) == kernel_at_least(6, 12));
    if (buffers)
        CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, 8, 1), 0);
    else
        CHECK_EQ(error, -EINVAL);

    buffers = io_uring_setup_buf_ring(&ring, 8, 2, 0, &error);
    CHECK((buffers != NULL) == kernel_at_least(5, 19));
    SINCE(6, 8, KEEPS_ERRNO(io_uring_buf_ring_head(&ring, 2, &head)), -EINVAL);
    if (buffers)
        CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, 8, 2), 0);
    else
        CHECK_EQ(error, -EINVAL);
    CHECK_NO_LEAK(mark);
    io_uring_queue_exit(&ring);
}

static void requests(void)
{
    static const struct {
        int op, major, minor;
    } since[] = {
        { IORING_OP_SEND_ZC, 6, 0 },         { IORING_OP_SENDMSG_ZC, 6, 1 },  { IORING_OP_READ_MULTISHOT, 6, 7 },
        { IORING_OP_WAITID, 6, 7 },          { IORING_OP_FUTEX_WAIT, 6, 7 },  { IORING_OP_FUTEX_WAKE, 6, 7 },
        { IORING_OP_FIXED_FD_INSTALL, 6, 8 }, { IORING_OP_FTRUNCATE, 6, 9 },  { IORING_OP_BIND, 6, 11 },
        { IORING_OP_LISTEN, 6, 11 },         { IORING_OP_EPOLL_WAIT, 6, 15 }, { IORING_OP_PIPE, 6, 16 },
    };
    struct io_uring_probe *probe = io_uring_get_probe();
    struct io_uring ring;

    CHECK(probe != NULL);
    ring_open(&ring, 4, 0);
    for (unsigned i = 0; i < ARRAY_LEN(since); i++) {
        bool has = kernel_at_least(since[i].major, since[i].minor);
        struct io_uring_sqe *sqe;

        if (!!io_uring_opcode_supported(probe, since[i].op) != has)
            test_fail(__FILE__, __LINE__, "request %d: the probe says %d", since[i].op,
                      io_uring_opcode_supported(probe, since[i].op));
        if (has)
            continue;
        sqe = next_sqe(&ring);
        io_uring_prep_rw(since[i].op, sqe, -1, NULL, 0, 0);
        CHECK_EQ(run_res(&ring), -EINVAL);
    }
    io_uring_free_probe(probe);
    check_usable(&ring);
    io_uring_queue_exit(&ring);
}

/* Waiting with a timeout and a signal mask: in one call if the kernel supports it, otherwise by a request. */
static void waiting(void)
{
    struct __kernel_timespec ts = millis(30);
    struct io_uring_cqe *cqe = NULL;
    struct io_uring ring;
    long long start;

    ring_open(&ring, 4, 0);
    start = now_ms(CLOCK_MONOTONIC);
    CHECK_EQ(KEEPS_ERRNO(io_uring_wait_cqe_timeout(&ring, &cqe, &ts)), -ETIME);
    CHECK_GE(now_ms(CLOCK_MONOTONIC) - start, 29);
    CHECK_EQ(KEEPS_ERRNO(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL)), -ETIME);
    check_usable(&ring);
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(index_array),
    CASE(index_array_with_thread),
    CASE(set_up_flags),
    CASE(polling_set_up),
    CASE(own_memory),
    CASE(minimum_wait),
    CASE(registered_wait),
    CASE(resizing),
    CASE(registrations),
    CASE(without_ring_descriptor),
    CASE(buffer_rings),
    CASE(requests),
    CASE(waiting),
};

TEST_MAIN(cases)
