/* Programs that ask for what a kernel may not have, and go without it: nothing is to be said. */
#include "refused.h"

#include <linux/time_types.h>

/* A flag that no kernel has yet. */
#define SETUP_OF_LATER (1U << 30)
/* A processor that no machine has. */
#define NO_PROCESSOR 1000000

static char byte;

/* A ring with all of this is refused, or made: either is right. Returns the result. */
static int try_ring(unsigned entries, struct io_uring_params p)
{
    struct io_uring ring;
    int ret = io_uring_queue_init_params(entries, &ring, &p);

    if (ret == 0)
        io_uring_queue_exit(&ring);
    return ret;
}

static void go_on(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    take(&ring, 1);
    MUST(result_of(&ring, 1) == 0);
    io_uring_queue_exit(&ring);
}

/* ---- rings ---- */

/* The library adds IORING_SETUP_NO_SQARRAY, so nothing is missing. */
static void flag_of_a_later_kernel(void)
{
    try_ring(4, (struct io_uring_params) { .flags = IORING_SETUP_SQ_REWIND });
    go_on();
}

/* What excludes each other today may not for a kernel that has the other flag. */
static void flags_beyond_this_library(void)
{
    MUST(try_ring(4, (struct io_uring_params) { .flags = SETUP_OF_LATER | IORING_SETUP_SQ_AFF }) == -EINVAL);
    go_on();
}

/* It leaves one flag out after the other. */
static void fewer_and_fewer_flags(void)
{
    const unsigned flags[] = { SETUP_OF_LATER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
                               SETUP_OF_LATER | IORING_SETUP_TASKRUN_FLAG, IORING_SETUP_TASKRUN_FLAG, 0 };
    unsigned i = 0;

    while (try_ring(4, (struct io_uring_params) { .flags = flags[i] }) == -EINVAL)
        i++;
    MUST(i == 3);
}

/* The memory makes IORING_SETUP_NO_MMAP. What is refused is that it begins no page. */
static void registered_only_in_memory(void)
{
    static char memory[3 * 65536] __attribute__((aligned(65536)));
    struct io_uring ring;
    struct io_uring_params p = { .flags = IORING_SETUP_REGISTERED_FD_ONLY };

    MUST(io_uring_queue_init_mem(4, &ring, &p, memory + 64, 2 * 65536) == -EINVAL);
    go_on();
}

/* The kernel makes both sizes less before it compares them. It refuses the processor. */
static void sizes_that_are_clamped(void)
{
    MUST(try_ring(40000, (struct io_uring_params) {
        .flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF,
        .cq_entries = 32768, .sq_thread_cpu = NO_PROCESSOR }) == -EINVAL);
    go_on();
}

/* And rounds them up. */
static void sizes_that_are_rounded(void)
{
    MUST(try_ring(8, (struct io_uring_params) {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF,
        .cq_entries = 5, .sq_thread_cpu = NO_PROCESSOR }) == -EINVAL);
    go_on();
}

static void largest_ring(void)
{
    unsigned entries = 8192;
    int ret;

    while ((ret = try_ring(entries, (struct io_uring_params) { .flags = 0 })) == 0)
        entries *= 2;
    if (ret != -EINVAL)
        exit(EXIT_SKIP);
}

static void largest_completion_queue(void)
{
    unsigned entries = 32768;
    int ret;

    while ((ret = try_ring(4, (struct io_uring_params) { .flags = IORING_SETUP_CQSIZE, .cq_entries = entries })) == 0)
        entries *= 2;
    if (ret != -EINVAL)
        exit(EXIT_SKIP);
}

/* A kernel without io_uring, or one that forbids it, answers otherwise. */
static void ring_of_nothing(void)
{
    MUST(try_ring(0, (struct io_uring_params) { .flags = 0 }) == -EINVAL);
    go_on();
}

/* ---- requests ---- */

static void opcode_of_a_later_kernel(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    sqe->opcode = 200;
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == -EINVAL);
    take(&ring, 2);
    MUST(result_of(&ring, 2) == 0);
    io_uring_queue_exit(&ring);
}

/* A bit that the headers know. Kernels before it refuse it. */
static void bit_of_a_later_kernel(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct __kernel_timespec soon = { .tv_nsec = 1 };

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_timeout(sqe, &soon, 0, IORING_TIMEOUT_IMMEDIATE_ARG);
    sqe->user_data = 1;
    result_of(&ring, 1);
    sqe = take(&ring, 0);
    io_uring_prep_nop(sqe);
    sqe->nop_flags = IORING_NOP_CQE32;
    sqe->user_data = 2;
    result_of(&ring, 2);
    sqe = take(&ring, 0);
    io_uring_prep_poll_add(sqe, socket_of_a_pair(), POLLOUT);
    sqe->len = IORING_POLL_ADD_LEVEL;
    sqe->user_data = 3;
    result_of(&ring, 3);
    io_uring_queue_exit(&ring);
}

static void group_for_a_message(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct iovec vector = { &byte, 1 };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_sendmsg(sqe, socket_of_a_pair(), &message, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 1;
    sqe->user_data = 1;
    result_of(&ring, 1);
    io_uring_queue_exit(&ring);
}

/* As on a kernel before 5.17. */
static void silence_of_a_later_kernel(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_params p = { .flags = 0 };
    int fd = io_uring_setup(4, &p);

    MUST(fd >= 0);
    p.features &= ~IORING_FEAT_CQE_SKIP;
    MUST(io_uring_queue_mmap(fd, &p, &ring) == 0);
    sqe = take(&ring, 1);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    take(&ring, 2);
    MUST(io_uring_submit(&ring) == 2);
    reap(&ring);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    RIGHT(flag_of_a_later_kernel),
    RIGHT(flags_beyond_this_library),
    RIGHT(fewer_and_fewer_flags),
    RIGHT(registered_only_in_memory),
    RIGHT(sizes_that_are_clamped),
    RIGHT(sizes_that_are_rounded),
    RIGHT(largest_ring),
    RIGHT(largest_completion_queue),
    RIGHT(ring_of_nothing),
    RIGHT(opcode_of_a_later_kernel),
    RIGHT(bit_of_a_later_kernel),
    RIGHT(group_for_a_message),
    RIGHT(silence_of_a_later_kernel),
};

MISUSE_MAIN(cases)
