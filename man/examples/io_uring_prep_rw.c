/* Fills in an SQE by hand, for an opcode that the library has no function
 * for.
 */
#include <err.h>
#include <fcntl.h>
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
    char buffer[8];
    int fd = open("/dev/zero", O_RDONLY);

    if (fd < 0)
        err(1, "/dev/zero");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_rw(IORING_OP_READ, sqe, fd, buffer, sizeof(buffer), 0);
    sqe->rw_flags = 0;
    if (result(&ring) != sizeof(buffer))
        errx(1, "not all was read");
    io_uring_queue_exit(&ring);
    return 0;
}
