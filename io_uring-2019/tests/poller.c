/* The thread that polls the SQ ring. Raw calls. */
#include <sched.h>
#include <sys/resource.h>

#include "read_one.h"

/* A program that enters only to wake the thread, when the flag says that it sleeps. */
static void polling_thread(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct raw r;
    double start;

    raw_open(&r, 8, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
    for (int i = 0; i < 1000; i++) {
        raw_request(&r, i % 8, IORING_OP_READ, fd, buffer, 512, i % 100 * 512);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        /* on a busy machine a second may pass, and the thread sleeps */
        if (__atomic_load_n(r.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)
            CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        CHECK_EQ(raw_spin(&r).res, 512);
        CHECK_PATTERN(buffer, 512, i % 100 * 512);
    }
    for (int i = 0; i < 2; i++) {
        start = seconds();
        while (!(__atomic_load_n(r.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)) {
            CHECK_LT(seconds() - start, 5);
            usleep(1000);
        }
        if (i == 1)
            CHECK_GE((seconds() - start) * 1000, 800);
        /* longer than its first, short sleep */
        usleep(200000);
        /* it does not find requests by itself now */
        raw_request(&r, 0, IORING_OP_READ, fd, buffer, 512, 0);
        usleep(50000);
        CHECK_EQ(raw_ready(&r), 0);
        /* any call wakes it */
        CHECK_EQ(io_uring_enter(r.fd, i, 0, 0), i);
        CHECK_EQ(raw_spin(&r).res, 512);
    }
    /* closing wakes a sleeping thread too */
    while (!(__atomic_load_n(r.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP))
        usleep(1000);
    usleep(20000);
    raw_close(&r);
    CHECK_EQ(tasks_in_the_end(), 1);
}

/* A ring of ENTRIES, which has room for 2 * ENTRIES events, gets COUNT. */
enum { ENTRIES = 4, COUNT = 5 * ENTRIES };

static void overfill(struct raw *r, int fd)
{
    for (int i = 0; i < COUNT; i++) {
        raw_request(r, i % ENTRIES, IORING_OP_READ, fd, buffer, 64, 0);
        while (__atomic_load_n(r->sq_head, __ATOMIC_ACQUIRE) != *r->sq_tail)
            ;
    }
}

static void open_overfilled(struct raw *r)
{
    raw_open(r, ENTRIES, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
    overfill(r, pattern_file("data", BLOCK, O_RDONLY));
}

/* With a polling thread, events that found no room come without a call. */
static void overflow_polled(void)
{
    struct raw r;

    open_overfilled(&r);
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(raw_spin(&r).res, 64);
    CHECK_GT(*r.cq_overflow, 0);
    raw_close(&r);
}

/* The thread sleeps while there is a backlog and no room. It checks for room now and then. */
static void full_ring(void)
{
    struct raw r;

    open_overfilled(&r);
    for (double end = seconds() + 10; !(__atomic_load_n(r.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP);)
        CHECK(seconds() < end);
    CHECK_EQ(raw_ready(&r), 2 * ENTRIES);
    CHECK_EQ(*r.cq_overflow, COUNT - 2 * ENTRIES);
    usleep(50000);
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(raw_spin(&r).res, 64);
    usleep(20000);
    CHECK_EQ(raw_ready(&r), 0);
    CHECK_EQ(*r.cq_overflow, COUNT - 2 * ENTRIES);
    raw_close(&r);
}

/* The program enters as well, and both it and the thread count the events that found no room. */
static void counted_by_two(void)
{
    enum { REQUESTS = 400 };
    int fd = pattern_file("data", BLOCK, O_RDONLY);
    struct raw r;

    raw_open(&r, ENTRIES, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
    for (int i = 0; i < REQUESTS; i++) {
        while (*r.sq_tail - __atomic_load_n(r.sq_head, __ATOMIC_ACQUIRE) == ENTRIES)
            sched_yield();
        raw_request(&r, i % ENTRIES, IORING_OP_READ, fd, buffer, 64, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
    }
    while (*r.sq_tail != __atomic_load_n(r.sq_head, __ATOMIC_ACQUIRE))
        sched_yield();
    for (int i = 0; i < REQUESTS; i++) {
        CHECK_EQ(io_uring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
        CHECK_EQ(raw_spin(&r).res, 64);
    }
    CHECK_EQ(*r.cq_overflow, REQUESTS - 2 * ENTRIES);
    raw_close(&r);
}

/* The thread opens no files: a program expects a new descriptor to have the number that it has just closed. */
static void opens_nothing(void)
{
    int fd = pattern_file("data", BLOCK, O_RDONLY);
    struct rlimit limit;
    struct raw r;

    raw_open(&r, ENTRIES, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 1;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    FAILS(dup(0), EMFILE);
    overfill(&r, fd);
    for (double end = seconds() + 10; *(volatile unsigned *) r.cq_overflow != COUNT - 2 * ENTRIES;)
        CHECK(seconds() < end);
    limit.rlim_cur = limit.rlim_max;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    raw_close(&r);
}

/* Events that find no room while the thread sleeps also come without a call. */
static void full_while_asleep(void)
{
    enum { REQUESTS = 3 * ENTRIES };
    int pipes[REQUESTS][2];
    struct raw r;

    raw_open(&r, ENTRIES, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
    for (int i = 0; i < REQUESTS; i++) {
        CHECK_SYS(pipe(pipes[i]));
        raw_request(&r, i % ENTRIES, IORING_OP_READ, pipes[i][0], buffer + i, 1, 0);
        while (__atomic_load_n(r.sq_head, __ATOMIC_ACQUIRE) != *r.sq_tail)
            ;
    }
    for (double end = seconds() + 10; !(__atomic_load_n(r.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP);)
        CHECK(seconds() < end);
    usleep(200000);
    for (int i = 0; i < REQUESTS; i++)
        CHECK_EQ(write(pipes[i][1], "x", 1), 1);
    for (double end = seconds() + 10; *(volatile unsigned *) r.cq_overflow != REQUESTS - 2 * ENTRIES;)
        CHECK(seconds() < end);
    CHECK_EQ(raw_ready(&r), 2 * ENTRIES);
    for (int i = 0; i < REQUESTS; i++)
        CHECK_EQ(raw_spin(&r).res, 1);
    usleep(20000);
    CHECK_EQ(raw_ready(&r), 0);
    CHECK_EQ(*r.cq_overflow, REQUESTS - 2 * ENTRIES);
    raw_close(&r);
}

/* In a new PID namespace, with the /proc of the old one. */
static void other_pid_namespace(void)
{
    enum { REFUSED = 77 };
    pid_t child = CHECK_SYS(fork());
    int status;

    if (child == 0) {
        if (unshare(CLONE_NEWPID))
            _exit(REFUSED);
        child = CHECK_SYS(fork());
        if (child == 0) {
            full_ring();
            _exit(0);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == REFUSED)
        skip("no PID namespace can be made");
    CHECK_EQ(status, 0);
}

static void thread_cpu(void)
{
    struct io_uring_params p;
    cpu_set_t set;
    struct raw r;

    memset(&p, 0, sizeof(p));
    p.flags = IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL;
    p.sq_thread_cpu = 9999;
    FAILS(io_uring_setup(4, NULL, &p), EINVAL);
    CHECK_EQ(tasks_in_the_end(), 1);

    CHECK_SYS(sched_getaffinity(0, sizeof(set), &set));
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        DIR *dir;
        struct dirent *entry;
        int bound = 0;

        if (!CPU_ISSET(cpu, &set))
            continue;
        memset(&r, 0, sizeof(r));
        r.p.flags = IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL;
        r.p.sq_thread_cpu = cpu;
        r.fd = CHECK_SYS(io_uring_setup(4, NULL, &r.p));
        CHECK_EQ(r.p.sq_thread_cpu, cpu);
        dir = opendir("/proc/self/task");
        while ((entry = readdir(dir))) {
            cpu_set_t of_task;

            if (entry->d_name[0] != '.' && atoi(entry->d_name) != getpid()) {
                CHECK_SYS(sched_getaffinity(atoi(entry->d_name), sizeof(of_task), &of_task));
                bound += CPU_COUNT(&of_task) == 1 && CPU_ISSET(cpu, &of_task);
            }
        }
        closedir(dir);
        CHECK_EQ(bound, 1);
        close(r.fd);
        raw_gone(0);
    }
}

/* Signals go to the program's threads, not to the polling thread. */
static volatile sig_atomic_t signals;

static void count_signal(int signal_number)
{
    (void) signal_number;
    signals++;
}

static void signals_spare_the_thread(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct raw r;

    signal(SIGUSR1, count_signal);
    raw_open(&r, 8, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
    for (int i = 0; i < 100; i++) {
        CHECK_SYS(kill(getpid(), SIGUSR1));
        CHECK_EQ(signals, i + 1);
        raw_request(&r, 0, IORING_OP_READ, fd, buffer, 512, 0);
        CHECK_EQ(raw_spin(&r).res, 512);
    }
    raw_close(&r);
}

static const struct test_case cases[] = {
    CASE(polling_thread), CASE(overflow_polled), CASE(full_ring), CASE(full_while_asleep), CASE(counted_by_two),
    CASE(opens_nothing), CASE(other_pid_namespace), CASE(thread_cpu), CASE(signals_spare_the_thread),
};
TEST_MAIN(cases)
