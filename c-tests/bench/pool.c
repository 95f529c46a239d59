/*
 * Time reads through a pool of threads that call pread, as programs have it that use no io_uring.
 *
 * usage: pool read SECONDS depth=N direct=0|1 file=PATH
 *
 * The main thread hands `depth` reads out and takes what is done, each under the pool's lock. Prints the nanoseconds of
 * a read: the median of short slices.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <pthread.h>

enum { MOST = 4096 };

struct job {
    unsigned slot;
    unsigned long long offset;
    int res;
};

/* A queue in one direction. */
struct queue {
    pthread_cond_t filled;
    struct job jobs[MOST];
    unsigned head, tail;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct queue asked = {.filled = PTHREAD_COND_INITIALIZER}, done = {.filled = PTHREAD_COND_INITIALIZER};
static struct reads reads;
static bool over;

static void push(struct queue *queue, struct job job)
{
    queue->jobs[queue->tail++ % MOST] = job;
    pthread_cond_signal(&queue->filled);
}

static void *work(void *unused)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        struct job job;

        while (asked.head == asked.tail && !over)
            pthread_cond_wait(&asked.filled, &lock);
        if (over)
            break;
        job = asked.jobs[asked.head++ % MOST];
        pthread_mutex_unlock(&lock);
        job.res = (int) pread(reads.fd, reads.buffers + (size_t) job.slot * BLOCK, BLOCK, (off_t) job.offset);
        pthread_mutex_lock(&lock);
        push(&done, job);
    }
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(int argc, char **argv)
{
    unsigned long count = 0;
    unsigned in_flight = 0;
    struct slices slices;
    pthread_t *threads;
    bool more = true;

    if (argc < 3 || strcmp(argv[1], "read")) {
        fprintf(stderr, "usage: pool read SECONDS depth=N direct=0|1 file=PATH\n");
        return 2;
    }
    options = argv + 3;
    open_reads(&reads);
    threads = calloc(reads.depth, sizeof(*threads));
    if (!threads || reads.depth > MOST)
        die("threads", ENOMEM);
    for (unsigned i = 0; i < reads.depth; i++)
        must("a thread", -pthread_create(&threads[i], NULL, work, NULL));
    slices = start_slices(strtod(argv[2], NULL));
    pthread_mutex_lock(&lock);
    while (more || in_flight) {
        while (more && reads.nr_spare) {
            push(&asked, (struct job) {.slot = reads.spare[--reads.nr_spare], .offset = random_offset(&reads)});
            in_flight++;
        }
        while (done.head == done.tail)
            pthread_cond_wait(&done.filled, &lock);
        for (; done.head != done.tail; done.head++, in_flight--, count++) {
            struct job *job = &done.jobs[done.head % MOST];

            check_read(job->res < 0 ? -errno : job->res);
            reads.spare[reads.nr_spare++] = job->slot;
        }
        if (more && count >= 8) {
            more = next_slice(&slices, count);
            count = 0;
        }
    }
    over = true;
    pthread_cond_broadcast(&asked.filled);
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < reads.depth; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    close_reads(&reads);
    printf("%.2f\n", end_slices(&slices));
    return 0;
}
