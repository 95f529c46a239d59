/* Makes a socket with a descriptor, and one in a slot that the kernel
 * picks.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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
    int fd, slot, ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_files_sparse(&ring, 4);
    if (ret == -EINVAL)
        return skip("needs Linux 5.19");
    ok(ret, "io_uring_register_files_sparse");

    io_uring_prep_socket(io_uring_get_sqe(&ring), AF_UNIX,
                         SOCK_STREAM | SOCK_CLOEXEC, 0, 0);
    fd = result(&ring);
    if (fd == -EINVAL)
        return skip("needs Linux 5.19");
    close(ok(fd, "socket"));

    io_uring_prep_socket_direct_alloc(io_uring_get_sqe(&ring), AF_UNIX,
                                      SOCK_STREAM, 0, 0);
    slot = ok(result(&ring), "socket in a slot");
    if (slot >= 4)
        errx(1, "there is no slot %d", slot);
    io_uring_queue_exit(&ring);
    return 0;
}
