/* Rings come and go: descriptors, duplicates, children, threads. Raw calls. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <spawn.h>

#include "raw.h"

#define BLOCK 4096

static unsigned char buffer[64 * BLOCK] __attribute__((aligned(BLOCK)));

static const unsigned modes[] = {
    0, IORING_SETUP_SQWQ, IORING_SETUP_IOPOLL, IORING_SETUP_SQTHREAD, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL,
    IORING_SETUP_FIXEDBUFS, IORING_SETUP_FIXEDBUFS | IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL,
};

static unsigned count_tasks(void)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    unsigned count = 0;

    CHECK(dir != NULL);
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static unsigned tasks_in_the_end(void)
{
    unsigned count = count_tasks();

#ifdef LINKED
    for (int tries = 0; tries < 1000 && count != 1; tries++) {
        usleep(1000);
        count = count_tasks();
    }
#endif
    return count;
}

/* One read, which shows that a ring works. */
static void read_one(struct raw *r, int fd)
{
    memset(buffer, 0, BLOCK);
    raw_request(r, 1, IORING_OP_READ, fd, buffer, BLOCK, 3 * BLOCK);
    CHECK_EQ(io_uring_enter(r->fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_wait(r).res, BLOCK);
    CHECK_PATTERN(buffer, BLOCK, 3 * BLOCK);
}

static void closing_leaves_nothing(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDWR | O_DIRECT);
    struct iovec iovecs[32];
    struct leak_mark mark;
    struct raw r;

    for (int i = 0; i < 32; i++) {
        iovecs[i].iov_base = buffer + i * BLOCK;
        iovecs[i].iov_len = BLOCK;
    }
    mark = leak_mark();
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
            raw_open(&r, 32, modes[i], iovecs);
            if (round % 2)
                read_one(&r, fd);
            if (modes[i] & IORING_SETUP_SQPOLL)
                CHECK_GE(count_tasks(), 2);
            raw_close(&r);
            CHECK_GONE(mark);
            CHECK_EQ(tasks_in_the_end(), 1);
        }
}

/* Closed first, unmapped later. */
static void unmapping_last(void)
{
    struct leak_mark mark = leak_mark();

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct raw r;

        if (modes[i] & IORING_SETUP_FIXEDBUFS)
            continue;
        raw_open(&r, 8, modes[i], NULL);
        CHECK_EQ(close(r.fd), 0);
        CHECK_EQ(*r.sq_tail, 0);
        CHECK_EQ(*r.cq_tail, 0);
        FAILS(io_uring_enter(r.fd, 0, 0, 0), EBADF);
        raw_unmap(&r);
        raw_gone(0);
        CHECK_GONE(mark);
    }
}

/* Requests under way when the ring is closed. */
static void closing_with_requests(void)
{
    struct leak_mark mark;
    int pipes[2];

    CHECK_SYS(pipe(pipes));
    mark = leak_mark();
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct raw r;

        if (modes[i] & (IORING_SETUP_FIXEDBUFS | IORING_SETUP_IOPOLL))
            continue;
        raw_open(&r, 8, modes[i], NULL);
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        raw_close(&r);
        CHECK_GONE(mark);
        CHECK_EQ(tasks_in_the_end(), 1);
    }
}

/* A new descriptor has the lowest number that is free, also where that is one of the first three. */
static void lowest_descriptor(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), lowest = CHECK_SYS(dup(fd));
    struct raw r;

    close(lowest);
    raw_open(&r, 8, 0, NULL);
    CHECK_EQ(r.fd, lowest);
    raw_close(&r);
    close(STDIN_FILENO);
    raw_open(&r, 8, 0, NULL);
    CHECK_EQ(r.fd, STDIN_FILENO);
    read_one(&r, fd);
    raw_close(&r);
}

static void duplicates(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), copy, other;
    struct leak_mark mark = leak_mark();
    struct raw r;

    raw_open(&r, 8, 0, NULL);
    copy = CHECK_SYS(dup(r.fd));
    close(r.fd);
    FAILS(io_uring_enter(r.fd, 0, 0, 0), EBADF);
    other = CHECK_SYS(open("/dev/null", O_RDONLY));
    CHECK_EQ(other, r.fd);
    FAILS(io_uring_enter(other, 0, 0, 0), EOPNOTSUPP);
    r.fd = copy;
    read_one(&r, fd);
    r.fd = CHECK_SYS(fcntl(copy, F_DUPFD, 100));
    close(copy);
    read_one(&r, fd);
    CHECK_EQ(dup2(r.fd, other), other);
    close(r.fd);
    r.fd = other;
    read_one(&r, fd);
    raw_close(&r);
    CHECK_GONE(mark);
}

/* Each way in which something else can take the descriptor's place. */
static void replaced_descriptors(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct leak_mark mark = leak_mark();
    struct raw r;

    for (int way = 0; way < 7; way++) {
        raw_open(&r, 8, way & 1 ? IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL : 0, NULL);
        read_one(&r, fd);
        raw_unmap(&r);
        if (way == 0)
            CHECK_EQ(dup2(fd, r.fd), r.fd);
        else if (way == 1)
            CHECK_EQ(dup3(fd, r.fd, O_CLOEXEC), r.fd);
        else if (way == 2)
            CHECK_EQ(close_range(r.fd, r.fd, 0), 0);
        else if (way == 3)
            CHECK_EQ(syscall(SYS_close, r.fd), 0);
        else if (way == 4)
            CHECK_EQ(syscall(SYS_dup2, fd, r.fd), r.fd);
        else if (way == 5)
            CHECK_EQ(syscall(SYS_dup3, fd, r.fd, O_CLOEXEC), r.fd);
        else
            CHECK_EQ(syscall(SYS_close_range, r.fd, r.fd, 0), 0);
        raw_gone(0);
        if (way == 2 || way == 3 || way == 6) {
            FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EBADF);
            CHECK_EQ(dup2(fd, r.fd), r.fd);
        }
        FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EOPNOTSUPP);
        FAILS(io_uring_enter(r.fd, 0, 0, 0), EOPNOTSUPP);
        close(r.fd);
        CHECK_GONE(mark);
    }
}

/* Closed by a call that nobody sees: not mistaken, and given back when the next ring is set up, if not before. */
static void closed_unseen(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), other;
    struct leak_mark mark;
    struct raw r;

    raw_open(&r, 8, 0, NULL);
    raw_close(&r);
    fclose(fdopen(dup(fd), "r"));
    /* the thread that closes the linked library's ring has its own stack yet */
    CHECK_EQ(tasks_in_the_end(), 1);
    mark = leak_mark();
    for (int i = 0; i < 10; i++) {
        raw_open(&r, 8, i % 2 ? IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL : 0, NULL);
        read_one(&r, fd);
        raw_unmap(&r);
        CHECK_EQ(fclose(fdopen(r.fd, "r+")), 0);
        FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EBADF);
        other = CHECK_SYS(open("/dev/null", O_RDONLY));
        if (other != r.fd) {
            CHECK_EQ(dup2(other, r.fd), r.fd);
            close(other);
        }
        FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EOPNOTSUPP);
        CHECK_EQ(fclose(fdopen(r.fd, "r")), 0);
    }
    raw_open(&r, 8, 0, NULL);
    raw_close(&r);
    CHECK_GONE(mark);
    CHECK_EQ(tasks_in_the_end(), 1);
}

/* All descriptors closed, this library's as well. */
static void everything_closed(void)
{
    int fd;
    struct raw r;

    raw_open(&r, 8, 0, NULL);
    raw_unmap(&r);
    closefrom(3);
    raw_gone(0);
    FAILS(io_uring_enter(r.fd, 0, 0, 0), EBADF);
    fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    raw_open(&r, 8, 0, NULL);
    read_one(&r, fd);
    raw_close(&r);
}

/* A child has the ring as well. */
static void children(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), status;
    pid_t child;

    for (size_t i = 0; i < 4; i++) {
        struct leak_mark mark = leak_mark();
        struct raw r;

        raw_open(&r, 8, modes[i] & ~IORING_SETUP_IOPOLL, NULL);
        read_one(&r, fd);
        child = CHECK_SYS(fork());
        if (child == 0) {
            struct raw own;

            /* goes on with the parent's */
            for (int j = 0; j < 20; j++)
                read_one(&r, fd);
            /* one of its own */
            raw_open(&own, 8, 0, NULL);
            read_one(&own, fd);
            raw_unmap(&own);
            close(own.fd);
            raw_unmap(&r);
            close(r.fd);
            FAILS(io_uring_enter(r.fd, 0, 0, 0), EBADF);
            raw_open(&own, 8, 0, NULL);
            read_one(&own, fd);
            _exit(0);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        for (int j = 0; j < 20; j++)
            read_one(&r, fd);
        raw_close(&r);
        CHECK_GONE(mark);
    }
}

/* The parent ends, the child goes on. */
static void orphan(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), status;
    pid_t child = CHECK_SYS(fork());

    if (child == 0) {
        struct raw r;
        int pipes[2];
        pid_t grandchild;

        raw_open(&r, 8, 0, NULL);
        CHECK_SYS(pipe(pipes));
        grandchild = CHECK_SYS(fork());
        if (grandchild) {
            /* is killed from within, and nothing is given back in order */
            close(pipes[1]);
            raise(SIGKILL);
        }
        /* at the end of the parent, its end of the pipe is the last one */
        prctl(PR_SET_PDEATHSIG, 0);
        while (getppid() == child)
            usleep(1000);
        usleep(10000);
        for (int i = 0; i < 20; i++)
            read_one(&r, fd);
        CHECK_EQ(write(pipes[1], "good", 4), 4);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
}

static void need_program(const char *path)
{
    if (access(path, X_OK))
        skip("there is no %s", path);
}

/* A child that shares the memory and closes everything before it executes something. */
static void vforked(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), status;
    char *argv[] = { "true", NULL };
    struct leak_mark mark = leak_mark();
    struct raw r;
    pid_t child;

    need_program("/bin/true");
    raw_open(&r, 8, 0, NULL);
    for (int i = 0; i < 5; i++) {
        child = CHECK_SYS(vfork());
        if (child == 0) {
            for (int j = 3; j < 1024; j++)
                close(j);
            execv("/bin/true", argv);
            _exit(1);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        read_one(&r, fd);
        child = CHECK_SYS(vfork());
        if (child == 0) {
            close_range(3, ~0u, 0);
            execv("/bin/true", argv);
            _exit(1);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        read_one(&r, fd);
    }
    raw_close(&r);
    CHECK_GONE(mark);
}

static void executed(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), status;
    extern char **environ;
    char command[128], *argv[] = { "sh", "-c", command, NULL };
    struct raw r;
    pid_t child;

    need_program("/bin/sh");
    raw_open(&r, 8, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
    read_one(&r, fd);
    close(fd);
    /* nothing of the ring gets through */
    snprintf(command, sizeof(command), "! ls -l /proc/self/fd | grep -e io_uring && ! grep io_uring /proc/self/maps");
    CHECK_EQ(posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ), 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    /* the thread that polls does not outlive an exec in its process */
    child = CHECK_SYS(fork());
    if (child == 0) {
        struct raw own;

        raw_open(&own, 8, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
        execv("/bin/sh", argv);
        _exit(1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    raw_close(&r);
}

struct waiter {
    struct raw *r;
    int returned, error;
    volatile int started;
};

static void *wait_there(void *argument)
{
    struct waiter *waiter = argument;

    waiter->started = 1;
    waiter->returned = io_uring_enter(waiter->r->fd, 0, 1, IORING_ENTER_GETEVENTS);
    waiter->error = errno;
    return NULL;
}

static void *just_wait(void *argument)
{
    pause();
    return argument;
}

/* One thread at a time. */
static void busy(void)
{
    int pipes[2];
    struct raw r;
    struct waiter waiter = { &r, 0, 0, 0 };
    pthread_t thread;

    CHECK_SYS(pipe(pipes));
    raw_open(&r, 8, 0, NULL);
    raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
    CHECK_EQ(pthread_create(&thread, NULL, wait_there, &waiter), 0);
    while (!waiter.started)
        ;
    usleep(50000);
    FAILS(io_uring_enter(r.fd, 0, 0, 0), EBUSY);
    FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EBUSY);
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(waiter.returned, 0);
    CHECK_EQ(io_uring_enter(r.fd, 0, 0, 0), 0);
    CHECK_EQ(raw_wait(&r).res, 1);
    raw_close(&r);
}

/* The ring lives until the call on it has returned. */
static void closed_while_waiting(void)
{
    int pipes[2];
    struct leak_mark mark;
    struct raw r;
    struct waiter waiter = { &r, 0, 0, 0 };
    pthread_t thread;

    CHECK_SYS(pipe(pipes));
    /* so that the stack of a thread is there already */
    CHECK_EQ(pthread_create(&thread, NULL, just_wait, NULL), 0);
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    mark = leak_mark();
    for (int i = 0; i < 10; i++) {
        waiter.started = 0;
        raw_open(&r, 8, 0, NULL);
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        CHECK_EQ(pthread_create(&thread, NULL, wait_there, &waiter), 0);
        while (!waiter.started)
            ;
        usleep(10000);
        CHECK_EQ(close(r.fd), 0);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_EQ(waiter.returned, 0);
        CHECK_EQ(raw_spin(&r).res, 1);
        raw_unmap(&r);
        raw_gone(0);
        CHECK_GONE(mark);
    }
}

struct worker {
    pthread_t thread;
    int file, rounds;
    unsigned char *buffer;
};

/* A ring of one's own, again and again, beside others that do the same. */
static void *work(void *argument)
{
    struct worker *worker = argument;

    for (int round = 0; round < worker->rounds; round++) {
        struct raw r;

        raw_open(&r, 4, round % 3 == 2 ? IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL : 0, NULL);
        for (int i = 0; i < 50; i++) {
            unsigned long long off = (round * 50 + i) % 15 * BLOCK + i;

            raw_request(&r, i % 4, IORING_OP_READ, worker->file, worker->buffer, BLOCK, off);
            CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
            CHECK_EQ(raw_wait(&r).res, BLOCK);
            CHECK_PATTERN(worker->buffer, BLOCK, off);
        }
        raw_unmap(&r);
        CHECK_EQ(close(r.fd), 0);
        FAILS(io_uring_enter(-1, 0, 0, 0), EBADF);
    }
    return NULL;
}

static void many_threads(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct worker workers[6];

    for (int i = 0; i < 6; i++) {
        workers[i] = (struct worker) { .file = fd, .rounds = 30, .buffer = buffer + i * BLOCK };
        CHECK_EQ(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 6; i++)
        CHECK_EQ(pthread_join(workers[i].thread, NULL), 0);
    raw_gone(0);
    CHECK_EQ(tasks_in_the_end(), 1);
}

/* Set up by one thread, used by another. */
static void *use(void *argument)
{
    struct raw *r = argument;
    int fd = CHECK_SYS(open("data", O_RDONLY));

    for (int i = 0; i < 100; i++)
        read_one(r, fd);
    close(fd);
    return NULL;
}

static void another_thread(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    pthread_t thread;
    struct raw r;

    raw_open(&r, 8, 0, NULL);
    CHECK_EQ(pthread_create(&thread, NULL, use, &r), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    read_one(&r, fd);
    raw_close(&r);
}

static struct raw *in_handler;
static int handler_file;
static volatile int handler_returned;
static sigjmp_buf jump;

static void call_in(int signal_number)
{
    struct raw *r = in_handler;

    (void) signal_number;
    raw_request(r, 5, IORING_OP_READ, handler_file, buffer + BLOCK, BLOCK, 2 * BLOCK);
    handler_returned = io_uring_enter(r->fd, 1, 0, 0);
}

static void jump_out(int signal_number)
{
    (void) signal_number;
    siglongjmp(jump, 1);
}

/* A handler submits while its thread waits, or leaves the wait for good. */
static void handlers(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), pipes[2];
    struct raw r;

    CHECK_SYS(pipe(pipes));
    handler_file = fd;
    in_handler = &r;
    raw_open(&r, 8, 0, NULL);
    for (int i = 0; i < 3; i++) {
        signal(SIGALRM, call_in);
        ualarm(20000, 0);
        raw_request(&r, 1, IORING_OP_READ, pipes[0], buffer, 1, 0);
        handler_returned = 0;
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        while (handler_returned == 0)
            ;
        CHECK_EQ(handler_returned, 1);
        CHECK_EQ(*r.sq_head, *r.sq_tail);
        CHECK_EQ(raw_wait(&r).index, 5);
        CHECK_PATTERN(buffer + BLOCK, BLOCK, 2 * BLOCK);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).index, 1);

        signal(SIGALRM, jump_out);
        if (!sigsetjmp(jump, 1)) {
            raw_request(&r, 2, IORING_OP_READ, pipes[0], buffer, 1, 0);
            ualarm(20000, 0);
            io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS);
            test_fail(__FILE__, __LINE__, "came back");
        }
        read_one(&r, fd);
        CHECK_EQ(*r.sq_head, *r.sq_tail);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).index, 2);
        CHECK_EQ(raw_ready(&r), 0);
    }
    raw_close(&r);
}

/* A program that never enters, but for waking a thread that says it sleeps. */
static void polling_thread(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct raw r;
    double start;

    raw_open(&r, 8, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
    for (int i = 0; i < 1000; i++) {
        raw_request(&r, i % 8, IORING_OP_READ, fd, buffer, 512, i % 100 * 512);
        CHECK_EQ(raw_spin(&r).res, 512);
        CHECK_PATTERN(buffer, 512, i % 100 * 512);
    }
    CHECK_EQ(*r.sq_flags, 0);
    for (int i = 0; i < 2; i++) {
        start = seconds();
        while (!(__atomic_load_n(r.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)) {
            CHECK_LT(seconds() - start, 5);
            usleep(1000);
        }
        CHECK_GE((seconds() - start) * 1000, 800);
        usleep(20000);
        /* it does not look */
        raw_request(&r, 0, IORING_OP_READ, fd, buffer, 512, 0);
        usleep(50000);
        CHECK_EQ(raw_ready(&r), 0);
        CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        CHECK_EQ(raw_spin(&r).res, 512);
        CHECK_EQ(__atomic_load_n(r.sq_flags, __ATOMIC_ACQUIRE), 0);
    }
    /* asleep, it is woken by closing too */
    while (!(__atomic_load_n(r.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP))
        usleep(1000);
    usleep(20000);
    raw_close(&r);
    CHECK_EQ(tasks_in_the_end(), 1);
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

/* Signals go to the program, not to the thread. */
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

/* Everything else that goes through syscall(). */
static void other_calls(void)
{
    char *page;

    CHECK_EQ(syscall(SYS_getpid), getpid());
    page = (char *) syscall(SYS_mmap, NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
    CHECK(page != MAP_FAILED);
    page[0] = 1;
    CHECK_EQ(munmap(page, BLOCK), 0);
    FAILS(munmap(page + 8, BLOCK), EINVAL);
    FAILS(syscall(SYS_close, 4000), EBADF);
    FAILS(syscall(SYS_mmap, 1L, BLOCK, PROT_READ, MAP_PRIVATE | MAP_FIXED, -1, 0L), EBADF);
    FAILS(syscall(100000), ENOSYS);
    FAILS(syscall(334), EINVAL);
    FAILS(close(4000), EBADF);
    FAILS(dup2(4000, 5), EBADF);
    FAILS(dup3(0, 0, 0), EINVAL);
}

static const struct test_case cases[] = {
    CASE(closing_leaves_nothing), CASE(unmapping_last), CASE(closing_with_requests), CASE(lowest_descriptor),
    CASE(duplicates), CASE(replaced_descriptors), CASE(closed_unseen), CASE(everything_closed), CASE(children), CASE(orphan),
    CASE(vforked), CASE(executed), CASE(busy), CASE(closed_while_waiting), CASE(many_threads), CASE(another_thread),
    CASE(handlers), CASE(polling_thread), CASE(thread_cpu), CASE(signals_spare_the_thread), CASE(other_calls),
};
TEST_MAIN(cases)
