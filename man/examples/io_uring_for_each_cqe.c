/* Goes through all completions that are there, and gives them back at
 * once.
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
    struct io_uring_cqe *cqe;
    unsigned head, i, seen = 0;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    for (i = 0; i < 5; i++)
        io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(io_uring_submit_and_wait(&ring, 5), "io_uring_submit_and_wait");

    io_uring_for_each_cqe(&ring, head, cqe)
    {
        ok(cqe->res, "nop");
        /* In a ring of mixed sizes a completion may take two entries. */
        seen += io_uring_cqe_nr(cqe);
    }
    io_uring_cq_advance(&ring, seen);
    if (seen != 5 || io_uring_cq_ready(&ring) != 0)
        errx(1, "%u completions", seen);
    io_uring_queue_exit(&ring);
    return 0;
}
