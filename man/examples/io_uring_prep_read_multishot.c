/* One request that reads from a pipe whenever there is something, each
 * time into another buffer.
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
    static char memory[4][64];
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    struct io_uring_cqe *cqe;
    int fds[2], i, ret;

    if (pipe(fds) < 0)
        err(1, "pipe");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    buffers = io_uring_setup_buf_ring(&ring, 4, 1, 0, &ret);
    if (!buffers && ret == -EINVAL)
        return skip("needs Linux 5.19");
    if (!buffers)
        ok(ret, "io_uring_setup_buf_ring");
    for (i = 0; i < 4; i++)
        io_uring_buf_ring_add(buffers, memory[i], 64, (unsigned short) i,
                              io_uring_buf_ring_mask(4), i);
    io_uring_buf_ring_advance(buffers, 4);

    io_uring_prep_read_multishot(io_uring_get_sqe(&ring), fds[0], 0, 0,
                                 1);
    ok(io_uring_submit(&ring), "io_uring_submit");
    for (i = 0; i < 3; i++) {
        if (write(fds[1], "data", 4) != 4)
            err(1, "write");
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res == -EINVAL)
            return skip("needs Linux 6.7");
        if (cqe->res != 4 || !(cqe->flags & IORING_CQE_F_MORE))
            errx(1, "it gave %d, flags %#x", cqe->res, cqe->flags);
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_free_buf_ring(&ring, buffers, 4, 1);
    io_uring_queue_exit(&ring);
    return 0;
}
