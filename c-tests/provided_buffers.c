/* Classic provided buffers, provided by requests. */
#include "file.h"

enum { GROUP = 5, BUFFERS = 4, SIZE = 16 };

static struct done read_selected(struct io_uring *ring, int fd)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_read(sqe, fd, NULL, SIZE, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, GROUP);
    return run_done(ring);
}

/* The result of providing all buffers: older kernels return the number that they took. */
static bool provided(int res)
{
    return res == 0 || res == BUFFERS;
}

static void provide_and_use(void)
{
    char bytes[BUFFERS][SIZE];
    bool used[BUFFERS] = { false };
    struct io_uring ring;
    int fd = make_file("file", SIZE, 1);

    ring_open(&ring, 4, 0);
    CHECK_EQ(read_selected(&ring, fd).res, -ENOBUFS);
    io_uring_prep_provide_buffers(next_sqe(&ring), bytes, SIZE, BUFFERS, GROUP, 100);
    CHECK(provided(run_res(&ring)));
    for (unsigned i = 0; i < BUFFERS; i++) {
        struct done done = read_selected(&ring, fd);
        unsigned id = done.flags >> IORING_CQE_BUFFER_SHIFT;

        CHECK_EQ(done.res, SIZE);
        CHECK(done.flags & IORING_CQE_F_BUFFER);
        CHECK_GE(id, 100);
        CHECK_LT(id, 100 + BUFFERS);
        CHECK(!used[id - 100]);
        used[id - 100] = true;
        CHECK_PATTERN(bytes[id - 100], SIZE, 1);
    }
    CHECK_EQ(read_selected(&ring, fd).res, -ENOBUFS);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void remove_some(void)
{
    char bytes[BUFFERS][SIZE];
    struct io_uring ring;
    int fd = make_file("file", SIZE, 1);

    ring_open(&ring, 4, 0);
    io_uring_prep_remove_buffers(next_sqe(&ring), 1, GROUP);
    CHECK_EQ(run_res(&ring), -ENOENT);
    io_uring_prep_provide_buffers(next_sqe(&ring), bytes, SIZE, BUFFERS, GROUP, 0);
    CHECK(provided(run_res(&ring)));
    io_uring_prep_remove_buffers(next_sqe(&ring), 3, GROUP);
    CHECK_EQ(run_res(&ring), 3);
    CHECK_EQ(read_selected(&ring, fd).res, SIZE);
    CHECK_EQ(read_selected(&ring, fd).res, -ENOBUFS);
    io_uring_prep_provide_buffers(next_sqe(&ring), bytes, SIZE, 0, GROUP, 0);
    CHECK_EQ(run_res(&ring), -E2BIG);
    io_uring_queue_exit(&ring);
    close(fd);
}

static const struct test_case cases[] = {
    CASE(provide_and_use),
    CASE(remove_some),
};

TEST_MAIN(cases)
