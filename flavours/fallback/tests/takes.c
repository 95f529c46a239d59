/*
 * What a request or a registration is refused with, and what it takes, where
 * that is easily otherwise than in the kernel.
 */
#include "file.h"
#include "ring.h"

#include <limits.h>
#include <sys/uio.h>

static struct io_uring ring;

static struct io_uring_sqe *begin(void)
{
    ring_open(&ring, 8, 0);
    return next_sqe(&ring);
}

static void end(void)
{
    io_uring_queue_exit(&ring);
}

/* Fields that count for nothing are not looked at, and hints are taken. */
static void reads(void)
{
    int fd = make_file("plain", 100, 1);
    char to[10];
    struct io_uring_sqe *sqe = begin();

    io_uring_prep_read(sqe, fd, to, sizeof(to), 0);
    sqe->addr3 = 1;
    CHECK_EQ(run_res(&ring), sizeof(to));
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, fd, to, sizeof(to), 0);
    sqe->ioprio = 1 << 3;
    CHECK_EQ(run_res(&ring), sizeof(to));
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, fd, to, sizeof(to), 0);
    sqe->rw_flags = RWF_HIPRI;
    CHECK_EQ(run_res(&ring), -EINVAL);
    end();
    close(fd);
}

/* A write that must not wait is not told that the file knows no such writes. */
static void impatient_writes(void)
{
    int fd = make_file("impatient", 100, 1);
    char byte;
    struct iovec one = { .iov_base = &byte, .iov_len = 1 };
    struct io_uring_sqe *sqe = begin();

    if (preadv2(fd, &one, 1, 0, RWF_NOWAIT) < 0)
        skip("the file system has no such reads");
    io_uring_prep_writev2(sqe, fd, &one, 1, 0, RWF_NOWAIT);
    CHECK(run_res(&ring) != -EOPNOTSUPP);
    end();
    close(fd);
}

static int read_often(int fd, int flags, void *address)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);
    struct done done;

    io_uring_prep_read_multishot(sqe, fd, 0, 0, 1);
    sqe->rw_flags = flags;
    sqe->addr = (uintptr_t) address;
    done = run_done(&ring);
    CHECK_EQ(done.flags, done.res < 0 ? 0 : IORING_CQE_F_BUFFER);
    return done.res;
}

/* What cannot be read from again and again is refused at once, and uses no buffer. */
static void repeated_reads(void)
{
    static char bytes[16];
    int ends[2], directory = open(".", O_RDONLY);

    CHECK_SYS(pipe(ends));
    CHECK_SYS(directory);
    ring_open(&ring, 8, 0);
    io_uring_prep_provide_buffers(next_sqe(&ring), bytes, sizeof(bytes), 1, 1, 0);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(read_often(ends[1], 0, NULL), -EBADF);
    CHECK_EQ(read_often(directory, 0, NULL), -EBADFD);
    CHECK_EQ(read_often(ends[0], 0, bytes), -EINVAL);
    CHECK_EQ(read_often(ends[0], 1 << 30, NULL), -EOPNOTSUPP);
    close(ends[1]);
    io_uring_prep_read_multishot(next_sqe(&ring), ends[0], 0, 0, 1);
    SUBMIT(&ring, 1);
    CHECK_EQ(reap(&ring).res, 1);
    end();
    close(ends[0]);
    close(directory);
}

/* A descriptor that names a file and has not opened it is not registered. */
static void named_files(void)
{
    int fd = make_file("named", 1, 1), named = open("named", O_PATH);

    CHECK_SYS(named);
    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_files(&ring, &named, 1), -EBADF);
    CHECK_EQ(io_uring_register_files(&ring, &fd, 1), 0);
    CHECK_EQ(io_uring_register_files_update(&ring, 0, &named, 1), -EBADF);
    end();
    close(named);
    close(fd);
}

/* A slot that is to stay as it is has no new tag. */
static void tag_of_nothing(void)
{
    int fd = make_file("tagged", 1, 1), stays = IORING_REGISTER_FILES_SKIP;
    __u64 tag = 1;

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_files(&ring, &fd, 1), 0);
    CHECK_EQ(io_uring_register_files_update_tag(&ring, 0, &stays, &tag, 1), -EINVAL);
    tag = 0;
    CHECK_EQ(io_uring_register_files_update_tag(&ring, 0, &stays, &tag, 1), 1);
    CHECK_EQ(io_uring_register_files_update(&ring, UINT_MAX, &fd, 1), -EOVERFLOW);
    end();
    close(fd);
}

/* Of a pipe whose second end has no slot none stays. */
static void half_a_pipe(void)
{
    int ends[2];

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 2), 0);
    io_uring_prep_pipe_direct(next_sqe(&ring), ends, 0, 1);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_prep_pipe_direct(next_sqe(&ring), ends, O_CLOEXEC, 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_prep_pipe_direct(next_sqe(&ring), ends, 0, IORING_FILE_INDEX_ALLOC);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(ends[0] + ends[1], 1);
    end();
}

/* What is linked to a request with an unknown flag is cancelled. */
static void chain_of_unknown(void)
{
    static const unsigned links[] = { IOSQE_IO_LINK, IOSQE_IO_HARDLINK };

    ring_open(&ring, 8, 0);
    for (unsigned nr = 0; nr < 2; nr++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);
        struct done dones[2];

        io_uring_prep_nop(sqe);
        sqe->flags = (__u8) (links[nr] | 0x80);
        sqe->user_data = 1;
        sqe = next_sqe(&ring);
        io_uring_prep_nop(sqe);
        sqe->user_data = 2;
        SUBMIT(&ring, 2);
        dones[0] = reap(&ring);
        dones[1] = reap(&ring);
        CHECK_EQ(find_done(dones, 2, 1).res, -EINVAL);
        CHECK_EQ(find_done(dones, 2, 2).res, -ECANCELED);
    }
    end();
}

/* A vector that is not there is found when the request is taken in, which ends the submission. */
static void missing_vector(void)
{
    int fd = make_file("vector", 1, 1);
    struct io_uring_sqe *sqe = begin();

    io_uring_prep_readv(sqe, fd, NULL, 1, 0);
    submit_nop(&ring, 2);
    CHECK_EQ(reap(&ring).res, -EFAULT);
    CHECK_EQ(io_uring_submit(&ring), 1);
    CHECK_EQ(reap(&ring).data, 2);
    end();
    close(fd);
}

/* A timeout of nothing is wrong, which is told of also where a success would not be. */
static void silent_timeout_of_nothing(void)
{
    struct __kernel_timespec time = { .tv_sec = 1000 };
    struct io_uring_sqe *sqe = begin();

    io_uring_prep_link_timeout(sqe, &time, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    CHECK_EQ(run_res(&ring), -EINVAL);
    end();
}

/* An opcode to cancel by counts where its flag says so. */
static void cancels(void)
{
    struct io_uring_sync_cancel_reg all = { .fd = -1, .flags = IORING_ASYNC_CANCEL_ANY };
    struct io_uring_sqe *sqe = begin();

    io_uring_prep_cancel64(sqe, 1, 0);
    sqe->len = 1;
    CHECK_EQ(run_res(&ring), -ENOENT);
    all.timeout.tv_sec = all.timeout.tv_nsec = -1;
    all.opcode = 1;
    CHECK_EQ(io_uring_register_sync_cancel(&ring, &all), 0);
    all.flags |= IORING_ASYNC_CANCEL_FD;
    CHECK_EQ(io_uring_register_sync_cancel(&ring, &all), -EBADF);
    end();
}

/* A request whose turn has not come is not found, and runs. */
static void not_begun(void)
{
    struct __kernel_timespec time = { .tv_sec = 1000 };
    struct io_uring_sync_cancel_reg one = { .fd = -1, .addr = 2 };
    struct io_uring_sqe *sqe = begin();
    struct done dones[2];

    io_uring_prep_timeout(sqe, &time, 0, 0);
    sqe->user_data = 1;
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    sqe->flags |= IOSQE_IO_DRAIN;
    sqe->user_data = 2;
    SUBMIT(&ring, 2);
    one.timeout.tv_sec = one.timeout.tv_nsec = -1;
    CHECK_EQ(io_uring_register_sync_cancel(&ring, &one), -ENOENT);
    one.flags = IORING_ASYNC_CANCEL_ANY;
    CHECK_EQ(io_uring_register_sync_cancel(&ring, &one), 1);
    dones[0] = reap(&ring);
    dones[1] = reap(&ring);
    CHECK_EQ(find_done(dones, 2, 1).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, 2).res, 0);
    end();
}

/* A message to a number that is no descriptor, and to one that is no ring. */
static void messages(void)
{
    int fd = make_file("no ring", 1, 1);
    struct io_uring_sqe *sqe = begin();

    io_uring_prep_msg_ring(sqe, 1000000, 0, 0, 0);
    CHECK_EQ(run_res(&ring), -EBADF);
    io_uring_prep_msg_ring(next_sqe(&ring), fd, 0, 0, 0);
    CHECK_EQ(run_res(&ring), -EBADFD);
    end();
    close(fd);
}

/* Fields that must be 0, and one that need not. */
static void unused_fields(void)
{
    struct __kernel_timespec time = { .tv_sec = 1000 };
    int fd = make_file("unused", 1, 1);
    struct io_uring_sqe *sqe = begin();

    io_uring_prep_timeout(sqe, &time, 0, 0);
    sqe->addr3 = 1;
    CHECK_EQ(run_res(&ring), -EINVAL);
    sqe = next_sqe(&ring);
    io_uring_prep_ftruncate(sqe, fd, 0);
    sqe->addr3 = 1;
    CHECK_EQ(run_res(&ring), -EINVAL);
    sqe = next_sqe(&ring);
    io_uring_prep_fsync(sqe, fd, 0);
    sqe->off = -1;
    CHECK_EQ(run_res(&ring), -EINVAL);
    sqe = next_sqe(&ring);
    io_uring_prep_fgetxattr(sqe, fd, "user.none", (char *) &time, sizeof(time));
    sqe->buf_index = 1;
    CHECK_EQ(run_res(&ring) == -EINVAL, 0);
    end();
    close(fd);
}

static const struct test_case cases[] = {
    CASE(reads),
    CASE(impatient_writes),
    CASE(repeated_reads),
    CASE(named_files),
    CASE(tag_of_nothing),
    CASE(half_a_pipe),
    CASE(chain_of_unknown),
    CASE(missing_vector),
    CASE(silent_timeout_of_nothing),
    CASE(cancels),
    CASE(not_begun),
    CASE(messages),
    CASE(unused_fields),
};

TEST_MAIN(cases)
