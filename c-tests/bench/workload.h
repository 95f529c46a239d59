/* What the timed programs share: options, the clock, the blocks that are read. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096u

static char **options;

static inline void die(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    exit(1);
}

static inline long must(const char *what, long ret)
{
    if (ret < 0)
        die(what, (int) -ret);
    return ret;
}

static inline const char *option(const char *name, const char *otherwise)
{
    size_t length = strlen(name);

    for (char **each = options; *each; each++) {
        if (!strncmp(*each, name, length) && (*each)[length] == '=')
            return *each + length + 1;
    }
    return otherwise;
}

static inline unsigned number(const char *name, const char *otherwise)
{
    return (unsigned) strtoul(option(name, otherwise), NULL, 10);
}

static inline double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec + (double) ts.tv_nsec * 1e-9;
}

/*
 * The cost of an operation, slice by slice. The result is the median of the slices. So a slice disturbed by another
 * process does not count, nor does the first slice with its cold cache.
 */
struct slices {
    double *costs, start, end;
    size_t nr;
};

#define MAX_SLICES (1u << 18)

static inline struct slices start_slices(double seconds)
{
    struct slices s = {.costs = malloc(MAX_SLICES * sizeof(double))};

    if (!s.costs)
        die("slices", ENOMEM);
    s.start = now();
    s.end = s.start + seconds;
    return s;
}

/* How many batches make a slice. It is long beside reading the clock, and short beside the scheduler's time slice. */
static inline unsigned slice_turns(unsigned batch)
{
    return batch < 64 ? 64 / batch : 1;
}

/* Ends a slice of that many operations. Returns false when the time is up. */
static inline bool next_slice(struct slices *s, unsigned long operations)
{
    double time = now();

    s->costs[s->nr++ % MAX_SLICES] = (time - s->start) / (double) operations;
    s->start = time;
    return time < s->end;
}

static inline int compare_costs(const void *left, const void *right)
{
    double l = *(const double *) left, r = *(const double *) right;

    return (l > r) - (l < r);
}

/* The median, in nanoseconds. */
static inline double end_slices(struct slices *s)
{
    size_t nr = s->nr < MAX_SLICES ? s->nr : MAX_SLICES;
    double median;

    qsort(s->costs, nr, sizeof(double), compare_costs);
    median = s->costs[nr / 2];
    free(s->costs);
    return median * 1e9;
}

/* A file whose blocks are read at random, with one buffer for each read in flight. */
struct reads {
    int fd;
    unsigned blocks, depth, state;
    char *buffers;
    /* The buffer of a completed read serves the next one. */
    unsigned *spare, nr_spare;
};

static inline void open_reads(struct reads *r)
{
    const char *path = option("file", NULL);
    struct stat st;

    if (!path)
        die("file=", EINVAL);
    r->depth = number("depth", "1");
    r->fd = open(path, O_RDONLY | (number("direct", "0") ? O_DIRECT : 0));
    if (r->fd < 0 || fstat(r->fd, &st))
        die(path, errno);
    r->blocks = (unsigned) (st.st_size / BLOCK);
    r->spare = calloc(r->depth, sizeof(*r->spare));
    if (!r->blocks || !r->spare || posix_memalign((void **) &r->buffers, BLOCK, (size_t) r->depth * BLOCK))
        die("buffers", ENOMEM);
    memset(r->buffers, 0, (size_t) r->depth * BLOCK);
    for (r->nr_spare = 0; r->nr_spare < r->depth; r->nr_spare++)
        r->spare[r->nr_spare] = r->nr_spare;
    r->state = 2463534242u;
}

static inline void close_reads(struct reads *r)
{
    close(r->fd);
    free(r->spare);
    free(r->buffers);
}

static inline unsigned long long random_offset(struct reads *r)
{
    /* xorshift: the same blocks in each run. */
    r->state ^= r->state << 13;
    r->state ^= r->state >> 17;
    r->state ^= r->state << 5;
    return (unsigned long long) (r->state % r->blocks) * BLOCK;
}

static inline void check_read(int res)
{
    if (res != (int) BLOCK)
        die("reading", res < 0 ? -res : EIO);
}

#endif
