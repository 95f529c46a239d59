/* Duplicates what is in a pipe, and moves it into a file, without a
 * buffer in the program.
 */
#define _GNU_SOURCE
#include <err.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
    char text[6] = "";
    int from[2], copy[2], file = memfd_create("example", 0);

    if (file < 0 || pipe(from) < 0 || pipe(copy) < 0)
        err(1, "pipe");
    if (write(from[1], "hello", 5) != 5)
        err(1, "write");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");

    io_uring_prep_tee(io_uring_get_sqe(&ring), from[0], copy[1], 5, 0);
    if (result(&ring) != 5)
        errx(1, "not all was duplicated");
    /* A pipe has no position: -1. The file is written from its start. */
    io_uring_prep_splice(io_uring_get_sqe(&ring), from[0], -1, file, 0, 5,
                         0);
    if (result(&ring) != 5)
        errx(1, "not all was moved");

    if (pread(file, text, 5, 0) != 5 || strcmp(text, "hello") != 0)
        errx(1, "the file has %s", text);
    if (read(copy[0], text, 5) != 5 || strcmp(text, "hello") != 0)
        errx(1, "the copy has %s", text);
    io_uring_queue_exit(&ring);
    return 0;
}
