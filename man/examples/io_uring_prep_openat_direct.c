/* Opens, reads and closes in one submission, without a descriptor: the
 * file only ever is slot 0.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

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
    struct io_uring_sqe *sqe;
    char buffer[16];
    int i, ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_files_sparse(&ring, 4);
    if (ret == -EINVAL)
        return skip("needs Linux 5.19");
    ok(ret, "io_uring_register_files_sparse");

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_openat_direct(sqe, AT_FDCWD, "/dev/zero", O_RDONLY, 0,
                                0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 0);

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, 0, buffer, sizeof(buffer), 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE | IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, sizeof(buffer));

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_close_direct(sqe, 0);
    io_uring_sqe_set_data64(sqe, 0);
    ok(io_uring_submit(&ring), "io_uring_submit");

    for (i = 0; i < 3; i++) {
        struct io_uring_cqe *cqe;

        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res != (int) cqe->user_data)
            errx(1, "one of them gave %d", cqe->res);
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
