/* Writes into a file and reads it back. A short result is no error: the
 * loop goes on after it.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>

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

/* Reads until the buffer is full or the file ends. Returns the number of
 * bytes, or a negative errno. */
static int read_all(struct io_uring *ring, int fd, char *buffer,
                    unsigned size)
{
    unsigned done = 0;

    while (done < size) {
        int res;

        io_uring_prep_read(io_uring_get_sqe(ring), fd, buffer + done,
                           size - done, done);
        res = result(ring);
        if (res == -EINTR)
            continue;
        if (res < 0)
            return res;
        if (res == 0)
            break;
        done += (unsigned) res;
    }
    return (int) done;
}

int main(void)
{
    static char buffer[4096];
    struct io_uring ring;
    int fd = memfd_create("example", 0);

    if (fd < 0)
        err(1, "memfd_create");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_write(io_uring_get_sqe(&ring), fd, "hello", 5, 0);
    if (result(&ring) != 5)
        errx(1, "not all was written");
    if (read_all(&ring, fd, buffer, sizeof(buffer)) != 5 ||
        memcmp(buffer, "hello", 5) != 0)
        errx(1, "not what was written");
    io_uring_queue_exit(&ring);
    return 0;
}
