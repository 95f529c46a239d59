/* Writes, syncs and reads back: three iocbs, one after the other. */
#include <err.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run(struct io_uring *ring, int opcode, int fd, void *buffer,
               unsigned length)
{
    struct io_uring_iocb *iocb = io_uring_get_iocb(ring);
    struct io_uring_event *event;

    memset(iocb, 0, sizeof(*iocb));
    iocb->opcode = (__u8) opcode;
    iocb->fd = fd;
    iocb->addr = buffer;
    iocb->len = length;
    if (io_uring_submit(ring) != 1 ||
        io_uring_wait_completion(ring, &event) < 0)
        errx(1, "opcode %d was not carried out", opcode);
    return event->res;
}

int main(void)
{
    struct io_uring_params params;
    struct io_uring ring;
    char path[] = "/tmp/io_uring-XXXXXX", text[] = "hello", copy[6] = "";
    int fd = mkstemp(path), ret;

    if (fd < 0)
        err(1, "%s", path);
    unlink(path);
    memset(&params, 0, sizeof(params));
    ret = io_uring_queue_init(4, &params, NULL, &ring);
    if (ret < 0)
        errx(1, "io_uring_queue_init: %s", strerror(-ret));
    if (run(&ring, IORING_OP_WRITE, fd, text, 6) != 6 ||
        run(&ring, IORING_OP_FSYNC, fd, NULL, 0) != 0 ||
        run(&ring, IORING_OP_READ, fd, copy, 6) != 6 ||
        strcmp(copy, "hello") != 0)
        errx(1, "not what was written");
    io_uring_queue_exit(&ring);
    return 0;
}
