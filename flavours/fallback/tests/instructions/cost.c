/*
 * What calls cost, in nanoseconds: the fastest tenth of many short rounds, and
 * the middle one.
 *
 * usage: cost
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <liburing.h>

#include "bare.h"

enum { ROUNDS = 1001, CALLS = 500 };

static struct io_uring ring;

static void plain(void)
{
    bare_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
}

static void unmap(void)
{
    bare_call(SYS_munmap, 1, 1, 0, 0, 0, 0);
}

static void enter(void)
{
    if (bare_call(SYS_io_uring_enter, ring.ring_fd, 0, 0, 0, 0, 0) != 0)
        abort();
}

static void enter_by_libc(void)
{
    if (syscall(SYS_io_uring_enter, ring.ring_fd, 0, 0, 0, 0, 0) != 0)
        abort();
}

static void no_op(void)
{
    struct io_uring_cqe *cqe;

    io_uring_prep_nop(io_uring_get_sqe(&ring));
    if (io_uring_submit_and_wait(&ring, 1) != 1 || io_uring_peek_cqe(&ring, &cqe) != 0)
        abort();
    io_uring_cqe_seen(&ring, cqe);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *) left, b = *(const double *) right;

    return (a > b) - (a < b);
}

static void measure(const char *what, void (*call)(void))
{
    double took[ROUNDS];

    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = now();

        for (unsigned i = 0; i < CALLS; i++)
            call();
        took[round] = (now() - start) / CALLS;
    }
    qsort(took, ROUNDS, sizeof(took[0]), compare);
    printf("%-40s %6.0f %6.0f\n", what, took[ROUNDS / 10], took[ROUNDS / 2]);
}

int main(void)
{
    measure("getppid", plain);
    measure("munmap, refused", unmap);
    if (io_uring_queue_init(8, &ring, 0) < 0) {
        puts("no ring");
        return 0;
    }
    measure("io_uring_enter, by an instruction", enter);
    measure("io_uring_enter, by syscall()", enter_by_libc);
    measure("a no-op", no_op);
    io_uring_queue_exit(&ring);
    return 0;
}
