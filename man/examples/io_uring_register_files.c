/* Registers a file, puts another one into a free slot, and reads from
 * both without a descriptor.
 */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
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
    struct io_uring_sqe *sqe;
    char bytes[2];
    int files[2], slot, ret;

    files[0] = open("/dev/zero", O_RDONLY);
    files[1] = -1;
    if (files[0] < 0)
        err(1, "/dev/zero");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    /* -1 leaves the second slot empty. */
    ok(io_uring_register_files(&ring, files, 2),
       "io_uring_register_files");

    ret = io_uring_register_files_update(&ring, 1, &files[0], 1);
    if (ret != 1)
        errx(1, "io_uring_register_files_update: %d", ret);
    /* The ring holds the file: the descriptor may go. */
    close(files[0]);

    for (slot = 0; slot < 2; slot++) {
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_read(sqe, slot, &bytes[slot], 1, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
        if (result(&ring) != 1)
            errx(1, "slot %d cannot be read", slot);
    }
    ok(io_uring_unregister_files(&ring), "io_uring_unregister_files");
    io_uring_queue_exit(&ring);
    return 0;
}
