/* read, write and their vectored forms on a regular file and a pipe. */
#include "file.h"

static void plain(void)
{
    struct io_uring ring;
    char buffer[8192];
    int fd = make_file("plain", 0, 0);

    ring_open(&ring, 4, 0);
    fill_pattern(buffer, sizeof(buffer), 1);
    io_uring_prep_write(next_sqe(&ring), fd, buffer, sizeof(buffer), 4096);
    CHECK_EQ(run_res(&ring), sizeof(buffer));

    memset(buffer, 0, sizeof(buffer));
    io_uring_prep_read(next_sqe(&ring), fd, buffer, sizeof(buffer), 4096);
    CHECK_EQ(run_res(&ring), sizeof(buffer));
    CHECK_PATTERN(buffer, sizeof(buffer), 1);

    /* the hole before it reads as zeros, a read at the end is short, a read past it returns 0 */
    io_uring_prep_read(next_sqe(&ring), fd, buffer, 1, 0);
    CHECK_EQ(run_res(&ring), 1);
    CHECK_EQ(buffer[0], 0);
    io_uring_prep_read(next_sqe(&ring), fd, buffer, sizeof(buffer), 12288 - 10);
    CHECK_EQ(run_res(&ring), 10);
    io_uring_prep_read(next_sqe(&ring), fd, buffer, sizeof(buffer), 12288);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* The general helper, for a request without a specific one. */
static void by_opcode(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    char buffer[16], wanted[16];
    int fd = make_file("opcode", 16, 9);

    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_rw(IORING_OP_READ, sqe, fd, buffer, 10, 6);
    CHECK_EQ(run_res(&ring), 10);
    CHECK_EQ(pread(fd, wanted, 10, 6), 10);
    CHECK_MEM(buffer, wanted, 10);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* Offset -1 means the file's own position, which moves. */
static void current_position(void)
{
    struct io_uring ring;
    char buffer[10];
    int fd = make_file("position", 0, 0);

    ring_open(&ring, 4, 0);
    io_uring_prep_write(next_sqe(&ring), fd, "hello", 5, (__u64) -1);
    CHECK_EQ(run_res(&ring), 5);
    io_uring_prep_write(next_sqe(&ring), fd, "world", 5, (__u64) -1);
    CHECK_EQ(run_res(&ring), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
    io_uring_prep_read(next_sqe(&ring), fd, buffer, sizeof(buffer), (__u64) -1);
    CHECK_EQ(run_res(&ring), 8);
    CHECK_MEM(buffer, "lloworld", 8);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void vectored(void)
{
    struct io_uring ring;
    char left[100], middle[1], right[3000];
    char left_in[100], middle_in[1], right_in[3000];
    struct iovec out[3] = {
        { left, sizeof(left) }, { middle, sizeof(middle) }, { right, sizeof(right) },
    };
    struct iovec in[3] = {
        { left_in, sizeof(left_in) }, { middle_in, sizeof(middle_in) },
        { right_in, sizeof(right_in) },
    };
    int fd = make_file("vectored", 0, 0);

    fill_pattern(left, sizeof(left), 1);
    fill_pattern(middle, sizeof(middle), 2);
    fill_pattern(right, sizeof(right), 3);
    ring_open(&ring, 4, 0);
    io_uring_prep_writev(next_sqe(&ring), fd, out, 3, 7);
    CHECK_EQ(run_res(&ring), 3101);
    io_uring_prep_readv(next_sqe(&ring), fd, in, 3, 7);
    CHECK_EQ(run_res(&ring), 3101);
    CHECK_MEM(left_in, left, sizeof(left));
    CHECK_MEM(middle_in, middle, sizeof(middle));
    CHECK_MEM(right_in, right, sizeof(right));
    io_uring_queue_exit(&ring);
    close(fd);
}

/* The second forms take preadv2's flags, and the kernel obeys them. */
static void vectored_with_flags(void)
{
    struct io_uring ring;
    struct iovec vec = { (void *) "tail", 4 };
    char buffer[8];
    struct iovec in = { buffer, sizeof(buffer) };
    int fd = make_file("flags", 0, 0);

    ring_open(&ring, 4, 0);
    CHECK_EQ(write(fd, "head", 4), 4);
    io_uring_prep_writev2(next_sqe(&ring), fd, &vec, 1, 0, RWF_APPEND);
    CHECK_EQ(run_res(&ring), 4);
    io_uring_prep_writev2(next_sqe(&ring), fd, &vec, 1, 0, 1 << 30);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
    io_uring_prep_readv2(next_sqe(&ring), fd, &in, 1, 0, 0);
    CHECK_EQ(run_res(&ring), 8);
    CHECK_MEM(buffer, "headtail", 8);
    io_uring_prep_readv2(next_sqe(&ring), fd, &in, 1, 0, 1 << 30);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* With RWF_NOWAIT a read of an empty pipe does not wait. */
static void nowait(void)
{
    struct io_uring ring;
    char byte;
    struct iovec in = { &byte, 1 };
    int fds[2];

    need_kernel(6, 4, "a read of a pipe that does not wait");
    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    io_uring_prep_readv2(next_sqe(&ring), fds[0], &in, 1, 0, RWF_NOWAIT);
    CHECK_EQ(run_res(&ring), -EAGAIN);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* A read that has to wait completes when the data comes. */
static void pipe_read_waits(void)
{
    struct io_uring ring;
    char buffer[16];
    struct done done;
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    io_uring_prep_read(next_sqe(&ring), fds[0], buffer, sizeof(buffer), 0);
    SUBMIT(&ring, 1);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(fds[1], "late", 4), 4);
    done = reap(&ring);
    CHECK_EQ(done.res, 4);
    CHECK_MEM(buffer, "late", 4);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void errors(void)
{
    struct io_uring ring;
    char buffer[4];
    int reader = make_file("errors", 4, 0);

    close(reader);
    reader = CHECK_SYS(open("errors", O_RDONLY));
    ring_open(&ring, 4, 0);
    io_uring_prep_read(next_sqe(&ring), -1, buffer, 4, 0);
    CHECK_EQ(run_res(&ring), -EBADF);
    io_uring_prep_write(next_sqe(&ring), reader, buffer, 4, 0);
    CHECK_EQ(run_res(&ring), -EBADF);
    io_uring_prep_read(next_sqe(&ring), reader, (void *) 1, 4, 0);
    CHECK_EQ(run_res(&ring), -EFAULT);
    io_uring_queue_exit(&ring);
    close(reader);
}

/* Many requests at once, out of order, on one file. */
static void many_in_flight(void)
{
    enum { COUNT = 64, SIZE = 1000 };
    static char blocks[COUNT][SIZE];
    struct io_uring ring;
    bool seen[COUNT] = { false };
    int fd = make_file("many", COUNT * SIZE, 5);
    static char whole[COUNT * SIZE];

    ring_open(&ring, COUNT, 0);
    for (unsigned i = 0; i < COUNT; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        io_uring_prep_read(sqe, fd, blocks[i], SIZE, (__u64) i * SIZE);
        io_uring_sqe_set_flags(sqe, i % 3 ? 0 : IOSQE_ASYNC);
        io_uring_sqe_set_data64(sqe, i);
    }
    CHECK_EQ(io_uring_submit_and_wait(&ring, COUNT), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.res, SIZE);
        CHECK_LT(done.data, COUNT);
        CHECK(!seen[done.data]);
        seen[done.data] = true;
    }
    fill_pattern(whole, sizeof(whole), 5);
    CHECK_MEM(blocks, whole, sizeof(whole));
    io_uring_queue_exit(&ring);
    close(fd);
}

static const struct test_case cases[] = {
    CASE(plain),
    CASE(by_opcode),
    CASE(current_position),
    CASE(vectored),
    CASE(vectored_with_flags),
    CASE(nowait),
    CASE(pipe_read_waits),
    CASE(errors),
    CASE(many_in_flight),
};

TEST_MAIN(cases)
