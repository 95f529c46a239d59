/* Completion polling on a drive that has polled queues. */
#include "nvme.h"

enum { COUNT = 16 };

static void need_polled_queue(void)
{
    int fd = open_drive(0);

    close(fd);
    if (drive_attribute("queue/io_poll") != 1)
        test_fail(__FILE__, __LINE__, "the drive has no polled queue: queue/io_poll is %ld",
                  drive_attribute("queue/io_poll"));
}

/* Writes a pattern and reads it back, every request polled for. */
static void round_trip(unsigned setup, bool fixed, unsigned seed)
{
    char *out = aligned(COUNT * BLOCK), *in = aligned(COUNT * BLOCK);
    struct iovec vectors[2] = { { out, COUNT * BLOCK }, { in, COUNT * BLOCK } };
    struct io_uring ring;
    int fd;

    need_setup(setup, "completion polling");
    need_polled_queue();
    fd = open_drive(0);
    fill_pattern(out, COUNT * BLOCK, seed);
    ring_open(&ring, COUNT, setup);
    if (fixed)
        CHECK_EQ(io_uring_register_buffers(&ring, vectors, 2), 0);
    for (int reading = 0; reading < 2; reading++) {
        for (unsigned i = 0; i < COUNT; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);
            char *at = (reading ? in : out) + i * BLOCK;
            __u64 offset = (__u64) i * BLOCK;

            if (reading && fixed)
                io_uring_prep_read_fixed(sqe, fd, at, BLOCK, offset, 1);
            else if (reading)
                io_uring_prep_read(sqe, fd, at, BLOCK, offset);
            else if (fixed)
                io_uring_prep_write_fixed(sqe, fd, at, BLOCK, offset, 0);
            else
                io_uring_prep_write(sqe, fd, at, BLOCK, offset);
        }
        SUBMIT(&ring, COUNT);
        for (unsigned i = 0; i < COUNT; i++)
            CHECK_EQ(reap(&ring).res, BLOCK);
        CHECK_NO_CQE(&ring);
    }
    CHECK_MEM(in, out, COUNT * BLOCK);
    io_uring_queue_exit(&ring);
    close(fd);
    free(out);
    free(in);
}

static void reads_and_writes(void)
{
    round_trip(IORING_SETUP_IOPOLL, false, 1);
}

static void registered_buffers(void)
{
    round_trip(IORING_SETUP_IOPOLL, true, 2);
}

static void by_the_submission_thread(void)
{
    round_trip(IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL, false, 3);
}

static void hybrid(void)
{
    round_trip(IORING_SETUP_IOPOLL | IORING_SETUP_HYBRID_IOPOLL, false, 4);
}

static void deferred_work(void)
{
    round_trip(IORING_SETUP_IOPOLL | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER, false, 5);
}

/* No request completes by an interrupt: it completes only when the library enters the kernel to poll. */
static void found_only_by_entering(void)
{
    char *buffer = aligned(BLOCK);
    struct io_uring_cqe *cqe = NULL;
    struct io_uring ring;
    int fd;

    need_setup(IORING_SETUP_IOPOLL, "completion polling");
    need_polled_queue();
    fd = open_drive(0);
    ring_open(&ring, 4, IORING_SETUP_IOPOLL);
    io_uring_prep_read(next_sqe(&ring), fd, buffer, BLOCK, 0);
    /* the library's submit polls for completions at once, so this one is a bare system call */
    io_uring_smp_store_release(ring.sq.ktail, ring.sq.sqe_tail);
    ring.sq.sqe_head = ring.sq.sqe_tail;
    CHECK_EQ(io_uring_enter((unsigned) ring.ring_fd, 1, 0, 0, NULL), 1);
    usleep(100 * 1000);
    CHECK_EQ(io_uring_cq_ready(&ring), 0);
    /* a peek must enter the kernel too, or it would never find a completion */
    CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), 0);
    CHECK_EQ(take(&ring, cqe).res, BLOCK);
    io_uring_queue_exit(&ring);
    close(fd);
    free(buffer);
}

static void batch_and_wait_many(void)
{
    char *buffer = aligned(COUNT * BLOCK);
    struct io_uring_cqe *cqes[COUNT], *cqe = NULL;
    struct io_uring ring;
    unsigned taken = 0;
    int fd;

    need_setup(IORING_SETUP_IOPOLL, "completion polling");
    need_polled_queue();
    fd = open_drive(0);
    ring_open(&ring, COUNT, IORING_SETUP_IOPOLL);
    for (unsigned i = 0; i < COUNT; i++)
        io_uring_prep_read(next_sqe(&ring), fd, buffer + i * BLOCK, BLOCK, (__u64) i * BLOCK);
    /* a kernel that polls may return before that many are there, and this call does not enter it again */
    CHECK_EQ(io_uring_submit_and_wait(&ring, COUNT / 2), COUNT);
    CHECK_EQ(io_uring_wait_cqe_nr(&ring, &cqe, COUNT), 0);
    CHECK_EQ(io_uring_cq_ready(&ring), COUNT);
    while (taken < COUNT) {
        unsigned count = io_uring_peek_batch_cqe(&ring, cqes, COUNT);

        CHECK_GT(count, 0);
        for (unsigned i = 0; i < count; i++)
            CHECK_EQ(cqes[i]->res, BLOCK);
        io_uring_cq_advance(&ring, count);
        taken += count;
    }
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
    close(fd);
    free(buffer);
}

static const struct test_case cases[] = {
    CASE(reads_and_writes),
    CASE(registered_buffers),
    CASE(by_the_submission_thread),
    CASE(hybrid),
    CASE(deferred_work),
    CASE(found_only_by_entering),
    CASE(batch_and_wait_many),
};

TEST_MAIN(cases)
