/*
 * Forks that meet the work of another thread, or that of their own.
 *
 * The functions that this program gives to pthread_atfork() are registered before any library's. So they are called after
 * the check library's before a fork, as what the C library waits for in fork(), and before the check library's in the child.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/time.h>

#include "misuse.h"

static void nothing(void)
{
}

static void (*before_fork)(void) = nothing;
static void (*in_child)(void) = nothing;

static void call_before_fork(void)
{
    before_fork();
}

static void call_in_child(void)
{
    in_child();
}

static void register_first(void)
{
    MUST(pthread_atfork(call_before_fork, NULL, call_in_child) == 0);
}

__attribute__((section(".preinit_array"), used)) static void (*const at_the_start)(void) = register_first;

static int null_fd;

static void opens(void)
{
    null_fd = open("/dev/null", O_WRONLY);
    MUST(null_fd >= 0);
    alarm(55);
}

static void use(struct io_uring *ring)
{
    take(ring, 1);
    MUST(io_uring_submit(ring) == 1);
    MUST(reap(ring) == 0);
}

/* What a child does that never ends if it has got a lock that nobody will give back. Alarms are not inherited. */
static void use_and_exit(void)
{
    struct io_uring ring;

    alarm(20);
    open_ring(&ring, 4, 0);
    for (unsigned i = 0; i < 3; i++)
        use(&ring);
    io_uring_queue_exit(&ring);
    _exit(0);
}

static void fork_once(void)
{
    int status;
    pid_t child = fork();

    MUST(child >= 0);
    if (child == 0)
        use_and_exit();
    while (waitpid(child, &status, 0) != child)
        MUST(errno == EINTR);
    MUST(status == 0);
}

/* 1: a fork is under way, 2: another thread has done its work meanwhile. */
static atomic_int step;

static void let_others_work(void)
{
    step = 1;
    while (step != 2)
        sched_yield();
}

/* Forks once, and has a thread do something while the check library has been told of the fork. */
static void fork_beside(void *(*work)(void *), void *argument)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, work, argument) == 0);
    fork_once();
    before_fork = nothing;
    MUST(pthread_join(thread, NULL) == 0);
}

static void *close_meanwhile(void *unused)
{
    while (step != 1)
        sched_yield();
    close(dup(null_fd));
    free(malloc(100));
    step = 2;
    return unused;
}

static void closed_amid_a_fork(void)
{
    struct io_uring ring;

    before_fork = let_others_work;
    opens();
    open_ring(&ring, 4, 0);
    fork_beside(close_meanwhile, NULL);
    io_uring_queue_exit(&ring);
}

/* The lock of another library: it is held while a thread submits, and taken before each fork. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_held, forks;

static void take_library_lock(void)
{
    forks = true;
    MUST(pthread_mutex_lock(&library_lock) == 0);
    MUST(pthread_mutex_unlock(&library_lock) == 0);
}

static void *submit_with_library_lock(void *ring)
{
    MUST(pthread_mutex_lock(&library_lock) == 0);
    is_held = true;
    while (!forks)
        sched_yield();
    use(ring);
    close(dup(null_fd));
    munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    free(malloc(100));
    MUST(pthread_mutex_unlock(&library_lock) == 0);
    return NULL;
}

static void lock_of_a_library(void)
{
    struct io_uring ring;
    pthread_t thread;

    before_fork = take_library_lock;
    opens();
    open_ring(&ring, 4, 0);
    for (unsigned i = 0; i < 5; i++) {
        is_held = forks = false;
        MUST(pthread_create(&thread, NULL, submit_with_library_lock, &ring) == 0);
        while (!is_held)
            sched_yield();
        fork_once();
        MUST(pthread_join(thread, NULL) == 0);
    }
    before_fork = nothing;
    /* A fork that nothing holds up leaves the child its looks. */
    fork_once();
    io_uring_queue_exit(&ring);
}

/* A read of a pipe that nobody writes to. */
static char *block;
static int pipe_fds[2];

static void start_read(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    block = malloc(1000);
    io_uring_prep_read(sqe, pipe_fds[0], block, 1000, 0);
    sqe->user_data = 0x41;
    MUST(io_uring_submit(ring) == 1);
    KEEP_FRAME();
}

static void *free_meanwhile(void *unused)
{
    while (step != 1)
        sched_yield();
    free(block);
    step = 2;
    KEEP_FRAME();
    return unused;
}

static void freed_amid_a_fork(void)
{
    struct io_uring ring;

    before_fork = let_others_work;
    opens();
    open_ring(&ring, 4, 0);
    MUST(pipe(pipe_fds) == 0);
    start_read(&ring);
    fork_beside(free_meanwhile, NULL);
    io_uring_queue_exit(&ring);
}

static struct io_uring *handlers_ring;
static bool handler_frees;

static void use_before_fork(void)
{
    use(handlers_ring);
    if (handler_frees)
        free(block);
    KEEP_FRAME();
}

static void freed_before_a_fork(void)
{
    struct io_uring ring;

    before_fork = use_before_fork;
    opens();
    open_ring(&ring, 4, 0);
    handlers_ring = &ring;
    MUST(pipe(pipe_fds) == 0);
    start_read(&ring);
    handler_frees = true;
    fork_once();
    before_fork = nothing;
    io_uring_queue_exit(&ring);
}

/* The child has a ring before the check library is told of the fork. */
static void leave_in_child(void)
{
    struct io_uring ring;

    take(handlers_ring, 2);
    io_uring_queue_exit(handlers_ring);
    open_ring(&ring, 4, 0);
    use(&ring);
    io_uring_queue_exit(&ring);
}

static void used_by_handlers(void)
{
    struct io_uring ring;

    before_fork = use_before_fork;
    in_child = leave_in_child;
    opens();
    open_ring(&ring, 4, 0);
    handlers_ring = &ring;
    for (unsigned i = 0; i < 20; i++)
        fork_once();
    before_fork = in_child = nothing;
    use(&ring);
    io_uring_queue_exit(&ring);
}

/* A thread is interrupted in the middle of a look, or while it waits for one, and forks in the handler. */
#define FORKS 300
static atomic_int forked;
static volatile sig_atomic_t is_child;

static void fork_in_handler(int signal_number)
{
    int saved = errno, status;
    pid_t child = fork();

    (void) signal_number;
    MUST(child >= 0);
    if (child == 0) {
        alarm(20);
        if (forked % 4 == 0)
            use_and_exit();
        /* Back to what was interrupted. */
        is_child = true;
        return;
    }
    while (waitpid(child, &status, 0) != child)
        MUST(errno == EINTR);
    MUST(status == 0);
    forked++;
    errno = saved;
}

static void *submit_until_forked(void *unused)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    while (forked < FORKS)
        use(&ring);
    io_uring_queue_exit(&ring);
    return unused;
}

static void forked_by_handlers(void)
{
    struct sigaction action = { .sa_handler = fork_in_handler, .sa_flags = SA_RESTART };
    struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
    pthread_t threads[2];
    sigset_t timer;

    opens();
    sigemptyset(&timer);
    sigaddset(&timer, SIGPROF);
    pthread_sigmask(SIG_BLOCK, &timer, NULL);
    for (unsigned i = 0; i < 2; i++)
        MUST(pthread_create(&threads[i], NULL, submit_until_forked, NULL) == 0);
    pthread_sigmask(SIG_UNBLOCK, &timer, NULL);
    MUST(sigaction(SIGPROF, &action, NULL) == 0);
    setitimer(ITIMER_PROF, &often, NULL);
    while (forked < FORKS && !is_child)
        close(null_fd + 1000);
    pthread_sigmask(SIG_BLOCK, &timer, NULL);
    if (is_child)
        use_and_exit();
    setitimer(ITIMER_PROF, &never, NULL);
    for (unsigned i = 0; i < 2; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
}

/* A child that no function of pthread_atfork() was called for may call what signal handlers may. */
static void closed_in_a_bare_child(void)
{
    pthread_t thread;

    opens();
    MUST(pthread_create(&thread, NULL, submit_until_forked, NULL) == 0);
    while (forked < FORKS) {
        int status;
        pid_t child = _Fork();

        MUST(child >= 0);
        if (child == 0) {
            alarm(20);
            close(null_fd);
            _exit(0);
        }
        MUST(waitpid(child, &status, 0) == child);
        MUST(status == 0);
        forked++;
    }
    MUST(pthread_join(thread, NULL) == 0);
}

static const struct misuse cases[] = {
    RIGHT(closed_amid_a_fork),
    RIGHT(lock_of_a_library),
    WRONG(freed_amid_a_fork, "free", "IORING_OP_READ, user_data 0x41"),
    WRONG(freed_before_a_fork, "free", "IORING_OP_READ, user_data 0x41"),
    RIGHT(used_by_handlers),
    RIGHT(forked_by_handlers),
    RIGHT(closed_in_a_bare_child),
};

MISUSE_MAIN(cases)
