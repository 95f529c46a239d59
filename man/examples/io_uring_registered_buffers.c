/* Registers empty slots first and fills one later, with a tag that tells
 * when the kernel has let go of the buffer.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
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
    static char memory[4096];
    struct iovec buffer = { memory, sizeof(memory) },
                 nothing = { NULL, 0 };
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    __u64 tag = 77, no_tag = 0;
    int fd = open("/dev/zero", O_RDONLY), ret;

    if (fd < 0)
        err(1, "/dev/zero");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_buffers_sparse(&ring, 16);
    if (ret == -EINVAL)
        return skip("needs Linux 5.19");
    ok(ret, "io_uring_register_buffers_sparse");
    ok(io_uring_register_buffers_update_tag(&ring, 3, &buffer, &tag, 1),
       "io_uring_register_buffers_update_tag");
    memory[0] = 'x';
    io_uring_prep_read_fixed(io_uring_get_sqe(&ring), fd, memory, 4096, 0,
                             3);
    if (result(&ring) != 4096 || memory[0] != 0)
        errx(1, "nothing was read");

    /* An empty iovec takes it out. The completion with the tag comes when
     * no request uses it any more. */
    ok(io_uring_register_buffers_update_tag(&ring, 3, &nothing, &no_tag,
                                            1),
       "io_uring_register_buffers_update_tag");
    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (cqe->user_data != 77 || cqe->res != 0)
        errx(1, "not the tag: %llu", (unsigned long long) cqe->user_data);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    return 0;
}
