/*
 * How long a no-op takes through a ring: the library's own cost and the kernel's, nothing else.
 *
 * usage: nop BATCH SECONDS      prints nanoseconds an operation
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <liburing.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void one_round(struct io_uring *ring, unsigned batch)
{
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0, i;
    int ret;

    for (i = 0; i < batch; i++)
        io_uring_prep_nop(io_uring_get_sqe(ring));
    ret = io_uring_submit_and_wait(ring, batch);
    if (ret != (int)batch) {
        fprintf(stderr, "nop: submit: %s\n", ret < 0 ? strerror(-ret) : "not all were taken");
        exit(1);
    }
    io_uring_for_each_cqe(ring, head, cqe) {
        if (cqe->res < 0) {
            fprintf(stderr, "nop: completion: %s\n", strerror(-cqe->res));
            exit(1);
        }
        seen++;
    }
    if (seen != batch) {
        fprintf(stderr, "nop: %u completions of %u\n", seen, batch);
        exit(1);
    }
    io_uring_cq_advance(ring, seen);
}

int main(int argc, char **argv)
{
    unsigned batch = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    double seconds = argc > 2 ? atof(argv[2]) : 1.0;
    double start, end;
    unsigned long operations = 0;
    struct io_uring ring;
    int ret, i;

    if (!batch || batch > 4096)
        return 2;
    ret = io_uring_queue_init(batch, &ring, 0);
    if (ret < 0) {
        fprintf(stderr, "nop: queue_init: %s\n", strerror(-ret));
        return 1;
    }
    for (i = 0; i < 10000; i++)
        one_round(&ring, batch);

    start = end = now();
    while (end - start < seconds) {
        for (i = 0; i < 2000; i++)
            one_round(&ring, batch);
        operations += 2000ul * batch;
        end = now();
    }
    printf("%.2f\n", (end - start) * 1e9 / (double)operations);
    io_uring_queue_exit(&ring);
    return 0;
}
