/* Tells that a file is read from start to end, and that memory is not
 * needed any more.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
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

int main(void)
{
    struct io_uring ring;
    int fd = memfd_create("example", 0);
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (fd < 0 || memory == MAP_FAILED)
        err(1, "memfd_create");
    memory[0] = 'x';
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    /* Length 0 reaches to the end of the file. */
    io_uring_prep_fadvise(io_uring_get_sqe(&ring), fd, 0, 0,
                          POSIX_FADV_SEQUENTIAL);
    ok(result(&ring), "fadvise");
    io_uring_prep_madvise(io_uring_get_sqe(&ring), memory, 4096,
                          MADV_DONTNEED);
    ok(result(&ring), "madvise");
    if (memory[0] != 0)
        errx(1, "the page is still there");
    io_uring_queue_exit(&ring);
    return 0;
}
