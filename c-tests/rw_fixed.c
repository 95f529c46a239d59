/* Reads and writes through registered buffers, single and vectored. */
#include <sys/mman.h>

#include "file.h"

enum { PART = 4096, PARTS = 3 };

static char *map_buffer(void)
{
    char *buffer = (char *) mmap(NULL, PART * PARTS, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(buffer != MAP_FAILED);
    return buffer;
}

static void open_with_buffers(struct io_uring *ring, char *buffer)
{
    struct iovec vecs[PARTS];

    for (unsigned i = 0; i < PARTS; i++) {
        vecs[i].iov_base = buffer + i * PART;
        vecs[i].iov_len = PART;
    }
    ring_open(ring, 8, 0);
    CHECK_EQ(io_uring_register_buffers(ring, vecs, PARTS), 0);
}

static void round_trip(void)
{
    struct io_uring ring;
    char *buffer = map_buffer();
    int fd = make_file("file", 0, 0);

    open_with_buffers(&ring, buffer);
    fill_pattern(buffer, PART, 7);
    io_uring_prep_write_fixed(next_sqe(&ring), fd, buffer, PART, 100, 0);
    CHECK_EQ(run_res(&ring), PART);
    io_uring_prep_read_fixed(next_sqe(&ring), fd, buffer + 2 * PART, PART, 100, 2);
    CHECK_EQ(run_res(&ring), PART);
    CHECK_PATTERN(buffer + 2 * PART, PART, 7);

    /* a part from the middle of a buffer */
    io_uring_prep_read_fixed(next_sqe(&ring), fd, buffer + PART + 50, 10, 101, 1);
    CHECK_EQ(run_res(&ring), 10);
    CHECK_MEM(buffer + PART + 50, buffer + 1, 10);
    CHECK_EQ(buffer[PART + 49], 0);
    CHECK_EQ(buffer[PART + 60], 0);
    CHECK_EQ(io_uring_unregister_buffers(&ring), 0);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void outside_the_buffer(void)
{
    struct io_uring ring;
    char *buffer = map_buffer();
    int fd = make_file("file", PART, 0);

    open_with_buffers(&ring, buffer);
    io_uring_prep_read_fixed(next_sqe(&ring), fd, buffer, PART + 1, 0, 0);
    CHECK_EQ(run_res(&ring), -EFAULT);
    io_uring_prep_read_fixed(next_sqe(&ring), fd, buffer, PART, 0, 1);
    CHECK_EQ(run_res(&ring), -EFAULT);
    io_uring_prep_write_fixed(next_sqe(&ring), fd, buffer, PART, 0, PARTS);
    CHECK_EQ(run_res(&ring), -EFAULT);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void vectored(void)
{
    struct io_uring ring;
    char *buffer = map_buffer();
    struct iovec out[2] = { { buffer, 100 }, { buffer + 1000, 50 } };
    struct iovec in[2] = { { buffer + 2 * PART, 120 }, { buffer + 2 * PART + 500, 30 } };
    int fd = make_file("file", 0, 0);

    need_op(IORING_OP_WRITEV_FIXED, "vectored fixed");
    open_with_buffers(&ring, buffer);
    fill_pattern(buffer, PART, 3);
    io_uring_prep_writev_fixed(next_sqe(&ring), fd, out, 2, 5, 0, 0);
    CHECK_EQ(run_res(&ring), 150);
    io_uring_prep_readv_fixed(next_sqe(&ring), fd, in, 2, 5, 0, 2);
    CHECK_EQ(run_res(&ring), 150);
    CHECK_MEM(buffer + 2 * PART, buffer, 100);
    CHECK_MEM(buffer + 2 * PART + 100, buffer + 1000, 20);
    CHECK_MEM(buffer + 2 * PART + 500, buffer + 1020, 30);

    /* the wrong buffer for these vectors */
    io_uring_prep_readv_fixed(next_sqe(&ring), fd, in, 2, 5, 0, 1);
    CHECK_EQ(run_res(&ring), -EFAULT);
    /* flags are passed on as for readv2 */
    io_uring_prep_readv_fixed(next_sqe(&ring), fd, in, 2, 5, 1 << 30, 2);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
    close(fd);
}

static const struct test_case cases[] = {
    CASE(round_trip),
    CASE(outside_the_buffer),
    CASE(vectored),
};

TEST_MAIN(cases)
