/* Opens a file below a directory, in two ways. The second one does not
 * leave that directory, whatever the name is.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <unistd.h>

#include <linux/openat2.h>

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
    struct open_how how = { .flags = O_RDONLY,
                            .resolve = RESOLVE_BENEATH };
    struct io_uring ring;
    int dir = open("/dev", O_RDONLY | O_DIRECTORY);
    int res;

    if (dir < 0)
        err(1, "/dev");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_openat(io_uring_get_sqe(&ring), dir, "null",
                         O_WRONLY | O_CLOEXEC, 0);
    close(ok(result(&ring), "openat"));

    io_uring_prep_openat2(io_uring_get_sqe(&ring), dir, "../etc/passwd",
                          &how);
    res = result(&ring);
    if (res != -EXDEV)
        errx(1, "it gave %d", res);
    io_uring_prep_openat2(io_uring_get_sqe(&ring), dir, "null", &how);
    close(ok(result(&ring), "openat2"));
    io_uring_queue_exit(&ring);
    return 0;
}
