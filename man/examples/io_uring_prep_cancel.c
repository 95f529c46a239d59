/* Cancels one request by its user_data, and all others on a descriptor.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
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
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    char bytes[3];
    int fds[2], i, canceled = 0, found = 0;

    if (pipe(fds) < 0)
        err(1, "pipe");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    for (i = 0; i < 3; i++) {
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_read(sqe, fds[0], &bytes[i], 1, 0);
        io_uring_sqe_set_data64(sqe, (__u64) i);
    }
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_cancel64(sqe, 0, 0);
    io_uring_sqe_set_data64(sqe, 100);
    ok(io_uring_submit(&ring), "io_uring_submit");
    for (i = 0; i < 5; i++) {
        /* The first two are of the cancel request and of what it
         * cancelled, in either order. */
        if (i == 2) {
            sqe = io_uring_get_sqe(&ring);
            io_uring_prep_cancel_fd(sqe, fds[0], IORING_ASYNC_CANCEL_ALL);
            io_uring_sqe_set_data64(sqe, 101);
            ok(io_uring_submit(&ring), "io_uring_submit");
        }
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->user_data == 101 && cqe->res == -EINVAL)
            return skip("needs Linux 5.19");
        if (cqe->user_data == 100)
            ok(cqe->res, "cancel");
        else if (cqe->user_data == 101)
            found = cqe->res; /* how many it found */
        else if (cqe->res == -ECANCELED)
            canceled++;
        io_uring_cqe_seen(&ring, cqe);
    }
    if (canceled != 3 || found != 2)
        errx(1, "%d were cancelled, %d found", canceled, found);
    io_uring_queue_exit(&ring);
    return 0;
}
