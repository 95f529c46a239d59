/* Keeps the first eight slots for the program, and lets the kernel pick
 * from the others.
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
    int ret, slot;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_files_sparse(&ring, 16);
    if (ret == -EINVAL)
        return skip("needs Linux 5.19");
    ok(ret, "io_uring_register_files_sparse");
    ret = io_uring_register_file_alloc_range(&ring, 8, 8);
    if (ret == -EINVAL)
        return skip("needs Linux 6.0");
    ok(ret, "io_uring_register_file_alloc_range");

    io_uring_prep_openat_direct(io_uring_get_sqe(&ring), AT_FDCWD,
                                "/dev/zero", O_RDONLY, 0,
                                IORING_FILE_INDEX_ALLOC);
    slot = ok(result(&ring), "open");
    if (slot < 8)
        errx(1, "the kernel picked slot %d", slot);
    io_uring_queue_exit(&ring);
    return 0;
}
