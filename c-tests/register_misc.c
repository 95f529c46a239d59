/*
 * Registrations that have no other test file: NAPI, clock, query, zero-copy receive, filters. A result that depends on
 * kernel and machine is compared with that of the same bare system call.
 */
#include "file.h"

static int raw_register(int fd, unsigned opcode, void *argument, unsigned count)
{
    long result = syscall(__NR_io_uring_register, fd, opcode, argument, count);

    return result < 0 ? -errno : (int) result;
}

static void napi(void)
{
    struct io_uring ring;
    struct io_uring_napi setting;
    int result;

    need_kernel(6, 9, "busy polling of network devices");
    ring_open(&ring, 4, 0);
    memset(&setting, 0, sizeof(setting));
    setting.busy_poll_to = 50;
    setting.prefer_busy_poll = 1;
    result = io_uring_register_napi(&ring, &setting);
    if (result == -EINVAL || result == -EOPNOTSUPP) {
        memset(&setting, 0, sizeof(setting));
        setting.busy_poll_to = 50;
        CHECK_EQ(raw_register(ring.ring_fd, IORING_REGISTER_NAPI, &setting, 1), result);
        io_uring_queue_exit(&ring);
        skip("the kernel is built without busy polling");
    }
    CHECK_EQ(result, 0);
    CHECK_EQ(setting.busy_poll_to, 0); /* the previous value */
    CHECK_EQ(io_uring_unregister_napi(&ring, &setting), 0);
    CHECK_EQ(setting.busy_poll_to, 50);
    CHECK_EQ(setting.prefer_busy_poll, 1);
    setting.pad[0] = 1;
    CHECK_EQ(io_uring_register_napi(&ring, &setting), -EINVAL);
    io_uring_queue_exit(&ring);
}

/* The clock of an absolute wait. */
static void wait_clock(void)
{
    struct io_uring ring;
    struct io_uring_clock_register clock;
    struct io_uring_getevents_arg arg;
    struct __kernel_timespec ts;
    struct timespec now;

    need_kernel(6, 12, "a choice of the wait's clock");
    ring_open(&ring, 4, 0);
    memset(&clock, 0, sizeof(clock));
    clock.clockid = CLOCK_REALTIME;
    CHECK_EQ(io_uring_register_clock(&ring, &clock), -EINVAL);
    clock.clockid = CLOCK_BOOTTIME;
    CHECK_EQ(io_uring_register_clock(&ring, &clock), 0);

    clock_gettime(CLOCK_BOOTTIME, &now);
    ts.tv_sec = now.tv_sec - 1;
    ts.tv_nsec = now.tv_nsec;
    memset(&arg, 0, sizeof(arg));
    arg.ts = (__u64) (uintptr_t) &ts;
    CHECK_EQ(io_uring_enter2(ring.ring_fd, 0, 1,
                             IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG |
                             IORING_ENTER_ABS_TIMER, &arg, sizeof(arg)), -ETIME);
    clock.__resv[0] = 1;
    CHECK_EQ(io_uring_register_clock(&ring, &clock), -EINVAL);
    io_uring_queue_exit(&ring);
}

/* A query needs no ring, and queries may be chained. */
static void query(void)
{
    struct io_uring_query_hdr head, next;
    struct io_uring_query_opcode opcodes;
    struct io_uring_params params;
    int fd;

    need_kernel(6, 18, "queries");
    memset(&head, 0, sizeof(head));
    memset(&next, 0, sizeof(next));
    memset(&opcodes, 0, sizeof(opcodes));
    head.query_op = IO_URING_QUERY_OPCODES;
    head.query_data = (__u64) (uintptr_t) &opcodes;
    head.size = sizeof(opcodes);
    head.next_entry = (__u64) (uintptr_t) &next;
    next.query_op = 0xffff;
    CHECK_EQ(io_uring_register_query(&head), 0);
    CHECK_EQ(head.result, 0);
    CHECK_EQ(next.result, -EOPNOTSUPP);
    CHECK_GT(opcodes.nr_request_opcodes, IORING_OP_PIPE);
    CHECK_GT(opcodes.nr_register_opcodes, IORING_REGISTER_QUERY);
    memset(&params, 0, sizeof(params));
    fd = CHECK_SYS(raw_setup(2, &params));
    close(fd);
    CHECK_EQ(opcodes.feature_flags, params.features);
    CHECK_EQ(io_uring_register_query(NULL), raw_register(-1, IORING_REGISTER_QUERY, NULL, 0));
}

static void zero_copy_receive(void)
{
    struct io_uring ring;
    struct io_uring_zcrx_ifq_reg interface;
    struct zcrx_ctrl control;

    ring_open(&ring, 4, 0);
    memset(&interface, 0, sizeof(interface));
    memset(&control, 0, sizeof(control));
    CHECK_LT(io_uring_register_ifq(&ring, &interface), 0);
    CHECK_EQ(io_uring_register_ifq(&ring, &interface),
             raw_register(ring.ring_fd, IORING_REGISTER_ZCRX_IFQ, &interface, 1));
    CHECK_LT(io_uring_register_zcrx_ctrl(&ring, &control), 0);
    CHECK_EQ(io_uring_register_zcrx_ctrl(&ring, &control),
             raw_register(ring.ring_fd, IORING_REGISTER_ZCRX_CTRL, &control, 0));
    io_uring_queue_exit(&ring);
}

/* A filter that lets a nop pass, on a ring and on the task. */
static void request_filters(void)
{
    static struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 1);
    static struct sock_filter deny = BPF_STMT(BPF_RET | BPF_K, 0);
    struct io_uring ring, later;
    struct io_uring_bpf filter, raw;
    int result;

    ring_open(&ring, 4, 0);
    memset(&filter, 0, sizeof(filter));
    CHECK_LT(io_uring_register_bpf_filter(&ring, &filter), 0);
    CHECK_EQ(io_uring_register_bpf_filter(&ring, &filter),
             raw_register(ring.ring_fd, IORING_REGISTER_BPF_FILTER, &filter, 1));
    CHECK_EQ(io_uring_register_bpf_filter_task(&filter),
             raw_register(-1, IORING_REGISTER_BPF_FILTER, &filter, 1));

    filter.cmd_type = IO_URING_BPF_CMD_FILTER;
    filter.filter.opcode = IORING_OP_NOP;
    filter.filter.filter_len = 1;
    filter.filter.filter_ptr = (__u64) (uintptr_t) &allow;
    raw = filter;
    result = io_uring_register_bpf_filter(&ring, &filter);
    if (result < 0) {
        CHECK_EQ(raw_register(ring.ring_fd, IORING_REGISTER_BPF_FILTER, &raw, 1), result);
        io_uring_queue_exit(&ring);
        skip("the kernel refuses request filters: %s", strerror(-result));
    }
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(run_res(&ring), 0);
    io_uring_queue_exit(&ring);

    filter.filter.filter_ptr = (__u64) (uintptr_t) &deny;
    CHECK_EQ(io_uring_register_bpf_filter_task(&filter), 0);
    ring_open(&later, 4, 0);
    io_uring_prep_nop(next_sqe(&later));
    CHECK_EQ(run_res(&later), -EACCES);
    io_uring_queue_exit(&later);
}

static void command_to_a_plain_file(void)
{
    struct io_uring ring;
    int fd = make_file("file", 4096, 0);

    need_op(IORING_OP_URING_CMD, "command");
    ring_open(&ring, 4, 0);
    io_uring_prep_cmd_discard(next_sqe(&ring), fd, 0, 4096);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
#if !IO_URING_CHECK_VERSION(2, 16)
    io_uring_prep_cmd_zone_reset_all(next_sqe(&ring), fd);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
#endif
    io_uring_prep_uring_cmd(next_sqe(&ring), 1, fd);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
    close(fd);
}

static const struct test_case cases[] = {
    CASE(napi),
    CASE(wait_clock),
    CASE(query),
    CASE(zero_copy_receive),
    CASE(request_filters),
    CASE(command_to_a_plain_file),
};

TEST_MAIN(cases)
