/* Rows of submission, waiting and batches. */
#include "steps-rows.h"

#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <unistd.h>

ROW int submit(struct io_uring *ring) { return io_uring_submit(ring); }
ROW int submit_and_wait(struct io_uring *ring, unsigned nr) { return io_uring_submit_and_wait(ring, nr); }
ROW int submit_and_get_events(struct io_uring *ring) { return io_uring_submit_and_get_events(ring); }
ROW int submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned nr,
                                struct __kernel_timespec *ts)
{
    return io_uring_submit_and_wait_timeout(ring, cqe, nr, ts, NULL);
}
ROW int submit_and_wait_min_timeout(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned nr,
                                    struct __kernel_timespec *ts, unsigned usec)
{
    return io_uring_submit_and_wait_min_timeout(ring, cqe, nr, ts, usec, NULL);
}
ROW int wait_cqe(struct io_uring *ring, struct io_uring_cqe **cqe) { return io_uring_wait_cqe(ring, cqe); }
ROW int wait_cqe_timeout(struct io_uring *ring, struct io_uring_cqe **cqe, struct __kernel_timespec *ts)
{
    return io_uring_wait_cqe_timeout(ring, cqe, ts);
}
ROW int wait_cqes(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned nr, struct __kernel_timespec *ts)
{
    return io_uring_wait_cqes(ring, cqe, nr, ts, NULL);
}
ROW int peek_cqe(struct io_uring *ring, struct io_uring_cqe **cqe) { return io_uring_peek_cqe(ring, cqe); }
ROW unsigned peek_batch(struct io_uring *ring, struct io_uring_cqe **cqes, unsigned nr)
{
    return io_uring_peek_batch_cqe(ring, cqes, nr);
}
ROW int get_events(struct io_uring *ring) { return io_uring_get_events(ring); }

ROW __u64 for_each_cqe(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    __u64 sum = 0;

    io_uring_for_each_cqe(ring, head, cqe)
        sum += cqe->user_data;
    return sum + head;
}

void count_enters(struct io_uring *ring, const char *kind)
{
    struct __kernel_timespec second = {.tv_sec = 1};
    struct io_uring_cqe *cqe;
    char name[64];

    take_nops(ring, 1);
    snprintf(name, sizeof(name), "submit, 1%s", kind);
    COUNT_IS(name, 1, submit(ring));
    check(io_uring_wait_cqe(ring, &cqe) == 0, "waiting");
    drain(ring);
    take_nops(ring, 1);
    snprintf(name, sizeof(name), "submit_and_wait, 1%s", kind);
    COUNT_IS(name, 1, submit_and_wait(ring, 1));
    drain(ring);
    take_nops(ring, 1);
    snprintf(name, sizeof(name), "submit_and_get_events, 1%s", kind);
    COUNT_IS(name, 1, submit_and_get_events(ring));
    drain(ring);
    take_nops(ring, 1);
    snprintf(name, sizeof(name), "submit_and_wait_timeout, 1%s", kind);
    COUNT_IS(name, 1, submit_and_wait_timeout(ring, &cqe, 1, &second));
    drain(ring);
    snprintf(name, sizeof(name), "get_events%s", kind);
    COUNT_IS(name, 0, get_events(ring));
}

static void count_sqpoll(void)
{
    struct io_uring_params p = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 2000};
    unsigned head, awake = 0, *khead, *kflags;
    struct io_uring_cqe *cqe;
    struct io_uring ring;

    check(io_uring_queue_init_params(64, &ring, &p) == 0, "setting a polled ring up");
    /*
     * The submission thread may run at any time. So the words that it writes are replaced by constants, as if it had
     * read nothing yet.
     */
    khead = ring.sq.khead;
    kflags = ring.sq.kflags;
    head = *khead;
    ring.sq.khead = &head;
    ring.sq.kflags = &awake;
    COUNT_IS("submit, nothing, SQPOLL awake", 0, submit(&ring));
    take_nops(&ring, 1);
    COUNT_IS("submit, 1, SQPOLL awake", 1, submit(&ring));
    ring.sq.khead = khead;
    ring.sq.kflags = kflags;
    check(io_uring_submit(&ring) >= 0 && io_uring_wait_cqe(&ring, &cqe) == 0, "waiting");
    io_uring_queue_exit(&ring);

    p = (struct io_uring_params){.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1};
    check(io_uring_queue_init_params(64, &ring, &p) == 0, "setting a polled ring up");
    for (int i = 0; i < 1000 && !(IO_URING_READ_ONCE(*ring.sq.kflags) & IORING_SQ_NEED_WAKEUP); i++)
        usleep(1000);
    check(*ring.sq.kflags & IORING_SQ_NEED_WAKEUP, "falling asleep");
    COUNT_IS("submit, nothing, SQPOLL asleep", 0, submit(&ring));
    take_nops(&ring, 1);
    COUNT_IS("submit, 1, SQPOLL asleep", 1, submit(&ring));
    check(io_uring_wait_cqe(&ring, &cqe) == 0, "waiting");
    io_uring_queue_exit(&ring);
}

static void count_there(struct io_uring *ring)
{
    struct __kernel_timespec second = {.tv_sec = 1};
    struct io_uring_cqe *cqe;

    complete(ring, 1);
    COUNT_IS("wait_cqe, there", 0, wait_cqe(ring, &cqe));
    COUNT_IS("wait_cqe_timeout, there", 0, wait_cqe_timeout(ring, &cqe, &second));
    COUNT_IS("wait_cqes, there", 0, wait_cqes(ring, &cqe, 1, NULL));
    COUNT_IS("wait_cqes with timeout, there", 0, wait_cqes(ring, &cqe, 1, &second));
    COUNT_IS("peek_cqe, there", 0, peek_cqe(ring, &cqe));
    take_nops(ring, 1);
    COUNT_IS("submit_and_wait_timeout, there", 0, submit_and_wait_timeout(ring, &cqe, 1, &second));
    drain(ring);
    COUNT_IS("peek_cqe, not there", -EAGAIN, peek_cqe(ring, &cqe));
}

/* A request that completes after a moment, so that waiting for it waits. */
static void complete_later(struct io_uring *ring, struct __kernel_timespec *moment)
{
    drain(ring);
    io_uring_prep_timeout(io_uring_get_sqe(ring), moment, 0, 0);
    check(io_uring_submit(ring) == 1 && io_uring_cq_ready(ring) == 0, "submitting a timeout");
}

/* Not inlined: what loads its arguments into registers is counted, too, and should not hang on the rows around it. */
__attribute__((__noinline__)) static void count_not_there(struct io_uring *ring)
{
    /* Long enough not to expire before the call is in the kernel, also single-stepped on a busy machine. */
    struct __kernel_timespec second = {.tv_sec = 10}, moment = {.tv_nsec = 200000000};
    struct io_uring_cqe *cqe;

    complete_later(ring, &moment);
    COUNT_IS("wait_cqe, not there", 0, wait_cqe(ring, &cqe));
    complete_later(ring, &moment);
    COUNT_IS("wait_cqe_timeout, not there", 0, wait_cqe_timeout(ring, &cqe, &second));
    complete_later(ring, &moment);
    COUNT_IS("wait_cqes, not there", 0, wait_cqes(ring, &cqe, 1, NULL));
    complete_later(ring, &moment);
    COUNT_IS("wait_cqes with timeout, not there", 0, wait_cqes(ring, &cqe, 1, &second));
    drain(ring);
    io_uring_prep_timeout(io_uring_get_sqe(ring), &moment, 0, 0);
    COUNT_IS("submit_and_wait_timeout, not there", 1, submit_and_wait_timeout(ring, &cqe, 1, &second));
    drain(ring);
    io_uring_prep_timeout(io_uring_get_sqe(ring), &moment, 0, 0);
    COUNT_IS("submit_and_wait_timeout, no timeout", 1, submit_and_wait_timeout(ring, &cqe, 1, NULL));
    drain(ring);
    moment.tv_nsec = 1000000;
    COUNT_IS("wait_cqe_timeout, expired", -ETIME, wait_cqe_timeout(ring, &cqe, &moment));
    if (!(ring->features & IORING_FEAT_MIN_TIMEOUT)) {
        fprintf(stderr, "SKIP: submit_and_wait_min_timeout: this kernel has no such wait\n");
        return;
    }
    take_nops(ring, 1);
    COUNT_IS("submit_and_wait_min_timeout", 1, submit_and_wait_min_timeout(ring, &cqe, 1, &second, 100));
    drain(ring);
}

static void count_batches(struct io_uring *ring, const char *kind)
{
    static const unsigned sizes[] = {0, 1, 8, 32};
    struct io_uring_cqe *cqes[32];
    char name[64];

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i])
            complete(ring, sizes[i]);
        snprintf(name, sizeof(name), "peek_batch_cqe of %u%s", sizes[i], kind);
        COUNT_IS(name, sizes[i], peek_batch(ring, cqes, 32));
        if (sizes[i] == 32) {
            snprintf(name, sizeof(name), "for_each_cqe over 32%s", kind);
            COUNT(name, for_each_cqe(ring));
        }
        drain(ring);
    }
}

static void count_other_sizes(unsigned flag, const char *kind)
{
    struct io_uring_cqe *cqe;
    struct io_uring ring;
    char name[64];
    int ret = io_uring_queue_init(64, &ring, flag);

    if (ret == -EINVAL) {
        fprintf(stderr, "SKIP: rows with%s: this kernel has no such rings\n", kind + 1);
        return;
    }
    check(ret == 0, "setting a ring up");
    count_batches(&ring, kind);
    complete(&ring, 1);
    snprintf(name, sizeof(name), "peek_cqe, there%s", kind);
    COUNT_IS(name, 0, peek_cqe(&ring, &cqe));
    snprintf(name, sizeof(name), "wait_cqe, there%s", kind);
    COUNT_IS(name, 0, wait_cqe(&ring, &cqe));
    io_uring_queue_exit(&ring);
}

/* A batch that begins before the ring's end and goes on at its start. */
static void count_across_end(struct io_uring *ring)
{
    struct io_uring_cqe *cqes[32];

    while ((*ring->cq.khead & ring->cq.ring_mask) != ring->cq.ring_entries - 4) {
        complete(ring, 1);
        drain(ring);
    }
    complete(ring, 8);
    COUNT_IS("peek_batch_cqe of 8 across the end", 8, peek_batch(ring, cqes, 32));
    drain(ring);
}

void count_queues(struct io_uring *ring)
{
    COUNT_IS("submit, nothing", 0, submit(ring));
    count_enters(ring, "");
    count_sqpoll();
    count_there(ring);
    count_not_there(ring);
    count_batches(ring, "");
    count_across_end(ring);
    count_other_sizes(IORING_SETUP_CQE32, ", CQE32");
    count_other_sizes(IORING_SETUP_CQE_MIXED, ", CQE_MIXED");
}
