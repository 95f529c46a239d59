/* Sending and receiving on sockets, one request for one transfer. */
#include "file.h"

static void send_and_receive(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    char out[1000], in[2000];
    int fds[2];

    make_tcp_pair(fds);
    fill_pattern(out, sizeof(out), 1);
    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_recv(sqe, fds[1], in, sizeof(in), 0);
    io_uring_sqe_set_data64(sqe, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_send(sqe, fds[0], out, sizeof(out), 0);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, sizeof(out));
    CHECK_EQ(find_done(dones, 2, 2).res, sizeof(out));
    CHECK_MEM(in, out, sizeof(out));

    io_uring_prep_recv(next_sqe(&ring), fds[1], in, 1, MSG_DONTWAIT);
    CHECK_EQ(run_res(&ring), -EAGAIN);
    io_uring_prep_send(next_sqe(&ring), -1, out, 1, 0);
    CHECK_EQ(run_res(&ring), -EBADF);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* A receive with MSG_WAITALL waits for the whole length. */
static void receive_all(void)
{
    struct io_uring ring;
    char in[10];
    int fds[2];

    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    io_uring_prep_recv(next_sqe(&ring), fds[1], in, sizeof(in), MSG_WAITALL);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(fds[0], "01234", 5), 5);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(fds[0], "56789", 5), 5);
    CHECK_EQ(reap(&ring).res, 10);
    CHECK_MEM(in, "0123456789", 10);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* Poll first: the request does not try before the socket is ready. */
static void poll_first(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    char in[4];
    int fds[2];

    need_kernel(5, 19, "poll first");
    make_socketpair(fds, SOCK_STREAM);
    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_recv(sqe, fds[0], in, sizeof(in), 0);
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    SUBMIT(&ring, 1);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(fds[1], "ab", 2), 2);
    CHECK_EQ(reap(&ring).res, 2);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void messages(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[2];
    char head[4], tail[16];
    struct iovec out[2] = { { (void *) "head", 4 }, { (void *) "and tail", 8 } };
    struct iovec in[2] = { { head, sizeof(head) }, { tail, sizeof(tail) } };
    struct msghdr out_message, in_message;
    int fds[2];

    memset(&out_message, 0, sizeof(out_message));
    memset(&in_message, 0, sizeof(in_message));
    out_message.msg_iov = out;
    out_message.msg_iovlen = 2;
    in_message.msg_iov = in;
    in_message.msg_iovlen = 2;
    make_socketpair(fds, SOCK_DGRAM);
    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_recvmsg(sqe, fds[1], &in_message, 0);
    io_uring_sqe_set_data64(sqe, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_sendmsg(sqe, fds[0], &out_message, 0);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 1).res, 12);
    CHECK_EQ(find_done(dones, 2, 2).res, 12);
    CHECK_MEM(head, "head", 4);
    CHECK_MEM(tail, "and tail", 8);

    /* the request takes flags, and returns flags in the message */
    CHECK_EQ(write(fds[0], "too long for it", 15), 15);
    in_message.msg_iovlen = 1;
    io_uring_prep_recvmsg(next_sqe(&ring), fds[1], &in_message, MSG_TRUNC);
    CHECK_EQ(run_res(&ring), 15);
    CHECK(in_message.msg_flags & MSG_TRUNC);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static int make_udp(struct sockaddr_in *address)
{
    int fd = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));
    socklen_t len = sizeof(*address);

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_SYS(bind(fd, (struct sockaddr *) address, sizeof(*address)));
    CHECK_SYS(getsockname(fd, (struct sockaddr *) address, &len));
    return fd;
}

static void send_to_address(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct sockaddr_in from, to;
    char in[8];
    int sender = make_udp(&from);
    int receiver = make_udp(&to);

    need_kernel(6, 0, "send with an address");
    ring_open(&ring, 4, 0);
    io_uring_prep_sendto(next_sqe(&ring), sender, "hello", 5, 0, (struct sockaddr *) &to,
                         sizeof(to));
    CHECK_EQ(run_res(&ring), 5);
    CHECK_EQ(read(receiver, in, sizeof(in)), 5);
    CHECK_MEM(in, "hello", 5);

    sqe = next_sqe(&ring);
    io_uring_prep_send(sqe, sender, "again", 5, 0);
    io_uring_prep_send_set_addr(sqe, (struct sockaddr *) &to, sizeof(to));
    CHECK_EQ(run_res(&ring), 5);
    CHECK_EQ(read(receiver, in, sizeof(in)), 5);
    CHECK_MEM(in, "again", 5);

    /* without an address a socket that is not connected cannot send */
    io_uring_prep_send(next_sqe(&ring), sender, "never", 5, 0);
    CHECK_EQ(run_res(&ring), -EDESTADDRREQ);
    io_uring_queue_exit(&ring);
    close(sender);
    close(receiver);
}

/* IORING_SEND_VECTORIZED turns the buffer argument into an array of them. */
static void vectored_send(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct iovec out[2] = { { (void *) "ab", 2 }, { (void *) "cde", 3 } };
    char in[8];
    int fds[2];

    need_kernel(6, 17, "vectored send");
    make_socketpair(fds, SOCK_STREAM);
    ring_open(&ring, 4, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_send(sqe, fds[0], out, 2, 0);
    sqe->ioprio |= IORING_SEND_VECTORIZED;
    CHECK_EQ(run_res(&ring), 5);
    CHECK_EQ(read(fds[1], in, sizeof(in)), 5);
    CHECK_MEM(in, "abcde", 5);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void shut_down(void)
{
    struct io_uring ring;
    char byte;
    int fds[2];

    need_op(IORING_OP_SHUTDOWN, "shutdown");
    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    io_uring_prep_shutdown(next_sqe(&ring), fds[0], SHUT_WR);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(read(fds[1], &byte, 1), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    io_uring_prep_recv(next_sqe(&ring), fds[0], &byte, 1, 0);
    CHECK_EQ(run_res(&ring), 1);
    io_uring_prep_send(next_sqe(&ring), fds[0], "x", 1, MSG_NOSIGNAL);
    CHECK_EQ(run_res(&ring), -EPIPE);
    io_uring_prep_shutdown(next_sqe(&ring), fds[0], 77);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static const struct test_case cases[] = {
    CASE(send_and_receive),
    CASE(receive_all),
    CASE(poll_first),
    CASE(messages),
    CASE(send_to_address),
    CASE(vectored_send),
    CASE(shut_down),
};

TEST_MAIN(cases)
