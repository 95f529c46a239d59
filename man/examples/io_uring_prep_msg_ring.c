/* One ring posts a completion on another one. */
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
    struct io_uring from, to;
    struct io_uring_cqe *cqe;
    int res;

    ok(io_uring_queue_init(8, &from, 0), "io_uring_queue_init");
    ok(io_uring_queue_init(8, &to, 0), "io_uring_queue_init");
    io_uring_prep_msg_ring(io_uring_get_sqe(&from), to.ring_fd, 17,
                           0xabcd, 0);
    res = result(&from);
    if (res == -EINVAL)
        return skip("needs Linux 5.18");
    ok(res, "msg_ring");

    ok(io_uring_wait_cqe(&to, &cqe), "io_uring_wait_cqe");
    if (cqe->res != 17 || cqe->user_data != 0xabcd)
        errx(1, "not the message");
    io_uring_cqe_seen(&to, cqe);
    io_uring_queue_exit(&from);
    io_uring_queue_exit(&to);
    return 0;
}
