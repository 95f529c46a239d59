/* What memcheck knows of the memory of requests, when the program runs under it. */
#include "../misuse.h"

/* With it, CQEs come only in calls of the library. */
#define EXACT (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

static int fds[2];
static volatile int decided;

static void start(struct io_uring *ring, unsigned flags)
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    open_ring(ring, 4, flags);
}

static void submit(struct io_uring *ring, struct io_uring_sqe *sqe, unsigned long long data)
{
    io_uring_sqe_set_data64(sqe, data);
    MUST(io_uring_submit(ring) == 1);
}

static void start_read(struct io_uring *ring, void *buffer, unsigned size, unsigned long long data)
{
    struct io_uring_sqe *sqe = take(ring, 0);

    io_uring_prep_recv(sqe, fds[0], buffer, size, 0);
    submit(ring, sqe, data);
}

/* Does one thing or another by the bytes: memcheck says so if one was never written. */
static NOINLINE void decide_by(const char *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (bytes[i] == 'x')
            decided++;
}

static NOINLINE void receive(unsigned flags, unsigned looked_at)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    start(&ring, flags);
    start_read(&ring, buffer, 100, 0x61);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    decide_by(buffer, looked_at);
    io_uring_queue_exit(&ring);
    free(buffer);
}

static void received(void) { receive(0, 1); }
static void received_exactly(void) { receive(EXACT, 1); }
/* Behind what was received is what there was. */
static void behind_what_was_received(void) { receive(EXACT, 2); }

/* The CQE is found without a call of the library. */
static void received_inline(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    char *buffer = malloc(100);

    start(&ring, 0);
    start_read(&ring, buffer, 100, 0x62);
    MUST(write(fds[1], "x", 1) == 1);
    while (io_uring_cq_ready(&ring) == 0)
        getppid();
    MUST(io_uring_peek_cqe(&ring, &cqe) == 0 && cqe->res == 1);
    decide_by(buffer, 1);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    free(buffer);
}

static void at_once(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    start(&ring, 0);
    MUST(write(fds[1], "xyz", 3) == 3);
    start_read(&ring, buffer, 100, 0x63);
    MUST(reap(&ring) == 3);
    decide_by(buffer, 3);
    io_uring_queue_exit(&ring);
    free(buffer);
}

static NOINLINE void by_message(unsigned looked_at)
{
    struct io_uring ring;
    char *first = malloc(2), *second = malloc(8);
    struct iovec iov[] = { { first, 2 }, { second, 8 } };
    struct msghdr header = { .msg_iov = iov, .msg_iovlen = 2 };
    struct io_uring_sqe *sqe;

    start(&ring, EXACT);
    sqe = take(&ring, 0);
    io_uring_prep_recvmsg(sqe, fds[0], &header, 0);
    submit(&ring, sqe, 0x64);
    MUST(write(fds[1], "xyzxx", 5) == 5);
    MUST(reap(&ring) == 5);
    decide_by(first, 2);
    decide_by(second, looked_at);
    io_uring_queue_exit(&ring);
    free(first);
    free(second);
}

static void a_message(void) { by_message(3); }
static void more_than_a_message(void) { by_message(4); }

static void into_provided_buffers(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *group;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    char *buffer = malloc(64);
    int ret;

    start(&ring, 0);
    group = io_uring_setup_buf_ring(&ring, 4, 1, 0, &ret);
    MUST(group != NULL);
    io_uring_buf_ring_add(group, buffer, 64, 3, io_uring_buf_ring_mask(4), 0);
    io_uring_buf_ring_advance(group, 1);
    sqe = take(&ring, 0);
    io_uring_prep_recv(sqe, fds[0], NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 1;
    submit(&ring, sqe, 0x65);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(io_uring_wait_cqe(&ring, &cqe) == 0 && cqe->res == 1);
    decide_by(buffer, 1);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_free_buf_ring(&ring, group, 4, 1);
    io_uring_queue_exit(&ring);
    free(buffer);
}

/* Of two requests with one user_data it is not known which has ended. */
static void one_of_two(void)
{
    struct io_uring ring;
    char *first = malloc(8), *second = malloc(8);

    start(&ring, EXACT);
    start_read(&ring, first, 8, 7);
    start_read(&ring, second, 8, 7);
    MUST(write(fds[1], "xxxxxxxxx", 9) == 9);
    MUST(reap(&ring) > 0 && reap(&ring) > 0);
    decide_by(first, 1);
    decide_by(second, 1);
    io_uring_queue_exit(&ring);
    free(first);
    free(second);
}

static NOINLINE void touch_in_flight(unsigned flags, unsigned long long data, bool writes)
{
    struct io_uring ring;
    char *buffer = calloc(1, 100);

    start(&ring, flags);
    start_read(&ring, buffer, 100, data);
    if (writes)
        *(volatile char *) (buffer + 98) = 1;
    else
        decided = *(volatile char *) (buffer + 98);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1 && buffer[0] == 'x');
    io_uring_queue_exit(&ring);
    free(buffer);
}

static void read_in_flight(void) { touch_in_flight(EXACT, 0x66, false); }
static void written_in_flight(void) { touch_in_flight(EXACT, 0x66, true); }
static void touched_unasked(void) { touch_in_flight(0, 0x66, true); }

static void freed_in_flight(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    start(&ring, EXACT);
    start_read(&ring, buffer, 100, 0x67);
    free(buffer);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    io_uring_queue_exit(&ring);
}

static NOINLINE void receive_into(unsigned size)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    start(&ring, 0);
    MUST(write(fds[1], "x", 1) == 1);
    start_read(&ring, buffer, size, 0x68);
    MUST(reap(&ring) == 1);
    io_uring_queue_exit(&ring);
    free(buffer);
}

static void too_long(void) { receive_into(110); }
static void long_enough(void) { receive_into(100); }

static NOINLINE void send_bytes(unsigned filled)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    char *buffer = malloc(10);

    memset(buffer, 1, filled);
    start(&ring, 0);
    sqe = take(&ring, 0);
    io_uring_prep_send(sqe, fds[1], buffer, 10, 0);
    submit(&ring, sqe, 0x69);
    MUST(reap(&ring) == 10);
    io_uring_queue_exit(&ring);
    free(buffer);
}

static void sent_unfilled(void) { send_bytes(9); }
static void sent_filled(void) { send_bytes(10); }
static void sent_unheeded(void) { send_bytes(9); }

static const struct misuse cases[] = {
    RIGHT(received),
    RIGHT(received_exactly),
    WRONG(behind_what_was_received, "memcheck:Conditional jump", "-"),
    RIGHT(received_inline),
    RIGHT(at_once),
    RIGHT(a_message),
    WRONG(more_than_a_message, "memcheck:Conditional jump", "-"),
    RIGHT(into_provided_buffers),
    RIGHT(one_of_two),
    WRONG(read_in_flight, "memcheck:Invalid read,memcheck:buffer of IORING_OP_RECV", "-"),
    WRONG(written_in_flight, "memcheck:Invalid write,memcheck:buffer of IORING_OP_RECV", "-"),
    RIGHT(touched_unasked),
    WRONG(freed_in_flight, "free", "IORING_OP_RECV, user_data 0x67"),
    WRONG(too_long, "poisoned,memcheck:Unaddressable byte(s)", "IORING_OP_RECV, user_data 0x68"),
    RIGHT(long_enough),
    WRONG(sent_unfilled, "undefined,memcheck:Uninitialised byte(s)", "IORING_OP_SEND, user_data 0x69"),
    RIGHT(sent_filled),
    WRONG(sent_unheeded, "-undefined", "-"),
};

MISUSE_MAIN(cases)
