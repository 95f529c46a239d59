/* Submits more requests than the queue has room for: when there is no
 * free SQE, what is there goes to the kernel.
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

static struct io_uring_sqe *next_sqe(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    if (!sqe) {
        ok(io_uring_submit(ring), "io_uring_submit");
        sqe = io_uring_get_sqe(ring);
    }
    if (!sqe)
        errx(1, "still no SQE");
    return sqe;
}

int main(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    unsigned i, sum = 0;

    /* Four SQEs. The completion queue has to hold all ten. */
    struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE,
                                      .cq_entries = 16 };

    ok(io_uring_queue_init_params(4, &ring, &params),
       "io_uring_queue_init_params");
    for (i = 1; i <= 10; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        io_uring_prep_nop(sqe);
        /* An SQE still holds the user_data of its last use: always set
         * it. */
        io_uring_sqe_set_data64(sqe, i);
    }
    ok(io_uring_submit(&ring), "io_uring_submit");

    for (i = 0; i < 10; i++) {
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        sum += (unsigned) cqe->user_data;
        io_uring_cqe_seen(&ring, cqe);
    }
    if (sum != 55)
        errx(1, "the completions sum up to %u", sum);
    io_uring_queue_exit(&ring);
    return 0;
}
