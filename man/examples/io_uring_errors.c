/* Tells the errors of calls from those of requests. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <string.h>

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
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int ret;

    /* A call returns its error, and leaves errno alone. */
    ret = io_uring_queue_init(0, &ring, 0);
    if (ret != -EINVAL)
        errx(1, "a ring without entries gave %d", ret);

    /* A request that was submitted well may fail: its completion says
     * so. */
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_fsync(sqe, -1, 0);
    if (result(&ring) != -EBADF)
        errx(1, "an fsync of nothing");

    /* So does an opcode that the kernel does not know. */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_nop(sqe);
    sqe->opcode = 250;
    if (result(&ring) != -EINVAL)
        errx(1, "an unknown opcode");
    io_uring_queue_exit(&ring);
    return 0;
}
