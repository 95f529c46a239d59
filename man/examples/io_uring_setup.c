/* Sets up a ring without the library and maps it, both rings by one
 * mapping.
 */
#include <err.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
    struct io_uring_params params;
    unsigned *sq_tail, *cq_head;
    size_t size;
    char *rings;
    int fd;

    memset(&params, 0, sizeof(params));
    fd = ok(io_uring_setup(8, &params), "io_uring_setup");
    if (!(params.features & IORING_FEAT_SINGLE_MMAP))
        return skip("needs Linux 5.4");
    size = params.cq_off.cqes +
           params.cq_entries * sizeof(struct io_uring_cqe);
    if (size < params.sq_off.array + params.sq_entries * sizeof(unsigned))
        size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    rings = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
    if (rings == MAP_FAILED)
        err(1, "mmap");
    sq_tail = (unsigned *) (void *) (rings + params.sq_off.tail);
    cq_head = (unsigned *) (void *) (rings + params.cq_off.head);
    if (*sq_tail != 0 || *cq_head != 0)
        errx(1, "a new ring is empty");
    munmap(rings, size);
    close(fd);
    return 0;
}
