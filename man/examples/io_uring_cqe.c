/* Tells an error from a result, and takes the flags apart. */
#include <err.h>
#include <errno.h>
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
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, -1, NULL, 0, 0);
    io_uring_sqe_set_data64(sqe, 99);
    ok(io_uring_submit(&ring), "io_uring_submit");

    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (cqe->res < 0)
        printf("request %llu: %s\n", (unsigned long long) cqe->user_data,
               strerror(-cqe->res));
    if (cqe->flags & IORING_CQE_F_MORE)
        printf("more will come\n");
    if (cqe->flags & IORING_CQE_F_BUFFER)
        printf("in buffer %u\n", cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    if (cqe->res != -EBADF || cqe->user_data != 99 || cqe->flags != 0)
        errx(1, "it gave %d, flags %#x", cqe->res, cqe->flags);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    return 0;
}
