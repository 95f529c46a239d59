/* Completes after a tenth of a second, and moves a timeout that would
 * take an hour.
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
    struct __kernel_timespec tenth = { .tv_nsec = 100000000 },
                             hour = { .tv_sec = 3600 };
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int i;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    /* -ETIME is the result of a timeout that ran out. */
    io_uring_prep_timeout(io_uring_get_sqe(&ring), &tenth, 0, 0);
    if (result(&ring) != -ETIME)
        errx(1, "it did not run out");

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_timeout(sqe, &hour, 0, 0);
    io_uring_sqe_set_data64(sqe, 1);
    ok(io_uring_submit(&ring), "io_uring_submit");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_timeout_update(sqe, &tenth, 1, 0);
    io_uring_sqe_set_data64(sqe, 2);
    ok(io_uring_submit(&ring), "io_uring_submit");
    for (i = 0; i < 2; i++) {
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->user_data == 2 && cqe->res == -EINVAL)
            return skip("needs Linux 5.11");
        if (cqe->res != (cqe->user_data == 1 ? -ETIME : 0))
            errx(1, "%llu gave %d", (unsigned long long) cqe->user_data,
                 cqe->res);
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
