/*
 * What is under way when its ring ends: what the kernel would have done by then
 * is done, what a worker has begun goes on, and nothing else is begun.
 */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/un.h>

#include "file.h"

#ifndef EXIT_ROUNDS
#define EXIT_ROUNDS 500
#endif

enum { SIZE = 64 << 20, LONGEST = 32768 };

static struct io_uring ring;

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Ends with the watchdog where it stays open. */
static void wait_for_close(int fd)
{
    while (is_open(fd))
        sched_yield();
}

/* The next request, linked to the one that is prepared after it. */
static struct io_uring_sqe *linked(void)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    return sqe;
}

/* A poll of a pipe, and what is to be closed when something comes there. */
static void close_behind_poll(int from, int fd)
{
    io_uring_prep_poll_add(linked(), from, POLLIN);
    io_uring_prep_close(next_sqe(&ring), fd);
}

/* The event has come, although no thread of the library may have looked. */
static void event_before(void)
{
    for (unsigned round = 0; round < EXIT_ROUNDS; round++) {
        int ends[2], fd = CHECK_SYS(open("/dev/null", O_RDONLY));

        ring_open(&ring, 8, 0);
        CHECK_SYS(pipe(ends));
        close_behind_poll(ends[0], fd);
        SUBMIT(&ring, 2);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        io_uring_queue_exit(&ring);
        CHECK(!is_open(fd));
        CHECK_SYS(close(ends[0]));
        CHECK_SYS(close(ends[1]));
    }
}

/* The same while another request uses the descriptor. */
static void event_before_in_use(void)
{
    enum { READ = 8 << 20, ROUNDS = 50 };
    static char bytes[READ];

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct io_uring_sqe *sqe;
        int ends[2], fd = make_file("file", 0, 0);

        CHECK_EQ(write(fd, bytes, READ), READ);
        ring_open(&ring, 8, 0);
        CHECK_SYS(pipe(ends));
        close_behind_poll(ends[0], fd);
        sqe = next_sqe(&ring);
        io_uring_prep_read(sqe, fd, bytes, READ, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
        SUBMIT(&ring, 3);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        io_uring_queue_exit(&ring);
        wait_for_close(fd);
        CHECK_SYS(close(ends[0]));
        CHECK_SYS(close(ends[1]));
    }
}

/* What follows a request that a worker has begun needs no more than a worker. */
static void behind_a_worker(void)
{
    static char bytes[SIZE];
    struct io_uring_sqe *sqe;
    struct stat now = { 0 };
    int ends[2], file = make_file("file", 0, 0), closed = CHECK_SYS(open("/dev/null", O_RDONLY));
    int waits = CHECK_SYS(dup(closed));

    ring_open(&ring, 8, 0);
    CHECK_SYS(pipe(ends));
    io_uring_prep_write(sqe = linked(), file, bytes, SIZE, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK | IOSQE_ASYNC);
    io_uring_prep_fsync(linked(), file, 0);
    io_uring_prep_read(linked(), file, bytes, 8, 0);
    io_uring_prep_close(linked(), closed);
    io_uring_prep_poll_add(linked(), ends[0], POLLIN);
    io_uring_prep_close(next_sqe(&ring), waits);
    SUBMIT(&ring, 6);
    while (now.st_size == 0)
        CHECK_SYS(fstat(file, &now));
    io_uring_queue_exit(&ring);
    wait_for_close(closed);
    CHECK_SYS(fstat(file, &now));
    CHECK_EQ(now.st_size, SIZE);
    /* who waits for an event does so no more */
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK(is_open(waits));
}

/* Waits for a thread that is in a call. */
static void wait_for_call(long number)
{
    long call = -1;

    while (call != number) {
        DIR *tasks = opendir("/proc/self/task");
        struct dirent *task;

        CHECK(tasks != NULL);
        while (call != number && (task = readdir(tasks)) != NULL) {
            char path[300];
            FILE *file;

            snprintf(path, sizeof(path), "/proc/self/task/%s/syscall", task->d_name);
            file = fopen(path, "r");
            if (file != NULL && fscanf(file, "%ld", &call) != 1)
                call = -1;
            if (file != NULL)
                fclose(file);
        }
        closedir(tasks);
    }
}

/* What follows a request that ends after its ring: the program may have taken the memory back. */
static void behind_one_that_stays(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "listener" };
    int listener = CHECK_SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    int first = CHECK_SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    int second = CHECK_SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    struct pollfd written = { .events = POLLIN };
    int ends[2];

    if (dlsym(RTLD_DEFAULT, "liburing_fallback_active") == NULL)
        skip("the kernel cancels the request, some time after the ring is given up");
    ring_open(&ring, 8, 0);
    CHECK_SYS(pipe(ends));
    CHECK_SYS(bind(listener, (struct sockaddr *) &name, sizeof(name)));
    CHECK_SYS(listen(listener, 0));
    CHECK_SYS(connect(first, (struct sockaddr *) &name, sizeof(name)));
    /* The queue is full: this one waits. */
    io_uring_prep_connect(linked(), second, (struct sockaddr *) &name, sizeof(name));
    io_uring_prep_write(next_sqe(&ring), ends[1], "x", 1, 0);
    SUBMIT(&ring, 2);
    wait_for_call(SYS_connect);
    io_uring_queue_exit(&ring);
    /* One for the first, and one for the request. */
    CHECK_SYS(accept(listener, NULL, NULL));
    CHECK_SYS(accept(listener, NULL, NULL));
    written.fd = ends[0];
    CHECK_EQ(poll(&written, 1, 200), 0);
}

static void *end_long_chain(void *from)
{
    ring_open(&ring, LONGEST, 0);
    io_uring_prep_read(linked(), *(int *) from, from, 1, 0);
    while (io_uring_sq_space_left(&ring) > 1)
        io_uring_prep_nop(linked());
    io_uring_prep_nop(next_sqe(&ring));
    SUBMIT(&ring, LONGEST);
    io_uring_queue_exit(&ring);
    return NULL;
}

/* A chain of many requests goes in a thread with little room. */
static void long_chain(void)
{
    pthread_attr_t small;
    pthread_t thread;
    int ends[2];

    CHECK_SYS(pipe(ends));
    CHECK_EQ(pthread_attr_init(&small), 0);
    CHECK_EQ(pthread_attr_setstacksize(&small, 256 << 10), 0);
    CHECK_EQ(pthread_create(&thread, &small, end_long_chain, &ends[0]), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&small);
}

static const struct test_case cases[] = {
    CASE(event_before),
    CASE(event_before_in_use),
    CASE(behind_a_worker),
    CASE(behind_one_that_stays),
    CASE(long_chain),
};

TEST_MAIN(cases)
