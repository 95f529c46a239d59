/* Reads from a registered file, and posts no completion for a nop that
 * succeeds.
 */
#include <err.h>
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
    struct io_uring_sqe *sqe;
    char byte = 1;
    int fd = open("/dev/zero", O_RDONLY);

    if (fd < 0)
        err(1, "/dev/zero");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    if (!(ring.features & IORING_FEAT_CQE_SKIP))
        return skip("needs Linux 5.17");
    ok(io_uring_register_files(&ring, &fd, 1), "io_uring_register_files");
    close(fd);

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS | IOSQE_IO_LINK);

    /* The prep function comes first: it clears the flags. 0 is the slot,
     * not a descriptor. */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, 0, &byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);

    if (result(&ring) != 1 || byte != 0)
        errx(1, "nothing was read");
    if (io_uring_cq_ready(&ring) != 0)
        errx(1, "the nop posted a completion");
    io_uring_queue_exit(&ring);
    return 0;
}
