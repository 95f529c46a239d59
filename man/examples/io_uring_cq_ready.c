/* Lets the completion queue overflow, sees it, and loses nothing. */
#include <err.h>
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
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    unsigned i, total = 0;

    /* Two SQEs and two CQEs, and four requests. */
    struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE,
                                      .cq_entries = 2 };

    ok(io_uring_queue_init_params(2, &ring, &params),
       "io_uring_queue_init_params");
    if (!(ring.features & IORING_FEAT_NODROP))
        return skip("needs Linux 5.5");
    for (i = 0; i < 4; i++) {
        io_uring_prep_nop(io_uring_get_sqe(&ring));
        ok(io_uring_submit(&ring), "io_uring_submit");
    }
    if (io_uring_cq_ready(&ring) != 2 || !io_uring_cq_has_overflow(&ring))
        errx(1, "%u completions and no overflow",
             io_uring_cq_ready(&ring));

    /* Waiting brings the others in as soon as there is room. */
    while (total < 4) {
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        io_uring_cqe_seen(&ring, cqe);
        total++;
    }
    if (io_uring_cq_has_overflow(&ring))
        errx(1, "there still is an overflow");
    io_uring_queue_exit(&ring);
    return 0;
}
