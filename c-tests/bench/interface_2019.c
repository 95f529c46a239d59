/*
 * Time random 4 KiB reads by bare calls and mapped rings: with the interface of January 2019 through the preload
 * library, or with today's. The loop is the same for both: it fills in a batch, enters, and takes the completions.
 *
 * usage: interface_2019 2019|today read SECONDS file=FILE [depth=N] [batch=N] [direct=1] [fixed=1]
 *
 * Prints the nanoseconds of a read: the median of short slices.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* Both headers have one name and guard. So this file declares what the loop needs of both, under its own names. */
struct iocb_2019 {
    unsigned char opcode, flags;
    unsigned short ioprio;
    int fd;
    unsigned long long off;
    void *addr;
    unsigned len, rw_flags;
};

struct sqe_today {
    struct iocb_2019 first_half;
    unsigned long long user_data;
    unsigned short buf_index, personality;
    int file_index;
    unsigned long long addr3, pad;
};

/* An event then, a CQE today. */
struct event {
    unsigned long long index;
    int res;
    unsigned flags;
};

static bool today;
static unsigned fixed;
static int ring;
static unsigned *sq_head, *sq_tail, *array, sq_mask, *cq_head, *cq_tail, cq_mask;
static struct iocb_2019 *iocbs;
static struct sqe_today *sqes;
static struct event *events;

static void *map(size_t size, off_t offset)
{
    void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);

    if (area == MAP_FAILED)
        die("mapping a ring", errno);
    return area;
}

static void open_ring(const struct reads *r)
{
    /* words of struct io_uring_params: 28 then, 30 today */
    unsigned p[30] = {0};
    unsigned *sq_off = p + (today ? 10 : 8), *cq_off = sq_off + 10;
    struct iovec *iovecs = calloc(r->depth, sizeof(*iovecs));
    char *sq, *cq;

    if (!iovecs)
        die("buffers", ENOMEM);
    for (unsigned i = 0; i < r->depth; i++)
        iovecs[i] = (struct iovec){.iov_base = r->buffers + (size_t) i * BLOCK, .iov_len = BLOCK};
    if (today) {
        ring = (int) syscall(425, r->depth, p);
    } else {
        /* FIXEDBUFS, and SQWQ for buffered reads */
        p[2] = (fixed ? 2 : 0) | (number("direct", "0") ? 0 : 8);
        ring = (int) syscall(335, r->depth, fixed ? iovecs : NULL, p);
    }
    if (ring < 0)
        die("setting a ring up", errno);
    sq = map(sq_off[6] + p[0] * sizeof(unsigned), 0);
    cq = map(cq_off[5] + p[1] * sizeof(struct event), 0x8000000);
    if (today)
        sqes = map(p[0] * sizeof(*sqes), 0x10000000);
    else
        iocbs = map(p[0] * sizeof(*iocbs), 0x10000000);
    sq_head = (unsigned *) (sq + sq_off[0]);
    sq_tail = (unsigned *) (sq + sq_off[1]);
    sq_mask = *(unsigned *) (sq + sq_off[2]);
    array = (unsigned *) (sq + sq_off[6]);
    cq_head = (unsigned *) (cq + cq_off[0]);
    cq_tail = (unsigned *) (cq + cq_off[1]);
    cq_mask = *(unsigned *) (cq + cq_off[2]);
    events = (struct event *) (cq + cq_off[5]);
    if (today && fixed && syscall(427, ring, 0, iovecs, r->depth) < 0)
        die("registering buffers", errno);
    free(iovecs);
}

static unsigned enter(unsigned submit, unsigned wait)
{
    long ret = today ? syscall(426, ring, submit, wait, 1, NULL, 8) : syscall(336, ring, submit, wait, 1);

    if (ret < 0)
        die("entering", errno);
    return (unsigned) ret;
}

static unsigned fill(struct reads *r, unsigned batch)
{
    unsigned tail = *sq_tail, count = 0;

    while (count < batch && r->nr_spare && tail - __atomic_load_n(sq_head, __ATOMIC_ACQUIRE) <= sq_mask) {
        unsigned index = r->spare[--r->nr_spare];
        struct iocb_2019 *read = today ? &sqes[index].first_half : &iocbs[index];

        if (today) {
            sqes[index] = (struct sqe_today){.user_data = index, .buf_index = (unsigned short) index};
            read->opcode = fixed ? 4 : 22;
        } else {
            read->opcode = fixed ? 5 : 1;
            read->flags = 0;
            read->ioprio = 0;
        }
        read->fd = r->fd;
        read->off = random_offset(r);
        read->addr = r->buffers + (size_t) index * BLOCK;
        read->len = BLOCK;
        array[tail++ & sq_mask] = index;
        count++;
    }
    __atomic_store_n(sq_tail, tail, __ATOMIC_RELEASE);
    return count;
}

static unsigned reap(struct reads *r)
{
    unsigned head = *cq_head, first = head;

    for (; head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE); head++) {
        struct event *event = &events[head & cq_mask];

        check_read(event->res);
        r->spare[r->nr_spare++] = (unsigned) event->index;
    }
    __atomic_store_n(cq_head, head, __ATOMIC_RELEASE);
    return head - first;
}

static double bench(double seconds)
{
    unsigned batch = number("batch", "1"), prepared = 0, in_flight = 0;
    unsigned long done = 0;
    struct slices slices;
    struct reads r;

    open_reads(&r);
    if (batch > r.depth)
        die("batch", EINVAL);
    open_ring(&r);
    slices = start_slices(seconds);
    for (;;) {
        unsigned count;

        if (!prepared)
            prepared = fill(&r, batch);
        count = enter(prepared, in_flight + prepared + batch > r.depth ? batch : 0);
        prepared -= count;
        in_flight += count;
        count = reap(&r);
        in_flight -= count;
        done += count;
        if (done >= 64) {
            if (!next_slice(&slices, done))
                break;
            done = 0;
        }
    }
    while (in_flight) {
        enter(0, 1);
        in_flight -= reap(&r);
    }
    close(ring);
    close_reads(&r);
    return end_slices(&slices);
}

int main(int argc, char **argv)
{
    if (argc < 4 || (strcmp(argv[1], "2019") && strcmp(argv[1], "today")) || strcmp(argv[2], "read"))
        return fprintf(stderr, "usage: interface_2019 2019|today read SECONDS file=FILE [NAME=VALUE...]\n"), 2;
    today = *argv[1] == 't';
    options = argv + 4;
    fixed = number("fixed", "0");
    printf("%.2f\n", bench(strtod(argv[3], NULL)));
    return 0;
}
