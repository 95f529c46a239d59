/* Takes space for a file, then cuts the file short. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

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
    struct stat status;
    int fd = memfd_create("example", 0), res;

    if (fd < 0)
        err(1, "memfd_create");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_fallocate(io_uring_get_sqe(&ring), fd, 0, 0, 65536);
    ok(result(&ring), "fallocate");
    if (fstat(fd, &status) < 0 || status.st_size != 65536)
        errx(1, "the file has not the size");

    io_uring_prep_ftruncate(io_uring_get_sqe(&ring), fd, 100);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 6.9");
    ok(res, "ftruncate");
    if (fstat(fd, &status) < 0 || status.st_size != 100)
        errx(1, "the file was not cut");
    io_uring_queue_exit(&ring);
    return 0;
}
