/* SQEs and CQEs in proxy mode, and what AddressSanitizer says of uses out of time. */
#include "../misuse.h"

static NOINLINE unsigned long long data_of(const struct io_uring_cqe *cqe) { return cqe->user_data; }
static NOINLINE void set_length(struct io_uring_sqe *sqe, unsigned length) { sqe->len = length; }

static void go_on(struct io_uring *ring, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        take(ring, 0xf0);
        MUST(io_uring_submit(ring) == 1);
        MUST(reap(ring) == 0);
    }
}

static void use_sqe(unsigned flags, unsigned times, unsigned long long data)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, flags);
    go_on(&ring, 5);
    sqe = take(&ring, data);
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    go_on(&ring, times);
    set_length(sqe, 5);
    io_uring_queue_exit(&ring);
}

static void sqe_used_later(void) { use_sqe(0, 1, 0x61); }
static void sqe_used_much_later(void) { use_sqe(0, 50, 0x62); }
static void large_sqe_used_later(void) { use_sqe(IORING_SETUP_SQE128, 1, 0x63); }

static void use_cqe(unsigned flags, int in_time, unsigned long long data)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    open_ring(&ring, 4, flags);
    go_on(&ring, 20);
    take(&ring, data);
    MUST(io_uring_submit(&ring) == 1);
    MUST(io_uring_wait_cqe(&ring, &cqe) == 0);
    if (in_time)
        MUST(data_of(cqe) == data);
    io_uring_cqe_seen(&ring, cqe);
    go_on(&ring, 1);
    if (!in_time)
        MUST(data_of(cqe) != data);
    go_on(&ring, 100);
    io_uring_queue_exit(&ring);
}

static void cqe_used_late(void) { use_cqe(0, 0, 0x64); }
static void large_cqe_used_late(void) { use_cqe(IORING_SETUP_CQE32, 0, 0x65); }
static void cqe_used_late_in_exact_ring(void)
{
    use_cqe(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 0, 0x66);
}
static void cqe_used_in_time(void) { use_cqe(0, 1, 0x67); }

/* The kernel fills all of the CQ while the program makes no call. */
static void filled_meanwhile(void)
{
    struct io_uring ring;
    struct __kernel_timespec moment = { .tv_nsec = 1000 * 1000 };

    open_ring(&ring, 4, 0);
    for (unsigned round = 0; round < 20; round++) {
        unsigned count = 1 + round % 4, head;
        struct io_uring_cqe *cqe;

        for (unsigned batch = 0; batch < 2; batch++) {
            for (unsigned i = 0; i < count; i++) {
                io_uring_prep_timeout(take(&ring, 0), &moment, 0, 0);
            }
            MUST(io_uring_submit(&ring) == (int) count);
        }
        while (io_uring_cq_ready(&ring) < 2 * count)
            ;
        io_uring_for_each_cqe(&ring, head, cqe)
            MUST(cqe->res == -ETIME);
        io_uring_cq_advance(&ring, 2 * count);
    }
    io_uring_queue_exit(&ring);
}

static void take_connections(struct io_uring *ring, int fd)
{
    struct io_uring_cqe *cqe;
    char byte;

    for (unsigned i = 0; i < 30; i++) {
        MUST(write(fd, "x", 1) == 1);
        while (io_uring_peek_cqe(ring, &cqe) != 0)
            ;
        MUST(cqe->user_data == 0x68 && cqe->flags & IORING_CQE_F_MORE);
        io_uring_cqe_seen(ring, cqe);
        go_on(ring, i % 2);
    }
    (void) byte;
}

/* Any number of CQEs may come of one request. */
static void multishot(void)
{
    struct io_uring ring;
    int fds[2];

    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
    open_ring(&ring, 4, 0);
    io_uring_prep_poll_multishot(take(&ring, 0), fds[0], POLLIN);
    ring.sq.sqes[0].user_data = 0x68;
    MUST(io_uring_submit(&ring) == 1);
    take_connections(&ring, fds[1]);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    WRONG(sqe_used_later, "changed,asan:use-after-poison", "IORING_OP_NOP, user_data 0x61"),
    WRONG(sqe_used_much_later, "changed,asan:use-after-poison", "IORING_OP_NOP, user_data 0x62"),
    WRONG(large_sqe_used_later, "changed,asan:use-after-poison", "IORING_OP_NOP, user_data 0x63"),
    WRONG(cqe_used_late, "seen-early,asan:use-after-poison", "IORING_OP_NOP, user_data 0x64"),
    WRONG(large_cqe_used_late, "seen-early,asan:use-after-poison", "IORING_OP_NOP, user_data 0x65"),
    WRONG(cqe_used_late_in_exact_ring, "seen-early,asan:use-after-poison", "IORING_OP_NOP, user_data 0x66"),
    RIGHT(cqe_used_in_time),
    RIGHT(filled_meanwhile),
    RIGHT(multishot),
};

MISUSE_MAIN(cases)
