/* Pipes: creation, splice and tee. */
#include "file.h"

static void make_pipe(void)
{
    struct io_uring ring;
    char buffer[4];
    int fds[2] = { -1, -1 };

    need_op(IORING_OP_PIPE, "pipe");
    ring_open(&ring, 4, 0);
    io_uring_prep_pipe(next_sqe(&ring), fds, O_CLOEXEC | O_NONBLOCK);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_GE(fds[0], 0);
    CHECK_GE(fds[1], 0);
    CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
    CHECK_EQ(write(fds[1], "ab", 2), 2);
    CHECK_EQ(read(fds[0], buffer, sizeof(buffer)), 2);
    io_uring_prep_pipe(next_sqe(&ring), fds, O_TRUNC);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void make_pipe_direct(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    char buffer[4];
    int slots[2] = { -1, -1 };

    need_op(IORING_OP_PIPE, "pipe");
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 5), 0);
    io_uring_prep_pipe_direct(next_sqe(&ring), slots, 0, 2);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(slots[0], 2);
    CHECK_EQ(slots[1], 3);
    io_uring_prep_pipe_direct(next_sqe(&ring), slots, 0, IORING_FILE_INDEX_ALLOC);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_NE(slots[0], slots[1]);

    sqe = next_sqe(&ring);
    io_uring_prep_write(sqe, 3, "abc", 3, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    CHECK_EQ(run_res(&ring), 3);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, 2, buffer, sizeof(buffer), 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    CHECK_EQ(run_res(&ring), 3);
    CHECK_MEM(buffer, "abc", 3);
    io_uring_queue_exit(&ring);
}

static void splice_through_pipe(void)
{
    struct io_uring ring;
    char buffer[3000];
    int source = make_file("source", 5000, 4);
    int target = make_file("target", 0, 0);
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    io_uring_prep_splice(next_sqe(&ring), source, 0, fds[1], -1, 3000, 0);
    CHECK_EQ(run_res(&ring), 3000);
    io_uring_prep_splice(next_sqe(&ring), fds[0], -1, target, 16, 3000, SPLICE_F_MOVE);
    CHECK_EQ(run_res(&ring), 3000);
    CHECK_EQ(pread(target, buffer, sizeof(buffer), 16), 3000);
    CHECK_PATTERN(buffer, sizeof(buffer), 4);

    /* -1 reads at the file's position and moves it */
    CHECK_EQ(lseek(source, 1000, SEEK_SET), 1000);
    io_uring_prep_splice(next_sqe(&ring), source, -1, fds[1], -1, 100, 0);
    CHECK_EQ(run_res(&ring), 100);
    CHECK_EQ(lseek(source, 0, SEEK_CUR), 1100);
    io_uring_prep_splice(next_sqe(&ring), source, 0, target, 0, 10, 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(source);
    close(target);
    close(fds[0]);
    close(fds[1]);
}

/* The input may be a direct descriptor, named by a flag of its own. */
static void splice_from_direct(void)
{
    struct io_uring ring;
    int source = make_file("source", 64, 9);
    char buffer[64];
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files(&ring, &source, 1), 0);
    io_uring_prep_splice(next_sqe(&ring), 0, 0, fds[1], -1, 64, SPLICE_F_FD_IN_FIXED);
    CHECK_EQ(run_res(&ring), 64);
    CHECK_EQ(read(fds[0], buffer, sizeof(buffer)), 64);
    CHECK_PATTERN(buffer, sizeof(buffer), 9);
    io_uring_queue_exit(&ring);
    close(source);
    close(fds[0]);
    close(fds[1]);
}

static void tee_copies(void)
{
    struct io_uring ring;
    char buffer[8];
    int in[2], out[2];

    need_op(IORING_OP_TEE, "tee");
    CHECK_SYS(pipe(in));
    CHECK_SYS(pipe(out));
    CHECK_EQ(write(in[1], "double", 6), 6);
    ring_open(&ring, 4, 0);
    io_uring_prep_tee(next_sqe(&ring), in[0], out[1], 6, 0);
    CHECK_EQ(run_res(&ring), 6);
    CHECK_EQ(read(in[0], buffer, sizeof(buffer)), 6);
    CHECK_MEM(buffer, "double", 6);
    CHECK_EQ(read(out[0], buffer, sizeof(buffer)), 6);
    CHECK_MEM(buffer, "double", 6);
    io_uring_queue_exit(&ring);
    close(in[0]);
    close(in[1]);
    close(out[0]);
    close(out[1]);
}

static const struct test_case cases[] = {
    CASE(make_pipe),
    CASE(make_pipe_direct),
    CASE(splice_through_pipe),
    CASE(splice_from_direct),
    CASE(tee_copies),
};

TEST_MAIN(cases)
