/* On a ring with IORING_SETUP_DEFER_TASKRUN completions appear only when
 * the program asks for them. This asks without waiting.
 */
#include <err.h>
#include <errno.h>
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

int main(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    char byte;
    int fds[2], ret;

    if (pipe(fds) < 0)
        err(1, "pipe");
    ret = io_uring_queue_init(8, &ring,
                              IORING_SETUP_SINGLE_ISSUER |
                                  IORING_SETUP_DEFER_TASKRUN);
    if (ret == -EINVAL)
        return skip("needs Linux 6.1");
    ok(ret, "io_uring_queue_init");
    io_uring_prep_read(io_uring_get_sqe(&ring), fds[0], &byte, 1, 0);
    ok(io_uring_submit_and_get_events(&ring),
       "io_uring_submit_and_get_events");
    if (io_uring_cq_ready(&ring) != 0)
        errx(1, "there is nothing to read yet");

    if (write(fds[1], "x", 1) != 1)
        err(1, "write");
    if (io_uring_cq_ready(&ring) != 0)
        errx(1, "nobody has asked yet");
    ok(io_uring_get_events(&ring), "io_uring_get_events");
    ok(io_uring_peek_cqe(&ring, &cqe), "io_uring_peek_cqe");
    if (cqe->res != 1)
        errx(1, "the read gave %d", cqe->res);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    return 0;
}
