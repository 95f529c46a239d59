/*
 * What set-up and a query offer works, and what they do not offer is refused:
 * features, and the flags of set-up, of io_uring_enter and of requests. Each
 * list is the library's own answer: a bit that is offered and has no use here
 * fails.
 */
#include <sys/epoll.h>
#include <sys/fsuid.h>

#include "uses_net.h"

static struct io_uring_query_opcode offered(void)
{
    struct io_uring_query_opcode told = { 0 };
    struct io_uring_query_hdr header = {
        .query_data = (uintptr_t) &told, .query_op = IO_URING_QUERY_OPCODES, .size = sizeof(told),
    };

    ring_open(&ring, 8, 0);
    if (io_uring_register((unsigned) ring.ring_fd, IORING_REGISTER_QUERY, &header, 0) < 0)
        skip("there is nobody to ask");
    CHECK_EQ(header.result, 0);
    return told;
}

static void each_bit(__u64 bits, void (*const *used)(void), void (*refused)(unsigned bit))
{
    for (unsigned bit = 0; bit < 32; bit++) {
        if (!(bits >> bit & 1)) {
            refused(bit);
            continue;
        }
        if (!used[bit])
            test_fail(__FILE__, __LINE__, "bit %u is offered, and has no use here", bit);
        used[bit]();
    }
}

/* ---- features ---- */

static void single_mmap(void)
{
    CHECK(ring.sq.ring_ptr == ring.cq.ring_ptr);
}

static void no_drop(void)
{
    struct io_uring small;

    ring_open(&small, 2, 0);
    for (unsigned i = 0; i < 16; i++)
        submit_nop(&small, i);
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(reap(&small).data, i);
    io_uring_queue_exit(&small);
}

/* What a waiting request names may be gone once it is submitted. */
static void submit_stable(void)
{
    struct iovec vector = { buffer, SOME };
    int ends[2];

    CHECK_SYS(pipe(ends));
    io_uring_prep_readv(sqe(), ends[0], &vector, 1, 0);
    SUBMIT(&ring, 1);
    memset(&vector, 0xff, sizeof(vector));
    CHECK_EQ(write(ends[1], "abc", 3), 3);
    CHECK_EQ(reap(&ring).res, 3);
    CHECK_MEM(buffer, "abc", 3);
}

static void current_position(void)
{
    int fd = data_file();

    CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
    io_uring_prep_read(sqe(), fd, buffer, 10, (__u64) -1);
    CHECK_EQ(run(), 10);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 110);
}

static void current_personality(void)
{
    if (geteuid() != 0)
        return;
    close(data_file());
    CHECK_SYS(chmod("data", 0600));
    setfsuid(65534);
    io_uring_prep_openat(sqe(), AT_FDCWD, "data", O_RDONLY, 0);
    CHECK_EQ(run(), -EACCES);
    setfsuid(0);
    use_openat();
}

static void poll_32_bits(void)
{
    new_pair();
    io_uring_prep_poll_add(sqe(), pair[0], POLLIN | EPOLLEXCLUSIVE);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    CHECK_EQ(reap(&ring).res, POLLIN);
}

static void polled_plain_file(void)
{
    struct io_uring polled;

    ring_open(&polled, 4, IORING_SETUP_SQPOLL);
    io_uring_prep_read(next_sqe(&polled), data_file(), buffer, SOME, 0);
    CHECK_EQ(run_res(&polled), SOME);
    io_uring_queue_exit(&polled);
}

/* A limited wait takes no request of its own. */
static void limited_wait(void)
{
    struct __kernel_timespec time = millis(1);
    struct io_uring_cqe *cqe;
    unsigned before = *ring.sq.ktail;

    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &time), -ETIME);
    CHECK_EQ(*ring.sq.ktail, before);
}

/* Workers are the program's: /proc/self is its own there. */
static void native_workers(void)
{
    struct io_uring_sqe *one = sqe();
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
    io_uring_prep_openat(one, AT_FDCWD, path, O_RDONLY, 0);
    io_uring_sqe_set_flags(one, IOSQE_ASYNC);
    fd = run();
    CHECK_GE(fd, 0);
    CHECK_SYS(close(fd));
}

static void tags(void)
{
    int fd = data_file();
    __u64 tag = 77;

    CHECK_EQ(io_uring_register_files_tags(&ring, &fd, &tag, 1), 0);
    CHECK_EQ(io_uring_unregister_files(&ring), 0);
    CHECK_EQ(reap(&ring).data, 77);
}

static void skipped_completion(void)
{
    struct io_uring_sqe *one = sqe();

    io_uring_prep_nop(one);
    io_uring_sqe_set_flags(one, IOSQE_CQE_SKIP_SUCCESS);
    SUBMIT(&ring, 1);
    CHECK_NO_CQE(&ring);
}

/* What a chain opens can be used in the chain. */
static void linked_file(void)
{
    struct io_uring_sqe *one;
    struct done dones[2];

    close(data_file());
    CHECK_EQ(io_uring_register_files_sparse(&ring, 1), 0);
    one = first(sqe());
    io_uring_prep_openat_direct(one, AT_FDCWD, "data", O_RDONLY, 0, 0);
    io_uring_sqe_set_flags(one, IOSQE_IO_LINK);
    one->user_data = 2;
    one = first(sqe());
    io_uring_prep_read(one, 0, buffer, SOME, 0);
    io_uring_sqe_set_flags(one, IOSQE_FIXED_FILE);
    one->user_data = 1;
    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, SOME);
    CHECK_EQ(io_uring_unregister_files(&ring), 0);
}

static void registered_only(void)
{
    struct io_uring second;

    ring_open(&second, 4, 0);
    CHECK_EQ(io_uring_register_ring_fd(&second), 1);
    CHECK_EQ(io_uring_close_ring_fd(&second), 1);
    CHECK_EQ(io_uring_register_files_sparse(&second, 1), 0);
    io_uring_prep_nop(next_sqe(&second));
    CHECK_EQ(run_res(&second), 0);
    io_uring_queue_exit(&second);
}

static void minimum_wait(void)
{
    struct __kernel_timespec time = millis(60000);
    struct io_uring_cqe *cqe;

    io_uring_prep_nop(sqe());
    CHECK_EQ(io_uring_submit_and_wait_min_timeout(&ring, &cqe, 2, &time, 1000, NULL), 1);
    CHECK_EQ(reap(&ring).res, 0);
}

static void no_iowait(void)
{
    CHECK_EQ(io_uring_set_iowait(&ring, false), 0);
    use_poll_add();
    CHECK_EQ(io_uring_set_iowait(&ring, true), 0);
}

/* One request sends all the buffers that there are. */
static void bundle(void)
{
    struct io_uring_sqe *one;
    struct io_uring_buf_ring *buffers;
    int error;

    new_pair();
    buffers = io_uring_setup_buf_ring(&ring, 4, GROUP + 3, 0, &error);
    CHECK(buffers != NULL);
    for (unsigned i = 0; i < 3; i++)
        io_uring_buf_ring_add(buffers, buffer + i, 1, (unsigned short) i, 3, (int) i);
    io_uring_buf_ring_advance(buffers, 3);
    memcpy(buffer, "abc", 3);
    one = sqe();
    io_uring_prep_send_bundle(one, pair[0], 0, 0);
    io_uring_sqe_set_flags(one, IOSQE_BUFFER_SELECT);
    one->buf_group = GROUP + 3;
    CHECK_EQ(run(), 3);
    CHECK_EQ(read(pair[1], other, SOME), 3);
    CHECK_MEM(other, "abc", 3);
    CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, 4, GROUP + 3), 0);
}

/* Protection information, which files in file systems do not have. */
static void attributes(void)
{
    struct io_uring_sqe *one = sqe();

    io_uring_prep_read(one, data_file(), buffer, SOME, 0);
    one->attr_type_mask = IORING_RW_ATTR_FLAG_PI;
    CHECK_EQ(run(), -EFAULT);
}

static void (*const features[32])(void) = {
    [0] = single_mmap, [1] = no_drop, [2] = submit_stable, [3] = current_position, [4] = current_personality,
    [5] = use_recv, [6] = poll_32_bits, [7] = polled_plain_file, [8] = limited_wait, [9] = native_workers,
    [10] = tags, [11] = skipped_completion, [12] = linked_file, [13] = registered_only, [14] = bundle,
    [15] = minimum_wait, [16] = attributes, [17] = no_iowait,
};

static void feature_is_missing(unsigned bit)
{
    struct io_uring_sqe *one;

    if (1u << bit == IORING_FEAT_RECVSEND_BUNDLE) {
        new_pair();
        one = sqe();
        io_uring_prep_send_bundle(one, pair[0], 0, 0);
        io_uring_sqe_set_flags(one, IOSQE_BUFFER_SELECT);
        CHECK_LT(run(), 0);
        one = sqe();
        io_uring_prep_recv(one, pair[0], NULL, 0, 0);
        io_uring_sqe_set_flags(one, IOSQE_BUFFER_SELECT);
        one->ioprio = IORING_RECVSEND_BUNDLE;
        CHECK_EQ(run(), -EINVAL);
    }
    if (1u << bit == IORING_FEAT_RW_ATTR) {
        one = sqe();
        io_uring_prep_read(one, data_file(), buffer, SOME, 0);
        one->attr_type_mask = IORING_RW_ATTR_FLAG_PI;
        CHECK_EQ(run(), -EINVAL);
    }
}

static void each_feature(void)
{
    ring_open(&ring, 8, 0);
    each_bit(ring.features, features, feature_is_missing);
    io_uring_queue_exit(&ring);
}

/* ---- flags of set-up ---- */

/* What each needs beside it. */
static int set_up(unsigned flag, struct io_uring *made)
{
    static const struct {
        unsigned flag, beside;
    } needs[] = {
        { IORING_SETUP_SQ_AFF, IORING_SETUP_SQPOLL },
        { IORING_SETUP_TASKRUN_FLAG, IORING_SETUP_COOP_TASKRUN },
        { IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_SINGLE_ISSUER },
        { IORING_SETUP_REGISTERED_FD_ONLY, IORING_SETUP_NO_MMAP },
        { IORING_SETUP_HYBRID_IOPOLL, IORING_SETUP_IOPOLL },
        { IORING_SETUP_SQ_REWIND, IORING_SETUP_NO_SQARRAY },
    };
    struct io_uring_params params = { .flags = flag, .cq_entries = 32, .wq_fd = (__u32) ring.ring_fd };

    for (unsigned i = 0; i < ARRAY_LEN(needs); i++)
        if (needs[i].flag == flag)
            params.flags |= needs[i].beside;
    return io_uring_queue_init_params(flag == IORING_SETUP_CLAMP ? 1u << 20 : 8, made, &params);
}

static void each_set_up_flag(void)
{
    struct io_uring_query_opcode told = offered();

    for (unsigned bit = 0; bit < 32; bit++) {
        struct io_uring made;
        int res = set_up(1u << bit, &made);

        if (!(told.ring_setup_flags >> bit & 1)) {
            CHECK_EQ(res, -EINVAL);
            continue;
        }
        if (res != 0)
            test_fail(__FILE__, __LINE__, "set-up flag %u is offered: %d", bit, res);
        if (1u << bit == IORING_SETUP_CQSIZE)
            CHECK_EQ(made.cq.ring_entries, 32);
        if (1u << bit == IORING_SETUP_R_DISABLED)
            CHECK_EQ(io_uring_enable_rings(&made), 0);
        io_uring_prep_nop(next_sqe(&made));
        CHECK_EQ(run_res(&made), 0);
        io_uring_queue_exit(&made);
    }
    io_uring_queue_exit(&ring);
}

/* ---- flags of io_uring_enter ---- */

static void each_enter_flag(void)
{
    static const unsigned beside[32] = {
        [3] = IORING_ENTER_GETEVENTS,
        [5] = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
        [7] = IORING_ENTER_GETEVENTS,
    };
    struct io_uring_query_opcode told = offered();

    CHECK_EQ(io_uring_register_ring_fd(&ring), 1);
    for (unsigned bit = 0; bit < 32; bit++) {
        struct io_uring_getevents_arg argument = { 0 };
        unsigned flags = 1u << bit | beside[bit];
        bool extended = flags & IORING_ENTER_EXT_ARG;
        int fd = flags & IORING_ENTER_REGISTERED_RING ? ring.enter_ring_fd : ring.ring_fd;
        int res;

        if (told.enter_flags >> bit & 1 && flags & IORING_ENTER_EXT_ARG_REG)
            continue; /* a region is needed: the C test wait_reg has them */
        io_uring_prep_nop(sqe());
        io_uring_smp_store_release(ring.sq.ktail, ring.sq.sqe_tail);
        res = io_uring_enter2((unsigned) fd, 1, 0, flags, extended ? (void *) &argument : NULL,
                              extended ? sizeof(argument) : 0);
        if (!(told.enter_flags >> bit & 1)) {
            CHECK_EQ(res, -EINVAL);
            CHECK_EQ(io_uring_enter((unsigned) fd, 1, 0, 0, NULL), 1);
        } else if (res != 1) {
            test_fail(__FILE__, __LINE__, "enter flag %u is offered: %d", bit, res);
        }
        CHECK_EQ(reap(&ring).res, 0);
    }
    io_uring_queue_exit(&ring);
}

/* ---- flags of requests ---- */

static void drained(void)
{
    struct io_uring_sqe *one;
    int ends[2];

    CHECK_SYS(pipe(ends));
    io_uring_prep_read(first(sqe()), ends[0], buffer, SOME, 0);
    one = sqe();
    io_uring_prep_nop(one);
    io_uring_sqe_set_flags(one, IOSQE_IO_DRAIN);
    SUBMIT(&ring, 2);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(ends[1], "abc", 3), 3);
    CHECK_EQ(reap(&ring).res, 3);
    CHECK_EQ(reap(&ring).res, 0);
}

static int second_of_chain(unsigned flag)
{
    struct io_uring_sqe *one = sqe();

    io_uring_prep_read(one, -1, buffer, SOME, 0);
    io_uring_sqe_set_flags(one, flag);
    io_uring_prep_nop(sqe());
    SUBMIT(&ring, 2);
    CHECK_EQ(reap(&ring).res, -EBADF);
    return reap(&ring).res;
}

static void chain(void)
{
    CHECK_EQ(second_of_chain(IOSQE_IO_LINK), -ECANCELED);
}

static void hard_chain(void)
{
    CHECK_EQ(second_of_chain(IOSQE_IO_HARDLINK), 0);
}

static void (*const sqe_flags[32])(void) = {
    [IOSQE_FIXED_FILE_BIT] = use_files_update, [IOSQE_IO_DRAIN_BIT] = drained,         [IOSQE_IO_LINK_BIT] = chain,
    [IOSQE_IO_HARDLINK_BIT] = hard_chain,      [IOSQE_ASYNC_BIT] = native_workers,
    [IOSQE_BUFFER_SELECT_BIT] = use_provide_buffers, [IOSQE_CQE_SKIP_SUCCESS_BIT] = skipped_completion,
};

static void sqe_flag_is_refused(unsigned bit)
{
    struct io_uring_sqe *one;

    if (bit >= 8)
        return;
    one = sqe();
    io_uring_prep_nop(one);
    one->flags = (__u8) (1u << bit);
    CHECK_EQ(run(), -EINVAL);
}

static void each_sqe_flag(void)
{
    struct io_uring_query_opcode told = offered();

    each_bit(told.sqe_flags, sqe_flags, sqe_flag_is_refused);
    io_uring_queue_exit(&ring);
}

/* ---- registrations ---- */

static void registrations_beyond(void)
{
    struct io_uring_query_opcode told = offered();

    for (unsigned op = told.nr_register_opcodes; op < 256; op++)
        CHECK_EQ(io_uring_register((unsigned) ring.ring_fd, op, NULL, 0), -EINVAL);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(each_feature),
    CASE(each_set_up_flag),
    CASE(each_enter_flag),
    CASE(each_sqe_flag),
    CASE(registrations_beyond),
};

TEST_MAIN(cases)
