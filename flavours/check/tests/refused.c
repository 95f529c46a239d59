/* Requests and rings that the kernel refuses without saying why. */
#include "misuse.h"

static const char *const here = ".";
static char byte;

static int scratch(void)
{
    char name[] = "refusedXXXXXX";
    int fd = mkstemp(name);

    MUST(fd >= 0);
    unlink(name);
    return fd;
}

static int socket_of_a_pair(void)
{
    int sockets[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    return sockets[0];
}

/* Submits what was taken, and returns the result of the request with this user_data. */
static int result_of(struct io_uring *ring, unsigned long long data)
{
    struct io_uring_cqe *cqe;
    int count = io_uring_submit(ring), res = 0;

    MUST(count > 0);
    while (count--) {
        MUST(io_uring_wait_cqe(ring, &cqe) == 0);
        if (cqe->user_data == data)
            res = cqe->res;
        io_uring_cqe_seen(ring, cqe);
    }
    return res;
}

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

static void registered_file_of_a_path(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct statx found;
    int fd = scratch();

    open_ring(&ring, 4, 0);
    MUST(io_uring_register_files(&ring, &fd, 1) == 0);
    sqe = take(&ring, 0);
    io_uring_prep_statx(sqe, 0, here, 0, STATX_SIZE, &found);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = 0xed;
    MUST(result_of(&ring, 0xed) == -EBADF);
    io_uring_queue_exit(&ring);
}

static void registered_file_beyond(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int fd = scratch();

    open_ring(&ring, 4, 0);
    MUST(io_uring_register_files(&ring, &fd, 1) == 0);
    sqe = take(&ring, 0);
    io_uring_prep_read(sqe, 1, &byte, 1, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = 0xee;
    MUST(result_of(&ring, 0xee) == -EBADF);
    io_uring_queue_exit(&ring);
}

/* Programs may find out in this way. */
static void registered_file_empty(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    MUST(io_uring_register_files_sparse(&ring, 2) == 0);
    sqe = take(&ring, 0);
    io_uring_prep_read(sqe, 1, &byte, 1, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == -EBADF);
    io_uring_queue_exit(&ring);
}

static void registered_buffer_beyond(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct iovec vector = { &byte, 1 };

    open_ring(&ring, 4, 0);
    MUST(io_uring_register_buffers(&ring, &vector, 1) == 0);
    sqe = take(&ring, 0);
    io_uring_prep_read_fixed(sqe, scratch(), &byte, 1, 0, 1);
    sqe->user_data = 0xef;
    MUST(result_of(&ring, 0xef) == -EFAULT);
    io_uring_queue_exit(&ring);
}

static void registered_buffer_within(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct iovec vector = { &byte, 1 };

    open_ring(&ring, 4, 0);
    MUST(io_uring_register_buffers(&ring, &vector, 1) == 0);
    sqe = take(&ring, 0);
    io_uring_prep_read_fixed(sqe, scratch(), &byte, 1, 0, 0);
    sqe->user_data = 1;
    MUST(result_of(&ring, 1) == 0);
    io_uring_queue_exit(&ring);
}

static void open_without_a_table(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_openat_direct(sqe, AT_FDCWD, here, O_RDONLY, 0, IORING_FILE_INDEX_ALLOC);
    sqe->user_data = 0xf0;
    MUST(result_of(&ring, 0xf0) < 0);
    io_uring_queue_exit(&ring);
}

static void open_beyond_the_table(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    MUST(io_uring_register_files_sparse(&ring, 2) == 0);
    sqe = take(&ring, 0);
    io_uring_prep_openat_direct(sqe, AT_FDCWD, here, O_RDONLY, 0, 2);
    sqe->user_data = 0xf1;
    MUST(result_of(&ring, 0xf1) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void group_of_a_message(void)
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
    sqe->user_data = 0xf2;
    if (result_of(&ring, 0xf2) != -EOPNOTSUPP)
        exit(EXIT_SKIP);
    io_uring_queue_exit(&ring);
}

static void sync_on_a_polled_ring(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, IORING_SETUP_IOPOLL);
    sqe = take(&ring, 0);
    io_uring_prep_fsync(sqe, scratch(), 0);
    sqe->user_data = 0xf3;
    MUST(result_of(&ring, 0xf3) == -EINVAL);
    io_uring_queue_exit(&ring);
}

static void cached_read_on_a_polled_ring(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, IORING_SETUP_IOPOLL);
    sqe = take(&ring, 0);
    io_uring_prep_read(sqe, scratch(), &byte, 1, 0);
    sqe->user_data = 0xf4;
    MUST(result_of(&ring, 0xf4) == -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
}

static void no_op_on_a_polled_ring(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, IORING_SETUP_IOPOLL);
    take(&ring, 1);
    MUST(result_of(&ring, 1) == 0);
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

static void rewind_with_an_array(void)
{
    refused_ring(4, IORING_SETUP_SQ_REWIND, 0);
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
    WRONG(offset_of_a_shutdown, "refused", "IORING_OP_SHUTDOWN, user_data 0xe1"),
    RIGHT(shutdown_by_hand),
    WRONG(length_of_a_close, "refused", "IORING_OP_CLOSE, user_data 0xe2"),
    WRONG(address_among_others, "refused", "IORING_OP_FSYNC, user_data 0xe3"),
    RIGHT(offset_of_a_sync),
    RIGHT(invalid_by_itself),
    WRONG(ignored_alone, "ignored", "IORING_OP_FSYNC, user_data 0xe4"),
    WRONG(refused_later, "ignored", "IORING_OP_FSYNC, user_data 0xed"),
    WRONG(flags_of_a_sync, "refused", "IORING_OP_FSYNC, user_data 0xe6"),
    WRONG(send_that_stays_armed, "refused", "IORING_OP_SEND, user_data 0xe7"),
    RIGHT(send_that_polls_first),
    WRONG(flags_of_a_poll, "refused", "IORING_OP_POLL_ADD, user_data 0xe8"),
    WRONG(size_of_a_multishot_read, "refused", "IORING_OP_READ_MULTISHOT, user_data 0xe9"),
    WRONG(timeout_of_no_length, "refused", "IORING_OP_TIMEOUT, user_data 0xea"),
    WRONG(silent_send_without_copy, "refused", "IORING_OP_SEND_ZC, user_data 0xeb"),
    WRONG(silent_poll_that_stays, "refused", "IORING_OP_POLL_ADD, user_data 0xec"),
    WRONG(registered_file_of_a_path, "refused", "IORING_OP_STATX, user_data 0xed"),
    WRONG(registered_file_beyond, "refused", "IORING_OP_READ, user_data 0xee"),
    RIGHT(registered_file_empty),
    WRONG(registered_buffer_beyond, "refused", "IORING_OP_READ_FIXED, user_data 0xef"),
    RIGHT(registered_buffer_within),
    WRONG(open_without_a_table, "refused", "IORING_OP_OPENAT, user_data 0xf0"),
    WRONG(open_beyond_the_table, "refused", "IORING_OP_OPENAT, user_data 0xf1"),
    WRONG(group_of_a_message, "refused", "IORING_OP_SENDMSG, user_data 0xf2"),
    WRONG(sync_on_a_polled_ring, "refused", "IORING_OP_FSYNC, user_data 0xf3"),
    WRONG(cached_read_on_a_polled_ring, "refused", "IORING_OP_READ, user_data 0xf4"),
    RIGHT(no_op_on_a_polled_ring),
    WRONG(opcode_of_a_later_kernel, "refused", "IORING_OP_NOP128, user_data 0xf5"),
    WRONG(opcode_of_nobody, "refused", "opcode 200, user_data 0xf6"),
    WRONG(message_to_a_file, "refused", "IORING_OP_MSG_RING, user_data 0xf7"),
    RIGHT(message_to_a_ring),
    WRONG(offset_that_is_ignored, "unused", "IORING_OP_OPENAT, user_data 0xf8"),
    { "offset_that_is_ignored_by_itself", offset_that_is_ignored, "-", "-" },
    WRONG(ring_without_its_issuer, "set-up", "-"),
    WRONG(thread_with_task_work, "set-up", "-"),
    WRONG(flag_of_no_task_work, "set-up", "-"),
    WRONG(processor_of_no_thread, "set-up", "-"),
    WRONG(only_registered, "set-up", "-"),
    WRONG(hybrid_without_polling, "set-up", "-"),
    WRONG(wide_and_mixed, "set-up", "-"),
    WRONG(wide_and_mixed_requests, "set-up", "-"),
    WRONG(rewind_with_an_array, "set-up", "-"),
    WRONG(queue_of_nothing, "set-up", "-"),
    WRONG(queue_of_too_much, "set-up", "-"),
    WRONG(completions_too_few, "set-up", "-"),
    RIGHT(set_up_by_trying),
};

MISUSE_MAIN(cases)
