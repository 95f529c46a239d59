/* Requests that the kernel refuses for what they lack: tables, registered buffers, a polled file. */
#include "refused.h"

static const char *const here = ".";
static char byte;

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

static const struct misuse cases[] = {
    WRONG(registered_file_of_a_path, "refused", "IORING_OP_STATX, user_data 0xed"),
    WRONG(registered_file_beyond, "refused", "IORING_OP_READ, user_data 0xee"),
    RIGHT(registered_file_empty),
    WRONG(registered_buffer_beyond, "refused", "IORING_OP_READ_FIXED, user_data 0xef"),
    RIGHT(registered_buffer_within),
    WRONG(open_without_a_table, "refused", "IORING_OP_OPENAT, user_data 0xf0"),
    WRONG(open_beyond_the_table, "refused", "IORING_OP_OPENAT, user_data 0xf1"),
    ASKED(group_of_a_message, "refused", "IORING_OP_SENDMSG, user_data 0xf2"),
    WRONG(sync_on_a_polled_ring, "refused", "IORING_OP_FSYNC, user_data 0xf3"),
    WRONG(cached_read_on_a_polled_ring, "refused", "IORING_OP_READ, user_data 0xf4"),
    RIGHT(no_op_on_a_polled_ring),
};

MISUSE_MAIN(cases)
