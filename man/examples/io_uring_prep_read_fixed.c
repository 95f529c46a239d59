/* Writes from and reads into one registered buffer. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

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
    static char memory[8192];
    struct iovec buffer = { memory, sizeof(memory) };
    struct io_uring ring;
    int fd = memfd_create("example", 0);

    if (fd < 0)
        err(1, "memfd_create");
    memset(memory, 'x', 4096);
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ok(io_uring_register_buffers(&ring, &buffer, 1),
       "io_uring_register_buffers");

    io_uring_prep_write_fixed(io_uring_get_sqe(&ring), fd, memory, 4096,
                              0, 0);
    if (result(&ring) != 4096)
        errx(1, "not all was written");
    io_uring_prep_read_fixed(io_uring_get_sqe(&ring), fd, memory + 4096,
                             4096, 0, 0);
    if (result(&ring) != 4096 || memory[8191] != 'x')
        errx(1, "not what was written");

    /* One byte beyond the registered buffer is refused. */
    io_uring_prep_read_fixed(io_uring_get_sqe(&ring), fd, memory + 4096,
                             4097, 0, 0);
    if (result(&ring) != -EFAULT)
        errx(1, "it was not refused");
    io_uring_queue_exit(&ring);
    return 0;
}
