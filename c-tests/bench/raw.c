/*
 * Time an operation through bare system calls and mapped rings: the lower limit for any library. The code handles one
 * kind of ring only. It has no checks, and every error is fatal.
 *
 * usage: raw nop|read SECONDS [NAME=VALUE...]      the loops are those of speed.c
 *
 * The kernel's structures come from the header, the library is not used.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <liburing/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

struct ring {
    int fd;
    unsigned sq_mask, cq_mask;
    unsigned *sq_tail, *cq_head, *cq_tail;
    unsigned tail;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
};

static void *map(int fd, size_t size, off_t offset)
{
    void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

    if (area == MAP_FAILED)
        die("mapping a ring", errno);
    return area;
}

static void open_ring(struct ring *ring, unsigned entries)
{
    struct io_uring_params p = {.flags = IORING_SETUP_NO_SQARRAY};

    ring->fd = (int) syscall(__NR_io_uring_setup, entries, &p);
    if (ring->fd < 0)
        die("setting a ring up", errno);

    char *rings = map(ring->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_SQ_RING);

    ring->sqes = map(ring->fd, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
    ring->sq_mask = p.sq_entries - 1;
    ring->cq_mask = p.cq_entries - 1;
    ring->sq_tail = (unsigned *) (rings + p.sq_off.tail);
    ring->cq_head = (unsigned *) (rings + p.cq_off.head);
    ring->cq_tail = (unsigned *) (rings + p.cq_off.tail);
    ring->cqes = (struct io_uring_cqe *) (rings + p.cq_off.cqes);
    ring->tail = 0;
}

static struct io_uring_sqe *next_sqe(struct ring *ring)
{
    return &ring->sqes[ring->tail++ & ring->sq_mask];
}

/* The kernel reads the tail inside the call, which orders it. */
static void enter(struct ring *ring, unsigned submit, unsigned wait)
{
    long ret;

    __atomic_store_n(ring->sq_tail, ring->tail, __ATOMIC_RELAXED);
#if defined(__x86_64__)
    register long flags __asm__("r10") = wait ? IORING_ENTER_GETEVENTS : 0;
    register long signals __asm__("r8") = 0;
    register long size __asm__("r9") = 0;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"((long) __NR_io_uring_enter), "D"((long) ring->fd), "S"((long) submit), "d"((long) wait),
                       "r"(flags), "r"(signals), "r"(size)
                     : "rcx", "r11", "memory");
#else
    ret = syscall(__NR_io_uring_enter, ring->fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
    if (ret < 0)
        ret = -errno;
#endif
    if (ret != (long) submit)
        die("entering", ret < 0 ? (int) -ret : EIO);
}

static double bench_nop(double seconds)
{
    unsigned batch = number("batch", "1"), entries = number("entries", "0"), head = 0;
    unsigned turns = slice_turns(batch);
    struct slices slices;
    struct ring ring;

    open_ring(&ring, entries ? entries : batch);
    slices = start_slices(seconds);
    do {
        for (unsigned turn = 0; turn < turns; turn++) {
            for (unsigned i = 0; i < batch; i++)
                *next_sqe(&ring) = (struct io_uring_sqe){.opcode = IORING_OP_NOP};
            enter(&ring, batch, 0);
            for (unsigned i = 0; i < batch; i++) {
                if (head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE))
                    die("a completion is missing", EIO);
                if (ring.cqes[head & ring.cq_mask].res < 0)
                    die("a nop", EIO);
                __atomic_store_n(ring.cq_head, ++head, __ATOMIC_RELEASE);
            }
        }
    } while (next_slice(&slices, (unsigned long) turns * batch));
    close(ring.fd);
    return end_slices(&slices);
}

static double bench_read(double seconds)
{
    unsigned fixed = number("fixed", "0"), in_flight = 0, head = 0;
    unsigned long done = 0;
    struct slices slices;
    bool more = true;
    struct ring ring;
    struct reads r;

    open_reads(&r);
    open_ring(&ring, r.depth);
    if (fixed) {
        struct iovec iov = {.iov_base = r.buffers, .iov_len = (size_t) r.depth * BLOCK};

        if (syscall(__NR_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &iov, 1) ||
            syscall(__NR_io_uring_register, ring.fd, IORING_REGISTER_FILES, &r.fd, 1))
            die("registering", errno);
    }
    slices = start_slices(seconds);
    while (more || in_flight) {
        unsigned submit = 0, tail;

        for (; more && r.nr_spare; submit++) {
            unsigned slot = r.spare[--r.nr_spare];

            *next_sqe(&ring) = (struct io_uring_sqe){
                .opcode = fixed ? IORING_OP_READ_FIXED : IORING_OP_READ,
                .flags = fixed ? IOSQE_FIXED_FILE : 0,
                .fd = fixed ? 0 : r.fd,
                .off = random_offset(&r),
                .addr = (__u64) (uintptr_t) (r.buffers + (size_t) slot * BLOCK),
                .len = BLOCK,
                .user_data = slot,
            };
        }
        in_flight += submit;
        enter(&ring, submit, 1);
        tail = __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE);

        unsigned seen = tail - head;

        for (; head != tail; head++) {
            struct io_uring_cqe *cqe = &ring.cqes[head & ring.cq_mask];

            check_read(cqe->res);
            r.spare[r.nr_spare++] = (unsigned) cqe->user_data;
        }
        __atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
        in_flight -= seen;
        done += seen;
        if (more && done >= 8) {
            more = next_slice(&slices, done);
            done = 0;
        }
    }
    close(ring.fd);
    close_reads(&r);
    return end_slices(&slices);
}

int main(int argc, char **argv)
{
    if (argc < 3 || (strcmp(argv[1], "nop") && strcmp(argv[1], "read")))
        return fprintf(stderr, "usage: raw nop|read SECONDS [NAME=VALUE...]\n"), 2;
    options = argv + 3;

    double seconds = strtod(argv[2], NULL);

    printf("%.2f\n", *argv[1] == 'n' ? bench_nop(seconds) : bench_read(seconds));
    return 0;
}
