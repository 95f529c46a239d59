/* Submits a batch, and copes with a return value that is smaller than the
 * batch.
 */
#include <err.h>
#include <liburing.h>
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
    unsigned i, left = 8;

    ok(io_uring_queue_init(8, &ring, IORING_SETUP_SUBMIT_ALL),
       "io_uring_queue_init");
    for (i = 0; i < left; i++)
        io_uring_prep_nop(io_uring_get_sqe(&ring));

    while (left > 0) {
        int ret = io_uring_submit(&ring);

        /* -EBUSY and -EAGAIN pass once completions have been taken; here
         * nothing else is in flight. */
        left -= (unsigned) ok(ret, "io_uring_submit");
    }
    if (io_uring_cq_ready(&ring) != 8)
        errx(1, "%u completions", io_uring_cq_ready(&ring));
    io_uring_cq_advance(&ring, 8);
    io_uring_queue_exit(&ring);
    return 0;
}
