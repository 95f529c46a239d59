/* Files that never have a descriptor: opened into a slot that the kernel
 * picks, used and closed there.
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
    struct io_uring_sqe *sqe;
    char byte = 1;
    int slot, ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_files_sparse(&ring, 100);
    if (ret == -EINVAL)
        return skip("needs Linux 5.19");
    ok(ret, "io_uring_register_files_sparse");

    io_uring_prep_open_direct(io_uring_get_sqe(&ring), "/dev/zero",
                              O_RDONLY, 0, IORING_FILE_INDEX_ALLOC);
    slot = ok(result(&ring), "open");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, slot, &byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    if (result(&ring) != 1 || byte != 0)
        errx(1, "nothing was read");
    io_uring_prep_close_direct(io_uring_get_sqe(&ring), (unsigned) slot);
    ok(result(&ring), "close");

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, slot, &byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    if (result(&ring) != -EBADF)
        errx(1, "the slot is not empty");
    io_uring_queue_exit(&ring);
    return 0;
}
