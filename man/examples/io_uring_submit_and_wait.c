/* One call that submits and waits, with and without a limit on the time.
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
    struct io_uring_cqe *cqe;
    char byte;
    int fds[2], ret;

    if (pipe(fds) < 0)
        err(1, "pipe");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    if (ok(io_uring_submit_and_wait(&ring, 2),
           "io_uring_submit_and_wait") != 2)
        errx(1, "not both were submitted");
    if (io_uring_cq_ready(&ring) != 2)
        errx(1, "not both have completed");
    io_uring_cq_advance(&ring, 2);

    /* Nothing comes through the pipe, so the time passes. The request was
     * submitted: the call succeeds, without a CQE. */
    io_uring_prep_read(io_uring_get_sqe(&ring), fds[0], &byte, 1, 0);
    ret =
        ok(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &tenth, NULL),
           "io_uring_submit_and_wait_timeout");
    if (ret != 1 || cqe != NULL)
        errx(1, "submitted %d, cqe %p", ret, (void *) cqe);

    /* The second time nothing is submitted, and the error tells. */
    ret = io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &tenth, NULL);
    if (ret != -ETIME)
        errx(1, "it gave %d", ret);
    if (write(fds[1], "x", 1) != 1)
        err(1, "write");
    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (cqe->res != 1 || byte != 'x')
        errx(1, "the read gave %d", cqe->res);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    return 0;
}
