/*
 * A ring's descriptor is readable while there are completions, and only then:
 * programs that poll it wake up once for each, also if they take completions
 * without a call.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "file.h"
#include "ring.h"

enum { ROUNDS = 200 };

static struct io_uring ring;
static int ends[2];

/* In a process: where threads are refused there are no two of the program's either. */
static pid_t write_rounds(void)
{
    pid_t child = CHECK_SYS(fork());

    if (child != 0)
        return child;
    for (unsigned i = 0; i < ROUNDS; i++) {
        usleep(500);
        CHECK_EQ(write(ends[1], "x", 1), 1);
    }
    _exit(0);
}

/* Without a call into the library. */
static unsigned take_inline(void)
{
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;

    io_uring_for_each_cqe(&ring, head, cqe)
        count++;
    io_uring_cq_advance(&ring, count);
    return count;
}

static void rounds(bool (*wait_for_ring)(void))
{
    pid_t child;
    int status;
    unsigned wakes = 0, taken = 0, empty = 0;
    char byte[ROUNDS];

    CHECK_SYS(pipe(ends));
    ring_open(&ring, 256, 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        io_uring_prep_read(next_sqe(&ring), ends[0], byte + i, 1, 0);
    SUBMIT(&ring, ROUNDS);
    child = write_rounds();
    while (taken < ROUNDS) {
        unsigned now;

        while (!wait_for_ring())
            CHECK_EQ(errno, EINTR);
        wakes++;
        now = take_inline();
        empty += now == 0;
        taken += now;
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_LE(wakes, ROUNDS);
    CHECK_EQ(empty, 0);
    io_uring_queue_exit(&ring);
}

static bool by_poll(void)
{
    struct pollfd slot = { .fd = ring.ring_fd, .events = POLLIN };

    return poll(&slot, 1, -1) == 1;
}

static bool by_ppoll(void)
{
    struct pollfd slot = { .fd = ring.ring_fd, .events = POLLIN };

    return ppoll(&slot, 1, NULL, NULL) == 1;
}

static bool by_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(ring.ring_fd, &set);
    return select(ring.ring_fd + 1, &set, NULL, NULL, NULL) == 1;
}

static bool by_epoll(void)
{
    static int set = -1;
    struct epoll_event event = { .events = EPOLLIN };

    if (set < 0) {
        set = epoll_create1(EPOLL_CLOEXEC);
        CHECK_SYS(epoll_ctl(set, EPOLL_CTL_ADD, ring.ring_fd, &event));
    }
    return epoll_wait(set, &event, 1, -1) == 1;
}

static void polled(void)
{
    rounds(by_poll);
}

static void polled_with_mask(void)
{
    rounds(by_ppoll);
}

static void selected(void)
{
    rounds(by_select);
}

static void in_epoll(void)
{
    rounds(by_epoll);
}

static const struct test_case cases[] = {
    CASE(polled),
    CASE(polled_with_mask),
    CASE(selected),
    CASE(in_epoll),
};

TEST_MAIN(cases)
