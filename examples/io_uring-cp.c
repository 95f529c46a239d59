/*
 * Copy a file with up to 64 blocks of 32 KiB in flight, each read and then written.
 *
 * The shortest way to it: a block is one allocation that goes through the ring as user_data. What comes back short is
 * asked for again from where it ended. examples/uring-cp.c does the same with options, progress and linked pairs.
 *
 * cc -O2 io_uring-cp.c -luring
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <liburing.h>
#include <linux/fs.h>

#define DEPTH 64
#define BLOCK (32 * 1024)

struct block {
    __u64 offset;
    unsigned length; /* of the block */
    unsigned done;   /* bytes of the read or the write that are through */
    bool writing;
    char data[BLOCK];
};

static struct io_uring ring;
static int from, to;

static int failed(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    return 1;
}

/* Asks for what is left of the block's read or write. A place is free: fewer than DEPTH requests are in flight. */
static void queue(struct block *block)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    char *data = block->data + block->done;
    unsigned left = block->length - block->done;

    if (!sqe)
        abort();
    if (block->writing)
        io_uring_prep_write(sqe, to, data, left, block->offset + block->done);
    else
        io_uring_prep_read(sqe, from, data, left, block->offset + block->done);
    io_uring_sqe_set_data(sqe, block);
}

/* What became of a request: 1 the block is through, 0 it has been queued again, or a negative error number. */
static int proceed(struct block *block, int result)
{
    if (result == 0 && !block->writing) /* the file has become shorter */
        block->length = block->done;
    else if (result == 0)
        return -EIO;
    else if (result < 0 && result != -EAGAIN && result != -EINTR)
        return result;
    else if (result > 0)
        block->done += (unsigned)result;

    if (block->done == block->length) {
        if (block->writing || block->length == 0)
            return 1;
        block->writing = true;
        block->done = 0;
    }
    queue(block);
    return 0;
}

static int copy(__u64 size)
{
    __u64 next = 0;
    unsigned in_flight = 0;
    int error = 0;

    /* After an error no block is started, but those in flight still use their memory. */
    while (in_flight || (next < size && !error)) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        int ret;

        while (next < size && in_flight < DEPTH && !error) {
            struct block *block = malloc(sizeof(*block));

            if (!block) {
                error = -ENOMEM;
                break;
            }
            block->offset = next;
            block->length = size - next < BLOCK ? (unsigned)(size - next) : BLOCK;
            block->done = 0;
            block->writing = false;
            queue(block);
            next += block->length;
            in_flight++;
        }
        ret = io_uring_submit_and_wait(&ring, 1);
        if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
            return failed("io_uring_submit_and_wait", -ret);
        io_uring_for_each_cqe(&ring, head, cqe) {
            struct block *block = io_uring_cqe_get_data(cqe);
            int now = proceed(block, cqe->res);

            if (now < 0 && !error)
                error = now;
            if (now) {
                free(block);
                in_flight--;
            }
            seen++;
        }
        io_uring_cq_advance(&ring, seen);
    }
    return error ? failed("copy", -error) : 0;
}

int main(int argc, char **argv)
{
    struct stat file;
    __u64 size;
    int ret;

    if (argc < 3) {
        printf("%s: infile outfile\n", argv[0]);
        return 1;
    }
    from = open(argv[1], O_RDONLY);
    if (from < 0 || fstat(from, &file) < 0)
        return failed(argv[1], errno);
    size = (__u64)file.st_size;
    if (S_ISBLK(file.st_mode) && ioctl(from, BLKGETSIZE64, &size) < 0)
        return failed(argv[1], errno);
    to = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (to < 0)
        return failed(argv[2], errno);
    ret = io_uring_queue_init(DEPTH, &ring, 0);
    if (ret < 0)
        return failed("io_uring_queue_init", -ret);

    ret = copy(size);
    io_uring_queue_exit(&ring);
    if (close(to) < 0)
        return failed(argv[2], errno);
    return ret;
}
