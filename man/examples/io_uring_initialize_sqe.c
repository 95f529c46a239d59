/* Finds the place of the first SQE in a ring of any shape. */
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
    int ret = io_uring_queue_init(
        8, &ring, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);

    if (ret == -EINVAL)
        return skip("needs Linux 5.19");
    ok(ret, "io_uring_queue_init");
    if (io_uring_sqe_shift(&ring) != 1 || io_uring_cqe_shift(&ring) != 1)
        errx(1, "entries of double size have a shift of 1");
    sqe = &ring.sq.sqes[0 << io_uring_sqe_shift(&ring)];
    if (io_uring_get_sqe(&ring) != sqe)
        errx(1, "not the first SQE");
    io_uring_initialize_sqe(sqe);
    io_uring_prep_nop(sqe);
    ok(result(&ring), "nop");
    io_uring_queue_exit(&ring);
    return 0;
}
