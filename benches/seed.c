/*
 * Random 4 KiB reads of one file, by bare calls and mapped rings: with the
 * interface of January 2019, which the preload library serves, or with today's.
 * The loop is the same: it fills a batch in, enters, and takes what has come.
 *
 * usage: seed 2019|today FILE [-d] [-f] [-n DEPTH] [-b BATCH] [-s SECONDS]
 *   -d: O_DIRECT; -f: registered buffers. Prints reads a second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Two headers of one name and guard, so what the loop needs of both is here, under names of its own. */
struct iocb_2019 {
    unsigned char opcode, flags;
    unsigned short ioprio;
    int fd;
    unsigned long long off;
    void *addr;
    unsigned len, rw_flags;
};

struct sqe_today {
    unsigned char opcode, flags;
    unsigned short ioprio;
    int fd;
    unsigned long long off;
    void *addr;
    unsigned len, rw_flags;
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

#define BLOCK 4096

static int today, direct, fixed;
static unsigned depth = 32, batch = 8;
static int ring, file;
static unsigned long long blocks;
static char *buffers;
static struct iovec *iovecs;
static unsigned *sq_head, *sq_tail, *array, sq_mask, *cq_head, *cq_tail, cq_mask;
static struct iocb_2019 *iocbs;
static struct sqe_today *sqes;
static struct event *events;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void *map(size_t size, off_t offset)
{
    void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);

    if (area == MAP_FAILED)
        die("mmap");
    return area;
}

static void set_up(void)
{
    /* words of struct io_uring_params: 28 then, 30 today */
    unsigned p[30] = { 0 };
    unsigned *sq_off, *cq_off, array_at, events_at;
    char *sq, *cq;

    if (today) {
        ring = syscall(425, depth, p);
        sq_off = p + 10;
        cq_off = p + 20;
        array_at = sq_off[6];
        events_at = cq_off[5];
    } else {
        p[2] = (direct ? 0 : 8) | (fixed ? 2 : 0);
        ring = syscall(335, depth, fixed ? iovecs : NULL, p);
        sq_off = p + 8;
        cq_off = p + 18;
        array_at = sq_off[6];
        events_at = cq_off[5];
    }
    if (ring < 0)
        die("set-up");
    sq = map(array_at + p[0] * sizeof(unsigned), 0);
    cq = map(events_at + p[1] * sizeof(struct event), 0x8000000);
    if (today)
        sqes = map(p[0] * sizeof(*sqes), 0x10000000);
    else
        iocbs = map(p[0] * sizeof(*iocbs), 0x10000000);
    sq_head = (unsigned *) (sq + sq_off[0]);
    sq_tail = (unsigned *) (sq + sq_off[1]);
    sq_mask = *(unsigned *) (sq + sq_off[2]);
    array = (unsigned *) (sq + array_at);
    cq_head = (unsigned *) (cq + cq_off[0]);
    cq_tail = (unsigned *) (cq + cq_off[1]);
    cq_mask = *(unsigned *) (cq + cq_off[2]);
    events = (struct event *) (cq + events_at);
    if (today && fixed && syscall(427, ring, 0, iovecs, depth) < 0)
        die("buffers");
}

static int enter(unsigned to_submit, unsigned min_complete)
{
    if (today)
        return syscall(426, ring, to_submit, min_complete, 1, NULL, 8);
    return syscall(336, ring, to_submit, min_complete, 1);
}

static unsigned long long random_offset(void)
{
    static unsigned long long state = 88172645463325252ull;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % blocks * BLOCK;
}

static unsigned fill(unsigned *idle, unsigned *idle_count)
{
    unsigned tail = *sq_tail, count = 0;

    while (count < batch && *idle_count && tail - __atomic_load_n(sq_head, __ATOMIC_ACQUIRE) <= sq_mask) {
        unsigned index = idle[--*idle_count];

        if (today) {
            struct sqe_today *sqe = &sqes[index];

            memset(sqe, 0, sizeof(*sqe));
            sqe->opcode = fixed ? 4 : 22;
            sqe->fd = file;
            sqe->off = random_offset();
            sqe->addr = buffers + index * BLOCK;
            sqe->len = BLOCK;
            sqe->user_data = index;
            sqe->buf_index = index;
        } else {
            struct iocb_2019 *iocb = &iocbs[index];

            iocb->opcode = fixed ? 5 : 1;
            iocb->flags = 0;
            iocb->ioprio = 0;
            iocb->fd = file;
            iocb->off = random_offset();
            iocb->addr = buffers + index * BLOCK;
            iocb->len = BLOCK;
        }
        array[tail++ & sq_mask] = index;
        count++;
    }
    __atomic_store_n(sq_tail, tail, __ATOMIC_RELEASE);
    return count;
}

static unsigned reap(unsigned *idle, unsigned *idle_count)
{
    unsigned head = *cq_head, count = 0;

    while (head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE)) {
        struct event *event = &events[head & cq_mask];

        if (event->res != BLOCK) {
            errno = -event->res;
            die("read");
        }
        idle[(*idle_count)++] = event->index;
        head++;
        count++;
    }
    __atomic_store_n(cq_head, head, __ATOMIC_RELEASE);
    return count;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    unsigned *idle, idle_count = 0, prepared = 0, in_flight = 0;
    unsigned long done = 0, warm = 0;
    double length = 1, start = 0, end;
    struct stat status;
    int option;

    while ((option = getopt(argc, argv, "dfn:b:s:")) != -1) {
        if (option == 'd')
            direct = 1;
        else if (option == 'f')
            fixed = 1;
        else if (option == 'n')
            depth = atoi(optarg);
        else if (option == 'b')
            batch = atoi(optarg);
        else if (option == 's')
            length = atof(optarg);
        else
            return 2;
    }
    if (optind + 2 != argc)
        return 2;
    today = !strcmp(argv[optind], "today");
    file = open(argv[optind + 1], O_RDONLY | (direct ? O_DIRECT : 0));
    if (file < 0 || fstat(file, &status))
        die(argv[optind + 1]);
    blocks = status.st_size / BLOCK;
    if (posix_memalign((void **) &buffers, BLOCK, (size_t) depth * BLOCK))
        return 1;
    memset(buffers, 1, (size_t) depth * BLOCK);
    iovecs = calloc(depth, sizeof(*iovecs));
    idle = calloc(depth, sizeof(*idle));
    for (unsigned i = 0; i < depth; i++) {
        iovecs[i].iov_base = buffers + i * BLOCK;
        iovecs[i].iov_len = BLOCK;
        idle[idle_count++] = i;
    }
    set_up();

    end = now() + length * 0.1;
    for (;;) {
        int ret;

        if (!prepared)
            prepared = fill(idle, &idle_count);
        ret = enter(prepared, in_flight + prepared + batch > depth ? batch : 0);
        if (ret < 0)
            die("enter");
        prepared -= ret;
        in_flight += ret;
        ret = reap(idle, &idle_count);
        in_flight -= ret;
        done += ret;
        if (done % 64 < batch && now() > end) {
            /* the first tenth is for warming up */
            if (warm)
                break;
            warm = done;
            start = now();
            end = start + length;
        }
    }
    printf("%.0f\n", (done - warm) / (now() - start));
    return 0;
}
