/*
 * What the library's first program did: it reads through a small polled ring
 * until no iocb is left, and counts. For both shapes; SPLIT is the first.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "liburing.h"

#define BLOCK 4096

int main(int argc, char **argv)
{
    struct io_uring_params p;
#ifdef SPLIT
    struct io_uring_sq sq;
    struct io_uring_cq cq;
    int ring_fd;
#else
    struct io_uring ring;
#endif
    struct io_uring_iocb *iocb;
    struct io_uring_event *event;
    int fd, ret, submitted, completed;
    off_t offset = 0;
    char *buffer, *wanted;

    if (argc != 2)
        return 2;
    memset(&p, 0, sizeof(p));
    p.flags = IORING_SETUP_IOPOLL;
#ifdef SPLIT
    ret = ring_fd = io_uring_queue_init(4, &p, NULL, &sq, &cq);
#else
    ret = io_uring_queue_init(4, &p, NULL, &ring);
#endif
    if (ret < 0) {
        fprintf(stderr, "io_uring_queue_init: %s\n", strerror(-ret));
        return 1;
    }
    fd = open(argv[1], O_RDONLY | O_DIRECT);
    if (fd < 0 || posix_memalign((void **) &buffer, BLOCK, 4 * BLOCK)) {
        perror(argv[1]);
        return 1;
    }
    memset(buffer, 0, 4 * BLOCK);
    for (;;) {
#ifdef SPLIT
        iocb = io_uring_get_iocb(&sq);
#else
        iocb = io_uring_get_iocb(&ring);
#endif
        if (!iocb)
            break;
        iocb->opcode = IORING_OP_READ;
        iocb->flags = 0;
        iocb->ioprio = 0;
        iocb->fd = fd;
        iocb->off = offset;
        iocb->addr = buffer + offset;
        iocb->len = BLOCK;
        offset += BLOCK;
    }
#ifdef SPLIT
    submitted = io_uring_submit(ring_fd, &sq);
#else
    submitted = io_uring_submit(&ring);
#endif
    if (submitted < 0) {
        fprintf(stderr, "io_uring_submit: %s\n", strerror(-submitted));
        return 1;
    }
    for (completed = 0; completed < submitted; completed++) {
        event = NULL;
#ifdef SPLIT
        ret = io_uring_get_completion(ring_fd, &cq, &event);
#else
        ret = io_uring_wait_completion(&ring, &event);
#endif
        if (ret < 0 || !event || event->res != BLOCK) {
            fprintf(stderr, "completion: %d, %d bytes\n", ret, event ? event->res : -1);
            return 1;
        }
#ifdef SPLIT
        iocb = sq.iocbs + event->index;
#else
        iocb = io_uring_iocb_from_ev(&ring, event);
#endif
        if (iocb->addr != buffer + iocb->off || iocb->off >= 4 * BLOCK) {
            fprintf(stderr, "the event leads to another iocb\n");
            return 1;
        }
    }
    wanted = malloc(4 * BLOCK);
    close(fd);
    fd = open(argv[1], O_RDONLY);
    if (read(fd, wanted, 4 * BLOCK) != 4 * BLOCK || memcmp(buffer, wanted, 4 * BLOCK)) {
        fprintf(stderr, "other contents than read(2) finds\n");
        return 1;
    }
    close(fd);
#ifdef SPLIT
    io_uring_queue_exit(ring_fd, &sq, &cq);
#else
    io_uring_queue_exit(&ring);
#endif
    printf("Submitted=%d, completed=%d\n", submitted, completed);
    return submitted == 4 ? 0 : 1;
}
