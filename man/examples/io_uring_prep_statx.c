/* Asks for the size of a file by its descriptor: the path is empty. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
    struct io_uring ring;
    struct statx status;
    int fd = memfd_create("example", 0);

    if (fd < 0 || ftruncate(fd, 12345) < 0)
        err(1, "memfd_create");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_statx(io_uring_get_sqe(&ring), fd, "", AT_EMPTY_PATH,
                        STATX_SIZE, &status);
    ok(result(&ring), "statx");
    if (status.stx_size != 12345)
        errx(1, "%llu bytes", (unsigned long long) status.stx_size);
    io_uring_queue_exit(&ring);
    return 0;
}
