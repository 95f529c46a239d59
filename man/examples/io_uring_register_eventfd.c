/* An event loop that waits for descriptors learns of completions through
 * an eventfd.
 */
#include <err.h>
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

int main(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    eventfd_t events;
    int fd = eventfd(0, EFD_CLOEXEC);
    struct pollfd waits = { .fd = fd, .events = POLLIN };

    if (fd < 0)
        err(1, "eventfd");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ok(io_uring_register_eventfd(&ring, fd), "io_uring_register_eventfd");
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(io_uring_submit(&ring), "io_uring_submit");

    if (poll(&waits, 1, 1000) != 1 || eventfd_read(fd, &events) < 0)
        errx(1, "the eventfd was not signalled");
    /* The count need not be the number of completions: take all that are
     * there. */
    while (io_uring_peek_cqe(&ring, &cqe) == 0)
        io_uring_cqe_seen(&ring, cqe);

    /* No signal while the program looks at the queue anyway. */
    ok(io_uring_cq_eventfd_toggle(&ring, false),
       "io_uring_cq_eventfd_toggle");
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ok(io_uring_submit(&ring), "io_uring_submit");
    if (io_uring_cq_eventfd_enabled(&ring) || poll(&waits, 1, 0) != 0)
        errx(1, "the eventfd was signalled");
    ok(io_uring_unregister_eventfd(&ring), "io_uring_unregister_eventfd");
    io_uring_queue_exit(&ring);
    return 0;
}
