/* The smallest round trip, and one that completes with a number of the
 * program's choice.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

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
    int res;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(result(&ring), "nop");

    /* To test how a program takes an error. */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_nop(sqe);
    sqe->nop_flags = IORING_NOP_INJECT_RESULT;
    sqe->len = (__u32) -EIO;
    res = result(&ring);
    if (res == 0 || res == -EINVAL)
        return skip("needs Linux 6.10");
    if (res != -EIO)
        errx(1, "it gave %d", res);
    io_uring_queue_exit(&ring);
    return 0;
}
