/* Socket commands: options, names and queue lengths. */
#include <netinet/tcp.h>

#include "file.h"

static void socket_options(void)
{
    struct io_uring ring;
    int value = 0, check = 0;
    socklen_t len = sizeof(check);
    int fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));

    need_kernel(6, 7, "socket options by request");
    ring_open(&ring, 4, 0);
    io_uring_prep_cmd_sock(next_sqe(&ring), SOCKET_URING_OP_GETSOCKOPT, fd, SOL_SOCKET,
                           SO_TYPE, &value, sizeof(value));
    CHECK_EQ(run_res(&ring), sizeof(value));
    CHECK_EQ(value, SOCK_STREAM);

    value = 1;
    io_uring_prep_cmd_sock(next_sqe(&ring), SOCKET_URING_OP_SETSOCKOPT, fd, IPPROTO_TCP,
                           TCP_NODELAY, &value, sizeof(value));
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &check, &len));
    CHECK_EQ(check, 1);
    io_uring_prep_cmd_sock(next_sqe(&ring), SOCKET_URING_OP_SETSOCKOPT, fd, IPPROTO_TCP,
                           9999, &value, sizeof(value));
    CHECK_EQ(run_res(&ring), -ENOPROTOOPT);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void queue_lengths(void)
{
    struct io_uring ring;
    int fds[2];

    need_kernel(6, 6, "socket commands");
    make_tcp_pair(fds);
    CHECK_EQ(write(fds[0], "waiting", 7), 7);
    ring_open(&ring, 4, 0);
    io_uring_prep_cmd_sock(next_sqe(&ring), SOCKET_URING_OP_SIOCINQ, fds[1], 0, 0, NULL, 0);
    CHECK_EQ(run_res(&ring), 7);
    io_uring_prep_cmd_sock(next_sqe(&ring), SOCKET_URING_OP_SIOCOUTQ, fds[1], 0, 0, NULL, 0);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_cmd_sock(next_sqe(&ring), 999, fds[1], 0, 0, NULL, 0);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static void names(void)
{
    struct io_uring ring;
    struct sockaddr_in own, wanted;
    socklen_t len = sizeof(own), wanted_len = sizeof(wanted);
    int fds[2];
    int result;

    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    io_uring_prep_cmd_getsockname(next_sqe(&ring), fds[0], (struct sockaddr *) &own, &len, 0);
    result = run_res(&ring);
    if ((result == -EOPNOTSUPP || result == -EINVAL) && !kernel_at_least(7, 0)) {
        io_uring_queue_exit(&ring);
        skip("the kernel has no getsockname command");
    }
    CHECK_EQ(result, 0);
    CHECK_SYS(getsockname(fds[0], (struct sockaddr *) &wanted, &wanted_len));
    CHECK_EQ(len, wanted_len);
    CHECK_MEM(&own, &wanted, len);
    io_uring_prep_cmd_getsockname(next_sqe(&ring), fds[0], (struct sockaddr *) &own, &len, 1);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(getpeername(fds[0], (struct sockaddr *) &wanted, &wanted_len));
    CHECK_MEM(&own, &wanted, len);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

static const struct test_case cases[] = {
    CASE(socket_options),
    CASE(queue_lengths),
    CASE(names),
};

TEST_MAIN(cases)
