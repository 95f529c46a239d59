/* Buffers that are used piece by piece: two messages share one buffer,
 * which stays in use until it is full.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE 4096

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
    static char memory[SIZE];
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int sockets[2], ret, i;
    unsigned used = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
        err(1, "socketpair");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    buffers =
        io_uring_setup_buf_ring(&ring, 1, 5, IOU_PBUF_RING_INC, &ret);
    if (!buffers && ret == -EINVAL)
        return skip("needs Linux 6.12");
    if (!buffers)
        ok(ret, "io_uring_setup_buf_ring");
    io_uring_buf_ring_add(buffers, memory, SIZE, 0,
                          io_uring_buf_ring_mask(1), 0);
    io_uring_buf_ring_advance(buffers, 1);

    for (i = 0; i < 2; i++) {
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_recv(sqe, sockets[0], NULL, 0, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
        io_uring_sqe_set_buf_group(sqe, 5);
        if (write(sockets[1], i == 0 ? "hello " : "world!", 6) != 6)
            err(1, "write");
        ok(io_uring_submit(&ring), "io_uring_submit");
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res != 6 || !(cqe->flags & IORING_CQE_F_BUFFER) ||
            !(cqe->flags & IORING_CQE_F_BUF_MORE))
            errx(1, "it gave %d, flags %#x", cqe->res, cqe->flags);
        /* The program keeps count of where the next piece begins. */
        used += (unsigned) cqe->res;
        io_uring_cqe_seen(&ring, cqe);
    }
    if (used != 12 || memcmp(memory, "hello world!", 12) != 0)
        errx(1, "not side by side");
    io_uring_free_buf_ring(&ring, buffers, 1, 5);
    io_uring_queue_exit(&ring);
    return 0;
}
