/*
 * Rings and processes: a ring in shared memory made before fork, on which the
 * child submits and the parent waits; forks amid traffic; threads that cannot
 * be made.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "file.h"
#include "ring.h"

/* Fewer in an emulated machine. */
#ifndef SHARED_REQUESTS
#define SHARED_REQUESTS 1000000
#endif

enum { WINDOW = 32 };

static void join(pid_t child)
{
    int status;

    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* As PostgreSQL has it: who submits and who waits are different processes. */
static void one_submits_other_waits(void)
{
    struct io_uring *ring = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct io_uring_params params = { 0 };
    int fd = make_file("data", 4096, 1), credit[2];
    unsigned done = 0;
    pid_t child;

    CHECK(ring != MAP_FAILED && memory != MAP_FAILED);
    CHECK_GT(io_uring_queue_init_mem(2 * WINDOW, ring, &params, memory, 1 << 20), 0);
    CHECK_SYS(pipe(credit));
    child = fork();
    if (child == 0) {
        static char blocks[WINDOW][16];
        unsigned sent = 0;
        char credits[WINDOW];

        CHECK_SYS(close(credit[1]));
        while (sent < SHARED_REQUESTS) {
            ssize_t count = read(credit[0], credits, WINDOW);

            CHECK_GT(count, 0);
            for (ssize_t i = 0; i < count && sent < SHARED_REQUESTS; i++, sent++) {
                struct io_uring_sqe *sqe = next_sqe(ring);

                io_uring_prep_read(sqe, fd, blocks[sent % WINDOW], 16, 0);
                /* some in threads of the child's */
                io_uring_sqe_set_flags(sqe, sent % 16 ? 0 : IOSQE_ASYNC);
            }
            CHECK_GE(io_uring_submit(ring), 0);
        }
        /* until the last one is taken */
        while (io_uring_cq_ready(ring) > 0 || read(credit[0], credits, WINDOW) > 0)
            usleep(1000);
        _exit(0);
    }
    CHECK_SYS(close(credit[0]));
    for (unsigned i = 0; i < WINDOW; i++)
        CHECK_EQ(write(credit[1], "c", 1), 1);
    while (done < SHARED_REQUESTS) {
        struct io_uring_cqe *cqe;
        char credits[WINDOW];
        unsigned head, count = 0;

        CHECK_EQ(io_uring_wait_cqe(ring, &cqe), 0);
        io_uring_for_each_cqe(ring, head, cqe) {
            CHECK_EQ(cqe->res, 16);
            count++;
        }
        io_uring_cq_advance(ring, count);
        done += count;
        CHECK_LE(count, WINDOW);
        memset(credits, 'c', sizeof(credits));
        CHECK_EQ(write(credit[1], credits, count), (ssize_t) count);
    }
    CHECK_SYS(close(credit[1]));
    join(child);
    io_uring_queue_exit(ring);
}

static void *traffic(void *argument)
{
    struct io_uring ring;
    bool *stop = argument;
    int fd = make_file("traffic", 4096, 1);
    char block[64];

    ring_open(&ring, 8, 0);
    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        io_uring_prep_read(sqe, fd, block, sizeof(block), 0);
        io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
        CHECK_EQ(run_res(&ring), (int) sizeof(block));
    }
    io_uring_queue_exit(&ring);
    return NULL;
}

static void fork_amid_traffic(void)
{
    bool stop = false;
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, traffic, &stop), 0);
    for (unsigned round = 0; round < 100; round++) {
        pid_t child = fork();

        if (child == 0) {
            struct io_uring ring;

            ring_open(&ring, 4, 0);
            io_uring_prep_nop(next_sqe(&ring));
            CHECK_EQ(run_res(&ring), 0);
            io_uring_queue_exit(&ring);
            _exit(0);
        }
        join(child);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* What would go to a thread is done by the caller where none can be made. */
static void no_threads(void)
{
    struct rlimit none = { 0, 0 };
    struct io_uring ring;
    int fd = make_file("synced", 4096, 1);

    need_root("becoming another user");
    become_plain_user();
    CHECK_SYS(setrlimit(RLIMIT_NPROC, &none));
    ring_open(&ring, 8, 0);
    io_uring_prep_fsync(next_sqe(&ring), fd, 0);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* The parent's threads have the ring as well, and never give it back in the child, which does not wait for them. */
static void child_ends_ring(void)
{
    struct io_uring ring;
    int ends[2], status;
    pid_t child;
    char got;

    CHECK_SYS(pipe(ends));
    ring_open(&ring, 8, 0);
    io_uring_prep_read(next_sqe(&ring), ends[0], &got, 1, 0);
    SUBMIT(&ring, 1);
    child = CHECK_SYS(fork());
    if (child == 0) {
        struct rusage before, after;

        getrusage(RUSAGE_SELF, &before);
        io_uring_queue_exit(&ring);
        getrusage(RUSAGE_SELF, &after);
        _exit(after.ru_nvcsw - before.ru_nvcsw < 100 ? 0 : 1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(reap(&ring).res, 1);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(one_submits_other_waits),
    CASE(fork_amid_traffic),
    CASE(no_threads),
    CASE(child_ends_ring),
};

TEST_MAIN(cases)
