/* Sets a ring up by the bare call. Its parts lie where the program maps
 * them through the descriptor.
 */
#include <err.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    struct io_uring_params params;
    unsigned *tail;
    char *ring;
    int fd;

    memset(&params, 0, sizeof(params));
    fd = io_uring_setup(4, NULL, &params);
    if (fd < 0)
        err(1, "io_uring_setup");
    ring = mmap(NULL, params.sq_off.array + 4 * sizeof(unsigned),
                PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                IORING_OFF_SQ_RING);
    if (ring == MAP_FAILED)
        err(1, "mmap");
    tail = (unsigned *) (void *) (ring + params.sq_off.tail);
    if (*tail != 0 || params.sq_entries != 4 || params.cq_entries != 8)
        errx(1, "not a new ring");

    /* Nothing to submit and nothing to wait for. */
    if (io_uring_enter((unsigned) fd, 0, 0, 0) != 0)
        err(1, "io_uring_enter");
    close(fd);
    return 0;
}
