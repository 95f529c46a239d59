/* Rings that poll the device for completions. */
#include "file.h"

enum { SIZE = 4096, COUNT = 8 };

static char *aligned_buffer(void)
{
    void *buffer = NULL;

    CHECK_EQ(posix_memalign(&buffer, SIZE, COUNT * SIZE), 0);
    return (char *) buffer;
}

static int open_direct(void)
{
    int fd;

    close(make_file("file", COUNT * SIZE, 1));
    fd = open("file", O_RDONLY | O_DIRECT);
    if (fd < 0)
        skip("no direct I/O here: %s", strerror(errno));
    return fd;
}

static void read_all(unsigned flags)
{
    struct io_uring ring;
    char *buffer = aligned_buffer();
    int fd = open_direct();
    bool unsupported = false;

    need_setup(IORING_SETUP_IOPOLL | flags, "completion polling");
    ring_open(&ring, COUNT, IORING_SETUP_IOPOLL | flags);
    for (unsigned i = 0; i < COUNT; i++)
        io_uring_prep_read(next_sqe(&ring), fd, buffer + i * SIZE, SIZE, (__u64) i * SIZE);
    SUBMIT(&ring, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        int res = reap(&ring).res;

        unsupported |= res == -EOPNOTSUPP;
        if (!unsupported)
            CHECK_EQ(res, SIZE);
    }
    io_uring_queue_exit(&ring);
    close(fd);
    if (!unsupported)
        CHECK_PATTERN(buffer, COUNT * SIZE, 1);
    free(buffer);
    if (unsupported)
        skip("the device under the test directory has no polled queues");
}

static void polled_reads(void)
{
    read_all(0);
}

static void hybrid_polled_reads(void)
{
    read_all(IORING_SETUP_HYBRID_IOPOLL);
}

static void polled_reads_by_thread(void)
{
    read_all(IORING_SETUP_SQPOLL);
}

/* The kernel refuses what it cannot poll for: buffered files, and other requests. */
static void refused(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    char byte;
    int fd = make_file("file", 10, 1);

    need_setup(IORING_SETUP_IOPOLL, "completion polling");
    ring_open(&ring, 4, IORING_SETUP_IOPOLL);
    /* nothing is in flight, but a peek still enters the kernel */
    CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), -EAGAIN);
    io_uring_prep_read(next_sqe(&ring), fd, &byte, 1, 0);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
    io_uring_prep_fsync(next_sqe(&ring), fd, 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    CHECK_EQ(io_uring_queue_init(4, &ring, IORING_SETUP_HYBRID_IOPOLL), -EINVAL);
    close(fd);
}

static const struct test_case cases[] = {
    CASE(polled_reads),
    CASE(hybrid_polled_reads),
    CASE(polled_reads_by_thread),
    CASE(refused),
};

TEST_MAIN(cases)
