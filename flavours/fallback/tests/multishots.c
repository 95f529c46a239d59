/* Several polls of each event of one descriptor: what one of them is told of first is told to no other. */
#include <poll.h>

#include "ring.h"

enum { FIRST = 1, SECOND, REMOVE, NOP };

static struct io_uring ring;
static int ends[2];

static void poll_each_with(__u64 data, int submitted)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_poll_multishot(sqe, ends[0], POLLIN);
    io_uring_sqe_set_data64(sqe, data);
    SUBMIT(&ring, submitted);
}

static void poll_each(__u64 data)
{
    poll_each_with(data, 1);
}

static void is_told(__u64 data)
{
    struct done done = reap(&ring);

    CHECK_EQ(done.data, data);
    CHECK_EQ(done.res, POLLIN);
    CHECK(done.flags & IORING_CQE_F_MORE);
}

/* Nobody has been told of anything else. */
static void is_all(void)
{
    CHECK_GE(io_uring_get_events(&ring), 0);
    submit_nop(&ring, NOP);
    CHECK_EQ(reap(&ring).data, NOP);
    CHECK_NO_CQE(&ring);
}

static void both_are_told(void)
{
    struct done dones[2];

    CHECK_EQ(write(ends[1], "x", 1), 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, FIRST).res, POLLIN);
    CHECK_EQ(find_done(dones, 2, SECOND).res, POLLIN);
    is_all();
}

static void begin(unsigned entries)
{
    struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE, .cq_entries = entries };

    CHECK_EQ(io_uring_queue_init_params(2, &ring, &params), 0);
    CHECK_SYS(pipe(ends));
    poll_each(FIRST);
    is_all();
    CHECK_EQ(write(ends[1], "x", 1), 1);
    is_told(FIRST);
}

static void come_and_go(void)
{
    char byte;

    begin(16);
    for (unsigned round = 0; round < 100; round++) {
        struct io_uring_sqe *sqe;
        struct done dones[2];

        poll_each(SECOND);
        if (round % 2 == 0)
            is_told(SECOND);
        is_all();
        both_are_told();
        io_uring_prep_poll_remove(sqe = next_sqe(&ring), SECOND);
        io_uring_sqe_set_data64(sqe, REMOVE);
        SUBMIT(&ring, 1);
        reap_all(&ring, dones, 2);
        CHECK_EQ(find_done(dones, 2, REMOVE).res, 0);
        CHECK_EQ(find_done(dones, 2, SECOND).res, -ECANCELED);
        is_all();
        CHECK_EQ(write(ends[1], "x", 1), 1);
        is_told(FIRST);
        is_all();
        /* in every other round there is nothing at first */
        while (round % 2 == 0 && poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, 0) == 1)
            CHECK_EQ(read(ends[0], &byte, 1), 1);
    }
    io_uring_queue_exit(&ring);
}

/* What has come before it is told to the others alone, and what was submitted before it completes before it. */
static void in_order(void)
{
    begin(16);
    for (unsigned round = 0; round < 100; round++) {
        struct io_uring_sqe *sqe;
        struct done dones[4];

        CHECK_EQ(write(ends[1], "x", 1), 1);
        io_uring_prep_nop(sqe = next_sqe(&ring));
        io_uring_sqe_set_data64(sqe, NOP);
        poll_each_with(SECOND, 2);
        reap_all(&ring, dones, 3);
        CHECK_EQ(dones[2].data, SECOND);
        CHECK_EQ(find_done(dones, 3, FIRST).res, POLLIN);
        CHECK_EQ(find_done(dones, 3, NOP).res, 0);
        is_all();
        io_uring_prep_poll_remove(sqe = next_sqe(&ring), SECOND);
        io_uring_sqe_set_data64(sqe, REMOVE);
        SUBMIT(&ring, 1);
        reap_all(&ring, dones, 2);
    }
    io_uring_queue_exit(&ring);
}

/* One that finds something, and no room for an event, ends. */
static void no_room(void)
{
    struct done done;

    begin(2);
    submit_nop(&ring, NOP);
    submit_nop(&ring, NOP);
    poll_each(SECOND);
    CHECK_EQ(reap(&ring).data, NOP);
    CHECK_EQ(reap(&ring).data, NOP);
    done = reap(&ring);
    CHECK_EQ(done.data, SECOND);
    CHECK_EQ(done.res, POLLIN);
    CHECK_EQ(done.flags, 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    is_told(FIRST);
    is_all();
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(come_and_go),
    CASE(in_order),
    CASE(no_room),
};

TEST_MAIN(cases)
