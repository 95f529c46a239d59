/* Doubles a ring that turned out too small, with a request still in the
 * queue.
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
    struct io_uring_params params;
    int ret;

    ret = io_uring_queue_init(4, &ring,
                              IORING_SETUP_SINGLE_ISSUER |
                                  IORING_SETUP_DEFER_TASKRUN);
    if (ret == -EINVAL)
        return skip("needs Linux 6.13");
    ok(ret, "io_uring_queue_init");
    io_uring_prep_nop(io_uring_get_sqe(&ring));

    memset(&params, 0, sizeof(params));
    params.sq_entries = 8;
    params.cq_entries = 32;
    params.flags = IORING_SETUP_CQSIZE;
    ret = io_uring_resize_rings(&ring, &params);
    if (ret == -EINVAL)
        return skip("needs Linux 6.13");
    ok(ret, "io_uring_resize_rings");

    if (ring.sq.ring_entries != 8 || ring.cq.ring_entries != 32)
        errx(1, "the sizes are %u and %u", ring.sq.ring_entries,
             ring.cq.ring_entries);
    ok(result(&ring), "the nop that was queued before");
    io_uring_queue_exit(&ring);
    return 0;
}
