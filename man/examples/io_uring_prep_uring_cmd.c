/* Gives a socket the command that asks how much there is to read, filled
 * in by hand.
 */
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
    struct io_uring_sqe *sqe;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int res;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, length) < 0 ||
        getsockname(fd, (struct sockaddr *) &address, &length) < 0 ||
        sendto(fd, "abc", 3, 0, (struct sockaddr *) &address, length) !=
            3)
        err(1, "socket");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_uring_cmd(sqe, SOCKET_URING_OP_SIOCINQ, fd);
    /* Drivers read their data from sqe->cmd. This command has none. */
    res = result(&ring);
    if (res == -EINVAL || res == -EOPNOTSUPP)
        return skip("needs Linux 6.5");
    if (res != 3)
        errx(1, "it gave %d", res);
    io_uring_queue_exit(&ring);
    return 0;
}
