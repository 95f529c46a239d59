/* Puts a file into a slot that the kernel picks, by a request instead of
 * a call.
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
    int fd = open("/dev/zero", O_RDONLY), ret;

    if (fd < 0)
        err(1, "/dev/zero");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_files_sparse(&ring, 4);
    if (ret == -EINVAL)
        return skip("needs Linux 5.19");
    ok(ret, "io_uring_register_files_sparse");

    /* The array is read, and with this offset also written: it must stay
     * until the request completes. */
    io_uring_prep_files_update(io_uring_get_sqe(&ring), &fd, 1,
                               (int) IORING_FILE_INDEX_ALLOC);
    if (result(&ring) != 1)
        errx(1, "no slot was filled");
    printf("it is in slot %d now\n", fd);
    if (fd != 0)
        errx(1, "slot 0 was free");
    io_uring_queue_exit(&ring);
    return 0;
}
