/* Waits by the clock that also counts the time in which the machine
 * sleeps.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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
    struct io_uring_clock_register clock = { .clockid = CLOCK_BOOTTIME };
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_clock(&ring, &clock);
    if (ret == -EINVAL)
        return skip("needs Linux 6.12");
    ok(ret, "io_uring_register_clock");
    ret = io_uring_wait_cqe_timeout(&ring, &cqe, &tenth);
    if (ret != -ETIME)
        errx(1, "it gave %d", ret);
    io_uring_queue_exit(&ring);
    return 0;
}
