/* What can be read in the structure: sizes, flags, features and the
 * descriptor. All of it is the library's to write.
 */
#include <err.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

int main(void)
{
    struct io_uring ring;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    printf("descriptor %d, %u SQEs, %u CQEs, features %#x\n",
           ring.ring_fd, ring.sq.ring_entries, ring.cq.ring_entries,
           ring.features);
    if (ring.ring_fd < 0 || !(ring.features & IORING_FEAT_SINGLE_MMAP))
        errx(1, "not a ring");
    /* How many completions the kernel could not even keep: 0 on a healthy
     * ring. */
    if (*ring.cq.koverflow != 0)
        errx(1, "completions were lost");
    io_uring_queue_exit(&ring);
    return 0;
}
