/* SQEs that are not what the program thinks. */
#include "misuse.h"

static char byte;
static int zero_fd;

static void open_both(struct io_uring *ring, unsigned entries)
{
    zero_fd = open("/dev/zero", O_RDONLY);
    MUST(zero_fd >= 0);
    open_ring(ring, entries, 0);
}

/* Reads once through each slot, so that they all hold something. */
static void fill_slots(struct io_uring *ring, unsigned entries)
{
    for (unsigned i = 0; i < entries; i++) {
        struct io_uring_sqe *sqe = take(ring, 0);

        io_uring_prep_read(sqe, zero_fd, &byte, 1, 0);
        io_uring_sqe_set_data64(sqe, 0xb0 + i);
        MUST(io_uring_submit(ring) == 1);
        MUST(reap(ring) == 1);
    }
}

static void not_filled_in(void)
{
    struct io_uring ring;

    open_both(&ring, 4);
    fill_slots(&ring, 4);
    io_uring_get_sqe(&ring);
    io_uring_submit(&ring);
    /* what the slot held is submitted all the same */
    MUST(reap(&ring) == 1);
    io_uring_queue_exit(&ring);
}

static void address_left_over(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_both(&ring, 4);
    fill_slots(&ring, 4);
    sqe = io_uring_get_sqe(&ring);
    sqe->opcode = IORING_OP_READ;
    sqe->fd = zero_fd;
    sqe->len = 1;
    sqe->off = 0;
    sqe->user_data = 0xb8;
    io_uring_submit(&ring);
    MUST(reap(&ring) == 1);
    io_uring_queue_exit(&ring);
}

static void filled_in_by_hand(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_both(&ring, 4);
    fill_slots(&ring, 4);
    for (unsigned i = 0; i < 8; i++) {
        sqe = io_uring_get_sqe(&ring);
        if (i % 2) {
            /* a no-op takes nothing but its opcode and user_data */
            sqe->opcode = IORING_OP_NOP;
        } else {
            sqe->opcode = IORING_OP_READ;
            sqe->fd = zero_fd;
            sqe->addr = (unsigned long) &byte;
            sqe->len = 1;
            sqe->off = 0;
        }
        sqe->user_data = i;
        MUST(io_uring_submit(&ring) == 1);
        reap(&ring);
    }
    io_uring_queue_exit(&ring);
}

static void user_data_left_over(void)
{
    struct io_uring ring;

    open_both(&ring, 4);
    for (unsigned i = 0; i < 4; i++)
        fill_slots(&ring, 4);
    take(&ring, 0xb9);
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    io_uring_submit(&ring);
    reap(&ring);
    reap(&ring);
    io_uring_queue_exit(&ring);
}

/* One request at a time needs no user_data. */
static void alone_without_user_data(void)
{
    struct io_uring ring;

    open_both(&ring, 4);
    fill_slots(&ring, 4);
    for (unsigned i = 0; i < 8; i++) {
        io_uring_prep_nop(io_uring_get_sqe(&ring));
        MUST(io_uring_submit(&ring) == 1);
        reap(&ring);
    }
    io_uring_queue_exit(&ring);
}

/* A program that only counts. */
static void half_without_user_data(void)
{
    struct io_uring ring;

    open_both(&ring, 4);
    fill_slots(&ring, 4);
    for (unsigned i = 0; i < 20; i++) {
        take(&ring, i);
        io_uring_prep_nop(io_uring_get_sqe(&ring));
        MUST(io_uring_submit_and_wait(&ring, 2) == 2);
        io_uring_cq_advance(&ring, 2);
    }
    io_uring_queue_exit(&ring);
}

/* Until the next submission an SQE holds what was submitted. */
static void read_after_submit(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    for (unsigned i = 0; i < 20; i++) {
        struct io_uring_sqe *sqe = take(&ring, i);

        MUST(io_uring_submit(&ring) == 1);
        MUST(sqe->user_data == i && sqe->opcode == IORING_OP_NOP);
        reap(&ring);
    }
    io_uring_queue_exit(&ring);
}

/* The thread of such a ring takes SQEs some time; this one has not started. */
static void changed_after_submit(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, IORING_SETUP_SQPOLL | IORING_SETUP_R_DISABLED);
    take(&ring, 0xc1);
    io_uring_submit(&ring);
    ring.sq.sqes[0].flags |= IOSQE_ASYNC;
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void changed_before_submit(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, IORING_SETUP_SQPOLL);
    for (unsigned i = 0; i < 100; i++) {
        struct io_uring_sqe *sqe = take(&ring, 0xc1);

        sqe->flags |= i % 2 ? IOSQE_ASYNC : 0;
        /* The kernel may post a CQE shortly before it moves the SQ's head: then the one before still counts. */
        MUST(io_uring_submit(&ring) >= 1);
        reap(&ring);
    }
    io_uring_queue_exit(&ring);
}

static void no_sqe_left(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    for (unsigned i = 0; i < 5; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

        __asm__ volatile("" : "+r"(sqe));
        io_uring_prep_nop(sqe);
    }
}

/* A fault that has nothing to do with rings. */
static void another_fault(void)
{
    struct io_uring ring;
    char *nowhere = NULL;

    open_ring(&ring, 4, 0);
    __asm__ volatile("" : "+r"(nowhere));
    *nowhere = 1;
}

static const struct misuse cases[] = {
    WRONG(not_filled_in, "unprepared", "IORING_OP_READ, user_data 0xb0"),
    WRONG(address_left_over, "leftover", "IORING_OP_READ, user_data 0xb8"),
    RIGHT(filled_in_by_hand),
    WRONG(user_data_left_over, "user-data", "IORING_OP_NOP, user_data 0xb1"),
    RIGHT(alone_without_user_data),
    RIGHT(half_without_user_data),
    RIGHT(read_after_submit),
    WRONG(changed_after_submit, "changed,-disabled", "IORING_OP_NOP, user_data 0xc1"),
    RIGHT(changed_before_submit),
    WRONG_ENDS(no_sqe_left, "no-sqe", "-", SIGSEGV),
    RIGHT_ENDS(another_fault, SIGSEGV),
};

MISUSE_MAIN(cases)
