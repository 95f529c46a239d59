/* Keeps the idle waits of a server from showing up as iowait of its CPU.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

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
    struct __kernel_timespec tenth = { .tv_nsec = 100000000 };
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_set_iowait(&ring, false);
    if (ret == -EOPNOTSUPP)
        return skip("needs Linux 6.15");
    ok(ret, "io_uring_set_iowait");
    ret = io_uring_wait_cqe_timeout(&ring, &cqe, &tenth);
    if (ret != -ETIME)
        errx(1, "it gave %d", ret);
    io_uring_queue_exit(&ring);
    return 0;
}
