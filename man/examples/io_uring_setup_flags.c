/* Takes the best flags that the kernel knows, for a ring that one thread
 * uses.
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

static int set_up(struct io_uring *ring, unsigned entries)
{
    static const unsigned flags[] = {
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
            IORING_SETUP_DEFER_TASKRUN,                      /* 6.1 */
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN, /* 5.19 */
        0,
    };
    size_t i;
    int ret = -EINVAL;

    /* -EINVAL says that a flag is not known. Other errors will not go
     * away by leaving flags out. */
    for (i = 0; i < sizeof(flags) / sizeof(flags[0]) && ret == -EINVAL;
         i++)
        ret = io_uring_queue_init(entries, ring, flags[i]);
    return ret;
}

int main(void)
{
    struct io_uring ring;

    ok(set_up(&ring, 64), "set_up");
    printf("flags %#x\n", ring.flags);
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(result(&ring), "nop");
    io_uring_queue_exit(&ring);
    return 0;
}
