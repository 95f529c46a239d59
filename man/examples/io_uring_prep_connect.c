/* Connects, and gives up after five seconds. */
#include <arpa/inet.h>
#include <err.h>
#include <liburing.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct __kernel_timespec limit = { .tv_sec = 5 };
    socklen_t length = sizeof(address);
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int i;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || fd < 0 ||
        bind(listener, (struct sockaddr *) &address, length) < 0 ||
        listen(listener, 8) < 0 ||
        getsockname(listener, (struct sockaddr *) &address, &length) < 0)
        err(1, "socket");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_connect(sqe, fd, (struct sockaddr *) &address, length);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 1);
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_link_timeout(sqe, &limit, 0);
    io_uring_sqe_set_data64(sqe, 2);
    ok(io_uring_submit(&ring), "io_uring_submit");

    /* Both post a completion. The timeout's is -ECANCELED when the
     * connection came first. */
    for (i = 0; i < 2; i++) {
        struct io_uring_cqe *cqe;

        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->user_data == 1)
            ok(cqe->res, "connect");
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
