/*
 * Read the start of a file: up to four blocks of 4 KiB, past the page cache, all with one system call.
 *
 * cc -O2 io_uring-test.c -luring
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_DIRECT */
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <liburing.h>

#define DEPTH 4
#define BLOCK 4096

static int failed(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    return 1;
}

int main(int argc, char **argv)
{
    struct iovec blocks[DEPTH];
    struct io_uring ring;
    struct stat file;
    unsigned long bytes = 0;
    int fd, ret, queued = 0, submitted, completed = 0, status = 0;

    if (argc < 2) {
        printf("%s: file\n", argv[0]);
        return 1;
    }
    ret = io_uring_queue_init(DEPTH, &ring, 0);
    if (ret < 0)
        return failed("io_uring_queue_init", -ret);

    fd = open(argv[1], O_RDONLY | O_DIRECT);
    if (fd < 0 && errno == EINVAL) /* a file system without direct access */
        fd = open(argv[1], O_RDONLY);
    if (fd < 0 || fstat(fd, &file) < 0)
        return failed(argv[1], errno);

    /* Direct reads ask for buffers on the bounds of a device's blocks. One read is made of an empty file, too. */
    do {
        struct iovec *block = &blocks[queued];
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

        ret = posix_memalign(&block->iov_base, BLOCK, BLOCK);
        if (!sqe || ret)
            return failed("posix_memalign", ret);
        block->iov_len = BLOCK;
        io_uring_prep_readv(sqe, fd, block, 1, (__u64)queued * BLOCK);
        io_uring_sqe_set_data64(sqe, (__u64)queued);
        queued++;
    } while (queued < DEPTH && queued * (off_t)BLOCK < file.st_size);

    submitted = io_uring_submit(&ring);
    if (submitted < 0)
        return failed("io_uring_submit", -submitted);
    if (submitted != queued) {
        fprintf(stderr, "%d of %d requests submitted\n", submitted, queued);
        return 1;
    }

    /* Completions come in any order: user_data says whose it is. */
    while (completed < submitted) {
        struct io_uring_cqe *cqe;
        off_t wanted;

        ret = io_uring_wait_cqe(&ring, &cqe);
        if (ret == -EINTR)
            continue;
        if (ret < 0)
            return failed("io_uring_wait_cqe", -ret);
        wanted = file.st_size - (off_t)io_uring_cqe_get_data64(cqe) * BLOCK;
        if (wanted > BLOCK)
            wanted = BLOCK;
        if (cqe->res < 0) {
            status = failed("read", -cqe->res);
        } else if (cqe->res != wanted) {
            fprintf(stderr, "read %d bytes instead of %ld\n", cqe->res, (long)wanted);
            status = 1;
        } else {
            bytes += (unsigned long)cqe->res;
        }
        io_uring_cqe_seen(&ring, cqe);
        completed++;
    }
    printf("Submitted=%d, completed=%d, bytes=%lu\n", submitted, completed, bytes);

    io_uring_queue_exit(&ring);
    close(fd);
    while (queued)
        free(blocks[--queued].iov_base);
    return status;
}
