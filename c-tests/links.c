/* Chains, hard chains, drain, and skipped completions. */
#include "file.h"

static struct io_uring_sqe *add_nop(struct io_uring *ring, __u64 data, unsigned flags)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_nop(sqe);
    io_uring_sqe_set_flags(sqe, flags);
    io_uring_sqe_set_data64(sqe, data);
    return sqe;
}

/* A request that fails when it runs, not when it is submitted. */
static void add_failing_read(struct io_uring *ring, int fd, __u64 data, unsigned flags)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_read(sqe, fd, (void *) 1, 4, 0);
    io_uring_sqe_set_flags(sqe, flags);
    io_uring_sqe_set_data64(sqe, data);
}

/* Each step needs the one before it, so the file's bytes show the order. */
static void chain_keeps_order(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[3];
    char buffer[4] = "";
    int fd = make_file("file", 0, 0);

    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_write(sqe, fd, "old!", 4, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK | IOSQE_ASYNC);
    io_uring_sqe_set_data64(sqe, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_write(sqe, fd, "new", 3, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 2);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, fd, buffer, 4, 0);
    io_uring_sqe_set_data64(sqe, 3);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 3), 3);
    reap_all(&ring, dones, 3);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(dones[i].data, i + 1);
    CHECK_EQ(dones[0].res, 4);
    CHECK_EQ(dones[1].res, 3);
    CHECK_EQ(dones[2].res, 4);
    CHECK_MEM(buffer, "new!", 4);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void failure_ends_chain(void)
{
    struct io_uring ring;
    struct done dones[4];
    int fd = make_file("file", 100, 0);

    ring_open(&ring, 8, 0);
    add_nop(&ring, 1, IOSQE_IO_LINK);
    add_failing_read(&ring, fd, 2, IOSQE_IO_LINK);
    add_nop(&ring, 3, 0);
    add_nop(&ring, 4, 0); /* not in the chain */
    CHECK_EQ(io_uring_submit_and_wait(&ring, 4), 4);
    reap_all(&ring, dones, 4);
    CHECK_EQ(find_done(dones, 4, 1).res, 0);
    CHECK_EQ(find_done(dones, 4, 2).res, -EFAULT);
    CHECK_EQ(find_done(dones, 4, 3).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 4, 4).res, 0);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void short_read_ends_chain(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    char buffer[64];
    int fd = make_file("file", 10, 0);

    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, fd, buffer, sizeof(buffer), 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 1);
    add_nop(&ring, 2, 0);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 2), 2);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, 10);
    CHECK_EQ(find_done(dones, 2, 2).res, -ECANCELED);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void hard_chain_survives(void)
{
    struct io_uring ring;
    struct done dones[3];
    int fd = make_file("file", 100, 0);

    ring_open(&ring, 8, 0);
    add_failing_read(&ring, fd, 1, IOSQE_IO_HARDLINK);
    add_nop(&ring, 2, IOSQE_IO_HARDLINK);
    add_nop(&ring, 3, 0);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 3), 3);
    reap_all(&ring, dones, 3);
    CHECK_EQ(find_done(dones, 3, 1).res, -EFAULT);
    CHECK_EQ(find_done(dones, 3, 2).res, 0);
    CHECK_EQ(find_done(dones, 3, 3).res, 0);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* Nothing at or after a drained request starts before all earlier ones end. */
static void drain_waits(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[3];
    char byte;
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, fds[0], &byte, 1, 0);
    io_uring_sqe_set_data64(sqe, 1);
    add_nop(&ring, 2, IOSQE_IO_DRAIN);
    add_nop(&ring, 3, 0);
    SUBMIT(&ring, 3);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    reap_all(&ring, dones, 3);
    CHECK_EQ(dones[0].data, 1);
    CHECK_EQ(dones[1].data + dones[2].data, 2 + 3);
    /* older kernels start both at once when the wait ends */
    if (kernel_at_least(6, 4))
        CHECK_EQ(dones[1].data, 2);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* A request with IOSQE_CQE_SKIP_SUCCESS posts no completion when it succeeds. */
static void silent_success(void)
{
    struct io_uring ring;
    struct done done;
    int fd = make_file("file", 100, 0);

    ring_open(&ring, 8, 0);
    if (!(ring.features & IORING_FEAT_CQE_SKIP)) {
        io_uring_queue_exit(&ring);
        skip("the kernel posts every completion");
    }
    add_nop(&ring, 1, IOSQE_CQE_SKIP_SUCCESS);
    add_nop(&ring, 2, 0);
    SUBMIT(&ring, 2);
    CHECK_EQ(reap(&ring).data, 2);
    CHECK_NO_CQE(&ring);
    add_failing_read(&ring, fd, 3, IOSQE_CQE_SKIP_SUCCESS);
    SUBMIT(&ring, 1);
    done = reap(&ring);
    CHECK_EQ(done.data, 3);
    CHECK_EQ(done.res, -EFAULT);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* Open, write and close as one chain over a direct descriptor. */
static void chain_through_direct_slot(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[3];
    char buffer[8];
    int fd;

    need_kernel(5, 19, "sparse file tables and late file look-up");
    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 1), 0);
    sqe = next_sqe(&ring);
    io_uring_prep_open_direct(sqe, "file", O_WRONLY | O_CREAT, 0644, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    sqe = next_sqe(&ring);
    io_uring_prep_write(sqe, 0, "chained", 7, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK | IOSQE_FIXED_FILE);
    io_uring_prep_close_direct(next_sqe(&ring), 0);
    CHECK_EQ(io_uring_submit_and_wait(&ring, 3), 3);
    reap_all(&ring, dones, 3);
    CHECK_EQ(dones[0].res, 0);
    CHECK_EQ(dones[1].res, 7);
    CHECK_EQ(dones[2].res, 0);
    fd = CHECK_SYS(open("file", O_RDONLY));
    CHECK_EQ(read(fd, buffer, sizeof(buffer)), 7);
    close(fd);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(chain_keeps_order),
    CASE(failure_ends_chain),
    CASE(short_read_ends_chain),
    CASE(hard_chain_survives),
    CASE(drain_waits),
    CASE(silent_success),
    CASE(chain_through_direct_slot),
};

TEST_MAIN(cases)
