/* Stops everything that a ring does, before the program gives up the
 * memory that its requests use.
 */
#include <err.h>
#include <errno.h>
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

int main(void)
{
    struct io_uring ring;
    char bytes[4];
    int fds[2], i, left = 4, ret;

    if (pipe(fds) < 0)
        err(1, "pipe");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    for (i = 0; i < left; i++)
        io_uring_prep_read(io_uring_get_sqe(&ring), fds[0], &bytes[i], 1,
                           0);
    ok(io_uring_submit(&ring), "io_uring_submit");

    struct io_uring_sync_cancel_reg all = {
        .flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
        .timeout = { -1, -1 }
    };

    ret = io_uring_register_sync_cancel(&ring, &all);
    if (ret == -EINVAL)
        return skip("needs Linux 6.0");
    ok(ret, "io_uring_register_sync_cancel");
    while (left > 0) {
        struct io_uring_cqe *cqe;

        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res != -ECANCELED)
            errx(1, "it gave %d", cqe->res);
        io_uring_cqe_seen(&ring, cqe);
        left--;
    }
    io_uring_queue_exit(&ring);
    return 0;
}
