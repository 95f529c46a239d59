/* A completion stays in the queue until it is given back. */
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
    struct io_uring ring;
    struct io_uring_cqe *first, *again;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(io_uring_submit(&ring), "io_uring_submit");

    ok(io_uring_wait_cqe(&ring, &first), "io_uring_wait_cqe");
    ok(io_uring_wait_cqe(&ring, &again), "io_uring_wait_cqe");
    if (first != again)
        errx(1, "the same completion is expected");

    /* After this the kernel may write the next completion there: first
     * must not be used any more. */
    io_uring_cqe_seen(&ring, first);
    if (io_uring_peek_cqe(&ring, &again) != -EAGAIN)
        errx(1, "nothing is left");
    io_uring_queue_exit(&ring);
    return 0;
}
