/* Multishot receives into a provided buffer ring, and bundles. */
#include "file.h"

enum { GROUP = 7, BUFFERS = 8, SIZE = 64 };

struct pool {
    struct io_uring_buf_ring *ring;
    char bytes[BUFFERS][SIZE];
};

static void open_pool(struct io_uring *ring, struct pool *pool, unsigned flags)
{
    int error = 1;

    need_kernel(5, 19, "provided buffer rings");
    ring_open(ring, 16, 0);
    memset(pool->bytes, 0, sizeof(pool->bytes));
    pool->ring = io_uring_setup_buf_ring(ring, BUFFERS, GROUP, flags, &error);
    CHECK_EQ(error, 0);
    CHECK(pool->ring != NULL);
    for (unsigned i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(pool->ring, pool->bytes[i], SIZE, i,
                              io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(pool->ring, BUFFERS);
}

static void close_pool(struct io_uring *ring, struct pool *pool)
{
    CHECK_EQ(io_uring_free_buf_ring(ring, pool->ring, BUFFERS, GROUP), 0);
    io_uring_queue_exit(ring);
}

static unsigned buffer_of(struct done done)
{
    CHECK(done.flags & IORING_CQE_F_BUFFER);
    return done.flags >> IORING_CQE_BUFFER_SHIFT;
}

static void start_receive(struct io_uring *ring, int fd, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, GROUP);
    io_uring_sqe_set_data64(sqe, data);
    SUBMIT(ring, 1);
}

/* One request receives messages until the other end is closed. */
static void receives_until_end(void)
{
    struct io_uring ring;
    struct pool pool;
    struct done done;
    int fds[2];

    need_kernel(6, 0, "multishot receive");
    make_socketpair(fds, SOCK_SEQPACKET);
    open_pool(&ring, &pool, 0);
    start_receive(&ring, fds[1], 5);
    for (unsigned i = 0; i < 20; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "message %u", i);
        unsigned id;

        CHECK_EQ(write(fds[0], text, len), len);
        done = reap(&ring);
        CHECK_EQ(done.data, 5);
        CHECK_EQ(done.res, len);
        CHECK(done.flags & IORING_CQE_F_MORE);
        id = buffer_of(done);
        CHECK_LT(id, BUFFERS);
        CHECK_MEM(pool.bytes[id], text, len);
        io_uring_buf_ring_add(pool.ring, pool.bytes[id], SIZE, id,
                              io_uring_buf_ring_mask(BUFFERS), 0);
        io_uring_buf_ring_advance(pool.ring, 1);
    }
    close(fds[0]);
    done = reap(&ring);
    CHECK_EQ(done.res, 0);
    CHECK(!(done.flags & IORING_CQE_F_MORE));
    close_pool(&ring, &pool);
    close(fds[1]);
}

/* The request ends when no buffer is left, and can be submitted again. */
static void runs_out_of_buffers(void)
{
    struct io_uring ring;
    struct pool pool;
    struct done done;
    int fds[2];

    need_kernel(6, 0, "multishot receive");
    make_socketpair(fds, SOCK_SEQPACKET);
    open_pool(&ring, &pool, 0);
    start_receive(&ring, fds[1], 5);
    for (unsigned i = 0; i < BUFFERS; i++) {
        CHECK_EQ(write(fds[0], "x", 1), 1);
        done = reap(&ring);
        CHECK_EQ(buffer_of(done), i);
    }
    if (kernel_at_least(6, 8))
        CHECK_EQ(io_uring_buf_ring_available(&ring, pool.ring, GROUP), 0);
    CHECK_EQ(write(fds[0], "y", 1), 1);
    done = reap(&ring);
    CHECK_EQ(done.res, -ENOBUFS);
    CHECK(!(done.flags & (IORING_CQE_F_MORE | IORING_CQE_F_BUFFER)));

    io_uring_buf_ring_add(pool.ring, pool.bytes[3], SIZE, 3,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(pool.ring, 1);
    start_receive(&ring, fds[1], 6);
    done = reap(&ring);
    CHECK_EQ(done.data, 6);
    CHECK_EQ(buffer_of(done), 3);
    CHECK_EQ(pool.bytes[3][0], 'y');
    close(fds[0]);
    reap(&ring); /* no buffer, or the end of the data: either ends the request */
    close_pool(&ring, &pool);
    close(fds[1]);
}

/* Incremental: one buffer serves receives until it is full. */
static void incremental(void)
{
    struct io_uring ring;
    struct pool pool;
    struct done done;
    int fds[2];

    need_kernel(6, 12, "incremental buffers");
    make_socketpair(fds, SOCK_SEQPACKET);
    open_pool(&ring, &pool, IOU_PBUF_RING_INC);
    start_receive(&ring, fds[1], 5);
    CHECK_EQ(write(fds[0], "first", 5), 5);
    done = reap(&ring);
    CHECK_EQ(done.res, 5);
    CHECK_EQ(buffer_of(done), 0);
    CHECK(done.flags & IORING_CQE_F_BUF_MORE);
    CHECK_EQ(write(fds[0], "second", 6), 6);
    done = reap(&ring);
    CHECK_EQ(buffer_of(done), 0);
    CHECK(done.flags & IORING_CQE_F_BUF_MORE);
    CHECK_MEM(pool.bytes[0], "firstsecond", 11);

    /* the receive that fills the buffer hands it back */
    fill_pattern(pool.bytes[7], SIZE - 11, 1);
    CHECK_EQ(write(fds[0], pool.bytes[7], SIZE - 11), SIZE - 11);
    done = reap(&ring);
    CHECK_EQ(buffer_of(done), 0);
    CHECK(!(done.flags & IORING_CQE_F_BUF_MORE));
    CHECK_EQ(write(fds[0], "next", 4), 4);
    done = reap(&ring);
    CHECK_EQ(buffer_of(done), 1);
    CHECK_MEM(pool.bytes[1], "next", 4);
    close(fds[0]);
    reap(&ring);
    close_pool(&ring, &pool);
    close(fds[1]);
}

/* A bundle receives into several buffers with one completion. */
static void receive_bundle(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct pool pool;
    struct done done;
    char out[3 * SIZE + 10];
    int fds[2];

    make_tcp_pair(fds);
    open_pool(&ring, &pool, 0);
    if (!(ring.features & IORING_FEAT_RECVSEND_BUNDLE)) {
        close_pool(&ring, &pool);
        skip("the kernel has no bundles");
    }
    fill_pattern(out, sizeof(out), 4);
    CHECK_EQ(write(fds[0], out, sizeof(out)), sizeof(out));
    sqe = next_sqe(&ring);
    io_uring_prep_recv(sqe, fds[1], NULL, 0, 0);
    sqe->ioprio |= IORING_RECVSEND_BUNDLE;
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, GROUP);
    done = run_done(&ring);
    /* the kernel chooses the number of buffers, but takes more than one */
    CHECK_GT(done.res, SIZE);
    CHECK_LE(done.res, sizeof(out));
    CHECK_EQ(buffer_of(done), 0);
    CHECK_MEM(pool.bytes, out, done.res);
    CHECK_EQ(io_uring_buf_ring_available(&ring, pool.ring, GROUP),
             BUFFERS - (done.res + SIZE - 1) / SIZE);
    close_pool(&ring, &pool);
    close(fds[0]);
    close(fds[1]);
}

static void send_bundle(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct pool pool;
    struct done done;
    static char in[BUFFERS * SIZE + 1];
    size_t got = 0;
    int fds[2];

    make_tcp_pair(fds);
    open_pool(&ring, &pool, 0);
    if (!(ring.features & IORING_FEAT_RECVSEND_BUNDLE)) {
        close_pool(&ring, &pool);
        skip("the kernel has no bundles");
    }
    fill_pattern(pool.bytes, sizeof(pool.bytes), 6);
    sqe = next_sqe(&ring);
    io_uring_prep_send_bundle(sqe, fds[0], 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, GROUP);
    done = run_done(&ring);
    CHECK_EQ(done.res, BUFFERS * SIZE);
    CHECK_EQ(buffer_of(done), 0);
    while (got < BUFFERS * SIZE) {
        ssize_t len = read(fds[1], in + got, sizeof(in) - got);

        CHECK_GT(len, 0);
        got += len;
    }
    CHECK_MEM(in, pool.bytes, sizeof(pool.bytes));
    close_pool(&ring, &pool);
    close(fds[0]);
    close(fds[1]);
}

/* The multishot read also works on pipes. */
static void multishot_read(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct pool pool;
    struct done done;
    int fds[2];

    need_op(IORING_OP_READ_MULTISHOT, "multishot read");
    CHECK_SYS(pipe(fds));
    open_pool(&ring, &pool, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_read_multishot(sqe, fds[0], 0, 0, GROUP);
    io_uring_sqe_set_data64(sqe, 8);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(write(fds[1], "pipe", 4), 4);
        done = reap(&ring);
        CHECK_EQ(done.data, 8);
        CHECK_EQ(done.res, 4);
        CHECK(done.flags & IORING_CQE_F_MORE);
        CHECK_EQ(buffer_of(done), i);
        CHECK_MEM(pool.bytes[i], "pipe", 4);
    }
    close(fds[1]);
    done = reap(&ring);
    CHECK_EQ(done.res, 0);
    CHECK(!(done.flags & IORING_CQE_F_MORE));
    close_pool(&ring, &pool);
    close(fds[0]);
}

static const struct test_case cases[] = {
    CASE(receives_until_end),
    CASE(runs_out_of_buffers),
    CASE(incremental),
    CASE(receive_bundle),
    CASE(send_bundle),
    CASE(multishot_read),
};

TEST_MAIN(cases)
