/* Cancels what is in flight and waits for its end before the ring and the
 * buffer go.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <unistd.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

int main(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    char buffer[16];
    int fds[2];
    unsigned in_flight = 0;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    if (pipe(fds) < 0)
        err(1, "pipe");

    /* Nothing comes through the pipe: this read stays in flight. */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, fds[0], buffer, sizeof(buffer), 0);
    io_uring_sqe_set_data64(sqe, 1);
    in_flight++;

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_cancel64(sqe, 1, 0);
    io_uring_sqe_set_data64(sqe, 2);
    in_flight++;
    ok(io_uring_submit(&ring), "io_uring_submit");

    while (in_flight > 0) {
        struct io_uring_cqe *cqe;

        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->user_data == 1 && cqe->res != -ECANCELED &&
            cqe->res != -EINTR)
            errx(1, "the read gave %d", cqe->res);
        io_uring_cqe_seen(&ring, cqe);
        in_flight--;
    }
    /* Now the kernel does not use the buffer any more. */
    io_uring_queue_exit(&ring);
    return 0;
}
