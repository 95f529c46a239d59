/* Rows for c-tests/cost/steps.c: whole cycles, which run on the plain library and on the check library. */
#include "steps-rows.h"

#include <fcntl.h>
#include <liburing.h>

#define BATCH 32

static char bytes[BATCH];
static int zeros;

ROW void nothing(struct io_uring *ring) { (void) ring; }

static void finish(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;

    io_uring_submit(ring);
    for (unsigned i = 0; i < BATCH; i++) {
        if (io_uring_wait_cqe(ring, &cqe))
            break;
        io_uring_cqe_seen(ring, cqe);
    }
}

ROW void no_ops(struct io_uring *ring)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, i);
    }
    finish(ring);
}

ROW void reads(struct io_uring *ring)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

        io_uring_prep_read(sqe, zeros, bytes + i, 1, 0);
        io_uring_sqe_set_data64(sqe, i);
    }
    finish(ring);
}

/* A breakpoint, if none are left. Part of one instruction sequence, so the compiler makes no second call beside it. */
#define BREAK_IF_LAST(left) __asm__ volatile("test %0, %0\n\tjnz 1f\n\tint3\n1:" ::"r"(left) : "memory", "cc")

/*
 * Counts the last of some cycles, all of which one call makes. A ring's first ones make room for notes, have slots that were
 * not used before, and come by a way that is not known yet.
 */
static ROW void count_last(const char *name, struct io_uring *ring, void (*cycle)(struct io_uring *))
{
    snprintf(shared->name, sizeof(shared->name), "%s", name);
    for (int left = 20; left >= 0; left--) {
        BREAK_IF_LAST(left);
        cycle(ring);
        BREAK_IF_LAST(left);
    }
}

static void count_on(unsigned entries, const char *name, void (*cycle)(struct io_uring *))
{
    struct io_uring ring;

    check(io_uring_queue_init(entries, &ring, 0) == 0, "setting a ring up");
    count_last(name, &ring, cycle);
    check(io_uring_cq_ready(&ring) == 0, "reaping");
    io_uring_queue_exit(&ring);
}

void run_rows(void)
{
    count_last("nothing", NULL, nothing);
    zeros = open("/dev/zero", O_RDONLY);
    check(zeros >= 0, "opening /dev/zero");
    count_on(64, "32 no-ops", no_ops);
    count_on(256, "32 no-ops in a ring of 256", no_ops);
    count_on(64, "32 reads", reads);
}
