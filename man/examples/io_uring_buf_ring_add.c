/* Registers a ring of buffers in memory of the program's own, and looks
 * how many of them are left.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 8
#define SIZE 64

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

int main(void)
{
    static char memory[COUNT][SIZE];
    struct io_uring_buf_reg reg;
    struct io_uring_buf_ring *buffers;
    struct io_uring ring;
    int i, ret;

    buffers = aligned_alloc((size_t) sysconf(_SC_PAGESIZE),
                            (size_t) sysconf(_SC_PAGESIZE));
    if (!buffers)
        err(1, "aligned_alloc");
    io_uring_buf_ring_init(buffers);
    for (i = 0; i < COUNT; i++)
        io_uring_buf_ring_add(buffers, memory[i], SIZE,
                              (unsigned short) i,
                              io_uring_buf_ring_mask(COUNT), i);
    /* The kernel sees none of them before this. */
    io_uring_buf_ring_advance(buffers, COUNT);

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    memset(&reg, 0, sizeof(reg));
    reg.ring_addr = (uintptr_t) buffers;
    reg.ring_entries = COUNT;
    reg.bgid = 1;
    ret = io_uring_register_buf_ring(&ring, &reg, 0);
    if (ret == -EINVAL)
        return skip("needs Linux 5.19");
    ok(ret, "io_uring_register_buf_ring");

    ret = io_uring_buf_ring_available(&ring, buffers, 1);
    if (ret == -EINVAL)
        return skip("needs Linux 6.8");
    if (ret != COUNT)
        errx(1, "%d buffers are there", ret);
    ok(io_uring_unregister_buf_ring(&ring, 1),
       "io_uring_unregister_buf_ring");
    io_uring_queue_exit(&ring);
    free(buffers);
    return 0;
}
