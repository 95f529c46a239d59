/* Sends all of a buffer, and a datagram to an address. */
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
    char text[8];
    int receiver = socket(AF_INET, SOCK_DGRAM, 0);
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    int sockets[2], res;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0 ||
        receiver < 0 || sender < 0 ||
        bind(receiver, (struct sockaddr *) &address, length) < 0 ||
        getsockname(receiver, (struct sockaddr *) &address, &length) < 0)
        err(1, "socket");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");

    /* MSG_WAITALL: fewer bytes only after an error. MSG_NOSIGNAL is not
     * needed: there is no SIGPIPE. */
    io_uring_prep_send(io_uring_get_sqe(&ring), sockets[0], "hello", 5,
                       MSG_WAITALL);
    if (result(&ring) != 5)
        errx(1, "not all was sent");

    io_uring_prep_sendto(io_uring_get_sqe(&ring), sender, "hello", 5, 0,
                         (struct sockaddr *) &address, length);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 6.1");
    if (res != 5 || recv(receiver, text, sizeof(text), 0) != 5 ||
        memcmp(text, "hello", 5) != 0)
        errx(1, "the datagram did not arrive: %d", res);
    io_uring_queue_exit(&ring);
    return 0;
}
