/* A second name for a file, and a symbolic link to it. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    char file[] = "/tmp/io_uring-XXXXXX", hard[64], symbolic[64];
    struct io_uring ring;
    struct stat status;
    int res, fd = mkstemp(file);

    if (fd < 0)
        err(1, "%s", file);
    snprintf(hard, sizeof(hard), "%s-hard", file);
    snprintf(symbolic, sizeof(symbolic), "%s-symbolic", file);
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_link(io_uring_get_sqe(&ring), file, hard, 0);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 5.15");
    ok(res, "link");
    io_uring_prep_symlinkat(io_uring_get_sqe(&ring), file, AT_FDCWD,
                            symbolic);
    ok(result(&ring), "symlink");

    if (stat(symbolic, &status) < 0 || status.st_nlink != 2)
        errx(1, "not two names");
    unlink(symbolic);
    unlink(hard);
    unlink(file);
    io_uring_queue_exit(&ring);
    return 0;
}
