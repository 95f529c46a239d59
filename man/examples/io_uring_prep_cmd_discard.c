/* Discards the first megabyte of a block device that is named. WHAT IS
 * THERE IS LOST. Without a name it shows that other files refuse the
 * command.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>

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

int main(int argc, char *argv[])
{
    struct io_uring ring;
    int fd, res;

    fd = argc > 1 ? open(argv[1], O_RDWR) : memfd_create("example", 0);
    if (fd < 0)
        err(1, "%s", argc > 1 ? argv[1] : "memfd_create");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_cmd_discard(io_uring_get_sqe(&ring), fd, 0, 1 << 20);
    res = result(&ring);
    if (argc > 1)
        ok(res, "discard");
    else if (res != -EOPNOTSUPP && res != -EINVAL)
        errx(1, "a file that is no block device gave %d", res);
    io_uring_queue_exit(&ring);
    return 0;
}
