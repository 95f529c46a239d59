/* One request that receives until the other side closes. Each piece of
 * data comes in a buffer of a ring, which goes back at once.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT 4
#define SIZE 64

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
    static char memory[COUNT][SIZE];
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int sockets[2], i, ret, received = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
        err(1, "socketpair");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    buffers = io_uring_setup_buf_ring(&ring, COUNT, 0, 0, &ret);
    if (!buffers && ret == -EINVAL)
        return skip("needs Linux 5.19");
    if (!buffers)
        ok(ret, "io_uring_setup_buf_ring");
    for (i = 0; i < COUNT; i++)
        io_uring_buf_ring_add(buffers, memory[i], SIZE,
                              (unsigned short) i,
                              io_uring_buf_ring_mask(COUNT), i);
    io_uring_buf_ring_advance(buffers, COUNT);

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_recv_multishot(sqe, sockets[0], NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, 0);
    ok(io_uring_submit(&ring), "io_uring_submit");

    for (i = 0; i < 10; i++) {
        if (write(sockets[1], "data", 4) != 4)
            err(1, "write");
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res == -EINVAL)
            return skip("needs Linux 6.0");
        /* -ENOBUFS here means: all buffers are in use. Give some back and
         * prepare the request anew. */
        received += ok(cqe->res, "recv");
        if (cqe->flags & IORING_CQE_F_BUFFER) {
            unsigned short bid =
                (unsigned short) (cqe->flags >> IORING_CQE_BUFFER_SHIFT);

            io_uring_buf_ring_add(buffers, memory[bid], SIZE, bid,
                                  io_uring_buf_ring_mask(COUNT), 0);
            io_uring_buf_ring_advance(buffers, 1);
        }
        io_uring_cqe_seen(&ring, cqe);
    }
    close(sockets[1]);
    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (received != 40 || cqe->res != 0 ||
        (cqe->flags & IORING_CQE_F_MORE))
        errx(1, "%d bytes, then %d", received, cqe->res);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_free_buf_ring(&ring, buffers, COUNT, 0);
    io_uring_queue_exit(&ring);
    return 0;
}
