/*
 * Polls: which events they report, unasked ones too, of which files, what an
 * update leaves as it was, and sets of descriptors that hold a ring.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "ring.h"

static struct io_uring ring;

static void poll_for(int fd, unsigned events, bool each, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    if (each)
        io_uring_prep_poll_multishot(sqe, fd, events);
    else
        io_uring_prep_poll_add(sqe, fd, events);
    io_uring_sqe_set_data64(sqe, data);
}

static void check_done(__u64 data, int res, bool more)
{
    struct done done = reap(&ring);

    CHECK_EQ(done.data, data);
    CHECK_EQ(done.res, res);
    CHECK_EQ((done.flags & IORING_CQE_F_MORE) != 0, more);
}

/* An update changes the events, and not whether there is one completion or one for each event. */
static void update_keeps_kind(void)
{
    for (unsigned each = 0; each < 2; each++) {
        struct io_uring_sqe *sqe;
        int ends[2];

        ring_open(&ring, 8, 0);
        CHECK_SYS(pipe(ends));
        poll_for(ends[0], POLLPRI, each, 1);
        SUBMIT(&ring, 1);
        sqe = next_sqe(&ring);
        io_uring_prep_poll_update(sqe, 1, 0, POLLIN,
                                  IORING_POLL_UPDATE_EVENTS | (each ? 0 : IORING_POLL_ADD_MULTI));
        io_uring_sqe_set_data64(sqe, 2);
        SUBMIT(&ring, 1);
        check_done(2, 0, false);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        check_done(1, POLLIN, each);
        io_uring_queue_exit(&ring);
        close(ends[0]);
        close(ends[1]);
    }
}

/* The end of what the other side sends is reported unasked. */
static void other_side_ends(void)
{
    int pair[2];

    ring_open(&ring, 8, 0);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    poll_for(pair[0], POLLPRI, false, 1);
    SUBMIT(&ring, 1);
    CHECK_SYS(shutdown(pair[1], SHUT_WR));
    check_done(1, POLLRDHUP, false);
    poll_for(pair[0], POLLPRI, true, 2);
    SUBMIT(&ring, 1);
    check_done(2, POLLRDHUP, true);
    poll_for(pair[0], POLLOUT, false, 3);
    SUBMIT(&ring, 1);
    check_done(3, POLLOUT | POLLRDHUP, false);
    io_uring_queue_exit(&ring);
}

/* A file that is always ready, and never is something else. */
static void file_without_events(void)
{
    int fd = CHECK_SYS(memfd_create("file", 0));

    ring_open(&ring, 8, 0);
    for (unsigned each = 0; each < 2; each++) {
        poll_for(fd, POLLIN, each, 1);
        SUBMIT(&ring, 1);
        check_done(1, POLLIN, false);
        poll_for(fd, POLLPRI, each, 2);
        SUBMIT(&ring, 1);
        check_done(2, -EINVAL, false);
    }
    io_uring_queue_exit(&ring);
}

/* The kernel knows of polls by levels, and takes none. */
static void by_levels(void)
{
    struct io_uring_sqe *sqe;

    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_poll_add(sqe, 0, POLLOUT);
    sqe->len = IORING_POLL_ADD_MULTI | IORING_POLL_ADD_LEVEL;
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
}

static void remove_tells_first(void)
{
    struct io_uring_sqe *sqe;
    int ends[2];

    ring_open(&ring, 8, 0);
    CHECK_SYS(pipe(ends));
    poll_for(ends[0], POLLIN, false, 1);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_poll_remove(sqe, 1);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 1);
    check_done(2, 0, false);
    check_done(1, -ECANCELED, false);
    io_uring_queue_exit(&ring);
}

/* A set that holds a ring whose completions were taken has nothing, until there is another one. */
static void set_with_ring(void)
{
    struct epoll_event event = { .events = EPOLLIN }, got;
    int set = CHECK_SYS(epoll_create1(0));
    struct io_uring other;

    ring_open(&ring, 8, 0);
    ring_open(&other, 8, 0);
    CHECK_SYS(epoll_ctl(set, EPOLL_CTL_ADD, other.ring_fd, &event));
    for (unsigned waits = 0; waits < 2; waits++) {
        submit_nop(&other, 1);
        reap(&other);
        if (waits) {
            need_op(IORING_OP_EPOLL_WAIT, "epoll wait");
            io_uring_prep_epoll_wait(next_sqe(&ring), set, &got, 1, 0);
        } else {
            poll_for(set, POLLIN, false, 0);
        }
        SUBMIT(&ring, 1);
        CHECK_NO_CQE(&ring);
        submit_nop(&other, 1);
        CHECK_EQ(reap(&ring).res, 1);
        reap(&other);
    }
    io_uring_queue_exit(&other);
    io_uring_queue_exit(&ring);
}

/* It waits also where no descriptor can be made, and can be cancelled there. */
static void without_descriptors(void)
{
    struct io_uring_sqe *sqe;
    struct rlimit limit;
    int ends[2], others[2];
    char byte;

    ring_open(&ring, 8, 0);
    CHECK_SYS(pipe(ends));
    CHECK_SYS(pipe(others));
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = (rlim_t) others[1] + 1;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    while (dup(0) >= 0)
        ;
    poll_for(ends[0], POLLIN, false, 1);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_poll_add(sqe, ends[0], POLLIN);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 1);
    /* Threads are there by now. */
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, others[0], &byte, 1, 0);
    io_uring_sqe_set_data64(sqe, 3);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(others[1], "x", 1), 1);
    check_done(3, 1, false);
    sqe = next_sqe(&ring);
    io_uring_prep_cancel64(sqe, 2, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
    SUBMIT(&ring, 1);
    check_done(2, -ECANCELED, false);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    check_done(1, POLLIN, false);
    io_uring_queue_exit(&ring);
}

/* What waits for its descriptor first, and must not wait, is over, whether or not it could be complete. */
static void first_and_no_wait(void)
{
    struct io_uring_sqe *sqe;
    int pair[2], listener;
    char byte = 0;

    ring_open(&ring, 8, 0);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_EQ(write(pair[1], "x", 1), 1);
    sqe = next_sqe(&ring);
    io_uring_prep_send(sqe, pair[0], &byte, 1, MSG_DONTWAIT);
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    CHECK_EQ(run_res(&ring), -EAGAIN);
    sqe = next_sqe(&ring);
    io_uring_prep_recv(sqe, pair[0], &byte, 1, MSG_DONTWAIT);
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    CHECK_EQ(run_res(&ring), -EAGAIN);
    listener = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_SYS(listen(listener, 1));
    sqe = next_sqe(&ring);
    io_uring_prep_accept(sqe, listener, NULL, NULL, 0);
    sqe->ioprio |= IORING_ACCEPT_POLL_FIRST | IORING_ACCEPT_DONTWAIT;
    CHECK_EQ(run_res(&ring), -EAGAIN);
    io_uring_queue_exit(&ring);
}

/* A ring polls a set that holds this ring. Its completion is an event, also where it has been taken since. */
static void set_that_holds_this_ring(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    int set = CHECK_SYS(epoll_create1(0));
    struct io_uring_cqe *cqe;

    ring_open(&ring, 8, 0);
    CHECK_SYS(epoll_ctl(set, EPOLL_CTL_ADD, ring.ring_fd, &event));
    poll_for(set, POLLIN, true, 1);
    SUBMIT(&ring, 1);
    io_uring_prep_nop(next_sqe(&ring));
    SUBMIT(&ring, 1);
    check_done(0, 0, false);
    CHECK_EQ(reap(&ring).data, 1);
    CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), -EAGAIN);
    io_uring_queue_exit(&ring);
    close(set);
}

static const struct test_case cases[] = {
    CASE(update_keeps_kind),
    CASE(other_side_ends),
    CASE(file_without_events),
    CASE(by_levels),
    CASE(remove_tells_first),
    CASE(set_with_ring),
    CASE(set_that_holds_this_ring),
    CASE(without_descriptors),
    CASE(first_and_no_wait),
};

TEST_MAIN(cases)
