/* A second ring uses the buffers of the first one. They are mapped and
 * counted once.
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
    struct iovec buffer = { memory, sizeof(memory) };
    struct io_uring first, second;
    int fd = open("/dev/zero", O_RDONLY);
    int ret;

    if (fd < 0)
        err(1, "/dev/zero");
    memory[0] = 'x';
    ok(io_uring_queue_init(8, &first, 0), "io_uring_queue_init");
    ok(io_uring_queue_init(8, &second, 0), "io_uring_queue_init");
    ok(io_uring_register_buffers(&first, &buffer, 1),
       "io_uring_register_buffers");

    ret = io_uring_clone_buffers(&second, &first);
    if (ret == -EINVAL)
        return skip("needs Linux 6.12");
    ok(ret, "io_uring_clone_buffers");
    /* They stay when the ring that they came from goes. */
    io_uring_queue_exit(&first);

    io_uring_prep_read_fixed(io_uring_get_sqe(&second), fd, memory, 4096,
                             0, 0);
    if (result(&second) != 4096 || memory[0] != 0)
        errx(1, "nothing was read");
    io_uring_queue_exit(&second);
    return 0;
}
