/* Fields that an opcode does not take, and requests that no kernel takes. */
#include "misuse.h"

/* Submits the one SQE that was taken, and returns its result. */
static int result(struct io_uring *ring)
{
    int res;

    MUST(io_uring_submit(ring) == 1);
    res = reap(ring);
    io_uring_queue_exit(ring);
    return res;
}

static int scratch(void)
{
    char name[] = "fieldsXXXXXX";
    int fd = mkstemp(name);

    MUST(fd >= 0);
    unlink(name);
    return fd;
}

static void buffer_of_a_name(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_unlink(sqe, "is-not-there", 0);
    sqe->buf_index = 3;
    sqe->user_data = 0xd1;
    result(&ring);
}

static void priority_of_a_path(void)
{
    struct statx found;
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_statx(sqe, AT_FDCWD, ".", 0, STATX_SIZE, &found);
    sqe->ioprio = 1;
    sqe->user_data = 0xd2;
    result(&ring);
}

static void slot_of_a_read(void)
{
    char byte;
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_read(sqe, scratch(), &byte, 1, 0);
    sqe->file_index = 7;
    sqe->user_data = 0xd3;
    result(&ring);
}

static void range_of_a_sync(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_fsync(sqe, scratch(), IORING_FSYNC_DATASYNC);
    sqe->off = 1;
    sqe->len = 10;
    MUST(result(&ring) == 0);
}

static void priority_of_a_write(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_write(sqe, scratch(), "x", 1, 0);
    sqe->ioprio = 2 << 13;
    sqe->rw_flags = 2; /* RWF_DSYNC */
    MUST(result(&ring) == 1);
}

static void file_of_an_open(void)
{
    struct io_uring ring;

    open_ring(&ring, 4, 0);
    MUST(io_uring_register_files_sparse(&ring, 2) == 0);
    io_uring_prep_openat_direct(take(&ring, 0), AT_FDCWD, ".", O_RDONLY, 0, 1);
    MUST(result(&ring) == 0);
}

static void group_of_a_write(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0);
    io_uring_prep_write(sqe, scratch(), "x", 1, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 1;
    sqe->user_data = 0xd4;
    MUST(result(&ring) == -EOPNOTSUPP);
}

static void drained_without_a_word(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    sqe = take(&ring, 0xd5);
    sqe->flags |= IOSQE_IO_DRAIN | IOSQE_CQE_SKIP_SUCCESS;
    MUST(result(&ring) < 0);
}

static const struct misuse cases[] = {
    WRONG(buffer_of_a_name, "ignored", "IORING_OP_UNLINKAT, user_data 0xd1"),
    WRONG(priority_of_a_path, "ignored", "IORING_OP_STATX, user_data 0xd2"),
    WRONG(slot_of_a_read, "ignored", "IORING_OP_READ, user_data 0xd3"),
    RIGHT(range_of_a_sync),
    RIGHT(priority_of_a_write),
    RIGHT(file_of_an_open),
    WRONG(group_of_a_write, "refused", "IORING_OP_WRITE, user_data 0xd4"),
    WRONG(drained_without_a_word, "refused", "IORING_OP_NOP, user_data 0xd5"),
};

MISUSE_MAIN(cases)
