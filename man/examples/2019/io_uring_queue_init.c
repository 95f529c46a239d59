/* Reads from a file through the library. */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>

int main(void)
{
    struct io_uring_params params;
    struct io_uring ring;
    struct io_uring_iocb *iocb;
    struct io_uring_event *event;
    char buffer[64];
    int fd = open("/dev/zero", O_RDONLY), ret;

    if (fd < 0)
        err(1, "/dev/zero");
    memset(&params, 0, sizeof(params));
    ret = io_uring_queue_init(4, &params, NULL, &ring);
    if (ret < 0)
        errx(1, "io_uring_queue_init: %s", strerror(-ret));

    iocb = io_uring_get_iocb(&ring);
    memset(iocb, 0, sizeof(*iocb));
    iocb->opcode = IORING_OP_READ;
    iocb->fd = fd;
    iocb->addr = buffer;
    iocb->len = sizeof(buffer);
    ret = io_uring_submit(&ring);
    if (ret != 1)
        errx(1, "io_uring_submit: %d", ret);

    ret = io_uring_wait_completion(&ring, &event);
    if (ret < 0)
        errx(1, "io_uring_wait_completion: %s", strerror(-ret));
    if (event->res != sizeof(buffer) ||
        io_uring_iocb_from_ev(&ring, event) != iocb)
        errx(1, "the event has %d", event->res);
    io_uring_queue_exit(&ring);
    return 0;
}
