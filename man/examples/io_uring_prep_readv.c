/* A header and a body from two places in memory, in one write; and back
 * into two places.
 */
#define _GNU_SOURCE
#include <err.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

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
    char header[4] = "HEAD", body[5] = "body!", header2[4], body2[5];
    struct iovec out[2] = { { header, 4 }, { body, 5 } };
    struct iovec in[2] = { { header2, 4 }, { body2, 5 } };
    struct io_uring ring;
    int fd = memfd_create("example", 0);

    if (fd < 0)
        err(1, "memfd_create");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_writev(io_uring_get_sqe(&ring), fd, out, 2, 0);
    if (result(&ring) != 9)
        errx(1, "not all was written");
    io_uring_prep_readv2(io_uring_get_sqe(&ring), fd, in, 2, 0, 0);
    if (result(&ring) != 9 || memcmp(header2, "HEAD", 4) != 0 ||
        memcmp(body2, "body!", 5) != 0)
        errx(1, "not what was written");
    io_uring_queue_exit(&ring);
    return 0;
}
