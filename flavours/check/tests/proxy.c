/* SQEs used after they were submitted, and CQEs used after they were marked as seen: what only proxy mode finds. */
#include "misuse.h"

struct connection {
    int number;
    char buffer[16];
};

static int null_fd(void)
{
    int fd = open("/dev/null", O_WRONLY);

    MUST(fd >= 0);
    return fd;
}

/* Completes requests, so that calls have something to do. */
static void go_on(struct io_uring *ring, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        take(ring, 0xf0 + i);
        MUST(io_uring_submit(ring) == 1);
        MUST(reap(ring) == 0);
    }
}

static void written_after_submit(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0xd1);
    MUST(io_uring_submit(&ring) == 1);
    sqe->flags |= IOSQE_ASYNC;
    reap(&ring);
    go_on(&ring, 1);
    io_uring_queue_exit(&ring);
}

/* No call that submits follows. */
static void written_before_exit(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    sqe = take(&ring, 0xd2);
    MUST(io_uring_submit(&ring) == 1);
    io_uring_sqe_set_data64(sqe, 0xd3);
    reap(&ring);
    io_uring_queue_exit(&ring);
}

/* A pointer that is used many submissions later. */
static void kept_for_long(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0xd4);
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    go_on(&ring, 30);
    io_uring_prep_nop(sqe);
    go_on(&ring, 100);
    io_uring_queue_exit(&ring);
}

/* The SQE is taken, goes with another one's submit, and is filled in then. */
static void filled_in_too_late(void)
{
    struct io_uring ring;
    struct io_uring_sqe *first, *second;

    open_ring(&ring, 4, IORING_SETUP_CQE32);
    first = take(&ring, 0xd5);
    second = take(&ring, 0xd6);
    MUST(io_uring_submit(&ring) == 2);
    io_uring_prep_write(second, null_fd(), "x", 1, 0);
    second->user_data = 0xd7;
    (void) first;
    MUST(io_uring_submit(&ring) == 0);
    reap(&ring);
    reap(&ring);
    io_uring_queue_exit(&ring);
}

static void large_written_after_submit(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, IORING_SETUP_SQE128);
    sqe = take(&ring, 0xd8);
    MUST(io_uring_submit(&ring) == 1);
    /* the second half */
    ((char *) sqe)[100] = 1;
    reap(&ring);
    go_on(&ring, 1);
    io_uring_queue_exit(&ring);
}

/* What an SQE held is used as an address, after the next submission. */
static void read_much_later(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct connection connection = { .number = 1 };

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_sqe_set_data(sqe, &connection);
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    go_on(&ring, 2);
    ((struct connection *) (unsigned long) sqe->user_data)->number++;
    io_uring_queue_exit(&ring);
}

/* Each SQE is left alone from its submission on, through many rounds. */
static void sqes_left_alone(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    for (unsigned i = 0; i < 300; i++) {
        unsigned count = 1 + i % 4;

        for (unsigned j = 0; j < count; j++) {
            struct io_uring_sqe *sqe = take(&ring, i);

            MUST(sqe->flags == 0 && sqe->buf_index == 0);
            sqe->flags |= i % 5 ? 0 : IOSQE_ASYNC;
        }
        MUST(io_uring_sq_space_left(&ring) == 4 - count);
        MUST(io_uring_submit(&ring) == (int) count);
        MUST(io_uring_sq_space_left(&ring) == 4);
        for (unsigned j = 0; j < count; j++)
            MUST(reap(&ring) == 0);
    }
    io_uring_queue_exit(&ring);
}

static struct io_uring_cqe *wait_for(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;

    MUST(io_uring_wait_cqe(ring, &cqe) == 0);
    return cqe;
}

static NOINLINE void bump(struct io_uring_cqe *cqe)
{
    struct connection *connection = io_uring_cqe_get_data(cqe);

    connection->number++;
}

/* Marked as seen first, then the next request is made, then the CQE is read. */
static void seen_then_read(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct connection *connection = calloc(1, sizeof(*connection));

    open_ring(&ring, 4, 0);
    io_uring_sqe_set_data(take(&ring, 0), connection);
    MUST(io_uring_submit(&ring) == 1);
    cqe = wait_for(&ring);
    io_uring_cqe_seen(&ring, cqe);
    take(&ring, 0xe1);
    MUST(io_uring_submit(&ring) == 1);
    bump(cqe);
    io_uring_queue_exit(&ring);
}

static void read_then_seen(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct connection *connection = calloc(1, sizeof(*connection));

    open_ring(&ring, 4, 0);
    for (unsigned i = 0; i < 100; i++) {
        io_uring_sqe_set_data(take(&ring, 0), connection);
        MUST(io_uring_submit(&ring) == 1);
        cqe = wait_for(&ring);
        bump(cqe);
        io_uring_cqe_seen(&ring, cqe);
    }
    MUST(connection->number == 100);
    free(connection);
    io_uring_queue_exit(&ring);
}

/* All CQEs are given back at once, and each is answered with a request of its user_data. */
static void answer(struct io_uring *ring, int first)
{
    struct io_uring_cqe *cqes[2];

    take(ring, 0xe2);
    take(ring, 0xe3);
    MUST(io_uring_submit_and_wait(ring, 2) == 2);
    MUST(io_uring_peek_batch_cqe(ring, cqes, 2) == 2);
    if (first)
        io_uring_cq_advance(ring, 2);
    for (unsigned i = 0; i < 2; i++) {
        unsigned long long data = cqes[i]->user_data;

        io_uring_prep_nop(io_uring_get_sqe(ring));
        ring->sq.sqes[(ring->sq.sqe_tail - 1) & ring->sq.ring_mask].user_data = data;
        MUST(io_uring_submit(ring) == 1);
    }
    if (!first)
        io_uring_cq_advance(ring, 2);
    reap(ring);
    reap(ring);
}

static void advanced_then_answered(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    answer(&ring, 1);
    io_uring_queue_exit(&ring);
}

static void answered_then_advanced(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    for (unsigned i = 0; i < 50; i++)
        answer(&ring, 0);
    io_uring_queue_exit(&ring);
}

/* The descriptor that was opened is read when the CQE was given back. */
static void descriptor_of_a_seen_cqe(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    static char byte;

    open_ring(&ring, 4, 0);
    io_uring_prep_openat(take(&ring, 0), AT_FDCWD, "/dev/zero", O_RDONLY, 0);
    ring.sq.sqes[0].user_data = 0xe4;
    MUST(io_uring_submit(&ring) == 1);
    cqe = wait_for(&ring);
    MUST(cqe->res >= 0);
    io_uring_cqe_seen(&ring, cqe);
    go_on(&ring, 1);
    io_uring_prep_read(take(&ring, 0), cqe->res, &byte, 1, 0);
    ring.sq.sqes[(ring.sq.sqe_tail - 1) & ring.sq.ring_mask].user_data = 0xe5;
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    io_uring_queue_exit(&ring);
}

static void closed_by_a_seen_cqe(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_openat(sqe, AT_FDCWD, "/dev/zero", O_RDONLY, 0);
    sqe->user_data = 0xe6;
    MUST(io_uring_submit(&ring) == 1);
    cqe = wait_for(&ring);
    io_uring_cqe_seen(&ring, cqe);
    go_on(&ring, 1);
    close(cqe->res);
    io_uring_queue_exit(&ring);
}

/* A program that looks at the CQ without a call sees what comes, however long that takes. */
static void spins(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe;
    struct __kernel_timespec moment = { .tv_nsec = 20 * 1000 * 1000 };

    open_ring(&ring, 4, 0);
    for (unsigned i = 0; i < 3; i++) {
        unsigned head, count = 0;

        for (unsigned j = 0; j < 2; j++) {
            sqe = take(&ring, 0);
            io_uring_prep_timeout(sqe, &moment, 0, 0);
            sqe->user_data = 0xe7;
        }
        MUST(io_uring_submit(&ring) == 2);
        if (i == 0) {
            while (io_uring_peek_cqe(&ring, &cqe) != 0)
                ;
            MUST(cqe->user_data == 0xe7 && cqe->res == -ETIME);
            io_uring_cqe_seen(&ring, cqe);
            count++;
        } else if (i == 1) {
            while (io_uring_cq_ready(&ring) < 2)
                ;
        }
        while (count < 2) {
            unsigned new = 0;

            io_uring_for_each_cqe(&ring, head, cqe) {
                MUST(cqe->user_data == 0xe7 && cqe->res == -ETIME);
                new++;
            }
            io_uring_cq_advance(&ring, new);
            count += new;
        }
    }
    io_uring_queue_exit(&ring);
}

/* After its CQEs were given back without a call, a ring's descriptor is not ready. */
static void polled_by_descriptor(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct pollfd poller = { .events = POLLIN };

    open_ring(&ring, 4, 0);
    poller.fd = ring.ring_fd;
    take(&ring, 0xe8);
    MUST(io_uring_submit(&ring) == 1);
    MUST(poll(&poller, 1, 10000) == 1);
    MUST(io_uring_peek_cqe(&ring, &cqe) == 0);
    io_uring_cqe_seen(&ring, cqe);
    MUST(poll(&poller, 1, 0) == 0);
    io_uring_queue_exit(&ring);
}

static void resized(void)
{
    struct io_uring ring;
    struct io_uring_params p = { .sq_entries = 16, .cq_entries = 64 };
    struct io_uring_sqe *sqe;
    int ret;

    open_ring(&ring, 4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    go_on(&ring, 5);
    take(&ring, 0xe9);
    ret = io_uring_resize_rings(&ring, &p);
    if (ret == -EINVAL) {
        printf("the kernel cannot resize rings\n");
        exit(EXIT_SKIP);
    }
    MUST(ret == 0 && ring.sq.ring_entries == 16);
    MUST(io_uring_submit(&ring) == 1);
    MUST(wait_for(&ring)->user_data == 0xe9);
    MUST(reap(&ring) == 0);
    go_on(&ring, 100);
    /* and is looked at as before */
    sqe = take(&ring, 0xea);
    MUST(io_uring_submit(&ring) == 1);
    sqe->len = 1;
    reap(&ring);
    go_on(&ring, 1);
    io_uring_queue_exit(&ring);
}

/* A child goes on with what its parent had begun, and its parent waits for it. */
static void handed_to_a_child(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int status;

    open_ring(&ring, 4, 0);
    go_on(&ring, 10);
    sqe = take(&ring, 0);
    if (fork() == 0) {
        alarm(20);
        sqe->user_data = 0xeb;
        MUST(io_uring_submit(&ring) == 1);
        MUST(wait_for(&ring)->user_data == 0xeb);
        reap(&ring);
        go_on(&ring, 200);
        io_uring_queue_exit(&ring);
        _exit(0);
    }
    MUST(wait(&status) > 0 && status == 0);
}

/* ---- memory that requests read ---- */

/* Sends without a copy: the kernel tells in a call, and not before, that it is done with the buffer. */
static void send_zero_copy(int wait_for_it, unsigned long long data)
{
    struct io_uring ring;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    static char buffer[4096];
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe;

    MUST(bind(server, (struct sockaddr *) &address, size) == 0 && listen(server, 1) == 0);
    MUST(getsockname(server, (struct sockaddr *) &address, &size) == 0);
    MUST(connect(client, (struct sockaddr *) &address, size) == 0);
    open_ring(&ring, 4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    for (unsigned i = 0; i < 3; i++) {
        unsigned done;

        sqe = take(&ring, 0);
        io_uring_prep_send_zc(sqe, client, buffer, sizeof(buffer), 0, 0);
        sqe->user_data = data;
        MUST(io_uring_submit(&ring) == 1);
        if (!wait_for_it)
            buffer[100]++;
        do {
            cqe = wait_for(&ring);
            if (cqe->res == -EINVAL)
                exit(EXIT_SKIP);
            done = cqe->flags & IORING_CQE_F_NOTIF;
            io_uring_cqe_seen(&ring, cqe);
        } while (!done);
        buffer[100]++;
    }
    io_uring_queue_exit(&ring);
}

static void sent_too_early(void)
{
    send_zero_copy(0, 0xec);
    KEEP_FRAME();
}

static void sent_in_time(void) { send_zero_copy(1, 0xed); }

static const struct misuse cases[] = {
    WRONG(written_after_submit, "changed", "IORING_OP_NOP, user_data 0xd1"),
    WRONG(written_before_exit, "changed", "IORING_OP_NOP, user_data 0xd2"),
    WRONG(kept_for_long, "changed", "IORING_OP_NOP, user_data 0xd4"),
    WRONG(filled_in_too_late, "changed", "IORING_OP_NOP, user_data 0xd6"),
    WRONG(large_written_after_submit, "changed", "IORING_OP_NOP, user_data 0xd8"),
    WRONG_ENDS(read_much_later, "changed", "IORING_OP_NOP, user_data 0x", SIGSEGV),
    RIGHT(sqes_left_alone),
    WRONG_ENDS(seen_then_read, "seen-early", "IORING_OP_NOP, user_data 0x", SIGSEGV),
    RIGHT(read_then_seen),
    WRONG(advanced_then_answered, "seen-early", "IORING_OP_NOP, user_data 0xe3"),
    RIGHT(answered_then_advanced),
    WRONG(descriptor_of_a_seen_cqe, "seen-early", "IORING_OP_OPENAT, user_data 0xe4"),
    WRONG(closed_by_a_seen_cqe, "seen-early", "IORING_OP_OPENAT, user_data 0xe6"),
    RIGHT(spins),
    RIGHT(polled_by_descriptor),
    WRONG(resized, "changed", "IORING_OP_NOP, user_data 0xea"),
    RIGHT(handed_to_a_child),
    WRONG(sent_too_early, "reused", "IORING_OP_SEND_ZC, user_data 0xec"),
    RIGHT(sent_in_time),
};

MISUSE_MAIN(cases)
