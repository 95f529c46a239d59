/*
 * Copy a file with linked requests: the kernel starts each block's write by itself when its read is complete.
 *
 * A read that fails or comes back short breaks its link, and the write behind it is cancelled (-ECANCELED). The pair is
 * queued again then, for as many bytes as the read has found.
 *
 * cc -O2 link-cp.c -luring
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <liburing.h>
#include <linux/fs.h>

#define DEPTH 64 /* requests, two for a block */
#define BLOCK (32 * 1024)

struct pair {
    __u64 offset;     /* of what is left of the block */
    unsigned left;
    unsigned asked;   /* bytes that the two requests are for */
    int results[2];   /* of the read, and of the write */
    unsigned pending; /* completions to come */
    char data[BLOCK];
};

static struct io_uring ring;
static int from, to;

static int failed(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    return 1;
}

/* The lowest bit of user_data tells the write from the read: memory of malloc leaves it free. */
static void queue(struct pair *pair)
{
    struct io_uring_sqe *read = io_uring_get_sqe(&ring);
    struct io_uring_sqe *write = io_uring_get_sqe(&ring);

    if (!read || !write)
        abort();
    io_uring_prep_read(read, from, pair->data, pair->asked, pair->offset);
    io_uring_sqe_set_flags(read, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(read, (__u64)(uintptr_t)pair);
    io_uring_prep_write(write, to, pair->data, pair->asked, pair->offset);
    io_uring_sqe_set_data64(write, (__u64)(uintptr_t)pair | 1);
    pair->pending = 2;
}

/* Both have completed: 1 the block is through, 0 the pair has been queued again, or a negative error number. */
static int proceed(struct pair *pair)
{
    int got = pair->results[0], put = pair->results[1];

    if (got == 0)
        return 1; /* the file has become shorter */
    if (got < 0 && got != -EAGAIN && got != -EINTR && got != -ECANCELED)
        return got;
    if (put < 0 && put != -EAGAIN && put != -EINTR && put != -ECANCELED)
        return put;
    if (put == 0)
        return -EIO;
    if (put > 0) {
        pair->offset += (unsigned)put;
        pair->left -= (unsigned)put;
        pair->asked = pair->left;
    } else if (got > 0) {
        pair->asked = (unsigned)got;
    }
    if (!pair->left)
        return 1;
    queue(pair);
    return 0;
}

static int copy(__u64 size)
{
    __u64 next = 0;
    unsigned in_flight = 0;
    int error = 0;

    /* After an error no pair is started, but those in flight still use their memory. */
    while (in_flight || (next < size && !error)) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        int ret;

        while (next < size && in_flight < DEPTH / 2 && !error) {
            struct pair *pair = malloc(sizeof(*pair));

            if (!pair) {
                error = -ENOMEM;
                break;
            }
            pair->offset = next;
            pair->left = pair->asked = size - next < BLOCK ? (unsigned)(size - next) : BLOCK;
            queue(pair);
            next += pair->left;
            in_flight++;
        }
        ret = io_uring_submit_and_wait(&ring, 1);
        if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
            return failed("io_uring_submit_and_wait", -ret);
        io_uring_for_each_cqe(&ring, head, cqe) {
            __u64 data = io_uring_cqe_get_data64(cqe);
            struct pair *pair = (struct pair *)(uintptr_t)(data & ~1ull);

            pair->results[data & 1] = cqe->res;
            if (--pair->pending == 0) {
                int now = proceed(pair);

                if (now < 0 && !error)
                    error = now;
                if (now) {
                    free(pair);
                    in_flight--;
                }
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
