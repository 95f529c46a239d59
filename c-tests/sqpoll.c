/* Rings with a submission thread of the kernel. */
#include "file.h"

enum { IDLE_MS = 20 };

static void open_polled(struct io_uring *ring, unsigned entries, unsigned flags, unsigned cpu)
{
    struct io_uring_params params;

    need_setup(IORING_SETUP_SQPOLL, "submission polling");
    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_SQPOLL | flags;
    params.sq_thread_cpu = cpu;
    params.sq_thread_idle = IDLE_MS;
    CHECK_EQ(io_uring_queue_init_params(entries, ring, &params), 0);
}

static bool thread_sleeps(struct io_uring *ring)
{
    return IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_NEED_WAKEUP;
}

static void wait_until_asleep(struct io_uring *ring)
{
    while (!thread_sleeps(ring))
        usleep(1000); /* the watchdog ends it */
}

static void reads(void)
{
    struct io_uring ring;
    char buffer[4096];
    int fd = make_file("file", sizeof(buffer), 1);

    open_polled(&ring, 8, 0, 0);
    for (unsigned i = 0; i < 50; i++) {
        memset(buffer, 0, sizeof(buffer));
        io_uring_prep_read(next_sqe(&ring), fd, buffer, sizeof(buffer), 0);
        SUBMIT(&ring, 1);
        CHECK_EQ(reap(&ring).res, sizeof(buffer));
        CHECK_PATTERN(buffer, sizeof(buffer), 1);
    }
    io_uring_queue_exit(&ring);
    close(fd);
}

/* After its idle time the thread sleeps, and the next submission wakes it. */
static void wakes_up(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = millis(10000);

    open_polled(&ring, 8, 0, 0);
    /* a 32-bit kernel's thread does not sleep before its first request, in the first five minutes after the start */
    submit_nop(&ring, 0);
    reap(&ring);
    for (unsigned i = 0; i < 3; i++) {
        wait_until_asleep(&ring);
        submit_nop(&ring, i);
        CHECK_EQ(reap(&ring).data, i);
    }
    wait_until_asleep(&ring);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_GE(io_uring_submit_and_wait(&ring, 1), 1);
    CHECK_EQ(reap(&ring).res, 0);
    wait_until_asleep(&ring);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_GE(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL), 0);
    CHECK(cqe != NULL);
    CHECK_EQ(take(&ring, cqe).res, 0);
    io_uring_queue_exit(&ring);
}

/* With the queue full the caller can wait for room. */
static void waits_for_room(void)
{
    struct io_uring ring;
    unsigned sent = 0, seen = 0;

    open_polled(&ring, 4, 0, 0);
    CHECK_EQ(io_uring_sqring_wait(&ring), 0);
    while (sent < 400) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
        struct io_uring_cqe *cqe;

        if (sqe) {
            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, sent++);
            continue;
        }
        CHECK_GE(io_uring_submit(&ring), 0);
        /* the wait may end early, when the kernel has other work for this thread */
        do
            CHECK_GE(io_uring_sqring_wait(&ring), 0);
        while (io_uring_sq_space_left(&ring) == 0);
        /* with room, neither this call nor the bare one waits */
        CHECK_GE(__io_uring_sqring_wait(&ring), 0);
        while (io_uring_peek_cqe(&ring, &cqe) == 0)
            CHECK_EQ(take(&ring, cqe).data, seen++);
    }
    CHECK_GE(io_uring_submit(&ring), 0);
    while (seen < sent)
        CHECK_EQ(reap(&ring).data, seen++);
    io_uring_queue_exit(&ring);
}

static void no_wait_without_polling(void)
{
    struct io_uring ring;

    ring_open(&ring, 1, 0);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(io_uring_sqring_wait(&ring), 0);
    io_uring_queue_exit(&ring);
}

static void bound_to_processor(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    cpu_set_t allowed;
    int cpu = 0;

    CHECK_SYS(sched_getaffinity(0, sizeof(allowed), &allowed));
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    open_polled(&ring, 4, IORING_SETUP_SQ_AFF, cpu);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);

    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF;
    params.sq_thread_cpu = 1000000;
    CHECK_EQ(io_uring_queue_init_params(4, &ring, &params), -EINVAL);
    CHECK_EQ(io_uring_queue_init(4, &ring, IORING_SETUP_SQ_AFF), -EINVAL);
}

/* A second ring shares the first one's thread. */
static void shared_thread(void)
{
    struct io_uring first, second;
    struct io_uring_params params;

    open_polled(&first, 4, 0, 0);
    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_SQPOLL | IORING_SETUP_ATTACH_WQ;
    params.sq_thread_idle = IDLE_MS;
    params.wq_fd = first.ring_fd;
    CHECK_EQ(io_uring_queue_init_params(4, &second, &params), 0);
    submit_nop(&second, 2);
    submit_nop(&first, 1);
    CHECK_EQ(reap(&first).data, 1);
    CHECK_EQ(reap(&second).data, 2);
    io_uring_queue_exit(&first);
    submit_nop(&second, 3);
    CHECK_EQ(reap(&second).data, 3);
    io_uring_queue_exit(&second);
}

static const struct test_case cases[] = {
    CASE(reads),
    CASE(wakes_up),
    CASE(waits_for_room),
    CASE(no_wait_without_polling),
    CASE(bound_to_processor),
    CASE(shared_thread),
};

TEST_MAIN(cases)
