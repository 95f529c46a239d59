/* Registers an eventfd by the bare call. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
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
    int fd = eventfd(0, EFD_CLOEXEC);

    if (fd < 0)
        err(1, "eventfd");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ok(io_uring_register((unsigned) ring.ring_fd, IORING_REGISTER_EVENTFD,
                         &fd, 1),
       "io_uring_register");
    /* There can be one only. */
    if (io_uring_register((unsigned) ring.ring_fd,
                          IORING_REGISTER_EVENTFD, &fd, 1) != -EBUSY)
        errx(1, "a second one was taken");
    ok(io_uring_register((unsigned) ring.ring_fd,
                         IORING_UNREGISTER_EVENTFD, NULL, 0),
       "io_uring_register");
    io_uring_queue_exit(&ring);
    return 0;
}
