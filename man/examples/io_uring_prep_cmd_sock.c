/* Asks a socket for its type and how much there is to read. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

static int skip(const char *reason)
{
    printf("SKIP: %s\n", reason);
    return 77;
}

/* Submits, and takes the result of the one request in flight. */
static int result(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    int res;

    ok(io_uring_submit(ring), "io_uring_submit");
    ok(io_uring_wait_cqe(ring, &cqe), "io_uring_wait_cqe");
    res = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return res;
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);
    struct io_uring ring;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int type = 0, res;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, length) < 0 ||
        getsockname(fd, (struct sockaddr *) &address, &length) < 0 ||
        sendto(fd, "hello", 5, 0, (struct sockaddr *) &address, length) !=
            5)
        err(1, "socket");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_cmd_sock(io_uring_get_sqe(&ring),
                           SOCKET_URING_OP_SIOCINQ, fd, 0, 0, NULL, 0);
    res = result(&ring);
    if (res == -EOPNOTSUPP || res == -EINVAL)
        return skip("needs Linux 6.5");
    if (res != 5)
        errx(1, "%d bytes to read", res);

    io_uring_prep_cmd_sock(io_uring_get_sqe(&ring),
                           SOCKET_URING_OP_GETSOCKOPT, fd, SOL_SOCKET,
                           SO_TYPE, &type, sizeof(type));
    res = result(&ring);
    if (res == -EOPNOTSUPP)
        return skip("needs Linux 6.7");
    /* The result is the length of the answer. */
    if (res != sizeof(type) || type != SOCK_DGRAM)
        errx(1, "it gave %d, type %d", res, type);
    io_uring_queue_exit(&ring);
    return 0;
}
