/* Setting rings up and closing them: with requests, children, threads. Raw calls. */
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/resource.h>

#include "read_one.h"

static const unsigned modes[] = {
    0, IORING_SETUP_SQWQ, IORING_SETUP_IOPOLL, IORING_SETUP_SQTHREAD, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL,
    IORING_SETUP_FIXEDBUFS, IORING_SETUP_FIXEDBUFS | IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL,
};

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

/* The ring is closed while requests are under way. */
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

/* A child uses its parent's ring, and one that it sets up. */
static void children(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), status;
    pid_t child;

    for (size_t i = 0; i < 4; i++) {
        struct leak_mark mark = mark_alone();
        struct raw r;

        raw_open(&r, 8, modes[i] & ~IORING_SETUP_IOPOLL, NULL);
        read_one(&r, fd);
        child = CHECK_SYS(fork());
        if (child == 0) {
            struct raw own;

            /* the parent's */
            for (int j = 0; j < 20; j++)
                read_one(&r, fd);
            /* the child's own */
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

/* The parent ends, and the child goes on with the ring. */
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
            /* killed, so it gives nothing back in order */
            close(pipes[1]);
            raise(SIGKILL);
        }
        /* when the parent has ended, only this process has the pipe */
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

/* A child that has closed its copy of a ring keeps neither the ring nor its requests alive. */
static void closed_in_a_child(void)
{
    int pipes[2], ready[2], over[2], ring_fds = count_ring_fds(), status;
    struct pollfd has_data = { .events = POLLIN };
    struct leak_mark mark;
    struct raw r;
    pid_t child;
    char byte;

    CHECK_SYS(pipe(pipes));
    CHECK_SYS(pipe(ready));
    CHECK_SYS(pipe(over));
    mark = leak_mark();
    raw_open(&r, 8, 0, NULL);
    child = CHECK_SYS(fork());
    if (child == 0) {
        struct raw own;

        raw_unmap(&r);
        CHECK_EQ(close(r.fd), 0);
        CHECK_EQ(write(ready[1], "x", 1), 1);
        CHECK_EQ(read(over[0], &byte, 1), 1);
        /* the next set-up gives everything back at the latest */
        raw_open(&own, 8, 0, NULL);
        CHECK_EQ(count_ring_fds(), ring_fds + 1);
        raw_unmap(&own);
        CHECK_EQ(close(own.fd), 0);
        raw_gone(ring_fds);
        CHECK_EQ(leak_mark().fds, mark.fds);
        _exit(0);
    }
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
    raw_close(&r);
    /* the kernel cancels a moment later */
    usleep(200000);
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    usleep(20000);
    has_data.fd = pipes[0];
    CHECK_EQ(poll(&has_data, 1, 0), 1);
    CHECK_EQ(write(over[1], "x", 1), 1);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

/* The memory that a closed ring had locked can be locked by the next one. */
static void again_at_once(void)
{
    enum { COUNT = 4, LENGTH = 1 << 18 };
    struct rlimit limit = { COUNT * LENGTH * 3 / 2, COUNT * LENGTH * 3 / 2 };
    char *memory = mmap(NULL, COUNT * LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec iovecs[COUNT];
    struct raw r;

    CHECK(memory != MAP_FAILED);
    for (int i = 0; i < COUNT; i++)
        iovecs[i] = (struct iovec) { memory + i * LENGTH, LENGTH };
    CHECK_SYS(setrlimit(RLIMIT_MEMLOCK, &limit));
    become_plain_user();
    for (int i = 0; i < 20; i++) {
        raw_open(&r, COUNT, IORING_SETUP_FIXEDBUFS, iovecs);
        raw_unmap(&r);
        CHECK_EQ(close(r.fd), 0);
    }
    raw_gone(0);
}

/* A user who may start no more threads can still have rings. */
static void without_threads(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), fds = 0;
    struct rlimit limit;
    struct raw r;

    become_plain_user();
    CHECK_SYS(getrlimit(RLIMIT_NPROC, &limit));
    limit.rlim_cur = 1;
    CHECK_SYS(setrlimit(RLIMIT_NPROC, &limit));
    for (int i = 0; i < 20; i++) {
        raw_open(&r, 8, 0, NULL);
        read_one(&r, fd);
        if (i)
            CHECK_EQ((int) leak_mark().fds, fds);
        fds = leak_mark().fds;
        raw_unmap(&r);
        CHECK_EQ(close(r.fd), 0);
    }
    /* without a watching thread, the next set-up notices the last close */
    FAILS(io_uring_setup(0, NULL, &r.p), EINVAL);
    raw_gone(0);
    /* the address sanitizer starts a thread at the end */
    limit.rlim_cur = limit.rlim_max;
    CHECK_SYS(setrlimit(RLIMIT_NPROC, &limit));
}

static void need_program(const char *path)
{
    if (access(path, X_OK))
        skip("there is no %s", path);
}

/* A child of vfork() closes all descriptors, and then executes a program. */
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
    /* the program has no descriptor and no mapping of the ring */
    snprintf(command, sizeof(command), "! ls -l /proc/self/fd | grep -e io_uring && ! grep io_uring /proc/self/maps");
    CHECK_EQ(posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ), 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    /* the polling thread ends when its process executes a program */
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

struct worker {
    pthread_t thread;
    int file, rounds;
    unsigned char *buffer;
};

/* Sets rings up and closes them, while other threads do the same. */
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

/* One thread sets a ring up, another one uses it. */
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

/* All other calls that go through syscall(). */
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
    CASE(closing_leaves_nothing), CASE(unmapping_last), CASE(closing_with_requests), CASE(children), CASE(orphan),
    CASE(closed_in_a_child), CASE(again_at_once), CASE(without_threads), CASE(vforked), CASE(executed),
    CASE(many_threads), CASE(another_thread), CASE(other_calls),
};
TEST_MAIN(cases)
