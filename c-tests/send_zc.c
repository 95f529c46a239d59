/* Zero-copy sends: the result, then the notification that the buffer is free. */
#include "file.h"

enum { SIZE = 16384 };

static void receive_pattern(int fd, size_t size, unsigned seed)
{
    static char in[SIZE];
    size_t got = 0;

    while (got < size) {
        ssize_t len = read(fd, in + got, size - got);

        CHECK_GT(len, 0);
        got += len;
    }
    CHECK_PATTERN(in, size, seed);
}

/* The peer must read the data before the kernel releases the buffer. */
static void check_send(struct io_uring *ring, int reader, size_t size, unsigned seed)
{
    struct done done;

    SUBMIT(ring, 1);
    done = reap(ring);
    CHECK_EQ(done.res, size);
    CHECK(done.flags & IORING_CQE_F_MORE);
    CHECK(!(done.flags & IORING_CQE_F_NOTIF));
    receive_pattern(reader, size, seed);
    done = reap(ring);
    CHECK(done.flags & IORING_CQE_F_NOTIF);
    CHECK(!(done.flags & IORING_CQE_F_MORE));
    CHECK_EQ(done.res, 0);
}

static void plain(void)
{
    static char out[SIZE];
    struct io_uring ring;
    int fds[2];

    need_op(IORING_OP_SEND_ZC, "zero-copy send");
    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    fill_pattern(out, SIZE, 1);
    io_uring_prep_send_zc(next_sqe(&ring), fds[0], out, SIZE, 0, 0);
    check_send(&ring, fds[1], SIZE, 1);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void fixed_buffer(void)
{
    static char out[SIZE];
    struct iovec vec = { out, SIZE };
    struct io_uring ring;
    struct done done;
    int fds[2];

    need_op(IORING_OP_SEND_ZC, "zero-copy send");
    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_buffers(&ring, &vec, 1), 0);
    fill_pattern(out, SIZE, 2);
    io_uring_prep_send_zc_fixed(next_sqe(&ring), fds[0], out, SIZE, 0, 0, 0);
    check_send(&ring, fds[1], SIZE, 2);

    io_uring_prep_send_zc_fixed(next_sqe(&ring), fds[0], out, SIZE, 0, 0, 5);
    done = run_done(&ring);
    CHECK_EQ(done.res, -EFAULT);
    if (done.flags & IORING_CQE_F_MORE)
        CHECK(reap(&ring).flags & IORING_CQE_F_NOTIF);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void message(void)
{
    static char out[SIZE];
    struct iovec vecs[2] = { { out, 1000 }, { out + 1000, SIZE - 1000 } };
    struct msghdr msg;
    struct io_uring ring;
    int fds[2];

    need_op(IORING_OP_SENDMSG_ZC, "zero-copy sendmsg");
    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    fill_pattern(out, SIZE, 3);
    memset(&msg, 0, sizeof(msg));
    msg.msg_iov = vecs;
    msg.msg_iovlen = 2;
    io_uring_prep_sendmsg_zc(next_sqe(&ring), fds[0], &msg, 0);
    check_send(&ring, fds[1], SIZE, 3);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void message_fixed(void)
{
    static char out[SIZE];
    struct iovec whole = { out, SIZE };
    struct iovec vecs[2] = { { out, 500 }, { out + 500, 1500 } };
    struct msghdr msg;
    struct io_uring ring;
    int fds[2];

    need_kernel(6, 15, "zero-copy sendmsg from registered buffers");
    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_buffers(&ring, &whole, 1), 0);
    fill_pattern(out, SIZE, 4);
    memset(&msg, 0, sizeof(msg));
    msg.msg_iov = vecs;
    msg.msg_iovlen = 2;
    io_uring_prep_sendmsg_zc_fixed(next_sqe(&ring), fds[0], &msg, 0, 0);
    check_send(&ring, fds[1], 2000, 4);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* On the loopback device the data is copied after all, and the notification reports it. */
static void usage_report(void)
{
    static char out[SIZE];
    struct io_uring ring;
    struct done done;
    int fds[2];

    need_kernel(6, 2, "the zero-copy usage report");
    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    fill_pattern(out, SIZE, 5);
    io_uring_prep_send_zc(next_sqe(&ring), fds[0], out, SIZE, 0,
                          IORING_SEND_ZC_REPORT_USAGE);
    SUBMIT(&ring, 1);
    CHECK_EQ(reap(&ring).res, SIZE);
    receive_pattern(fds[1], SIZE, 5);
    done = reap(&ring);
    CHECK(done.flags & IORING_CQE_F_NOTIF);
    CHECK_EQ((unsigned) done.res & ~IORING_NOTIF_USAGE_ZC_COPIED, 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void to_address(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct sockaddr_in to;
    socklen_t len = sizeof(to);
    char in[8];
    int sender = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));
    int receiver = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));

    need_op(IORING_OP_SEND_ZC, "zero-copy send");
    memset(&to, 0, sizeof(to));
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_SYS(bind(receiver, (struct sockaddr *) &to, sizeof(to)));
    CHECK_SYS(getsockname(receiver, (struct sockaddr *) &to, &len));
    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_send_zc(sqe, sender, "letter", 6, 0, 0);
    io_uring_prep_send_set_addr(sqe, (struct sockaddr *) &to, sizeof(to));
    SUBMIT(&ring, 1);
    CHECK_EQ(reap(&ring).res, 6);
    CHECK_EQ(read(receiver, in, sizeof(in)), 6);
    CHECK(reap(&ring).flags & IORING_CQE_F_NOTIF);
    io_uring_queue_exit(&ring);
    close(sender);
    close(receiver);
}

static const struct test_case cases[] = {
    CASE(plain),
    CASE(fixed_buffer),
    CASE(message),
    CASE(message_fixed),
    CASE(usage_report),
    CASE(to_address),
};

TEST_MAIN(cases)
