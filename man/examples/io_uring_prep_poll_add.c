/* Waits until a pipe can be read; then does so each time something comes.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <poll.h>
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
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    char byte;
    int fds[2], i;

    if (pipe(fds) < 0 || write(fds[1], "x", 1) != 1)
        err(1, "pipe");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_poll_add(io_uring_get_sqe(&ring), fds[0], POLLIN);
    if (!(result(&ring) & POLLIN) || read(fds[0], &byte, 1) != 1)
        errx(1, "not readable");

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_poll_multishot(sqe, fds[0], POLLIN);
    io_uring_sqe_set_data64(sqe, 1);
    ok(io_uring_submit(&ring), "io_uring_submit");
    for (i = 0; i < 3; i++) {
        if (write(fds[1], "x", 1) != 1)
            err(1, "write");
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res == -EINVAL)
            return skip("needs Linux 5.13");
        if (!(cqe->res & POLLIN) || !(cqe->flags & IORING_CQE_F_MORE))
            errx(1, "it gave %d, flags %#x", cqe->res, cqe->flags);
        io_uring_cqe_seen(&ring, cqe);
        if (read(fds[0], &byte, 1) != 1)
            err(1, "read");
    }
    /* Two completions: that of the removal, and the last one of the poll
     * request. */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_poll_remove(sqe, 1);
    io_uring_sqe_set_data64(sqe, 2);
    ok(io_uring_submit_and_wait(&ring, 2), "io_uring_submit_and_wait");
    for (i = 0; i < 2; i++) {
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res != (cqe->user_data == 1 ? -ECANCELED : 0))
            errx(1, "%llu gave %d", (unsigned long long) cqe->user_data,
                 cqe->res);
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
