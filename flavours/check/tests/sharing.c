/* Rings between threads and processes, and what outlives a request. */
#include "misuse.h"

/* ---- fork ---- */

static void in_a_child(struct io_uring *ring)
{
    pid_t child = fork();
    int status;

    MUST(child >= 0);
    if (child == 0) {
        take(ring, 1);
        MUST(io_uring_submit(ring) == 1);
        exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
}

static void both_after_fork(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    in_a_child(&ring);
    /* none: the child's SQE has moved the head past this process's tail */
    MUST(io_uring_get_sqe(&ring) == NULL);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

/* A ring that only the child uses, as of a server that goes to the background. */
static void child_alone(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    take(&ring, 1);
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    in_a_child(&ring);
}

/* What the child has submitted completes here. */
static void waits_for_the_child(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    in_a_child(&ring);
    MUST(reap(&ring) == 0);
    alarm(1);
    /* nothing comes, and it is not known here */
    io_uring_wait_cqe(&ring, &(struct io_uring_cqe *) { NULL });
}

/* ---- threads ---- */

static struct io_uring shared;

static void *submit_there(void *unused)
{
    (void) unused;
    take(&shared, 0x71);
    io_uring_submit(&shared);
    return NULL;
}

static void in_a_thread(void *(*run)(void *))
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, run, NULL) == 0);
    MUST(pthread_join(thread, NULL) == 0);
}

static void *other_issuer(void *unused)
{
    (void) unused;
    take(&shared, 0x71);
    io_uring_submit(&shared);
    return NULL;
}

static void two_issuers(void)
{
    open_ring(&shared, 4, IORING_SETUP_SINGLE_ISSUER);
    in_a_thread(other_issuer);
    io_uring_queue_exit(&shared);
}

static void one_thread_after_another(void)
{
    open_ring(&shared, 4, 0);
    in_a_thread(submit_there);
    reap(&shared);
    in_a_thread(submit_there);
    reap(&shared);
    io_uring_queue_exit(&shared);
}

static void *enable_and_submit(void *unused)
{
    MUST(io_uring_enable_rings(&shared) == 0);
    return submit_there(unused);
}

static void issuer_is_who_enables(void)
{
    open_ring(&shared, 4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_R_DISABLED);
    in_a_thread(enable_and_submit);
    io_uring_queue_exit(&shared);
}

static int idle_pipe[2];
static char idle_byte;

static void *end_in_flight(void *unused)
{
    (void) unused;
    io_uring_prep_read(take(&shared, 0), idle_pipe[0], &idle_byte, 1, 0);
    io_uring_sqe_set_data64(&shared.sq.sqes[0], 0x72);
    MUST(io_uring_submit(&shared) == 1);
    return NULL;
}

static void thread_ends(void)
{
    MUST(pipe(idle_pipe) == 0);
    open_ring(&shared, 4, 0);
    in_a_thread(end_in_flight);
    io_uring_queue_exit(&shared);
}

static void *end_after_completion(void *unused)
{
    MUST(write(idle_pipe[1], "x", 1) == 1);
    end_in_flight(unused);
    reap(&shared);
    return NULL;
}

static void thread_ends_when_done(void)
{
    MUST(pipe(idle_pipe) == 0);
    open_ring(&shared, 4, 0);
    in_a_thread(end_after_completion);
    io_uring_queue_exit(&shared);
}

static void *exit_there(void *unused)
{
    end_in_flight(unused);
    exit(0);
}

static void process_ends_in_a_thread(void)
{
    MUST(pipe(idle_pipe) == 0);
    open_ring(&shared, 4, 0);
    in_a_thread(exit_there);
}

/* A program without a lock: many threads submit to one ring until two of them meet. */
static void *submit_much(void *unused)
{
    (void) unused;
    for (unsigned i = 0; i < 200000; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&shared);

        if (sqe)
            io_uring_prep_nop(sqe);
        io_uring_submit(&shared);
    }
    return NULL;
}

static void no_lock(void)
{
    pthread_t threads[2];

    open_ring(&shared, 64, 0);
    for (unsigned i = 0; i < 2; i++)
        MUST(pthread_create(&threads[i], NULL, submit_much, NULL) == 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *submit_with_lock(void *unused)
{
    (void) unused;
    for (unsigned i = 0; i < 20000; i++) {
        pthread_mutex_lock(&lock);
        take(&shared, i);
        MUST(io_uring_submit(&shared) == 1);
        reap(&shared);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void with_lock(void)
{
    pthread_t threads[4];

    open_ring(&shared, 64, 0);
    for (unsigned i = 0; i < 4; i++)
        MUST(pthread_create(&threads[i], NULL, submit_with_lock, NULL) == 0);
    for (unsigned i = 0; i < 4; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    io_uring_queue_exit(&shared);
}

/* ---- descriptors ---- */

static void closed_before_submit(void)
{
    struct io_uring ring;
    char byte;
    int fd = open("/dev/zero", O_RDONLY);

    open_ring(&ring, 4, 0);
    io_uring_prep_read(take(&ring, 0), fd, &byte, 1, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 0x81);
    close(fd);
    io_uring_submit(&ring);
    reap(&ring);
    io_uring_queue_exit(&ring);
}

/* The kernel may take the no-op behind it in another call, and complete it earlier. */
static void closed_among_no_ops(void)
{
    struct io_uring ring;
    int fd = open("/dev/zero", O_RDONLY);

    open_ring(&ring, 8, 0);
    take(&ring, 1);
    io_uring_submit(&ring);
    take(&ring, 2);
    io_uring_prep_fsync(take(&ring, 0), fd, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[2], 0x83);
    take(&ring, 3);
    close(fd);
    io_uring_submit(&ring);
    io_uring_submit(&ring);
    for (unsigned i = 0; i < 4; i++)
        reap(&ring);
    io_uring_queue_exit(&ring);
}

/* The submission thread has not started. */
static void closed_before_thread(void)
{
    struct io_uring ring;
    char byte;
    int fd = open("/dev/zero", O_RDONLY);

    open_ring(&ring, 4, IORING_SETUP_SQPOLL | IORING_SETUP_R_DISABLED);
    io_uring_prep_read(take(&ring, 0), fd, &byte, 1, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 0x82);
    io_uring_submit(&ring);
    close(fd);
    io_uring_queue_exit(&ring);
}

static void closed_in_flight(void)
{
    struct io_uring ring;
    char byte;
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    io_uring_prep_read(take(&ring, 0), fds[0], &byte, 1, 0);
    MUST(io_uring_submit(&ring) == 1);
    close(fds[0]);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    io_uring_queue_exit(&ring);
}

/* ---- the user ---- */

static void user_after_thread(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, IORING_SETUP_SQPOLL);
    if (setuid(getuid()) != 0)
        exit(EXIT_SKIP);
    io_uring_queue_exit(&ring);
}

static void user_before_thread(void)
{
    struct io_uring ring;

    if (setuid(getuid()) != 0)
        exit(EXIT_SKIP);
    open_ring(&ring, 4, IORING_SETUP_SQPOLL);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    WRONG(both_after_fork, "fork", "-"),
    RIGHT(child_alone),
    RIGHT_ENDS(waits_for_the_child, SIGALRM),
    { "two_issuers", two_issuers, "issuer", "-", 0 },
    RIGHT(one_thread_after_another),
    RIGHT(issuer_is_who_enables),
    { "thread_ends", thread_ends, "thread-exit", "IORING_OP_READ, user_data 0x72", 0 },
    RIGHT(thread_ends_when_done),
    RIGHT(process_ends_in_a_thread),
    WRONG(no_lock, "threads", "-"),
    RIGHT(with_lock),
    WRONG(closed_before_submit, "closed", "IORING_OP_READ, user_data 0x81, descriptor 3"),
    WRONG(closed_among_no_ops, "closed", "IORING_OP_FSYNC, user_data 0x83"),
    WRONG(closed_before_thread, "closed,-disabled", "IORING_OP_READ, user_data 0x82"),
    RIGHT(closed_in_flight),
    WRONG(user_after_thread, "user", "-"),
    RIGHT(user_before_thread),
};

MISUSE_MAIN(cases)
