/* Sockets made, bound, connected and accepted by requests. */
#include "file.h"

static void socket_request(void)
{
    struct io_uring ring;
    int type = 0, fd;
    socklen_t len = sizeof(type);

    need_op(IORING_OP_SOCKET, "socket");
    ring_open(&ring, 4, 0);
    io_uring_prep_socket(next_sqe(&ring), AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP, 0);
    fd = run_res(&ring);
    CHECK_GE(fd, 0);
    CHECK_SYS(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len));
    CHECK_EQ(type, SOCK_DGRAM);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    io_uring_prep_socket(next_sqe(&ring), 9999, SOCK_STREAM, 0, 0);
    CHECK_EQ(run_res(&ring), -EAFNOSUPPORT);
    io_uring_queue_exit(&ring);
}

static void socket_direct(void)
{
    struct io_uring ring;
    unsigned fds;
    int first;

    need_op(IORING_OP_SOCKET, "socket");
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 3), 0);
    fds = count_fds();
    io_uring_prep_socket_direct(next_sqe(&ring), AF_UNIX, SOCK_STREAM, 0, 1, 0);
    CHECK_EQ(run_res(&ring), 0);
    /* slots 0 and 2 are free; their order is unspecified */
    io_uring_prep_socket_direct_alloc(next_sqe(&ring), AF_UNIX, SOCK_STREAM, 0, 0);
    first = run_res(&ring);
    CHECK(first == 0 || first == 2);
    io_uring_prep_socket_direct(next_sqe(&ring), AF_UNIX, SOCK_STREAM, 0,
                                IORING_FILE_INDEX_ALLOC, 0);
    CHECK_EQ(run_res(&ring), 2 - first);
    io_uring_prep_socket_direct_alloc(next_sqe(&ring), AF_UNIX, SOCK_STREAM, 0, 0);
    CHECK_EQ(run_res(&ring), -ENFILE);
    CHECK_EQ(count_fds(), fds);
    io_uring_queue_exit(&ring);
}

/* A whole TCP connection with no plain system call but getsockname. */
static void bind_listen_connect_accept(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct sockaddr_in address, peer;
    socklen_t len = sizeof(address), peer_len = sizeof(peer);
    struct done dones[2];
    int listener, client, server;

    need_op(IORING_OP_LISTEN, "listen");
    ring_open(&ring, 8, 0);
    io_uring_prep_socket(next_sqe(&ring), AF_INET, SOCK_STREAM, 0, 0);
    listener = run_res(&ring);
    CHECK_GE(listener, 0);
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    io_uring_prep_bind(next_sqe(&ring), listener, (struct sockaddr *) &address,
                       sizeof(address));
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_bind(next_sqe(&ring), listener, (struct sockaddr *) &address,
                       sizeof(address));
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_prep_listen(next_sqe(&ring), listener, 4);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(getsockname(listener, (struct sockaddr *) &address, &len));

    io_uring_prep_socket(next_sqe(&ring), AF_INET, SOCK_STREAM, 0, 0);
    client = run_res(&ring);
    CHECK_GE(client, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_accept(sqe, listener, (struct sockaddr *) &peer, &peer_len,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
    io_uring_sqe_set_data64(sqe, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_connect(sqe, client, (struct sockaddr *) &address, sizeof(address));
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, 2).res, 0);
    server = find_done(dones, 2, 1).res;
    CHECK_GE(server, 0);
    CHECK_EQ(peer_len, sizeof(peer));
    CHECK_EQ(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(fcntl(server, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(server, F_GETFL) & O_NONBLOCK);
    io_uring_queue_exit(&ring);
    close(server);
    close(client);
    close(listener);
}

static void connect_refused(void)
{
    struct io_uring ring;
    struct sockaddr_in address;
    int client = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));

    close(make_listener(&address)); /* a port without a listener */
    ring_open(&ring, 4, 0);
    io_uring_prep_connect(next_sqe(&ring), client, (struct sockaddr *) &address,
                          sizeof(address));
    CHECK_EQ(run_res(&ring), -ECONNREFUSED);
    io_uring_prep_accept(next_sqe(&ring), client, NULL, NULL, 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(client);
}

static void cancel_multishot(struct io_uring *ring, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);
    struct done dones[2];

    io_uring_prep_cancel64(sqe, data, 0);
    io_uring_sqe_set_data64(sqe, ~data);
    SUBMIT(ring, 1);
    reap_all(ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, ~data).res, 0);
    CHECK_EQ(find_done(dones, 2, data).res, -ECANCELED);
}

static void multishot_accept(void)
{
    enum { CLIENTS = 5 };
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct sockaddr_in address;
    int listener = make_listener(&address);

    need_kernel(5, 19, "multishot accept");
    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, 3);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < CLIENTS; i++) {
        int client = connect_to(&address);
        struct done done = reap(&ring);
        char byte;

        CHECK_EQ(done.data, 3);
        CHECK_GE(done.res, 0);
        CHECK(done.flags & IORING_CQE_F_MORE);
        CHECK_EQ(fcntl(done.res, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(write(client, "x", 1), 1);
        CHECK_EQ(read(done.res, &byte, 1), 1);
        close(client);
        close(done.res);
    }
    cancel_multishot(&ring, 3);
    io_uring_queue_exit(&ring);
    close(listener);
}

static void accept_direct(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct sockaddr_in address;
    int listener = make_listener(&address);
    int client, slot;
    char byte;

    need_kernel(5, 19, "sparse file tables");
    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 3), 0);
    client = connect_to(&address);
    io_uring_prep_accept_direct(next_sqe(&ring), listener, NULL, NULL, 0, 2);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(write(client, "x", 1), 1);
    sqe = next_sqe(&ring);
    io_uring_prep_recv(sqe, 2, &byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    CHECK_EQ(run_res(&ring), 1);
    close(client);

    client = connect_to(&address);
    io_uring_prep_accept_direct(next_sqe(&ring), listener, NULL, NULL, 0,
                                IORING_FILE_INDEX_ALLOC);
    slot = run_res(&ring);
    CHECK(slot == 0 || slot == 1);
    close(client);

    /* one slot is left: the second connection finds none and ends the multishot */
    sqe = next_sqe(&ring);
    io_uring_prep_multishot_accept_direct(sqe, listener, NULL, NULL, 0);
    SUBMIT(&ring, 1);
    client = connect_to(&address);
    CHECK_EQ(reap(&ring).res, 1 - slot);
    close(client);
    client = connect_to(&address);
    CHECK_EQ(reap(&ring).res, -ENFILE);
    close(client);
    io_uring_queue_exit(&ring);
    close(listener);
}

static const struct test_case cases[] = {
    CASE(socket_request),
    CASE(socket_direct),
    CASE(bind_listen_connect_accept),
    CASE(connect_refused),
    CASE(multishot_accept),
    CASE(accept_direct),
};

TEST_MAIN(cases)
