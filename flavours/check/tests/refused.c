/* Requests that the kernel refuses without saying why. */
#include "refused.h"

static const char *const here = ".";
static char byte;

/* Such a request is alone. */
static void offset_of_a_shutdown(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_shutdown(sqe, socket_of_a_pair(), SHUT_RDWR);
    sqe->off = 5;
    sqe->user_data = 0xe1;
    MUST(result_of(&ring, 0xe1) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void shutdown_by_hand(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    sqe->opcode = IORING_OP_SHUTDOWN;
    sqe->fd = socket_of_a_pair();
    sqe->off = sqe->addr = 0;
    sqe->len = SHUT_RDWR;
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == 0);
    io_uring_queue_exit(&ring);
}

/* Filled in by hand: the length is that of the read before. */
static void length_of_a_close(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int fd = scratch();

    open_ring(&ring, 1, 0);
    sqe = take(&ring, 0);
    io_uring_prep_read(sqe, fd, &byte, 1, 0);
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == 0);
    sqe = io_uring_get_sqe(&ring);
    sqe->opcode = IORING_OP_CLOSE;
    sqe->fd = fd;
    sqe->off = sqe->addr = 0;
    sqe->user_data = 0xe2;
    MUST(result_of(&ring, 0xe2) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void address_among_others(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int fd = scratch();

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_read(sqe, fd, &byte, 1, 0);
    sqe->user_data = 1;
    sqe = take(&ring, 0);
    io_uring_prep_fsync(sqe, fd, 0);
    sqe->addr = (uintptr_t) &byte;
    sqe->user_data = 0xe3;
    MUST(result_of(&ring, 0xe3) == -EINVAL);
    io_uring_queue_exit(&ring);
}

/* The same fields where they are taken. */
static void offset_of_a_sync(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_fsync(sqe, scratch(), IORING_FSYNC_DATASYNC);
    sqe->off = 8;
    sqe->len = 8;
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == 0);
    io_uring_queue_exit(&ring);
}

/* The kernel refuses these for what they ask, not for their fields. */
static void invalid_by_itself(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_fallocate(sqe, scratch(), 0, 0, 0);
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == -EINVAL);
    sqe = take(&ring, 0);
    io_uring_prep_shutdown(sqe, socket_of_a_pair(), 77);
    sqe->user_data = 2;
    MUST(result_of(&ring, 2) == -EINVAL);
    sqe = take(&ring, 0);
    io_uring_prep_read(sqe, scratch(), &byte, 1, -5);
    sqe->user_data = 3;
    MUST(result_of(&ring, 3) == -EINVAL);
    sqe = take(&ring, 0);
    io_uring_prep_close(sqe, 1000000);
    sqe->user_data = 4;
    MUST(result_of(&ring, 4) == -EBADF);
    io_uring_queue_exit(&ring);
}

static NOINLINE int submit_here(struct io_uring *ring, unsigned long long data)
{
    int res = result_of(ring, data);

    KEEP_FRAME();
    return res;
}

/* Alone, and the kernel ignores it: seen when the place submits for the first time. */
static void ignored_alone(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_fsync(sqe, scratch(), 0);
    sqe->addr3 = 5;
    sqe->user_data = 0xe4;
    MUST(result_of(&ring, 0xe4) == 0);
    io_uring_queue_exit(&ring);
}

/* The place has submitted before. */
static void refused_later(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int fd = scratch();

    open_ring(&ring, 4, 0);
    for (int i = 0; i < 9; i++) {
        sqe = take(&ring, 0);
        io_uring_prep_fsync(sqe, fd, 0);
        sqe->user_data = 0xe5 + i;
        if (i == 8)
            sqe->buf_index = 1;
        MUST(submit_here(&ring, 0xe5 + i) == (i == 8 ? -EINVAL : 0));
    }
    io_uring_queue_exit(&ring);
}

/* At a place where the same opcode was refused for what it asked. */
static void refused_after_an_innocent(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    for (int i = 0; i < 2; i++) {
        sqe = take(&ring, 0);
        io_uring_prep_shutdown(sqe, socket_of_a_pair(), i ? SHUT_RDWR : 77);
        sqe->off = i ? 5 : 0;
        sqe->user_data = 0xf9;
        MUST(submit_here(&ring, 0xf9) == -EINVAL);
    }
    io_uring_queue_exit(&ring);
}

static void flags_of_a_sync(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_fsync(sqe, scratch(), 0x10);
    sqe->user_data = 0xe6;
    MUST(result_of(&ring, 0xe6) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void send_that_stays_armed(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_send(sqe, socket_of_a_pair(), "x", 1, 0);
    sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->user_data = 0xe7;
    MUST(result_of(&ring, 0xe7) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void send_that_polls_first(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int sockets[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_send(sqe, sockets[0], "x", 1, 0);
    sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == 1);
    io_uring_queue_exit(&ring);
}

static void flags_of_a_poll(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_poll_add(sqe, socket_of_a_pair(), POLLOUT);
    sqe->len = 0x40;
    sqe->user_data = 0xe8;
    MUST(result_of(&ring, 0xe8) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void size_of_a_multishot_read(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_buf_ring *buffers;
    int failed;

    open_ring(&ring, 4, 0);
    buffers = io_uring_setup_buf_ring(&ring, 4, 1, 0, &failed);
    MUST(buffers != NULL);
    sqe = take(&ring, 0);
    io_uring_prep_read_multishot(sqe, socket_of_a_pair(), 64, 0, 1);
    sqe->user_data = 0xe9;
    MUST(result_of(&ring, 0xe9) == -EINVAL);
    io_uring_free_buf_ring(&ring, buffers, 4, 1);
    io_uring_queue_exit(&ring);
}

static void timeout_of_no_length(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct __kernel_timespec soon = { .tv_nsec = 1 };

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_timeout(sqe, &soon, 0, 0);
    sqe->len = 0;
    sqe->user_data = 0xea;
    MUST(result_of(&ring, 0xea) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void silent_send_without_copy(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_send_zc(sqe, socket_of_a_pair(), "x", 1, 0, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = 0xeb;
    MUST(result_of(&ring, 0xeb) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void silent_poll_that_stays(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_poll_multishot(sqe, socket_of_a_pair(), POLLOUT);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = 0xec;
    MUST(result_of(&ring, 0xec) == -EINVAL);
    io_uring_queue_exit(&ring);
}

/* On a kernel that has it, this is right. */
static void opcode_of_a_later_kernel(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, IORING_SETUP_SQE128);
    sqe = take(&ring, 0);
    sqe->opcode = IORING_OP_NOP128;
    sqe->user_data = 0xf5;
    if (result_of(&ring, 0xf5) == 0)
        exit(EXIT_SKIP);
    io_uring_queue_exit(&ring);
}

static void opcode_of_nobody(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    sqe->opcode = 200;
    sqe->user_data = 0xf6;
    MUST(result_of(&ring, 0xf6) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void message_to_a_file(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_msg_ring(sqe, scratch(), 0, 0, 0);
    sqe->user_data = 0xf7;
    MUST(result_of(&ring, 0xf7) == -EBADFD);
    io_uring_queue_exit(&ring);
}

static void message_to_a_ring(void)
{
    struct io_uring ring, other;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    open_ring(&other, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_msg_ring(sqe, other.ring_fd, 0, 0, 0);
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == 0);
    reap(&other);
    io_uring_queue_exit(&other);
    io_uring_queue_exit(&ring);
}

/* Where nothing but this field is asked for. */
static void offset_that_is_ignored(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_openat(sqe, AT_FDCWD, here, O_RDONLY, 0);
    sqe->off = -1;
    sqe->user_data = 0xf8;
    MUST(result_of(&ring, 0xf8) >= 0);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    WRONG(offset_of_a_shutdown, "refused", "IORING_OP_SHUTDOWN, user_data 0xe1"),
    RIGHT(shutdown_by_hand),
    WRONG(length_of_a_close, "refused", "IORING_OP_CLOSE, user_data 0xe2"),
    WRONG(address_among_others, "refused", "IORING_OP_FSYNC, user_data 0xe3"),
    RIGHT(offset_of_a_sync),
    RIGHT(invalid_by_itself),
    WRONG(ignored_alone, "ignored", "IORING_OP_FSYNC, user_data 0xe4"),
    WRONG(refused_later, "ignored", "IORING_OP_FSYNC, user_data 0xed"),
    WRONG(refused_after_an_innocent, "refused", "IORING_OP_SHUTDOWN, user_data 0xf9"),
    WRONG(flags_of_a_sync, "refused", "IORING_OP_FSYNC, user_data 0xe6"),
    WRONG(send_that_stays_armed, "refused", "IORING_OP_SEND, user_data 0xe7"),
    RIGHT(send_that_polls_first),
    WRONG(flags_of_a_poll, "refused", "IORING_OP_POLL_ADD, user_data 0xe8"),
    WRONG(size_of_a_multishot_read, "refused", "IORING_OP_READ_MULTISHOT, user_data 0xe9"),
    WRONG(timeout_of_no_length, "refused", "IORING_OP_TIMEOUT, user_data 0xea"),
    WRONG(silent_send_without_copy, "refused", "IORING_OP_SEND_ZC, user_data 0xeb"),
    WRONG(silent_poll_that_stays, "refused", "IORING_OP_POLL_ADD, user_data 0xec"),
    ASKED(opcode_of_a_later_kernel, "refused", "IORING_OP_NOP128, user_data 0xf5"),
    ASKED(opcode_of_nobody, "refused", "opcode 200, user_data 0xf6"),
    WRONG(message_to_a_file, "refused", "IORING_OP_MSG_RING, user_data 0xf7"),
    RIGHT(message_to_a_ring),
    ASKED(offset_that_is_ignored, "unused", "IORING_OP_OPENAT, user_data 0xf8"),
    { "offset_that_is_ignored_by_itself", offset_that_is_ignored, "-", "-", 0 },
};

MISUSE_MAIN(cases)
