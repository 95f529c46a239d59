/* Registers two buffers, reads into one of them, and replaces the other.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

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
    char *memory = aligned_alloc(4096, 3 * 4096);
    struct iovec buffers[2] = { { memory, 4096 },
                                { memory + 4096, 4096 } };
    struct iovec other = { memory + 8192, 4096 };
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    __u64 tag = 0;
    int fd = open("/dev/zero", O_RDONLY);
    int ret;

    if (fd < 0 || !memory)
        err(1, "/dev/zero");
    memset(memory, 'x', 3 * 4096);
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ok(io_uring_register_buffers(&ring, buffers, 2),
       "io_uring_register_buffers");

    /* Any part of the buffer will do. The last argument is its number. */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read_fixed(sqe, fd, memory + 4096 + 100, 50, 0, 1);
    if (result(&ring) != 50 || memory[4096 + 99] != 'x' ||
        memory[4096 + 149] != 0)
        errx(1, "not read into the second buffer");

    ret = io_uring_register_buffers_update_tag(&ring, 0, &other, &tag, 1);
    if (ret == -EINVAL)
        return skip("needs Linux 5.13");
    if (ret != 1)
        errx(1, "io_uring_register_buffers_update_tag: %d", ret);
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read_fixed(sqe, fd, memory, 50, 0, 0);
    if (result(&ring) != -EFAULT)
        errx(1, "the first buffer still is registered");

    ok(io_uring_unregister_buffers(&ring), "io_uring_unregister_buffers");
    io_uring_queue_exit(&ring);
    free(memory);
    return 0;
}
