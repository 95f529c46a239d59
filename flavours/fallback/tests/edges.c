/*
 * A program that watches a ring's descriptor in epoll by edges hears of each
 * completion that comes, also if it takes completions without a call and the
 * next one comes before it waits again.
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>

#include "file.h"
#include "ring.h"
#include "take_inline.h"

enum { ROUNDS = 50, ENOUGH_MS = 5000 };

static struct io_uring ring;
static int ends[2];
static int set;

static void begin(void)
{
    CHECK_SYS(pipe(ends));
    set = CHECK_SYS(epoll_create1(EPOLL_CLOEXEC));
    ring_open(&ring, 8, 0);
}

static void watch(int op, int fd, unsigned events)
{
    struct epoll_event event = { .events = events };

    CHECK_SYS(epoll_ctl(set, op, fd, &event));
}

static void begin_read(void)
{
    static char byte;

    io_uring_prep_read(next_sqe(&ring), ends[0], &byte, 1, 0);
    SUBMIT(&ring, 1);
}

static int wait_for_edge(int milliseconds)
{
    struct epoll_event event;

    return epoll_wait(set, &event, 1, milliseconds);
}

static void write_one(void)
{
    CHECK_EQ(write(ends[1], "x", 1), 1);
}

/* Completes a request while nobody waits. */
static void complete(void)
{
    unsigned before = io_uring_cq_ready(&ring);

    write_one();
    while (io_uring_cq_ready(&ring) == before)
        usleep(100);
}

/* Begins two requests, and takes the first one's completion, of which an edge tells. */
static void begin_two(void)
{
    begin_read();
    begin_read();
    write_one();
    CHECK_EQ(wait_for_edge(ENOUGH_MS), 1);
    CHECK_EQ(take_inline(&ring), 1);
}

/* Two requests at a time: the second one completes before the program waits again. */
static void rounds(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin_two();
        complete();
        CHECK_EQ(wait_for_edge(ENOUGH_MS), 1);
        CHECK_EQ(take_inline(&ring), 1);
        CHECK_EQ(wait_for_edge(0), 0);
    }
    io_uring_queue_exit(&ring);
}

static void each(void)
{
    begin();
    watch(EPOLL_CTL_ADD, ring.ring_fd, EPOLLIN | EPOLLET);
    rounds();
}

static void changed(void)
{
    begin();
    watch(EPOLL_CTL_ADD, ring.ring_fd, EPOLLIN);
    watch(EPOLL_CTL_MOD, ring.ring_fd, EPOLLIN | EPOLLET);
    rounds();
}

static void duplicate(void)
{
    int copy;

    begin();
    copy = CHECK_SYS(dup(ring.ring_fd));
    watch(EPOLL_CTL_ADD, copy, EPOLLIN | EPOLLET);
    rounds();
    CHECK_SYS(close(copy));
}

static void by_number(void)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };

    begin();
    CHECK_SYS(syscall(SYS_epoll_ctl, set, EPOLL_CTL_ADD, ring.ring_fd, &event));
    rounds();
}

static void by_request(void)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };

    begin();
    io_uring_prep_epoll_ctl(next_sqe(&ring), set, ring.ring_fd, EPOLL_CTL_ADD, &event);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_GE(wait_for_edge(0), 0);
    rounds();
}

/* A completion that comes while another one is there makes an edge, too. */
static void not_taken(void)
{
    begin();
    watch(EPOLL_CTL_ADD, ring.ring_fd, EPOLLIN | EPOLLET);
    begin_read();
    begin_read();
    complete();
    CHECK_EQ(wait_for_edge(ENOUGH_MS), 1);
    CHECK_EQ(wait_for_edge(0), 0);
    complete();
    CHECK_EQ(wait_for_edge(ENOUGH_MS), 1);
    CHECK_EQ(take_inline(&ring), 2);
    io_uring_queue_exit(&ring);
}

/* Watched for one event at a time: who asks for the next one does not hear of what was taken. */
static void once(void)
{
    enum { HOW = EPOLLIN | EPOLLET | EPOLLONESHOT };

    begin();
    watch(EPOLL_CTL_ADD, ring.ring_fd, HOW);
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin_two();
        watch(EPOLL_CTL_MOD, ring.ring_fd, HOW);
        CHECK_EQ(wait_for_edge(0), 0);
        complete();
        CHECK_EQ(wait_for_edge(ENOUGH_MS), 1);
        watch(EPOLL_CTL_MOD, ring.ring_fd, HOW);
        CHECK_EQ(wait_for_edge(ENOUGH_MS), 1);
        CHECK_EQ(take_inline(&ring), 1);
        watch(EPOLL_CTL_MOD, ring.ring_fd, HOW);
    }
    io_uring_queue_exit(&ring);
}

static sem_t heard;

static void *wait_for_edges(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_EQ(wait_for_edge(ENOUGH_MS), 1);
        sem_post(&heard);
    }
    return unused;
}

/* One thread waits for edges, another one takes the completions. */
static void two_threads(void)
{
    pthread_t thread;

    begin();
    watch(EPOLL_CTL_ADD, ring.ring_fd, EPOLLIN | EPOLLET);
    sem_init(&heard, 0, 0);
    CHECK_EQ(pthread_create(&thread, NULL, wait_for_edges, NULL), 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        begin_read();
    for (unsigned i = 0; i < ROUNDS; i++) {
        write_one();
        while (sem_wait(&heard) != 0)
            CHECK_EQ(errno, EINTR);
        /* The other one waits again by now. */
        usleep(1000);
        CHECK_EQ(take_inline(&ring), 1);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(each),       CASE(changed),   CASE(duplicate), CASE(by_number),
    CASE(by_request), CASE(not_taken), CASE(once),      CASE(two_threads),
};

TEST_MAIN(cases)
