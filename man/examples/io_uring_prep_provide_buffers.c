/* The older way of providing buffers: a request hands two of them over,
 * another one takes the unused one back.
 */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>

#define SIZE 128

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
    static char memory[2 * SIZE];
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int fd = open("/dev/zero", O_RDONLY);

    if (fd < 0)
        err(1, "/dev/zero");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    /* Numbers 10 and 11 of group 3, side by side in memory. */
    io_uring_prep_provide_buffers(io_uring_get_sqe(&ring), memory, SIZE,
                                  2, 3, 10);
    ok(result(&ring), "provide buffers");

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, fd, NULL, SIZE, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, 3);
    if (result(&ring) != SIZE)
        errx(1, "not all was read");

    /* Asks for both, and gets the one that is left. */
    io_uring_prep_remove_buffers(io_uring_get_sqe(&ring), 2, 3);
    if (result(&ring) != 1)
        errx(1, "not one buffer was left");
    io_uring_queue_exit(&ring);
    return 0;
}
