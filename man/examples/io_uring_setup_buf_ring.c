/* Makes a ring of four buffers, receives into one of them, and gives it
 * back.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT 4
#define SIZE 256
#define GROUP 7

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
    int sockets[2], ret, i;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
        err(1, "socketpair");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    buffers = io_uring_setup_buf_ring(&ring, COUNT, GROUP, 0, &ret);
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
    io_uring_prep_recv(sqe, sockets[0], NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, GROUP);
    if (write(sockets[1], "hello", 5) != 5)
        err(1, "write");
    ok(io_uring_submit_and_wait(&ring, 1), "io_uring_submit_and_wait");

    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (cqe->res != 5 || !(cqe->flags & IORING_CQE_F_BUFFER))
        errx(1, "it gave %d without a buffer", cqe->res);
    i = (int) (cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    printf("buffer %d: %.5s\n", i, memory[i]);
    if (memcmp(memory[i], "hello", 5) != 0)
        errx(1, "not what was sent");

    /* Back into the ring, and the completion too. */
    io_uring_buf_ring_add(buffers, memory[i], SIZE, (unsigned short) i,
                          io_uring_buf_ring_mask(COUNT), 0);
    io_uring_buf_ring_cq_advance(&ring, buffers, 1);

    ok(io_uring_free_buf_ring(&ring, buffers, COUNT, GROUP),
       "io_uring_free_buf_ring");
    io_uring_queue_exit(&ring);
    return 0;
}
