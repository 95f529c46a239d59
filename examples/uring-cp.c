/*
 * Copy a file through io_uring, with a fixed number of blocks in flight.
 *
 * Each block has a buffer of its own and passes through a read and a write. With -l the two are queued as a linked pair,
 * so that the kernel starts the write by itself once the read is complete. A short read breaks such a pair and cancels
 * its write; the block is then finished one request at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <liburing.h>
#include <linux/fs.h>

#define MAX_DEPTH 4096u
#define MAX_BLOCK (1u << 30)

struct block {
    char *data;
    uint64_t offset;
    unsigned length;
    unsigned done;      /* bytes of the current request that are through */
    bool writing;       /* the direction of the current request */
    unsigned pending;   /* completions to come: 2 for a fresh pair */
    bool paired;
    int read_result;    /* of a pair */
    int write_result;
};

struct copy {
    struct io_uring ring;
    int from;
    int to;
    uint64_t size;
    uint64_t next;      /* where the next block starts */
    uint64_t copied;
    struct block *blocks;
    unsigned depth;
    unsigned block_size;
    unsigned busy;      /* blocks in flight */
    bool linked;
    bool quiet;
    bool terminal;
    double started;
    double shown;
    int error;          /* the first error, negative; no block is started after it */
    const char *failed; /* what was being done */
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(struct copy *c, const char *what, int error)
{
    if (!c->error) {
        c->error = error;
        c->failed = what;
    }
}

static double mebibytes(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

/* A terminal gets one line that is written over, a log a line a second. */
static void show_progress(struct copy *c, bool last)
{
    double t = now();

    if (c->quiet || (!last && t - c->shown < (c->terminal ? 0.1 : 1.0)))
        return;
    c->shown = t;
    fprintf(stderr, "%s%5.1f %%, %.0f of %.0f MiB, %.0f MiB/s%s", c->terminal ? "\r" : "",
            c->size ? 100.0 * (double)c->copied / (double)c->size : 100.0, mebibytes(c->copied), mebibytes(c->size),
            t > c->started ? mebibytes(c->copied) / (t - c->started) : 0.0, c->terminal && !last ? "   " : "\n");
}

/* The completion finds its block by the index, and its direction by the lowest bit. */
static struct io_uring_sqe *get_sqe(struct copy *c, const struct block *b, bool write)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);

    /* The ring has two entries for each block, and a block never queues more. */
    if (!sqe)
        abort();
    if (write)
        io_uring_prep_write(sqe, c->to, b->data + b->done, b->length - b->done, b->offset + b->done);
    else
        io_uring_prep_read(sqe, c->from, b->data + b->done, b->length - b->done, b->offset + b->done);
    io_uring_sqe_set_data64(sqe, (uint64_t)(b - c->blocks) << 1 | (write ? 1 : 0));
    return sqe;
}

static void queue_rest(struct copy *c, struct block *b)
{
    get_sqe(c, b, b->writing);
    b->pending = 1;
}

static void queue_pair(struct copy *c, struct block *b)
{
    io_uring_sqe_set_flags(get_sqe(c, b, false), IOSQE_IO_LINK);
    get_sqe(c, b, true);
    b->paired = true;
    b->pending = 2;
}

static void start_block(struct copy *c, struct block *b)
{
    uint64_t rest = c->size - c->next;

    b->offset = c->next;
    b->length = rest < c->block_size ? (unsigned)rest : c->block_size;
    b->done = 0;
    b->writing = false;
    b->paired = false;
    c->next += b->length;
    c->busy++;
    if (c->linked)
        queue_pair(c, b);
    else
        queue_rest(c, b);
}

/* The buffer goes on to the next part of the file. */
static void end_block(struct copy *c, struct block *b)
{
    c->busy--;
    if (c->error)
        return;
    c->copied += b->length;
    if (c->next < c->size)
        start_block(c, b);
}

static bool worth_retrying(int result)
{
    return result == -EINTR || result == -EAGAIN;
}

/* One request is through, wholly or in part: queue what is left of the block. */
static void advance(struct copy *c, struct block *b, int result)
{
    if (result < 0 && !worth_retrying(result))
        fail(c, b->writing ? "write" : "read", result);
    else if (result == 0)
        fail(c, b->writing ? "write: nothing was written" : "read: the file became shorter", -EIO);
    else if (result > 0)
        b->done += (unsigned)result;

    if (!c->error && b->done == b->length && !b->writing) {
        b->writing = true;
        b->done = 0;
    }
    if (c->error || b->done == b->length)
        end_block(c, b);
    else
        queue_rest(c, b);
}

/* Both halves of a pair are through. */
static void advance_pair(struct copy *c, struct block *b)
{
    b->paired = false;
    if (b->read_result == (int)b->length) {
        b->writing = true;
        /* A write that never ran, because the read was interrupted or short, was cancelled. */
        advance(c, b, b->write_result == -ECANCELED ? -EAGAIN : b->write_result);
    } else {
        advance(c, b, b->read_result);
    }
}

static void complete(struct copy *c, const struct io_uring_cqe *cqe)
{
    uint64_t data = io_uring_cqe_get_data64(cqe);
    struct block *b = &c->blocks[data >> 1];

    b->pending--;
    if (!b->paired) {
        advance(c, b, cqe->res);
        return;
    }
    if (data & 1)
        b->write_result = cqe->res;
    else
        b->read_result = cqe->res;
    if (!b->pending)
        advance_pair(c, b);
}

/* Buffers belong to the kernel as long as a block is in flight: after an error, wait for the others. */
static void copy_blocks(struct copy *c)
{
    unsigned i;

    for (i = 0; i < c->depth && c->next < c->size; i++)
        start_block(c, &c->blocks[i]);

    while (c->busy) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        int ret = io_uring_submit_and_wait(&c->ring, 1);

        if (ret < 0 && !worth_retrying(ret) && ret != -EBUSY) {
            fail(c, "submit", ret);
            return;
        }
        io_uring_for_each_cqe(&c->ring, head, cqe) {
            complete(c, cqe);
            seen++;
        }
        io_uring_cq_advance(&c->ring, seen);
        show_progress(c, false);
    }
}

static void sync_file(struct copy *c)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
    struct io_uring_cqe *cqe;
    int ret;

    if (!sqe)
        abort();
    io_uring_prep_fsync(sqe, c->to, 0);
    do
        ret = io_uring_submit(&c->ring);
    while (worth_retrying(ret) || ret == -EBUSY);
    while (ret >= 0 && (ret = io_uring_wait_cqe(&c->ring, &cqe)) == -EINTR)
        ret = 0;
    if (ret < 0) {
        fail(c, "submit", ret);
        return;
    }
    if (cqe->res < 0)
        fail(c, "fsync", cqe->res);
    io_uring_cqe_seen(&c->ring, cqe);
}

static int open_files(struct copy *c, const char *from, const char *to)
{
    struct stat source, target;

    c->from = open(from, O_RDONLY | O_CLOEXEC);
    if (c->from < 0 || fstat(c->from, &source) < 0) {
        fprintf(stderr, "uring-cp: %s: %s\n", from, strerror(errno));
        return -1;
    }
    if (S_ISBLK(source.st_mode)) {
        if (ioctl(c->from, BLKGETSIZE64, &c->size) < 0) {
            fprintf(stderr, "uring-cp: %s: %s\n", from, strerror(errno));
            return -1;
        }
    } else if (S_ISREG(source.st_mode)) {
        c->size = (uint64_t)source.st_size;
    } else {
        fprintf(stderr, "uring-cp: %s: not a regular file or block device\n", from);
        return -1;
    }

    c->to = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, source.st_mode & 0666);
    if (c->to < 0 || fstat(c->to, &target) < 0) {
        fprintf(stderr, "uring-cp: %s: %s\n", to, strerror(errno));
        return -1;
    }
    if (source.st_dev == target.st_dev && source.st_ino == target.st_ino) {
        fprintf(stderr, "uring-cp: %s and %s are the same file\n", from, to);
        return -1;
    }
    if (S_ISREG(target.st_mode) && ftruncate(c->to, 0) < 0) {
        fprintf(stderr, "uring-cp: %s: %s\n", to, strerror(errno));
        return -1;
    }
    return 0;
}

static int set_up(struct copy *c)
{
    long page = sysconf(_SC_PAGESIZE);
    unsigned i;
    int ret;

    c->blocks = calloc(c->depth, sizeof(*c->blocks));
    if (!c->blocks)
        goto no_memory;
    for (i = 0; i < c->depth; i++) {
        void *data;

        if (posix_memalign(&data, (size_t)page, c->block_size))
            goto no_memory;
        c->blocks[i].data = data;
    }
    ret = io_uring_queue_init(2 * c->depth, &c->ring, 0);
    if (ret < 0) {
        fprintf(stderr, "uring-cp: io_uring is not available: %s\n", strerror(-ret));
        return -1;
    }
    return 0;

no_memory:
    fprintf(stderr, "uring-cp: no memory for %u blocks of %u bytes\n", c->depth, c->block_size);
    return -1;
}

/* A number with an optional k or m behind it. */
static bool parse_number(const char *text, unsigned max, unsigned *number)
{
    char *end;
    unsigned long long n;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    n = strtoull(text, &end, 10);
    if (*end == 'k' || *end == 'm') {
        if (n > max)
            return false;
        n <<= *end++ == 'k' ? 10 : 20;
    }
    if (errno || *end || !n || n > max)
        return false;
    *number = (unsigned)n;
    return true;
}

static int usage(FILE *out, int status)
{
    fprintf(out,
            "usage: uring-cp [-q depth] [-b block size] [-l] [-s] from to\n"
            "  -q  blocks in flight, 1 to %u [64]\n"
            "  -b  bytes of a block, such as 128k or 1m [128k]\n"
            "  -l  queue the read and the write of a block as a linked pair\n"
            "  -s  silent: no progress\n",
            MAX_DEPTH);
    return status;
}

int main(int argc, char **argv)
{
    struct copy c = {.depth = 64, .block_size = 128 << 10};
    double seconds;
    int option;

    while ((option = getopt(argc, argv, "q:b:lsh")) != -1) {
        switch (option) {
        case 'q':
            if (!parse_number(optarg, MAX_DEPTH, &c.depth))
                return usage(stderr, 2);
            break;
        case 'b':
            if (!parse_number(optarg, MAX_BLOCK, &c.block_size))
                return usage(stderr, 2);
            break;
        case 'l':
            c.linked = true;
            break;
        case 's':
            c.quiet = true;
            break;
        case 'h':
            return usage(stdout, 0);
        default:
            return usage(stderr, 2);
        }
    }
    if (argc - optind != 2)
        return usage(stderr, 2);
    if (open_files(&c, argv[optind], argv[optind + 1]) < 0 || set_up(&c) < 0)
        return 1;

    c.terminal = isatty(STDERR_FILENO);
    c.started = c.shown = now();
    copy_blocks(&c);
    show_progress(&c, true);
    if (!c.error)
        sync_file(&c);
    seconds = now() - c.started;

    /* The process ends here, and its buffers and descriptors with it; but a late write error shows in close. */
    io_uring_queue_exit(&c.ring);
    if (close(c.to) < 0)
        fail(&c, "close", -errno);
    if (c.error) {
        fprintf(stderr, "uring-cp: %s: %s\n", c.failed, strerror(-c.error));
        return 1;
    }
    printf("copied %" PRIu64 " bytes in %.3f s, %.0f MiB/s (%u blocks of %u bytes in flight%s)\n", c.size, seconds,
           seconds > 0 ? mebibytes(c.size) / seconds : 0.0, c.depth, c.block_size, c.linked ? ", linked pairs" : "");
    return 0;
}
