/* Gives a file that only the ring knows a descriptor, for a library that
 * wants one.
 */
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
    int fd, res;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    res = io_uring_register_files_sparse(&ring, 1);
    if (res == -EINVAL)
        return skip("needs Linux 5.19");
    ok(res, "io_uring_register_files_sparse");
    io_uring_prep_openat_direct(io_uring_get_sqe(&ring), AT_FDCWD,
                                "/dev/zero", O_RDONLY, 0, 0);
    ok(result(&ring), "open");

    io_uring_prep_fixed_fd_install(io_uring_get_sqe(&ring), 0, 0);
    fd = result(&ring);
    if (fd == -EINVAL)
        return skip("needs Linux 6.8");
    ok(fd, "install");
    if (read(fd, &byte, 1) != 1)
        err(1, "read");
    close(fd);
    io_uring_queue_exit(&ring);
    return 0;
}
