/* Chains, heads and tails, what is left when a ring is given up. */
#include <time.h>

#include "misuse.h"

/* ---- chains ---- */

static void chain_over_two_submits(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    take(&ring, 0x51)->flags |= IOSQE_IO_LINK;
    io_uring_submit(&ring);
    take(&ring, 0x52);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void chain_in_one_submit(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    take(&ring, 0x51)->flags |= IOSQE_IO_LINK;
    take(&ring, 0x52);
    MUST(io_uring_submit(&ring) == 2);
    MUST(reap(&ring) == 0 && reap(&ring) == 0);
    io_uring_queue_exit(&ring);
}

/* The SQ is full in the middle of a chain. */
static void chain_without_room(void)
{
    struct io_uring ring;

    open_ring(&ring, 2, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

        if (!sqe) {
            io_uring_submit(&ring);
            sqe = io_uring_get_sqe(&ring);
        }
        io_uring_prep_nop(sqe);
        sqe->user_data = 0x60 + i;
        sqe->flags |= i < 2 ? IOSQE_IO_HARDLINK : 0;
    }
    MUST(io_uring_submit(&ring) == 1);
    io_uring_queue_exit(&ring);
}

static void send_in_chain(unsigned flags)
{
    static char data[1 << 20];
    struct io_uring ring;
    int fds[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    open_ring(&ring, 4, 0);
    io_uring_prep_send(take(&ring, 0), fds[0], data, sizeof(data), MSG_DONTWAIT | flags);
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 0x53);
    io_uring_sqe_set_flags(&ring.sq.sqes[0], IOSQE_IO_LINK);
    take(&ring, 0x54);
    MUST(io_uring_submit_and_wait(&ring, 2) == 2);
    io_uring_cq_advance(&ring, 2);
    io_uring_queue_exit(&ring);
}

static void short_send_in_chain(void)
{
    send_in_chain(0);
    KEEP_FRAME();
}

static void short_send_ends_chain(void)
{
    send_in_chain(MSG_WAITALL);
}

static void same_user_data(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    take(&ring, 0x55);
    take(&ring, 0x55);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

/* ---- the CQ's head ---- */

static void seen_without_completion(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = { .tv_nsec = 1000 };

    open_ring(&ring, 4, 0);
    take(&ring, 1);
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    cqe = ring.cq.cqes;
    MUST(io_uring_wait_cqe_timeout(&ring, &cqe, &ts) == -ETIME);
    io_uring_cq_advance(&ring, 1);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void advanced_by_what_was_read(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;

    open_ring(&ring, 4, 0);
    for (unsigned round = 0; round < 100; round++) {
        take(&ring, 1);
        take(&ring, 2);
        MUST(io_uring_submit_and_wait(&ring, 2) == 2);
        count = 0;
        io_uring_for_each_cqe(&ring, head, cqe)
            count++;
        io_uring_cq_advance(&ring, count);
    }
    io_uring_queue_exit(&ring);
}

static void never_seen(void)
{
    struct io_uring ring;

    open_ring(&ring, 32, 0);
    for (unsigned i = 0; i < 10; i++) {
        take(&ring, i);
        io_uring_submit_and_wait(&ring, 1);
    }
    io_uring_queue_exit(&ring);
}

/* Each wait asks for one more than there are. */
static void collected_before_seen(void)
{
    struct io_uring ring;

    open_ring(&ring, 32, 0);
    for (unsigned i = 0; i < 20; i++) {
        take(&ring, i);
        MUST(io_uring_submit_and_wait(&ring, i + 1) == 1);
    }
    io_uring_cq_advance(&ring, 20);
    io_uring_queue_exit(&ring);
}

/* ---- waits ---- */

static void wait_without_request(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    open_ring(&ring, 4, 0);
    take(&ring, 1);
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    /* the alarm ends the program, after the report is written */
    alarm(5);
    io_uring_wait_cqe(&ring, &cqe);
}

static void wait_with_a_limit(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = { .tv_nsec = 1000 };

    open_ring(&ring, 4, 0);
    MUST(io_uring_wait_cqe_timeout(&ring, &cqe, &ts) == -ETIME);
    io_uring_queue_exit(&ring);
}

static void on_alarm(int signal_number)
{
    (void) signal_number;
}

static void wait_for_a_signal(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct sigaction action = { .sa_handler = on_alarm };

    open_ring(&ring, 4, 0);
    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    MUST(io_uring_wait_cqe(&ring, &cqe) == -EINTR);
    io_uring_queue_exit(&ring);
}

/* ---- what is left ---- */

static void never_submitted(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    take(&ring, 1);
    io_uring_queue_exit(&ring);
}

static void never_submitted_elsewhere(void)
{
    MUST(chdir("/") == 0);
    never_submitted();
}

static struct io_uring kept;

static void left_at_exit(void)
{
    open_ring(&kept, 4, 0);
    take(&kept, 1);
    MUST(io_uring_submit(&kept) == 1);
    reap(&kept);
    take(&kept, 2);
}

static void nothing_left_at_exit(void)
{
    open_ring(&kept, 4, 0);
    take(&kept, 1);
    MUST(io_uring_submit(&kept) == 1);
    reap(&kept);
}

static int taken[2];

static void *take_and_stay(void *unused)
{
    (void) unused;
    open_ring(&kept, 4, 0);
    take(&kept, 1);
    MUST(io_uring_submit(&kept) == 1);
    reap(&kept);
    take(&kept, 2);
    MUST(write(taken[1], "", 1) == 1);
    for (;;)
        pause();
    return NULL;
}

/* A thread is about to submit when the process ends. */
static void left_at_exit_by_another(void)
{
    pthread_t thread;
    char byte;

    MUST(pipe(taken) == 0);
    MUST(pthread_create(&thread, NULL, take_and_stay, NULL) == 0);
    MUST(read(taken[0], &byte, 1) == 1);
}

/* Of a ring in a frame that has returned, other functions write over some. */
static void written_over_at_exit(void)
{
    nothing_left_at_exit();
    kept.sq.sqe_head = 0x1234;
    kept.sq.sqe_tail = 0x1da2807e;
}

/* ---- completions that wait for the program ---- */

static void look_for(struct io_uring *ring, unsigned milliseconds)
{
    struct timespec begin, now;
    struct io_uring_cqe *cqe;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        /* as the io_uring_peek_cqe() of other headers calls the library */
        if (io_uring_peek_batch_cqe(ring, &cqe, 1) == 1) {
            io_uring_cqe_seen(ring, cqe);
            return;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < milliseconds);
}

static void peek_deferred(unsigned flags)
{
    struct io_uring ring;
    char byte;
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | flags);
    io_uring_prep_read(take(&ring, 0), fds[0], &byte, 1, 0);
    MUST(io_uring_submit(&ring) == 1);
    MUST(write(fds[1], "x", 1) == 1);
    look_for(&ring, 2500);
    io_uring_queue_exit(&ring);
}

static void looked_for_in_vain(void)
{
    peek_deferred(0);
}

static void told_to_enter(void)
{
    peek_deferred(IORING_SETUP_TASKRUN_FLAG);
}

static void lost_to_overflow(void)
{
    struct io_uring ring;
    struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE, .cq_entries = 2 };

    MUST(io_uring_queue_init_params(2, &ring, &params) == 0);
    for (unsigned i = 0; i < 4; i++) {
        take(&ring, i);
        MUST(io_uring_submit(&ring) == 1);
    }
    io_uring_queue_exit(&ring);
}

static void fetched_after_overflow(void)
{
    struct io_uring ring;
    struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE, .cq_entries = 2 };

    MUST(io_uring_queue_init_params(2, &ring, &params) == 0);
    for (unsigned i = 0; i < 4; i++) {
        take(&ring, i);
        MUST(io_uring_submit(&ring) == 1);
    }
    for (unsigned i = 0; i < 4; i++)
        reap(&ring);
    io_uring_queue_exit(&ring);
}

/* ---- not enabled ---- */

static void not_enabled(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, IORING_SETUP_R_DISABLED);
    take(&ring, 1);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void enabled(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, IORING_SETUP_R_DISABLED);
    MUST(io_uring_enable_rings(&ring) == 0);
    take(&ring, 1);
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    WRONG(chain_over_two_submits, "chain", "IORING_OP_NOP, user_data 0x51"),
    RIGHT(chain_in_one_submit),
    WRONG(chain_without_room, "chain", "IORING_OP_NOP, user_data 0x61"),
    WRONG(short_send_in_chain, "short-link", "IORING_OP_SEND, user_data 0x53"),
    RIGHT(short_send_ends_chain),
    ASKED(same_user_data, "duplicate", "IORING_OP_NOP, user_data 0x55"),
    WRONG(seen_without_completion, "seen-too-many", "-"),
    RIGHT(advanced_by_what_was_read),
    WRONG(never_seen, "not-seen", "-"),
    RIGHT(collected_before_seen),
    WRONG_ENDS(wait_without_request, "endless", "-", SIGALRM),
    RIGHT(wait_with_a_limit),
    RIGHT(wait_for_a_signal),
    WRONG(never_submitted, "unsubmitted", "-"),
    WRONG(never_submitted_elsewhere, "unsubmitted", "-"),
    WRONG(left_at_exit, "unsubmitted", "-"),
    RIGHT(left_at_exit_by_another),
    RIGHT(nothing_left_at_exit),
    RIGHT(written_over_at_exit),
    WRONG(looked_for_in_vain, "deferred", "-"),
    RIGHT(told_to_enter),
    WRONG(lost_to_overflow, "overflow", "-"),
    RIGHT(fetched_after_overflow),
    WRONG(not_enabled, "disabled", "-"),
    RIGHT(enabled),
};

MISUSE_MAIN(cases)
