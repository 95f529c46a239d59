/* Waits for one completion, for several, and for a limited time. */
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

int main(void)
{
    struct __kernel_timespec tenth = { .tv_nsec = 100000000 };
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(io_uring_submit(&ring), "io_uring_submit");

    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    ok(cqe->res, "the first request");
    io_uring_cqe_seen(&ring, cqe);

    ok(io_uring_wait_cqe_nr(&ring, &cqe, 2), "io_uring_wait_cqe_nr");
    io_uring_cq_advance(&ring, 2);

    /* Nothing is in flight any more. */
    ret = io_uring_wait_cqe_timeout(&ring, &cqe, &tenth);
    if (ret != -ETIME)
        errx(1, "it gave %d", ret);
    io_uring_queue_exit(&ring);
    return 0;
}
