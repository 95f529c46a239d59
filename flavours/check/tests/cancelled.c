/*
 * Threads that are cancelled: none ends within a call that is no cancellation point.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "misuse.h"

static struct io_uring ring;
static atomic_bool returned, forks;

/* The next cancellation point ends this thread. */
static void be_cancelled(void)
{
    MUST(pthread_cancel(pthread_self()) == 0);
}

static void run_thread(void *(*work)(void *))
{
    pthread_t thread;
    void *result;

    MUST(pthread_create(&thread, NULL, work, NULL) == 0);
    MUST(pthread_join(thread, &result) == 0);
    MUST(returned && result == PTHREAD_CANCELED);
}

static NOINLINE void end_a_chain_early(struct io_uring *to)
{
    take(to, 0x42)->flags |= IOSQE_IO_LINK;
    MUST(io_uring_submit(to) == 1);
    MUST(reap(to) == 0);
}

static void *be_reported(void *unused)
{
    be_cancelled();
    end_a_chain_early(&ring);
    returned = true;
    pthread_testcancel();
    return unused;
}

/* The report is written, and whoever comes next finds nothing locked. */
static void reported(void)
{
    struct io_uring other;

    open_ring(&ring, 4, 0);
    run_thread(be_reported);
    open_ring(&other, 4, 0);
    end_a_chain_early(&other);
    io_uring_queue_exit(&other);
    io_uring_queue_exit(&ring);
}

static void *name_no_file(void *unused)
{
    struct io_uring_sqe *sqe;

    be_cancelled();
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_fsync(sqe, 7, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = 0x41;
    MUST(io_uring_submit(&ring) == 1);
    MUST(reap(&ring) == -EBADF);
    KEEP_FRAME();
    returned = true;
    pthread_testcancel();
    return unused;
}

/* What the kernel says of the ring is read. */
static void explained(void)
{
    open_ring(&ring, 4, 0);
    MUST(io_uring_register_files_sparse(&ring, 2) == 0);
    run_thread(name_no_file);
    io_uring_queue_exit(&ring);
}

static void *submit_amid_a_fork(void *unused)
{
    while (!forks)
        sched_yield();
    be_cancelled();
    take(&ring, 1);
    MUST(io_uring_submit(&ring) == 1);
    MUST(reap(&ring) == 0);
    returned = true;
    pthread_testcancel();
    return unused;
}

static void hold_the_fork_up(void)
{
    forks = true;
    while (!returned)
        sched_yield();
}

static void register_first(void)
{
    MUST(pthread_atfork(hold_the_fork_up, NULL, NULL) == 0);
}

/* What is registered before any library's is called last, while the check library waits for the fork. */
__attribute__((section(".preinit_array"), used)) static void (*const at_the_start)(void) = register_first;

/* A fork that waits for a thread that waits for the fork. */
static void waits_for_a_fork(void)
{
    pthread_t thread;
    void *result;
    int status;
    pid_t child;

    open_ring(&ring, 4, 0);
    MUST(pthread_create(&thread, NULL, submit_amid_a_fork, NULL) == 0);
    child = fork();
    MUST(child >= 0);
    if (child == 0)
        _exit(0);
    MUST(waitpid(child, &status, 0) == child && status == 0);
    MUST(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    WRONG(reported, "chain", "user_data 0x42"),
    WRONG(explained, "refused", "user_data 0x41"),
    RIGHT(waits_for_a_fork),
};

MISUSE_MAIN(cases)
