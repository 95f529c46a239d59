/* Writes, and syncs only after the write has succeeded. */
#include <err.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

int main(void)
{
    char path[] = "/tmp/io_uring-XXXXXX";
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int fd = mkstemp(path), i;

    if (fd < 0)
        err(1, "%s", path);
    unlink(path);
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_write(sqe, fd, "hello", 5, 0);
    /* Without the link both could run at the same time. */
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 5);
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
    io_uring_sqe_set_data64(sqe, 0);
    ok(io_uring_submit(&ring), "io_uring_submit");

    for (i = 0; i < 2; i++) {
        struct io_uring_cqe *cqe;

        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res != (int) cqe->user_data)
            errx(1, "%s", strerror(-cqe->res));
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
