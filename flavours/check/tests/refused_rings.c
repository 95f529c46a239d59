/* Rings that no kernel sets up. */
#include "misuse.h"

/* A ring that must be refused. */
static void refused_ring(unsigned entries, unsigned flags, unsigned cq_entries)
{
    struct io_uring ring;
    struct io_uring_params p;

    memset(&p, 0, sizeof(p));
    p.flags = flags;
    p.cq_entries = cq_entries;
    MUST(io_uring_queue_init_params(entries, &ring, &p) == -EINVAL);
}

static void ring_without_its_issuer(void)
{
    struct io_uring ring;

    MUST(io_uring_queue_init(4, &ring, IORING_SETUP_DEFER_TASKRUN) == -EINVAL);
}

static void thread_with_task_work(void)
{
    refused_ring(4, IORING_SETUP_SQPOLL | IORING_SETUP_COOP_TASKRUN, 0);
}

static void flag_of_no_task_work(void)
{
    refused_ring(4, IORING_SETUP_TASKRUN_FLAG, 0);
}

static void processor_of_no_thread(void)
{
    refused_ring(4, IORING_SETUP_SQ_AFF, 0);
}

static void only_registered(void)
{
    refused_ring(4, IORING_SETUP_REGISTERED_FD_ONLY, 0);
}

static void hybrid_without_polling(void)
{
    refused_ring(4, IORING_SETUP_HYBRID_IOPOLL, 0);
}

static void wide_and_mixed(void)
{
    refused_ring(4, IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED, 0);
}

static void wide_and_mixed_requests(void)
{
    refused_ring(4, IORING_SETUP_SQE128 | IORING_SETUP_SQE_MIXED, 0);
}

static void rewind_with_a_thread(void)
{
    refused_ring(4, IORING_SETUP_SQ_REWIND | IORING_SETUP_SQPOLL, 0);
}

static void queue_of_nothing(void)
{
    refused_ring(0, 0, 0);
}

static void queue_of_too_much(void)
{
    refused_ring(40000, 0, 0);
}

static void completions_too_few(void)
{
    refused_ring(8, IORING_SETUP_CQSIZE, 4);
}

/* Programs ask for what a kernel may not have, and go without it then. */
static void set_up_by_trying(void)
{
    struct io_uring ring;
    struct io_uring_params p;

    refused_ring(4, 1U << 30, 0);
    memset(&p, 0, sizeof(p));
    p.flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN
        | IORING_SETUP_TASKRUN_FLAG;
    p.cq_entries = 128;
    if (io_uring_queue_init_params(64, &ring, &p) == 0)
        io_uring_queue_exit(&ring);
    open_ring(&ring, 4, 0);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    WRONG(ring_without_its_issuer, "set-up", "-"),
    WRONG(thread_with_task_work, "set-up", "-"),
    WRONG(flag_of_no_task_work, "set-up", "-"),
    WRONG(processor_of_no_thread, "set-up", "-"),
    WRONG(only_registered, "set-up", "-"),
    WRONG(hybrid_without_polling, "set-up", "-"),
    WRONG(wide_and_mixed, "set-up", "-"),
    WRONG(wide_and_mixed_requests, "set-up", "-"),
    WRONG(rewind_with_a_thread, "set-up", "-"),
    ASKED(queue_of_nothing, "set-up", "-"),
    ASKED(queue_of_too_much, "set-up", "-"),
    WRONG(completions_too_few, "set-up", "-"),
    RIGHT(set_up_by_trying),
};

MISUSE_MAIN(cases)
