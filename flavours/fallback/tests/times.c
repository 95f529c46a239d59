/*
 * Times as the kernel takes them: how long a wait is, and which completions a
 * timeout counts.
 */
#include "ring.h"

static struct __kernel_timespec hours = { .tv_sec = 10000 };
static struct __kernel_timespec short_time = { .tv_nsec = 1000000 };

static void timeout(struct io_uring *ring, struct __kernel_timespec *time, unsigned count, unsigned flags, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_timeout(sqe, time, count, flags);
    io_uring_sqe_set_data64(sqe, data);
}

/* Whether a timeout is still under way. Ends it. */
static bool goes_on(struct io_uring *ring, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);
    bool told = false, found = false, ended = false;

    io_uring_prep_timeout_remove(sqe, data, 0);
    io_uring_sqe_set_data64(sqe, 100);
    SUBMIT(ring, 1);
    while (!told || (found && !ended)) {
        struct done done = reap(ring);

        if (done.data == 100) {
            told = true;
            found = done.res == 0;
        } else {
            CHECK_EQ(done.data, data);
            CHECK_EQ(done.res, -ECANCELED);
            ended = true;
        }
    }
    return found;
}

/* What its own submission completes counts, whether it comes before or after. */
static void counts_its_submission(void)
{
    for (unsigned after = 0; after < 2; after++) {
        struct io_uring ring;
        struct done dones[2];

        ring_open(&ring, 8, 0);
        if (after)
            timeout(&ring, &hours, 1, 0, 2);
        io_uring_prep_nop(next_sqe(&ring));
        if (!after)
            timeout(&ring, &hours, 1, 0, 2);
        SUBMIT(&ring, 2);
        dones[0] = reap(&ring);
        dones[1] = reap(&ring);
        CHECK_EQ(find_done(dones, 2, 2).res, 0);
        io_uring_queue_exit(&ring);
    }
}

/* The same of a chain that breaks. */
static void counts_a_broken_chain(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct done dones[3];

    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, -1, NULL, 0, 0);
    sqe->flags |= IOSQE_IO_LINK;
    io_uring_prep_nop(next_sqe(&ring));
    timeout(&ring, &hours, 2, 0, 2);
    SUBMIT(&ring, 3);
    for (unsigned nr = 0; nr < 3; nr++)
        dones[nr] = reap(&ring);
    CHECK_EQ(find_done(dones, 3, 2).res, 0);
    io_uring_queue_exit(&ring);
}

/* In a chain it begins when those before it are complete. */
static void counts_from_its_turn(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    sqe->flags |= IOSQE_IO_LINK;
    timeout(&ring, &hours, 1, 0, 2);
    SUBMIT(&ring, 2);
    CHECK_EQ(reap(&ring).data, 0);
    CHECK(goes_on(&ring, 2));
    io_uring_queue_exit(&ring);
}

/* One that gets another time waits for that alone. */
static void moved_it_does_not_count(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    ring_open(&ring, 8, 0);
    timeout(&ring, &hours, 2, 0, 2);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_timeout_update(sqe, &hours, 2, 0);
    CHECK_EQ(run_res(&ring), 0);
    submit_nop(&ring, 3);
    CHECK_EQ(reap(&ring).data, 3);
    CHECK(goes_on(&ring, 2));
    io_uring_queue_exit(&ring);
}

/* Ends of times do not count, also those of a timeout that has several. */
static void times_do_not_count(void)
{
    struct io_uring ring;

    if (!kernel_at_least(6, 4))
        skip("multishot timeouts need Linux 6.4");
    ring_open(&ring, 8, 0);
    timeout(&ring, &hours, 2, 0, 2);
    timeout(&ring, &short_time, 3, IORING_TIMEOUT_MULTISHOT, 3);
    SUBMIT(&ring, 2);
    for (unsigned nr = 0; nr < 3; nr++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.data, 3);
        CHECK_EQ(done.res, -ETIME);
    }
    CHECK(goes_on(&ring, 2));
    io_uring_queue_exit(&ring);
}

/* One that is cancelled with another does not count the other's end. */
static void cancelled_together(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    if (!kernel_at_least(5, 19))
        skip("to cancel any request needs Linux 5.19");
    ring_open(&ring, 8, 0);
    timeout(&ring, &hours, 3, 0, 2);
    timeout(&ring, &hours, 1, 0, 3);
    SUBMIT(&ring, 2);
    sqe = next_sqe(&ring);
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY);
    io_uring_sqe_set_data64(sqe, 4);
    SUBMIT(&ring, 1);
    for (unsigned nr = 0; nr < 3; nr++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.res, done.data == 4 ? 2 : -ECANCELED);
    }
    io_uring_queue_exit(&ring);
}

/* A wait takes nanoseconds of more than a second, and a time before it began is over. */
static void waits(void)
{
    struct __kernel_timespec long_wait = { .tv_nsec = 9000000000 }, over = { .tv_sec = -1 };
    struct io_uring_cqe *cqe;
    struct io_uring ring;

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &over), -ETIME);
    timeout(&ring, &short_time, 0, 0, 2);
    SUBMIT(&ring, 1);
    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &long_wait), 0);
    CHECK_EQ(cqe->user_data, 2);
    io_uring_queue_exit(&ring);
}

/* A timeout that comes again and again does so at the time of its update, and without end. */
static void updated_pace(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    ring_open(&ring, 8, 0);
    timeout(&ring, &hours, 2, IORING_TIMEOUT_MULTISHOT, 1);
    SUBMIT(&ring, 1);
    sqe = next_sqe(&ring);
    io_uring_prep_timeout_update(sqe, &short_time, 1, 0);
    io_uring_sqe_set_data64(sqe, 2);
    io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 5; i++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.data, 1);
        CHECK_EQ(done.res, -ETIME);
        CHECK(done.flags & IORING_CQE_F_MORE);
    }
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(counts_its_submission),
    CASE(counts_a_broken_chain),
    CASE(counts_from_its_turn),
    CASE(moved_it_does_not_count),
    CASE(times_do_not_count),
    CASE(cancelled_together),
    CASE(waits),
    CASE(updated_pace),
};

TEST_MAIN(cases)
