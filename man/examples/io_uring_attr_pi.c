/* A read with protection information. The memory file of the example has
 * none, so the kernel refuses the attribute. With the name of a block
 * device that has it, 8 bytes for each 512, the read succeeds.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

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

int main(int argc, char *argv[])
{
    static char data[4096] __attribute__((aligned(4096)));
    static char protection[64];
    struct io_uring_attr_pi attributes = { .len = sizeof(protection) };
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int fd = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECT)
                      : memfd_create("example", 0);

    if (fd < 0)
        err(1, "open");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    if (!(ring.features & IORING_FEAT_RW_ATTR))
        return skip("needs Linux 6.14");

    attributes.addr = (uintptr_t) protection;
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, fd, data, sizeof(data), 0);
    sqe->attr_ptr = (uintptr_t) &attributes;
    sqe->attr_type_mask = IORING_RW_ATTR_FLAG_PI;
    ok(io_uring_submit(&ring), "io_uring_submit");
    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (argc > 1)
        ok(cqe->res, "read");
    else if (cqe->res != -EINVAL)
        errx(1, "a file without protection information gave %d",
             cqe->res);
    printf("%d\n", cqe->res);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    return 0;
}
