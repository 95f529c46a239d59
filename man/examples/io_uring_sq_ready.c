/* Watches the submission queue fill up and empty again. */
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

    ok(io_uring_queue_init(4, &ring, 0), "io_uring_queue_init");
    while (io_uring_sq_space_left(&ring) > 0)
        io_uring_prep_nop(io_uring_get_sqe(&ring));
    if (io_uring_sq_ready(&ring) != 4 || io_uring_get_sqe(&ring) != NULL)
        errx(1, "the queue is not full");

    ok(io_uring_submit(&ring), "io_uring_submit");
    /* With IORING_SETUP_SQPOLL the thread may not have come so far yet:
     * this waits for it. Here it returns at once. */
    ok(io_uring_sqring_wait(&ring), "io_uring_sqring_wait");
    if (io_uring_sq_ready(&ring) != 0 ||
        io_uring_sq_space_left(&ring) != 4)
        errx(1, "the queue is not empty");
    io_uring_queue_exit(&ring);
    return 0;
}
