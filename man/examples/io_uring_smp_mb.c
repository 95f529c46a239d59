/* Submits without the library's help: fills an SQE, publishes the tail,
 * and lets the kernel know.
 */
#include <err.h>
#include <liburing.h>
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
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    unsigned tail;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, 5);

    /* Only this thread writes the tail. The release makes the SQE
     * complete before the kernel sees it. */
    tail = IO_URING_READ_ONCE(*ring.sq.ktail);
    io_uring_smp_store_release(ring.sq.ktail, tail + 1);
    ring.sq.sqe_head = ring.sq.sqe_tail;
    if (ring.flags & IORING_SETUP_SQPOLL) {
        /* The tail must be there before the flag is looked at, or a
         * thread that goes to sleep is missed. */
        io_uring_smp_mb();
        if (IO_URING_READ_ONCE(*ring.sq.kflags) & IORING_SQ_NEED_WAKEUP)
            ok(io_uring_enter((unsigned) ring.ring_fd, 1, 0,
                              IORING_ENTER_SQ_WAKEUP, NULL),
               "io_uring_enter");
    } else {
        ok(io_uring_enter((unsigned) ring.ring_fd, 1, 0, 0, NULL),
           "io_uring_enter");
    }
    if (io_uring_load_sq_head(&ring) != tail + 1)
        errx(1, "the kernel did not take it");
    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (cqe->user_data != 5)
        errx(1, "not the request");
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    return 0;
}
