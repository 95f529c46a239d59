/* Sets an attribute of a file by its descriptor and reads it by its path.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
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
    char path[] = "/tmp/io_uring-XXXXXX", value[8] = "";
    struct io_uring ring;
    int res, fd = mkstemp(path);

    if (fd < 0)
        err(1, "%s", path);
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_fsetxattr(io_uring_get_sqe(&ring), fd, "user.colour",
                            "red", 0, 3);
    res = result(&ring);
    if (res == 0) {
        io_uring_prep_getxattr(io_uring_get_sqe(&ring), "user.colour",
                               value, path, sizeof(value));
        res = result(&ring);
    }
    unlink(path);
    if (res == -EINVAL)
        return skip("needs Linux 5.19");
    if (res == -EOPNOTSUPP)
        return skip(
            "needs a file system with user attributes below /tmp");
    if (res != 3 || strcmp(value, "red") != 0)
        errx(1, "it gave %d: %s", res, value);
    io_uring_queue_exit(&ring);
    return 0;
}
