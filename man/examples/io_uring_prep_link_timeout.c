/* A read from a pipe into which nobody writes, with a limit of a tenth of
 * a second.
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
    struct __kernel_timespec tenth = { .tv_nsec = 100000000 };
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    char byte;
    int fds[2], i;

    if (pipe(fds) < 0)
        err(1, "pipe");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    /* The request, linked to the timeout that comes right behind it in
     * the same submission. */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, fds[0], &byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 1);
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_link_timeout(sqe, &tenth, 0);
    io_uring_sqe_set_data64(sqe, 2);
    ok(io_uring_submit(&ring), "io_uring_submit");

    for (i = 0; i < 2; i++) {
        struct io_uring_cqe *cqe;
        int res;

        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        res = cqe->res;
        /* The read was cancelled, or interrupted if it had begun. The
         * timeout tells that it fired. */
        if (cqe->user_data == 1 && res != -ECANCELED && res != -EINTR)
            errx(1, "the read gave %d", res);
        if (cqe->user_data == 2 && res != -ETIME)
            errx(1, "the timeout gave %d", res);
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
