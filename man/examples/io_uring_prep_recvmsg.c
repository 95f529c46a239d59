/* Receives a datagram and the address of who sent it. */
#include <arpa/inet.h>
#include <err.h>
#include <liburing.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
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
    struct sockaddr_in address = { .sin_family = AF_INET }, from;
    socklen_t length = sizeof(address);
    char text[16];
    struct iovec part = { text, sizeof(text) };
    struct msghdr message = { .msg_name = &from,
                              .msg_namelen = sizeof(from),
                              .msg_iov = &part,
                              .msg_iovlen = 1 };
    struct io_uring ring;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, length) < 0 ||
        getsockname(fd, (struct sockaddr *) &address, &length) < 0 ||
        sendto(fd, "hello", 5, 0, (struct sockaddr *) &address, length) !=
            5)
        err(1, "socket");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_recvmsg(io_uring_get_sqe(&ring), fd, &message, 0);
    if (result(&ring) != 5 || memcmp(text, "hello", 5) != 0)
        errx(1, "not what was sent");
    if (from.sin_port != address.sin_port)
        errx(1, "not from whom it came");
    io_uring_queue_exit(&ring);
    return 0;
}
