/* Takes what is there in batches, without waiting. */
#include <err.h>
#include <errno.h>
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
    struct io_uring_cqe *cqe, *cqes[4];
    unsigned i, count, total = 0;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    if (io_uring_peek_cqe(&ring, &cqe) != -EAGAIN)
        errx(1, "nothing can be there yet");
    for (i = 0; i < 6; i++)
        io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(io_uring_submit(&ring), "io_uring_submit");

    while ((count = io_uring_peek_batch_cqe(&ring, cqes, 4)) > 0) {
        for (i = 0; i < count; i++)
            ok(cqes[i]->res, "nop");
        /* Once for the whole batch, after the last look at it. */
        io_uring_cq_advance(&ring, count);
        total += count;
    }
    if (total != 6)
        errx(1, "%u completions", total);
    io_uring_queue_exit(&ring);
    return 0;
}
