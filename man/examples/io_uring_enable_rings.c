/* A ring that can do nothing but read and write registered files. It
 * could be handed to code that is not trusted.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>

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
    struct io_uring ring;
    struct io_uring_restriction allowed[3];
    char byte;
    int fd;

    fd = open("/dev/zero", O_RDONLY);
    if (fd < 0)
        err(1, "/dev/zero");
    ok(io_uring_queue_init(8, &ring, IORING_SETUP_R_DISABLED),
       "io_uring_queue_init");
    ok(io_uring_register_files(&ring, &fd, 1), "io_uring_register_files");

    memset(allowed, 0, sizeof(allowed));
    allowed[0].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[0].sqe_op = IORING_OP_READ;
    allowed[1].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[1].sqe_op = IORING_OP_WRITE;
    allowed[2].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
    allowed[2].sqe_flags = IOSQE_FIXED_FILE;
    ok(io_uring_register_restrictions(&ring, allowed, 3),
       "io_uring_register_restrictions");
    ok(io_uring_enable_rings(&ring), "io_uring_enable_rings");

    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    io_uring_prep_read(sqe, 0, &byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    if (result(&ring) != 1)
        errx(1, "the read was refused");

    io_uring_prep_nop(io_uring_get_sqe(&ring));
    if (result(&ring) != -EACCES)
        errx(1, "the nop was not refused");
    io_uring_queue_exit(&ring);
    return 0;
}
