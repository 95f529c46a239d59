/* Gives a socket an address and lets it listen; the kernel picks the
 * port. */
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
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int res;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        err(1, "socket");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_bind(io_uring_get_sqe(&ring), fd,
                       (struct sockaddr *) &address, sizeof(address));
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 6.11");
    ok(res, "bind");
    io_uring_prep_listen(io_uring_get_sqe(&ring), fd, 16);
    ok(result(&ring), "listen");

    if (getsockname(fd, (struct sockaddr *) &address, &length) < 0 ||
        address.sin_port == 0)
        err(1, "getsockname");
    io_uring_queue_exit(&ring);
    return 0;
}
