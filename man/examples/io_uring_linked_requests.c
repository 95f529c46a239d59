/* A write that starts only when the read before it has filled the buffer,
 * and a broken chain.
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

int main(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    char buffer[5];
    int from = memfd_create("from", 0), to = memfd_create("to", 0), round,
        i;

    if (from < 0 || to < 0 || pwrite(from, "hello", 5, 0) != 5)
        err(1, "memfd_create");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    for (round = 0; round < 2; round++) {
        /* In the second round the file has only two bytes left: a short
         * read breaks the chain. */
        unsigned offset = round == 0 ? 0 : 3;

        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_read(sqe, from, buffer, 5, offset);
        io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
        io_uring_sqe_set_data64(sqe, 1);
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_write(sqe, to, buffer, 5, 0);
        io_uring_sqe_set_data64(sqe, 2);
        ok(io_uring_submit(&ring), "io_uring_submit");
        for (i = 0; i < 2; i++) {
            int expected;

            ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
            if (round == 0)
                expected = 5;
            else
                expected = cqe->user_data == 1 ? 2 : -ECANCELED;
            if (cqe->res != expected)
                errx(1, "round %d, request %llu: %d", round,
                     (unsigned long long) cqe->user_data, cqe->res);
            io_uring_cqe_seen(&ring, cqe);
        }
    }
    io_uring_queue_exit(&ring);
    return 0;
}
