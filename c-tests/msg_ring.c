/* Messages from ring to ring: data, flags, descriptors, and without a ring. */
#include "file.h"

static void open_two(struct io_uring *from, struct io_uring *to)
{
    need_op(IORING_OP_MSG_RING, "ring message");
    ring_open(from, 8, 0);
    ring_open(to, 8, 0);
}

static void close_two(struct io_uring *from, struct io_uring *to)
{
    io_uring_queue_exit(from);
    io_uring_queue_exit(to);
}

static void data(void)
{
    struct io_uring from, to;
    struct io_uring_sqe *sqe;
    struct done done;
    int plain = make_file("file", 0, 0);

    open_two(&from, &to);
    sqe = next_sqe(&from);
    io_uring_prep_msg_ring(sqe, to.ring_fd, 0x1234, 0xfeedfacecafebeefull, 0);
    io_uring_sqe_set_data64(sqe, 1);
    done = run_done(&from);
    CHECK_EQ(done.data, 1);
    CHECK_EQ(done.res, 0);
    done = reap(&to);
    CHECK_EQ(done.data, 0xfeedfacecafebeefull);
    CHECK_EQ(done.res, 0x1234);
    CHECK_EQ(done.flags, 0);

    io_uring_prep_msg_ring(next_sqe(&from), plain, 0, 0, 0);
    CHECK_EQ(run_res(&from), -EBADFD);
    close_two(&from, &to);
    close(plain);
}

static void data_with_flags(void)
{
    struct io_uring from, to;
    struct done done;

    need_kernel(6, 3, "ring messages with flags");
    open_two(&from, &to);
    io_uring_prep_msg_ring_cqe_flags(next_sqe(&from), to.ring_fd, 5, 6, 0, 0x00ab0003);
    CHECK_EQ(run_res(&from), 0);
    done = reap(&to);
    CHECK_EQ(done.data, 6);
    CHECK_EQ(done.res, 5);
    CHECK_EQ(done.flags, 0x00ab0003);
    close_two(&from, &to);
}

static int read_slot(struct io_uring *ring, int slot, char *buffer, unsigned size)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_read(sqe, slot, buffer, size, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    return run_res(ring);
}

static void descriptors(void)
{
    struct io_uring from, to;
    char buffer[16];
    struct done done;
    int fd = make_file("file", 10, 3);

    need_kernel(6, 3, "descriptors from ring to ring");
    open_two(&from, &to);
    CHECK_EQ(io_uring_register_files(&from, &fd, 1), 0);
    CHECK_EQ(io_uring_register_files_sparse(&to, 2), 0);
    io_uring_prep_msg_ring_fd(next_sqe(&from), to.ring_fd, 0, 1, 77, 0);
    CHECK_EQ(run_res(&from), 0);
    done = reap(&to);
    CHECK_EQ(done.data, 77);
    CHECK_EQ(done.res, 0);
    CHECK_EQ(read_slot(&to, 1, buffer, sizeof(buffer)), 10);
    CHECK_PATTERN(buffer, 10, 3);

    /* without a completion, into any free slot */
    io_uring_prep_msg_ring_fd_alloc(next_sqe(&from), to.ring_fd, 0, 78,
                                    IORING_MSG_RING_CQE_SKIP);
    CHECK_EQ(run_res(&from), 0);
    CHECK_NO_CQE(&to);
    CHECK_EQ(read_slot(&to, 0, buffer, sizeof(buffer)), 10);
    io_uring_prep_msg_ring_fd_alloc(next_sqe(&from), to.ring_fd, 0, 79, 0);
    CHECK_EQ(run_res(&from), -ENFILE);
    io_uring_prep_msg_ring_fd(next_sqe(&from), to.ring_fd, 5, 0, 79, 0);
    CHECK_EQ(run_res(&from), -EBADF);
    close_two(&from, &to);
    close(fd);
}

static void without_a_ring(void)
{
    struct io_uring to;
    struct io_uring_sqe sqe;
    struct done done;

    need_kernel(6, 13, "ring messages without a ring");
    ring_open(&to, 8, 0);
    memset(&sqe, 0, sizeof(sqe));
    io_uring_prep_msg_ring(&sqe, to.ring_fd, 11, 12, 0);
    CHECK_EQ(io_uring_register_sync_msg(&sqe), 0);
    done = reap(&to);
    CHECK_EQ(done.res, 11);
    CHECK_EQ(done.data, 12);
    io_uring_prep_nop(&sqe);
    CHECK_EQ(io_uring_register_sync_msg(&sqe), -EINVAL);
    io_uring_queue_exit(&to);
}

static const struct test_case cases[] = {
    CASE(data),
    CASE(data_with_flags),
    CASE(descriptors),
    CASE(without_a_ring),
};

TEST_MAIN(cases)
