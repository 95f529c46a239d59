/* A child does not get the ring's memory, so it cannot disturb the ring
 * by accident.
 */
#include <err.h>
#include <liburing.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(void)
{
    struct io_uring ring;
    int status;
    pid_t child;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ok(io_uring_ring_dontfork(&ring), "io_uring_ring_dontfork");

    child = fork();
    if (child < 0)
        err(1, "fork");
    if (child == 0) {
        /* Only the descriptor is there. Close it; touch nothing else. */
        _exit(close(ring.ring_fd) == 0 ? 0 : 1);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        errx(1, "the child failed");

    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(result(&ring), "nop in the parent");
    io_uring_queue_exit(&ring);
    return 0;
}
