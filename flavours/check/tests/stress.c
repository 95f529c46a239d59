/*
 * A program that is right, and does much at once: threads with rings and buffers of their own, signals that interrupt
 * them, forks, and thousands of rings. It must end, be silent, and not grow.
 */
#include <sys/resource.h>
#include <sys/time.h>

#include "misuse.h"

#define THREADS 4
#define REQUESTS 4000
#define DEPTH 8

static int zero_fd, null_fd;

static void on_signal(int signal_number)
{
    int saved = errno;

    (void) signal_number;
    close(dup(null_fd));
    errno = saved;
}

/* Reads into blocks of the heap, in flight together, each freed when its completion is there. */
static void *work(void *unused)
{
    struct io_uring ring;
    unsigned in_flight = 0;

    (void) unused;
    open_ring(&ring, DEPTH, 0);
    for (unsigned i = 0; i < REQUESTS || in_flight;) {
        struct io_uring_cqe *cqe;
        struct io_uring_sqe *sqe;

        if (i < REQUESTS && in_flight < DEPTH && (sqe = io_uring_get_sqe(&ring))) {
            char *block = malloc(64 + i % 5000);

            io_uring_prep_read(sqe, zero_fd, block, 64, 0);
            if (i++ % 3 == 0)
                sqe->flags |= IOSQE_ASYNC;
            io_uring_sqe_set_data(sqe, block);
            in_flight++;
            io_uring_submit(&ring);
        } else {
            int ret;

            do {
                ret = io_uring_wait_cqe(&ring, &cqe);
            } while (ret == -EINTR);
            MUST(ret == 0);
        }
        free(malloc(i % 3000));
        while (io_uring_peek_cqe(&ring, &cqe) == 0) {
            MUST(cqe->res == 64);
            free(io_uring_cqe_get_data(cqe));
            io_uring_cqe_seen(&ring, cqe);
            in_flight--;
        }
    }
    io_uring_queue_exit(&ring);
    return NULL;
}

static void *fork_on(void *unused)
{
    for (unsigned i = 0; i < 40; i++) {
        pid_t child = fork();
        int status;

        MUST(child >= 0);
        if (child == 0) {
            struct io_uring ring;

            open_ring(&ring, 4, 0);
            for (unsigned j = 0; j < 10; j++) {
                take(&ring, j);
                MUST(io_uring_submit(&ring) == 1);
                reap(&ring);
                free(malloc(1000));
            }
            io_uring_queue_exit(&ring);
            _exit(0);
        }
        while (waitpid(child, &status, 0) != child)
            MUST(errno == EINTR);
        MUST(status == 0);
    }
    return unused;
}

static void everything_at_once(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
    pthread_t threads[THREADS + 1];

    alarm(60);
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &often, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, work, NULL) == 0);
    MUST(pthread_create(&threads[THREADS], NULL, fork_on, NULL) == 0);
    for (unsigned i = 0; i <= THREADS; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    setitimer(ITIMER_PROF, &never, NULL);
}

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;

    MUST(file != NULL);
    MUST(fscanf(file, "%*s %ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void use_rings(struct io_uring *rings, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        open_ring(&rings[i], 2, 0);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < 4; j++) {
            take(&rings[i], j);
            MUST(io_uring_submit(&rings[i]) == 1);
            reap(&rings[i]);
        }
    }
    for (unsigned i = 0; i < count; i++)
        io_uring_queue_exit(&rings[i]);
}

static void thousands_of_rings(void)
{
    static struct io_uring rings[500];
    struct rlimit limit;
    long before;

    alarm(60);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    use_rings(rings, 500);
    before = resident_kib();
    for (unsigned i = 0; i < 8; i++)
        use_rings(rings, 500);
    MUST(resident_kib() < before + 512);
}

/* Nothing is kept of a request that has completed, nor of descriptors and blocks that are gone. */
static void a_million_requests(void)
{
    struct io_uring ring;
    long before = 0;

    alarm(60);
    open_ring(&ring, 64, 0);
    for (unsigned i = 0; i < 20000; i++) {
        if (i == 2000)
            before = resident_kib();
        for (unsigned j = 0; j < 50; j++)
            take(&ring, j % 7 ? (unsigned long long) i * 50 + j : 7);
        MUST(io_uring_submit_and_wait(&ring, 50) == 50);
        io_uring_cq_advance(&ring, 50);
        close(dup(null_fd));
    }
    MUST(resident_kib() < before + 512);
    io_uring_queue_exit(&ring);
}

static void opens(void)
{
    zero_fd = open("/dev/zero", O_RDONLY);
    null_fd = open("/dev/null", O_WRONLY);
    MUST(zero_fd >= 0 && null_fd >= 0);
}

static void all_at_once(void)
{
    opens();
    everything_at_once();
}

static void rings_by_the_thousand(void)
{
    opens();
    thousands_of_rings();
}

static void a_million(void)
{
    opens();
    a_million_requests();
}

static const struct misuse cases[] = {
    RIGHT(all_at_once),
    RIGHT(rings_by_the_thousand),
    RIGHT(a_million),
};

MISUSE_MAIN(cases)
