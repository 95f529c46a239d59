/* What goes in and what comes out. */
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

int main(void)
{
    struct io_uring_params params;
    struct io_uring ring;

    /* All that is not set must be zero. */
    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = 1000;
    ok(io_uring_queue_init_params(100, &ring, &params),
       "io_uring_queue_init_params");
    /* Sizes become powers of two. */
    if (params.sq_entries != 128 || params.cq_entries != 1024)
        errx(1, "%u and %u", params.sq_entries, params.cq_entries);
    if (params.features & IORING_FEAT_NODROP)
        printf("completions are not lost when the queue is full\n");
    io_uring_queue_exit(&ring);
    return 0;
}
