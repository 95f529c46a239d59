/* Memory in stack frames that have returned, and memory that goes before the kernel has taken the request. */
#include "misuse.h"

/* ---- frames that have returned when the request is submitted ---- */

static NOINLINE void prepare_timeout(struct io_uring_sqe *sqe)
{
    struct __kernel_timespec ts = { .tv_nsec = 1000000 };

    io_uring_prep_timeout(sqe, &ts, 0, 0);
    sqe->user_data = 0x25;
    KEEP_FRAME();
}

static void timespec_gone(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    prepare_timeout(take(&ring, 0));
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void timespec_kept(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = { .tv_nsec = 1000000 };

    open_ring(&ring, 4, 0);
    io_uring_prep_timeout(take(&ring, 0), &ts, 0, 0);
    MUST(io_uring_submit(&ring) == 1);
    MUST(reap(&ring) == -ETIME);
    io_uring_queue_exit(&ring);
}

static NOINLINE void prepare_readv(struct io_uring_sqe *sqe, int fd, char *buffer)
{
    struct iovec iov = { .iov_base = buffer, .iov_len = 1 };

    io_uring_prep_readv(sqe, fd, &iov, 1, 0);
    sqe->user_data = 0x26;
    KEEP_FRAME();
}

static void iovec_gone(void)
{
    struct io_uring ring;
    char byte;
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    prepare_readv(take(&ring, 0), fds[0], &byte);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

/* Arrays may go once the call that submits has returned. */
static NOINLINE void submit_readv(struct io_uring *ring, int fd, char *buffer)
{
    struct iovec iov = { .iov_base = buffer, .iov_len = 1 };

    io_uring_prep_readv(take(ring, 0), fd, &iov, 1, 0);
    MUST(io_uring_submit(ring) == 1);
    KEEP_FRAME();
}

static void iovec_until_submit(void)
{
    struct io_uring ring;
    char byte;
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    submit_readv(&ring, fds[0], &byte);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1 && byte == 'x');
    io_uring_queue_exit(&ring);
}

static NOINLINE void prepare_message(struct io_uring_sqe *sqe, int fd, struct iovec *iov)
{
    struct msghdr header = { .msg_iov = iov, .msg_iovlen = 1 };

    io_uring_prep_sendmsg(sqe, fd, &header, 0);
    sqe->user_data = 0x27;
    KEEP_FRAME();
}

static void message_gone(void)
{
    struct io_uring ring;
    struct iovec iov = { .iov_base = "x", .iov_len = 1 };
    int fds[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    open_ring(&ring, 4, 0);
    prepare_message(take(&ring, 0), fds[0], &iov);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void message_kept(void)
{
    struct io_uring ring;
    struct iovec iov = { .iov_base = "x", .iov_len = 1 };
    struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    open_ring(&ring, 4, 0);
    io_uring_prep_sendmsg(take(&ring, 0), fds[0], &header, 0);
    MUST(io_uring_submit(&ring) == 1);
    MUST(reap(&ring) == 1);
    io_uring_queue_exit(&ring);
}

/* ---- frames that return while the request is in flight ---- */

static NOINLINE void buffer_returns(struct io_uring *ring, int fd)
{
    char buffer[64];

    io_uring_prep_read(take(ring, 0), fd, buffer, sizeof(buffer), 0);
    io_uring_sqe_set_data64(&ring->sq.sqes[0], 0x31);
    MUST(io_uring_submit(ring) == 1);
    KEEP_FRAME();
}

static void buffer_on_stack_gone(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = { .tv_nsec = 1000000 };
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    buffer_returns(&ring, fds[0]);
    io_uring_wait_cqe_timeout(&ring, &cqe, &ts);
    io_uring_queue_exit(&ring);
}

static NOINLINE void wait_deeper(struct io_uring *ring)
{
    MUST(reap(ring) == 1);
    KEEP_FRAME();
}

static void buffer_on_stack_kept(void)
{
    struct io_uring ring;
    char buffer[64];
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    io_uring_prep_read(take(&ring, 0), fds[0], buffer, sizeof(buffer), 0);
    MUST(io_uring_submit(&ring) == 1);
    MUST(write(fds[1], "x", 1) == 1);
    wait_deeper(&ring);
    io_uring_queue_exit(&ring);
}

/* ---- a submission thread that has not started: what is submitted stays in the SQ, though the call says -EBADFD ---- */

static void open_waiting_ring(struct io_uring *ring)
{
    open_ring(ring, 4, IORING_SETUP_SQPOLL | IORING_SETUP_R_DISABLED);
}

static NOINLINE void submit_timeout(struct io_uring *ring)
{
    struct __kernel_timespec ts = { .tv_nsec = 1000 };

    io_uring_prep_timeout(take(ring, 0), &ts, 0, 0);
    io_uring_sqe_set_data64(&ring->sq.sqes[0], 0x32);
    io_uring_submit(ring);
    KEEP_FRAME();
}

static void timespec_before_thread(void)
{
    struct io_uring ring;

    open_waiting_ring(&ring);
    submit_timeout(&ring);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void timespec_until_thread(void)
{
    struct io_uring ring;
    struct __kernel_timespec ts = { .tv_nsec = 1000 };

    open_waiting_ring(&ring);
    io_uring_prep_timeout(take(&ring, 0), &ts, 0, 0);
    MUST(io_uring_enable_rings(&ring) == 0);
    MUST(io_uring_submit(&ring) == 1);
    MUST(reap(&ring) == -ETIME);
    io_uring_queue_exit(&ring);
}

static void array_freed_before_thread(void)
{
    struct io_uring ring;
    char byte;
    struct iovec *iov = malloc(sizeof(*iov));

    open_waiting_ring(&ring);
    *iov = (struct iovec) { .iov_base = &byte, .iov_len = 1 };
    io_uring_prep_readv(take(&ring, 0), 0, iov, 1, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 0x33);
    io_uring_submit(&ring);
    free(iov);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    WRONG(timespec_gone, "frame", "IORING_OP_TIMEOUT, user_data 0x25"),
    RIGHT(timespec_kept),
    WRONG(iovec_gone, "frame", "IORING_OP_READV, user_data 0x26"),
    RIGHT(iovec_until_submit),
    WRONG(message_gone, "frame", "IORING_OP_SENDMSG, user_data 0x27"),
    RIGHT(message_kept),
    WRONG(buffer_on_stack_gone, "frame-in-flight", "IORING_OP_READ, user_data 0x31, descriptor 3 (pipe:"),
    RIGHT(buffer_on_stack_kept),
    WRONG(timespec_before_thread, "frame-in-flight,-disabled", "IORING_OP_TIMEOUT, user_data 0x32"),
    RIGHT(timespec_until_thread),
    WRONG(array_freed_before_thread, "free,-disabled", "IORING_OP_READV, user_data 0x33"),
};

MISUSE_MAIN(cases)
