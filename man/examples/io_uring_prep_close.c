/* Closes a descriptor, and a slot of the registered files. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
    int fd = open("/dev/null", O_RDONLY);
    int res;

    if (fd < 0)
        err(1, "/dev/null");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ok(io_uring_register_files(&ring, &fd, 1), "io_uring_register_files");

    io_uring_prep_close(io_uring_get_sqe(&ring), fd);
    ok(result(&ring), "close");
    if (close(fd) == 0)
        errx(1, "the descriptor was still open");

    io_uring_prep_close_direct(io_uring_get_sqe(&ring), 0);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 5.15");
    ok(res, "close slot 0");
    io_uring_queue_exit(&ring);
    return 0;
}
