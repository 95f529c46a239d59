/*
 * Children of vfork(2) have their parent's memory and descriptors of their own:
 * what they close stays open in the parent. Its rings and requests go on.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "file.h"

static struct io_uring ring;
static int pair[2];

static void wait_for(pid_t child)
{
    int status;

    CHECK_SYS(child);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

/* Closes a descriptor in one of the ways there are. */
static int close_in(unsigned way, int fd, int other)
{
    switch (way) {
    case 0: return close(fd);
    case 1: return close_range((unsigned) fd, (unsigned) fd, 0);
    case 2: return dup2(other, fd) == fd ? 0 : -1;
    case 3: return dup3(other, fd, O_CLOEXEC) == fd ? 0 : -1;
    case 4: return (int) syscall(SYS_close, fd);
    default: closefrom(fd); return 0;
    }
}

enum { WAYS = 6 };

static void close_in_child(unsigned way, int fd)
{
    pid_t child = vfork();

    if (child == 0)
        _exit(close_in(way, fd, STDOUT_FILENO) != 0);
    wait_for(child);
}

static void ring_is_closed(void)
{
    for (unsigned way = 0; way < WAYS; way++) {
        ring_open(&ring, 8, 0);
        close_in_child(way, ring.ring_fd);
        submit_nop(&ring, 7);
        CHECK_EQ(reap(&ring).data, 7);
        io_uring_queue_exit(&ring);
    }
}

static void file_of_request_is_closed(void)
{
    for (unsigned way = 0; way < WAYS; way++) {
        char bytes[8];

        make_socketpair(pair, SOCK_STREAM);
        ring_open(&ring, 8, 0);
        io_uring_prep_recv(next_sqe(&ring), pair[0], bytes, sizeof(bytes), 0);
        SUBMIT(&ring, 1);
        close_in_child(way, pair[0]);
        CHECK_EQ(write(pair[1], "abc", 3), 3);
        CHECK_EQ(reap(&ring).res, 3);
        CHECK_MEM(bytes, "abc", 3);
        io_uring_queue_exit(&ring);
        CHECK_SYS(close(pair[0]));
        CHECK_SYS(close(pair[1]));
    }
}

/* In the child the ring's number is another file's, which it maps. */
static void number_is_mapped(void)
{
    pid_t child;

    close(make_file("mapped", 4096, 1));
    ring_open(&ring, 8, 0);
    child = vfork();
    if (child == 0) {
        int file;

        close(ring.ring_fd);
        file = open("mapped", O_RDONLY);
        _exit(file != ring.ring_fd ||
              mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0) == MAP_FAILED);
    }
    wait_for(child);
    submit_nop(&ring, 7);
    CHECK_EQ(reap(&ring).data, 7);
    io_uring_queue_exit(&ring);
}

/* What the process itself closes is seen as before: a request keeps its file. */
static void file_stays(void)
{
    int other[2];
    char bytes[8];

    make_socketpair(pair, SOCK_STREAM);
    io_uring_prep_recv(next_sqe(&ring), pair[0], bytes, sizeof(bytes), 0);
    SUBMIT(&ring, 1);
    CHECK_SYS(close(pair[0]));
    make_socketpair(other, SOCK_STREAM);
    CHECK_EQ(other[0], pair[0]);
    CHECK_EQ(write(other[1], "wrong", 5), 5);
    CHECK_EQ(write(pair[1], "own", 3), 3);
    CHECK_EQ(reap(&ring).res, 3);
    CHECK_MEM(bytes, "own", 3);
    CHECK_SYS(close(other[0]));
    CHECK_SYS(close(other[1]));
    CHECK_SYS(close(pair[1]));
}

/* A child of fork(2), or of clone(2) past libc, has a memory of its own. It may have children of vfork(2) as well. */
static void in_a_copy(bool past_libc)
{
    pid_t child;

    ring_open(&ring, 8, 0);
    child = past_libc ? (pid_t) syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
    if (child == 0) {
        io_uring_queue_exit(&ring);
        ring_open(&ring, 8, 0);
        if (past_libc)
            file_stays();
        close_in_child(0, ring.ring_fd);
        file_stays();
        _exit(0);
    }
    wait_for(child);
    file_stays();
    io_uring_queue_exit(&ring);
}

static void in_a_fork(void)
{
    in_a_copy(false);
}

static void in_a_clone(void)
{
    in_a_copy(true);
}

/* What a copy closes stays open here, and a request that waits for it goes on. */
static void copy_closes(void)
{
    for (unsigned way = 0; way < WAYS; way++) {
        char bytes[8];
        pid_t child;

        make_socketpair(pair, SOCK_STREAM);
        ring_open(&ring, 8, 0);
        io_uring_prep_recv(next_sqe(&ring), pair[0], bytes, sizeof(bytes), 0);
        SUBMIT(&ring, 1);
        child = (pid_t) syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(close_in(way, pair[0], STDOUT_FILENO) != 0);
        wait_for(child);
        CHECK_EQ(write(pair[1], "abc", 3), 3);
        CHECK_EQ(reap(&ring).res, 3);
        io_uring_queue_exit(&ring);
        CHECK_SYS(close(pair[0]));
        CHECK_SYS(close(pair[1]));
    }
}

static const struct test_case cases[] = {
    CASE(ring_is_closed),
    CASE(file_of_request_is_closed),
    CASE(number_is_mapped),
    CASE(in_a_fork),
    CASE(in_a_clone),
    CASE(copy_closes),
};

TEST_MAIN(cases)
