/* Sends from two buffers in one message. */
#include <err.h>
#include <liburing.h>
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
    char head[5] = "head ", body[4] = "body", text[16];
    struct iovec parts[2] = { { head, 5 }, { body, 4 } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    struct io_uring ring;
    int sockets[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) < 0)
        err(1, "socketpair");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_sendmsg(io_uring_get_sqe(&ring), sockets[0], &message,
                          0);
    if (result(&ring) != 9)
        errx(1, "not all was sent");
    if (recv(sockets[1], text, sizeof(text), 0) != 9 ||
        memcmp(text, "head body", 9) != 0)
        errx(1, "not what was sent");
    io_uring_queue_exit(&ring);
    return 0;
}
