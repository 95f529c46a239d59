/* Registers the ring's descriptor, which saves looking it up in each
 * call, and closes it.
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
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_ring_fd(&ring);
    if (ret == -EINVAL)
        return skip("needs Linux 5.18");
    if (ret != 1)
        errx(1, "io_uring_register_ring_fd: %d", ret);

    /* From here on no descriptor is needed, if the kernel can register
     * resources without one too. */
    ret = io_uring_close_ring_fd(&ring);
    if (ret < 0 && ret != -EOPNOTSUPP && ret != -EINVAL)
        ok(ret, "io_uring_close_ring_fd");

    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(result(&ring), "nop");
    io_uring_queue_exit(&ring);
    return 0;
}
