/* Makes a directory and another one inside it, in this order. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
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

int main(void)
{
    char root[] = "/tmp/io_uring-XXXXXX", inner[64];
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int i;

    if (!mkdtemp(root))
        err(1, "%s", root);
    rmdir(root);
    snprintf(inner, sizeof(inner), "%s/inner", root);
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_mkdir(sqe, root, 0700);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_prep_mkdirat(io_uring_get_sqe(&ring), AT_FDCWD, inner, 0700);
    ok(io_uring_submit(&ring), "io_uring_submit");
    for (i = 0; i < 2; i++) {
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res == -EINVAL)
            return skip("needs Linux 5.15");
        ok(cqe->res, "mkdir");
        io_uring_cqe_seen(&ring, cqe);
    }
    if (rmdir(inner) < 0 || rmdir(root) < 0)
        err(1, "%s", inner);
    io_uring_queue_exit(&ring);
    return 0;
}
