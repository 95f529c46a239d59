/*
 * Who looks for events changes all the time: threads that wait, threads that
 * only look, and the library's own. No wake is lost on the way, and none is
 * left for good.
 */
#include <dirent.h>
#include <pthread.h>

#include "file.h"

/* Fewer in an emulated machine. */
#ifndef WOKEN_IN_TURN
#define WOKEN_IN_TURN 1000
#endif

static atomic_uint turn;

/* Looks for events while a time is set, and never waits. */
static void *look(void *unused)
{
    enum { LOOKS = 50 };
    struct io_uring mine;
    char byte;
    int own[2];

    make_socketpair(own, SOCK_STREAM);
    ring_open(&mine, 4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    io_uring_prep_recv(next_sqe(&mine), own[0], &byte, 1, 0);
    SUBMIT(&mine, 1);
    for (unsigned seen = 0; seen < WOKEN_IN_TURN;) {
        if (turn == seen) {
            sched_yield();
            continue;
        }
        seen = turn;
        for (unsigned i = 0; i < LOOKS; i++)
            CHECK_GE(io_uring_get_events(&mine), 0);
    }
    io_uring_queue_exit(&mine);
    return unused;
}

/* A time that is earlier than all others comes while a thread looks: the library's own hears of it. */
static void times(void)
{
    struct io_uring ring;
    pthread_t other;

    need_kernel(6, 1, "DEFER_TASKRUN");
    ring_open(&ring, 4, 0);
    CHECK_EQ(pthread_create(&other, NULL, look, NULL), 0);
    while (turn < WOKEN_IN_TURN) {
        struct __kernel_timespec time = { .tv_nsec = 2000000 };
        struct io_uring_cqe *cqe;

        turn++;
        io_uring_prep_timeout(next_sqe(&ring), &time, 0, 0);
        SUBMIT(&ring, 1);
        while (io_uring_peek_cqe(&ring, &cqe) != 0)
            usleep(500);
        CHECK_EQ(cqe->res, -ETIME);
        io_uring_cqe_seen(&ring, cqe);
    }
    CHECK_EQ(pthread_join(other, NULL), 0);
    io_uring_queue_exit(&ring);
}

/* The processor time in nanoseconds that the threads of this process have had. */
static unsigned long long processor_time(void)
{
    DIR *threads = opendir("/proc/self/task");
    unsigned long long all = 0;

    CHECK(threads != NULL);
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        char path[300];
        unsigned long long one;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", thread->d_name);
        file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fscanf(file, "%llu", &one) == 1)
            all += one;
        fclose(file);
    }
    closedir(threads);
    return all;
}

static void *wait_for_own(void *unused)
{
    struct io_uring mine;
    int own[2];
    char byte;

    make_socketpair(own, SOCK_STREAM);
    ring_open(&mine, 4, 0);
    for (unsigned i = 0; i < WOKEN_IN_TURN; i++) {
        io_uring_prep_recv(next_sqe(&mine), own[0], &byte, 1, 0);
        SUBMIT(&mine, 1);
        if (i % 3)
            sched_yield();
        CHECK_EQ(write(own[1], "x", 1), 1);
        CHECK_EQ(reap(&mine).res, 1);
    }
    io_uring_queue_exit(&mine);
    return unused;
}

/* After all that the library's own thread sleeps while there is nothing to do. */
static void sleeps_in_the_end(void)
{
    enum { THREADS = 3, MS = 300 };
    struct io_uring ring;
    pthread_t threads[THREADS];
    unsigned long long before;
    int pair[2];
    char byte;

    make_socketpair(pair, SOCK_STREAM);
    ring_open(&ring, 4, 0);
    io_uring_prep_recv(next_sqe(&ring), pair[0], &byte, 1, 0);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 10; i++) {
        for (unsigned t = 0; t < THREADS; t++)
            CHECK_EQ(pthread_create(&threads[t], NULL, wait_for_own, NULL), 0);
        for (unsigned t = 0; t < THREADS; t++)
            CHECK_EQ(pthread_join(threads[t], NULL), 0);
        before = processor_time();
        usleep(1000 * MS);
        /* A thread that does not sleep has all of the time, or as much as a busy machine gives it. */
        CHECK_GE(MS * 1000000ull / 4, processor_time() - before);
    }
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(reap(&ring).res, 1);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(times),
    CASE(sleeps_in_the_end),
};

TEST_MAIN(cases)
