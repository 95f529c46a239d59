/* Makes a ring by the bare system call, and lets the library map it. */
#include <err.h>
#include <liburing.h>
#include <string.h>
#include <unistd.h>

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
    struct io_uring_params params;
    struct io_uring ring;
    int fd;

    memset(&params, 0, sizeof(params));
    fd = ok(io_uring_setup(8, &params), "io_uring_setup");
    ok(io_uring_queue_mmap(fd, &params, &ring), "io_uring_queue_mmap");

    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(result(&ring), "nop");

    /* This also closes the descriptor. */
    io_uring_queue_exit(&ring);
    if (close(fd) == 0)
        errx(1, "the descriptor was still open");
    return 0;
}
