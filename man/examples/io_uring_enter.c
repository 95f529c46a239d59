/* Waits for at most a tenth of a second by the bare call. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
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
    struct io_uring_getevents_arg arg;
    struct io_uring ring;
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    if (!(ring.features & IORING_FEAT_EXT_ARG))
        return skip("needs Linux 5.11");
    memset(&arg, 0, sizeof(arg));
    arg.ts = (uintptr_t) &tenth;
    ret = io_uring_enter2((unsigned) ring.ring_fd, 0, 1,
                          IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                          (sigset_t *) (void *) &arg, sizeof(arg));
    if (ret != -ETIME)
        errx(1, "it gave %d", ret);
    io_uring_queue_exit(&ring);
    return 0;
}
