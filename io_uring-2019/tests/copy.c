/*
 * Copies a file through two rings: one reads, the other writes what was read.
 * A finished read's buffer and offset are found through its iocb.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "liburing.h"

#define DEPTH 64
#define BLOCK 4096

static void die(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(error < 0 ? -error : error));
    exit(1);
}

static void make_ring(struct io_uring *ring)
{
    struct io_uring_params p;
    int ret;

    memset(&p, 0, sizeof(p));
    p.flags = IORING_SETUP_SQWQ;
    ret = io_uring_queue_init(DEPTH, &p, NULL, ring);
    if (ret < 0)
        die("io_uring_queue_init", ret);
}

static struct io_uring_iocb *take(struct io_uring *ring, int opcode, int fd, void *buffer, unsigned len, off_t off)
{
    struct io_uring_iocb *iocb = io_uring_get_iocb(ring);

    if (!iocb)
        return NULL;
    iocb->opcode = opcode;
    iocb->flags = 0;
    iocb->ioprio = 0;
    iocb->fd = fd;
    iocb->off = off;
    iocb->addr = buffer;
    iocb->len = len;
    iocb->rw_flags = 0;
    return iocb;
}

/* Submits all iocbs that were taken, and returns how many. */
static int submit(struct io_uring *ring)
{
    int ret = io_uring_submit(ring);

    if (ret < 0)
        die("io_uring_submit", ret);
    return ret;
}

int main(int argc, char **argv)
{
    struct io_uring in, out;
    struct io_uring_event *event;
    struct io_uring_iocb *iocb;
    struct stat status;
    off_t queued = 0, written = 0;
    char *buffers;
    int from, to, ret, i, count;

    if (argc != 3)
        return 2;
    from = open(argv[1], O_RDONLY);
    to = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (from < 0 || to < 0 || fstat(from, &status))
        die("open", errno);
    if (posix_memalign((void **) &buffers, BLOCK, DEPTH * BLOCK))
        die("memory", ENOMEM);
    make_ring(&in);
    make_ring(&out);

    while (queued < status.st_size) {
        /* a read for each iocb, each with its own buffer */
        for (count = 0; queued < status.st_size; count++) {
            unsigned len = status.st_size - queued < BLOCK ? status.st_size - queued : BLOCK;

            iocb = take(&in, IORING_OP_READ, from, NULL, len, queued);
            if (!iocb)
                break;
            iocb->addr = buffers + (iocb - in.sq.iocbs) * BLOCK;
            queued += len;
        }
        if (submit(&in) != count)
            die("short submission", EIO);
        for (i = 0; i < count; i++) {
            ret = io_uring_get_completion(&in, &event);
            if (ret == 0 && !event)
                ret = io_uring_wait_completion(&in, &event);
            if (ret < 0)
                die("completion of a read", ret);
            iocb = io_uring_iocb_from_ev(&in, event);
            if (event->res != (int) iocb->len)
                die("read", event->res);
            if (!take(&out, IORING_OP_WRITE, to, iocb->addr, event->res, iocb->off))
                die("no iocb is left", EAGAIN);
        }
        if (submit(&out) != count)
            die("short submission", EIO);
        for (i = 0; i < count; i++) {
            ret = io_uring_wait_completion(&out, &event);
            if (ret < 0)
                die("completion of a write", ret);
            iocb = io_uring_iocb_from_ev(&out, event);
            if (event->res != (int) iocb->len)
                die("write", event->res);
            written += event->res;
        }
    }
    io_uring_queue_exit(&in);
    io_uring_queue_exit(&out);
    printf("%lld bytes copied\n", (long long) written);
    return 0;
}
