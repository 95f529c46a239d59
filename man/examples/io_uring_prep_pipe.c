/* Makes a pipe, and one that only the ring knows. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
    char byte;
    int fds[2], res;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_pipe(io_uring_get_sqe(&ring), fds, O_CLOEXEC);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 6.16");
    ok(res, "pipe");
    if (write(fds[1], "x", 1) != 1 || read(fds[0], &byte, 1) != 1)
        err(1, "the pipe does not work");

    ok(io_uring_register_files_sparse(&ring, 4),
       "io_uring_register_files_sparse");
    /* Slots 2 and 3. */
    io_uring_prep_pipe_direct(io_uring_get_sqe(&ring), fds, 0, 2);
    ok(result(&ring), "pipe into slots");
    io_uring_queue_exit(&ring);
    return 0;
}
