/* Says that nothing more will be sent; the other side reads the end. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
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
    struct io_uring ring;
    char byte;
    int sockets[2], res;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
        err(1, "socketpair");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_shutdown(io_uring_get_sqe(&ring), sockets[0], SHUT_WR);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 5.11");
    ok(res, "shutdown");
    io_uring_prep_recv(io_uring_get_sqe(&ring), sockets[1], &byte, 1, 0);
    if (result(&ring) != 0)
        errx(1, "the other side did not read the end");
    io_uring_queue_exit(&ring);
    return 0;
}
