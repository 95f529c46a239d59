/* Sets up a ring in memory of the program's own, which the kernel then
 * uses instead of its own pages.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

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
    struct io_uring ring;
    struct io_uring_params params;
    ssize_t size;
    void *memory;
    int ret;

    memset(&params, 0, sizeof(params));
    size = io_uring_memory_size_params(8, &params);
    ok((int) size, "io_uring_memory_size_params");
    if (size != io_uring_memory_size(8, 0))
        errx(1, "the two functions differ");

    memory = mmap(NULL, (size_t) size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        err(1, "mmap");
    ret =
        io_uring_queue_init_mem(8, &ring, &params, memory, (size_t) size);
    if (ret == -EINVAL)
        return skip("needs Linux 6.5");
    printf("%d of %zd bytes used\n", ok(ret, "io_uring_queue_init_mem"),
           size);

    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(result(&ring), "nop");

    /* The ring goes first, then its memory. */
    io_uring_queue_exit(&ring);
    munmap(memory, (size_t) size);
    return 0;
}
