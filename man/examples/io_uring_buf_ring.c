/* The tail of the ring lies in the first entry, where that one has
 * nothing of its own.
 */
#include <err.h>
#include <errno.h>
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

int main(void)
{
    static char memory[64];
    struct io_uring_buf_ring *buffers;
    struct io_uring ring;
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    buffers = io_uring_setup_buf_ring(&ring, 4, 0, 0, &ret);
    if (!buffers && ret == -EINVAL)
        return skip("needs Linux 5.19");
    if (!buffers)
        ok(ret, "io_uring_setup_buf_ring");
    io_uring_buf_ring_add(buffers, memory, sizeof(memory), 9,
                          io_uring_buf_ring_mask(4), 0);
    if (buffers->bufs[0].bid != 9 || buffers->bufs[0].len != 64 ||
        buffers->tail != 0)
        errx(1, "not what was added");
    io_uring_buf_ring_advance(buffers, 1);
    if (buffers->tail != 1)
        errx(1, "the tail is %u", buffers->tail);
    io_uring_free_buf_ring(&ring, buffers, 4, 0);
    io_uring_queue_exit(&ring);
    return 0;
}
