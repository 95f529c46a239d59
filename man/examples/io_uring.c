/* Copies a file, one request at a time: reads a block, writes it, and goes
 * on until the end. With two names it copies the one to the other; without,
 * a file of its own, to show that it works.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK 65536

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
    /* A signal ends the wait, not the request. */
    do
        res = io_uring_wait_cqe(ring, &cqe);
    while (res == -EINTR);
    ok(res, "io_uring_wait_cqe");
    res = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return res;
}

/* Writes all of it. Returns 0 or a negative errno. */
static int write_all(struct io_uring *ring, int to, const char *data,
                     int size, __u64 offset)
{
    while (size > 0) {
        int res;

        io_uring_prep_write(io_uring_get_sqe(ring), to, data,
                            (unsigned) size, offset);
        res = result(ring);
        if (res == -EINTR)
            continue;
        if (res <= 0)
            return res < 0 ? res : -EIO;
        data += res;
        size -= res;
        offset += (__u64) res;
    }
    return 0;
}

/* Copies until the end of the file. Returns 0 or a negative errno. */
static int copy(struct io_uring *ring, int from, int to)
{
    static char buffer[BLOCK];
    __u64 offset = 0;

    for (;;) {
        int size, ret;

        io_uring_prep_read(io_uring_get_sqe(ring), from, buffer, BLOCK,
                           offset);
        size = result(ring);
        if (size == -EINTR)
            continue;
        if (size <= 0)
            return size;
        ret = write_all(ring, to, buffer, size, offset);
        if (ret < 0)
            return ret;
        offset += (__u64) size;
    }
}

int main(int argc, char *argv[])
{
    struct io_uring ring;
    char byte = 0;
    int from, to;

    if (argc == 3) {
        from = open(argv[1], O_RDONLY);
        to = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    } else {
        from = memfd_create("from", 0);
        to = memfd_create("to", 0);
        if (pwrite(from, "x", 1, 200000) != 1)
            err(1, "pwrite");
    }
    if (from < 0 || to < 0)
        err(1, "open");
    /* What can be refused is refused here: see io_uring_containers(7). */
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ok(copy(&ring, from, to), "copy");
    io_uring_queue_exit(&ring);
    if (argc != 3 && (pread(to, &byte, 1, 200000) != 1 || byte != 'x'))
        errx(1, "the copy is not complete");
    /* Some file systems report that a write failed only now. */
    if (close(to) < 0)
        err(1, "close");
    return 0;
}
