/* One request that accepts every connection that comes, until it is
 * cancelled.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int i;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 ||
        bind(listener, (struct sockaddr *) &address, length) < 0 ||
        listen(listener, 8) < 0 ||
        getsockname(listener, (struct sockaddr *) &address, &length) < 0)
        err(1, "socket");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_multishot_accept(io_uring_get_sqe(&ring), listener,
                                   NULL, NULL, SOCK_CLOEXEC);
    ok(io_uring_submit(&ring), "io_uring_submit");

    for (i = 0; i < 3; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);

        if (client < 0 ||
            connect(client, (struct sockaddr *) &address, length) < 0)
            err(1, "connect");
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res == -EINVAL)
            return skip("needs Linux 5.19");
        close(ok(cqe->res, "accept"));
        /* Without this flag the request has ended: prepare it anew. */
        if (!(cqe->flags & IORING_CQE_F_MORE))
            errx(1, "the request has ended");
        io_uring_cqe_seen(&ring, cqe);
        close(client);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
