/* Sends without copying, and waits until the buffer may be written again.
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

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);
    static char buffer[16384], copy[16384];
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int sender = socket(AF_INET, SOCK_STREAM, 0);
    int receiver, more;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || sender < 0 ||
        bind(listener, (struct sockaddr *) &address, length) < 0 ||
        listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *) &address, &length) <
            0 ||
        connect(sender, (struct sockaddr *) &address, length) < 0)
        err(1, "socket");
    receiver = accept(listener, NULL, NULL);
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_send_zc(io_uring_get_sqe(&ring), sender, buffer,
                          sizeof(buffer), MSG_WAITALL, 0);
    ok(io_uring_submit(&ring), "io_uring_submit");

    /* First the result. */
    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (cqe->res == -EINVAL)
        return skip("needs Linux 6.0");
    if (cqe->res != sizeof(buffer))
        errx(1, "it gave %d", cqe->res);
    more = cqe->flags & IORING_CQE_F_MORE;
    io_uring_cqe_seen(&ring, cqe);
    /* The notification comes when the receiver has taken the data. */
    if (recv(receiver, copy, sizeof(copy), MSG_WAITALL) != sizeof(copy))
        err(1, "recv");
    if (more) {
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (!(cqe->flags & IORING_CQE_F_NOTIF))
            errx(1, "not a notification");
        io_uring_cqe_seen(&ring, cqe);
    }
    memset(buffer, 'x', sizeof(buffer));
    io_uring_queue_exit(&ring);
    return 0;
}
