/* Epoll sets changed and waited for by requests. */
#include <sys/epoll.h>

#include "file.h"

static void control(void)
{
    struct io_uring ring;
    struct epoll_event event, got;
    int set = CHECK_SYS(epoll_create1(0));
    int fds[2];

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    memset(&event, 0, sizeof(event));
    event.events = EPOLLIN;
    event.data.u64 = 0x1122334455667788ull;
    io_uring_prep_epoll_ctl(next_sqe(&ring), set, fds[0], EPOLL_CTL_ADD, &event);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_epoll_ctl(next_sqe(&ring), set, fds[0], EPOLL_CTL_ADD, &event);
    CHECK_EQ(run_res(&ring), -EEXIST);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(epoll_wait(set, &got, 1, 0), 1);
    CHECK_EQ(got.data.u64, event.data.u64);

    event.data.u64 = 2;
    io_uring_prep_epoll_ctl(next_sqe(&ring), set, fds[0], EPOLL_CTL_MOD, &event);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(epoll_wait(set, &got, 1, 0), 1);
    CHECK_EQ(got.data.u64, 2);
    io_uring_prep_epoll_ctl(next_sqe(&ring), set, fds[0], EPOLL_CTL_DEL, NULL);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(epoll_wait(set, &got, 1, 0), 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
    close(set);
}

static void waiting(void)
{
    struct io_uring ring;
    struct epoll_event event, got[4];
    int set = CHECK_SYS(epoll_create1(0));
    int fds[2];

    need_op(IORING_OP_EPOLL_WAIT, "epoll wait");
    CHECK_SYS(pipe(fds));
    memset(&event, 0, sizeof(event));
    event.events = EPOLLIN;
    event.data.u64 = 9;
    CHECK_SYS(epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &event));
    ring_open(&ring, 4, 0);
    io_uring_prep_epoll_wait(next_sqe(&ring), set, got, 4, 0);
    SUBMIT(&ring, 1);
    CHECK_NO_CQE(&ring);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(reap(&ring).res, 1);
    CHECK_EQ(got[0].data.u64, 9);
    CHECK_EQ(got[0].events, EPOLLIN);
    io_uring_prep_epoll_wait(next_sqe(&ring), fds[0], got, 4, 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
    close(set);
}

/* The ring's own descriptor in an epoll set: readable when there is a completion. */
static void ring_in_set(void)
{
    struct io_uring ring;
    struct epoll_event event, got;
    int set = CHECK_SYS(epoll_create1(0));

    ring_open(&ring, 4, 0);
    memset(&event, 0, sizeof(event));
    event.events = EPOLLIN;
    CHECK_SYS(epoll_ctl(set, EPOLL_CTL_ADD, ring.ring_fd, &event));
    CHECK_EQ(epoll_wait(set, &got, 1, 0), 0);
    submit_nop(&ring, 1);
    CHECK_EQ(epoll_wait(set, &got, 1, 1000), 1);
    CHECK_EQ(got.events & EPOLLIN, EPOLLIN);
    reap(&ring);
    CHECK_EQ(epoll_wait(set, &got, 1, 0), 0);
    io_uring_queue_exit(&ring);
    close(set);
}

static const struct test_case cases[] = {
    CASE(control),
    CASE(waiting),
    CASE(ring_in_set),
};

TEST_MAIN(cases)
