/*
 * A ring's descriptor is readable while there are completions, and only then:
 * programs that poll it wake up once for each, also if they take completions
 * without a call.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

#include "file.h"
#include "need_kcmp.h"
#include "ring.h"
#include "take_inline.h"

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
        now = take_inline(&ring);
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

/* What a poll of each event would post is its next event. It ends instead. */
static void polls_own_eventfd(int fd, int named, unsigned flags)
{
    struct io_uring_sqe *sqe;
    struct done done;

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_eventfd(&ring, fd), 0);
    CHECK_EQ(io_uring_register_files(&ring, &fd, 1), 0);
    io_uring_prep_poll_multishot(sqe = next_sqe(&ring), named, POLLIN);
    io_uring_sqe_set_flags(sqe, flags);
    SUBMIT(&ring, 1);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    done = reap(&ring);
    CHECK_EQ(done.res, POLLIN);
    CHECK_EQ(done.flags, 0);
    io_uring_queue_exit(&ring);
    CHECK_SYS(close(fd));
}

static void own_eventfd(void)
{
    int fd = CHECK_SYS(eventfd(0, EFD_CLOEXEC));

    polls_own_eventfd(fd, fd, 0);
}

static void own_eventfd_by_duplicate(void)
{
    int fd = CHECK_SYS(eventfd(0, EFD_CLOEXEC)), copy = CHECK_SYS(dup(fd));

    need_kcmp(fd, copy);
    polls_own_eventfd(fd, copy, 0);
}

static void own_eventfd_registered(void)
{
    int fd = CHECK_SYS(eventfd(0, EFD_CLOEXEC));

    need_kcmp(fd, fd);
    polls_own_eventfd(fd, 0, IOSQE_FIXED_FILE);
}

/* A poll of each event ends where there is no room for one. */
static void no_room(void)
{
    struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE, .cq_entries = 2 };
    struct done done;

    CHECK_SYS(pipe(ends));
    CHECK_EQ(io_uring_queue_init_params(2, &ring, &params), 0);
    io_uring_prep_poll_multishot(next_sqe(&ring), ends[0], POLLIN);
    SUBMIT(&ring, 1);
    submit_nop(&ring, 1);
    submit_nop(&ring, 1);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    while (!io_uring_cq_has_overflow(&ring))
        usleep(1000);
    CHECK_EQ(reap(&ring).data, 1);
    CHECK_EQ(reap(&ring).data, 1);
    done = reap(&ring);
    CHECK_EQ(done.res, POLLIN);
    CHECK_EQ(done.flags, 0);
    io_uring_queue_exit(&ring);
}

/* A program that asks for what has happened may change it at once: another thread need not have run before. */
static void asked(void)
{
    char byte;

    CHECK_SYS(pipe(ends));
    ring_open(&ring, 8, 0);
    io_uring_prep_poll_multishot(next_sqe(&ring), ends[0], POLLIN);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_EQ(write(ends[1], "x", 1), 1);
        CHECK_EQ(io_uring_get_events(&ring), 0);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
        CHECK_EQ(io_uring_cq_ready(&ring), 1);
        CHECK_EQ(reap(&ring).res, POLLIN);
    }
    io_uring_queue_exit(&ring);
}

static void read_from(struct io_uring *on, __u64 data)
{
    static char byte;
    struct io_uring_sqe *sqe = next_sqe(on);

    io_uring_prep_read(sqe, ends[0], &byte, 1, 0);
    io_uring_sqe_set_data64(sqe, data);
    SUBMIT(on, 1);
}

/* Waits for a no-op on a ring. Returns whether it comes before another request. */
static bool is_first(struct io_uring *on)
{
    submit_nop(on, 1);
    return reap(on).data == 1;
}

/* A poll of a ring asks for completions that are there, not for some that were. */
static void ring_once(void)
{
    struct io_uring other;

    CHECK_SYS(pipe(ends));
    ring_open(&ring, 8, 0);
    ring_open(&other, 8, 0);
    submit_nop(&ring, 1);
    CHECK_EQ(take_inline(&ring), 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct io_uring_sqe *sqe = next_sqe(&other);

        io_uring_prep_poll_add(sqe, ring.ring_fd, POLLIN);
        io_uring_sqe_set_data64(sqe, 2);
        SUBMIT(&other, 1);
        CHECK(is_first(&other));
        read_from(&ring, 3);
        CHECK(is_first(&other));
        CHECK_EQ(write(ends[1], "x", 1), 1);
        CHECK_EQ(reap(&other).res, POLLIN);
        CHECK_EQ(take_inline(&ring), 1);
    }
    io_uring_queue_exit(&other);
    io_uring_queue_exit(&ring);
}

/* A poll of each event of a ring ends with the first that comes, and says so. */
static void ring_each(void)
{
    struct io_uring other;

    CHECK_SYS(pipe(ends));
    ring_open(&ring, 8, 0);
    ring_open(&other, 8, 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct io_uring_sqe *sqe = next_sqe(&other);
        struct done done;

        io_uring_prep_poll_multishot(sqe, ring.ring_fd, POLLIN);
        io_uring_sqe_set_data64(sqe, 2);
        SUBMIT(&other, 1);
        CHECK(is_first(&other));
        read_from(&ring, 3);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        done = reap(&other);
        CHECK_EQ(done.data, 2);
        CHECK_EQ(done.res, POLLIN);
        CHECK_EQ(done.flags, 0);
        CHECK_EQ(take_inline(&ring), 1);
    }
    io_uring_queue_exit(&other);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(polled),
    CASE(polled_with_mask),
    CASE(selected),
    CASE(in_epoll),
    CASE(own_eventfd),
    CASE(own_eventfd_by_duplicate),
    CASE(own_eventfd_registered),
    CASE(no_room),
    CASE(asked),
    CASE(ring_once),
    CASE(ring_each),
};

TEST_MAIN(cases)
