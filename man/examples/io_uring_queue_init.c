/* Sets up a ring that one thread uses, falls back to a plain ring on
 * kernels that do not know the flags, and prints what came out.
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

int main(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    int ret;

    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_SINGLE_ISSUER |
                   IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    params.cq_entries = 256;
    ret = io_uring_queue_init_params(32, &ring, &params);
    if (ret == -EINVAL)
        ret = io_uring_queue_init(32, &ring, 0);
    ok(ret, "io_uring_queue_init");

    printf("%u SQEs, %u CQEs\n", ring.sq.ring_entries,
           ring.cq.ring_entries);
    if (ring.sq.ring_entries != 32 || ring.cq.ring_entries < 64)
        errx(1, "not the sizes that were asked for");
    io_uring_queue_exit(&ring);
    return 0;
}
