/*
 * Requests keep their file when libc closes its descriptor by itself, with a
 * stream, a directory or a message queue, and when the program closes it by
 * the number of a system call.
 */
#include <dirent.h>
#include <mntent.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#include "file.h"

static struct io_uring ring;
static int pair[2], other[2];
static char bytes[8];

static void read_pending(int fd)
{
    io_uring_prep_read(next_sqe(&ring), fd, bytes, sizeof(bytes), 0);
    SUBMIT(&ring, 1);
}

static void has_read(const char *text)
{
    CHECK_EQ(reap(&ring).res, (int) strlen(text));
    CHECK_MEM(bytes, text, strlen(text));
}

/* A read of `pair[0]` waits, which is closed: its number is another file's. */
static void number_is_used_anew(void)
{
    make_socketpair(other, SOCK_STREAM);
    CHECK_EQ(other[0], pair[0]);
    CHECK_EQ(write(other[1], "wrong", 5), 5);
    CHECK_EQ(write(pair[1], "own", 3), 3);
    has_read("own");
    CHECK_EQ(read(other[0], bytes, sizeof(bytes)), 5);
}

static FILE *stream_with_read(void)
{
    FILE *stream;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_STREAM);
    /* the file stays open by another number as well, for as long as the process runs */
    CHECK_SYS(dup(pair[0]));
    stream = fdopen(pair[0], "r+");
    CHECK(stream != NULL);
    read_pending(pair[0]);
    return stream;
}

static void stream_closed(void)
{
    FILE *stream = stream_with_read();

    CHECK_SYS(fputs("kept", stream));
    CHECK_EQ(fclose(stream), 0);
    CHECK_EQ(read(pair[1], bytes, sizeof(bytes)), 4);
    number_is_used_anew();
    io_uring_queue_exit(&ring);
}

static void stream_opened_anew(void)
{
    FILE *stream = stream_with_read();

    stream = freopen("/dev/zero", "r", stream);
    CHECK(stream != NULL);
    CHECK_EQ(write(pair[1], "own", 3), 3);
    has_read("own");
    CHECK_EQ(fclose(stream), 0);
    io_uring_queue_exit(&ring);
}

static void mounts_closed(void)
{
    FILE *stream;
    int end;

    CHECK_SYS(mkfifo("mounts", 0600));
    ring_open(&ring, 8, 0);
    stream = setmntent("mounts", "r+");
    CHECK(stream != NULL);
    end = CHECK_SYS(open("mounts", O_RDWR));
    read_pending(fileno(stream));
    CHECK_EQ(endmntent(stream), 1);
    CHECK_EQ(write(end, "own", 3), 3);
    has_read("own");
    io_uring_queue_exit(&ring);
}

static void *end_input(void *number)
{
    while (fcntl(*(const int *) number, F_GETFD) >= 0)
        sched_yield();
    CHECK_EQ(write(other[1], "own", 3), 3);
    CHECK_SYS(close(other[1]));
    return NULL;
}

/* The command writes once the descriptor is closed. */
static void command_closed(void)
{
    pthread_t thread;
    FILE *stream;
    int number;

    if (access("/bin/sh", X_OK) != 0)
        skip("no shell here");
    CHECK_EQ(pipe2(other, O_CLOEXEC), 0);
    CHECK_SYS(dup2(other[0], STDIN_FILENO));
    ring_open(&ring, 8, 0);
    stream = popen("cat", "r");
    CHECK(stream != NULL);
    number = fileno(stream);
    read_pending(number);
    CHECK_EQ(pthread_create(&thread, NULL, end_input, &number), 0);
    CHECK_EQ(pclose(stream), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    has_read("own");
    io_uring_queue_exit(&ring);
}

/* Worker threads are at it. The kernel's look the descriptor up when their turn comes: there these may fail with EBADF. */
static void directory_closed(void)
{
    enum { MANY = 200 };

    ring_open(&ring, MANY, 0);
    for (unsigned round = 0; round < 20; round++) {
        DIR *directory = opendir(".");

        CHECK(directory != NULL);
        for (unsigned i = 0; i < MANY; i++)
            io_uring_prep_fsync(next_sqe(&ring), dirfd(directory), 0);
        SUBMIT(&ring, MANY);
        CHECK_EQ(closedir(directory), 0);
        for (unsigned i = 0; i < MANY; i++)
            CHECK_EQ(reap(&ring).res, 0);
    }
    io_uring_queue_exit(&ring);
}

static void queue_closed(void)
{
    struct mq_attr sizes = { .mq_maxmsg = 1, .mq_msgsize = 1 };
    mqd_t first = mq_open("/liburing-streams", O_RDWR | O_CREAT, 0600, &sizes), second;

    if (first < 0)
        skip("no message queues here");
    second = mq_open("/liburing-streams", O_RDWR);
    CHECK_SYS(second);
    CHECK_SYS(mq_unlink("/liburing-streams"));
    ring_open(&ring, 8, 0);
    io_uring_prep_poll_add(next_sqe(&ring), first, POLLIN);
    SUBMIT(&ring, 1);
    CHECK_SYS(mq_close(first));
    CHECK_SYS(mq_send(second, "x", 1, 0));
    CHECK_EQ(reap(&ring).res, POLLIN);
    io_uring_queue_exit(&ring);
}

/* By number: dup2 only where there is such a call. */
static void closed_by_number(void)
{
    for (unsigned way = 0; way < 4; way++) {
        int instead = CHECK_SYS(open("/dev/zero", O_RDONLY));

        stream_with_read();
        switch (way) {
        case 0: CHECK_SYS(syscall(SYS_close, pair[0])); break;
        case 1: CHECK_SYS(syscall(SYS_dup3, instead, pair[0], 0)); break;
        case 2: CHECK_SYS(syscall(SYS_close_range, pair[0], pair[0], 0)); break;
        default:
#ifdef SYS_dup2
            CHECK_SYS(syscall(SYS_dup2, instead, pair[0]));
#else
            CHECK_SYS(dup2(instead, pair[0]));
#endif
        }
        CHECK_EQ(write(pair[1], "own", 3), 3);
        has_read("own");
        io_uring_queue_exit(&ring);
    }
}

static const struct test_case cases[] = {
    CASE(stream_closed),
    CASE(stream_opened_anew),
    CASE(mounts_closed),
    CASE(command_closed),
    CASE(directory_closed),
    CASE(queue_closed),
    CASE(closed_by_number),
};

TEST_MAIN(cases)
