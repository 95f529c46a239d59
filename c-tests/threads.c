/* One thread submits while another takes the completions, with no lock between them. */
#include <pthread.h>
#include <semaphore.h>

#include "ring.h"

/* On a machine that is too slow, emulated for example, the time ends it. */
enum { COUNT = 100000, SLOTS = 32, LIMIT_MS = 10000 };

struct shared {
    struct io_uring ring;
    sem_t room; /* completions that may still be posted */
    unsigned total;
};

static void *take_completions(void *argument)
{
    struct shared *shared = (struct shared *) argument;
    unsigned seen;
    __u64 sum = 0;

    for (seen = 0; seen < __atomic_load_n(&shared->total, __ATOMIC_RELAXED); seen++) {
        struct io_uring_cqe *cqe = NULL;

        /* without this feature a wait with a limit submits a request */
        if (seen % 16 || !(shared->ring.features & IORING_FEAT_EXT_ARG)) {
            CHECK_EQ(io_uring_wait_cqe(&shared->ring, &cqe), 0);
        } else {
            struct __kernel_timespec ts = millis(10000);

            CHECK_EQ(io_uring_wait_cqe_timeout(&shared->ring, &cqe, &ts), 0);
        }
        CHECK_EQ(cqe->res, 0);
        CHECK_EQ(cqe->user_data, seen);
        sum += cqe->user_data;
        io_uring_cqe_seen(&shared->ring, cqe);
        sem_post(&shared->room);
    }
    CHECK_EQ(sum, (__u64) seen * (seen - 1) / 2);
    return NULL;
}

static void submit_and_take(unsigned flags)
{
    long long until = now_ms(CLOCK_MONOTONIC) + LIMIT_MS;
    struct shared shared;
    pthread_t taker;

    need_setup(flags, "submission polling");
    ring_open(&shared.ring, SLOTS, flags);
    CHECK_EQ(sem_init(&shared.room, 0, 2 * SLOTS), 0);
    shared.total = COUNT;
    CHECK_EQ(pthread_create(&taker, NULL, take_completions, &shared), 0);
    for (unsigned sent = 0; sent < shared.total;) {
        unsigned batch = 1 + sent % 7;

        if (batch > COUNT - sent)
            batch = COUNT - sent;
        /* told before the last request is submitted, so before its completion is counted */
        if (now_ms(CLOCK_MONOTONIC) >= until)
            __atomic_store_n(&shared.total, sent + batch, __ATOMIC_RELAXED);
        for (unsigned i = 0; i < batch; i++) {
            struct io_uring_sqe *sqe;

            sem_wait(&shared.room);
            while (!(sqe = io_uring_get_sqe(&shared.ring))) {
                CHECK_GE(io_uring_submit(&shared.ring), 0);
                CHECK_GE(io_uring_sqring_wait(&shared.ring), 0);
            }
            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, sent++);
        }
        CHECK_GE(io_uring_submit(&shared.ring), flags ? 0 : (int) batch);
    }
    CHECK_EQ(pthread_join(taker, NULL), 0);
    CHECK_EQ(io_uring_cq_ready(&shared.ring), 0);
    io_uring_queue_exit(&shared.ring);
    sem_destroy(&shared.room);
}

static void plain(void)
{
    submit_and_take(0);
}

static void submission_polled(void)
{
    submit_and_take(IORING_SETUP_SQPOLL);
}

static void *use_own_ring(void *argument)
{
    struct io_uring ring;

    (void) argument;
    ring_open(&ring, 8, IORING_SETUP_SINGLE_ISSUER);
    if (kernel_at_least(5, 18))
        CHECK_EQ(io_uring_register_ring_fd(&ring), 1);
    for (unsigned i = 0; i < 1000; i++) {
        submit_nop(&ring, i);
        CHECK_EQ(reap(&ring).data, i);
    }
    io_uring_queue_exit(&ring);
    return NULL;
}

/* Rings are independent. */
static void ring_for_each_thread(void)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];

    need_setup(IORING_SETUP_SINGLE_ISSUER, "a single issuer");
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, use_own_ring, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void *wake_by_nop(void *ring)
{
    usleep(20000);
    submit_nop((struct io_uring *) ring, 5);
    return NULL;
}

/* A submission by another thread wakes a thread that already waits. */
static void woken_by_another(void)
{
    struct io_uring ring;
    pthread_t thread;

    ring_open(&ring, 4, 0);
    CHECK_EQ(pthread_create(&thread, NULL, wake_by_nop, &ring), 0);
    CHECK_EQ(reap(&ring).data, 5);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(plain),
    CASE(submission_polled),
    CASE(ring_for_each_thread),
    CASE(woken_by_another),
};

TEST_MAIN(cases)
