/*
 * What the probe names is served, and what it does not name is refused: an
 * opcode that is not served completes with -EINVAL whatever else the SQE says.
 */
#include "ring.h"

static void refused_opcodes(void)
{
    struct io_uring_probe *probe = io_uring_get_probe();
    struct io_uring ring;
    unsigned refused = 0;

    CHECK(probe != NULL);
    ring_open(&ring, 8, 0);
    for (unsigned op = 0; op < 256; op++) {
        struct io_uring_sqe *sqe;

        if (io_uring_opcode_supported(probe, (int) op))
            continue;
        sqe = next_sqe(&ring);
        io_uring_prep_nop(sqe);
        sqe->opcode = (__u8) op;
        CHECK_EQ(run_res(&ring), -EINVAL);
        refused++;
    }
    CHECK_GT(refused, 190);
    io_uring_queue_exit(&ring);
    io_uring_free_probe(probe);
}

/* Each named opcode, with fields that all zero or -1 leave to it, is more than an -EINVAL for being unknown. */
static void named_opcodes(void)
{
    static const struct {
        int op;
        int want;
    } minimal[] = {
        { IORING_OP_NOP, 0 },
        { IORING_OP_READ, -EBADF },
        { IORING_OP_WRITE, -EBADF },
        { IORING_OP_READV, -EBADF },
        { IORING_OP_WRITEV, -EBADF },
        { IORING_OP_READV_FIXED, -EFAULT },
        { IORING_OP_WRITEV_FIXED, -EFAULT },
        { IORING_OP_SETXATTR, -EFAULT },
        { IORING_OP_GETXATTR, -EFAULT },
        { IORING_OP_FSETXATTR, -EFAULT },
        { IORING_OP_FGETXATTR, -EFAULT },
        { IORING_OP_FSYNC, -EBADF },
        { IORING_OP_SYNC_FILE_RANGE, -EBADF },
        { IORING_OP_FALLOCATE, -EBADF },
        { IORING_OP_FTRUNCATE, -EBADF },
        { IORING_OP_SPLICE, -EBADF },
        { IORING_OP_TEE, -EBADF },
        { IORING_OP_FADVISE, -EBADF },
        { IORING_OP_POLL_ADD, -EBADF },
        { IORING_OP_POLL_REMOVE, -ENOENT },
        { IORING_OP_TIMEOUT_REMOVE, -ENOENT },
        { IORING_OP_ASYNC_CANCEL, -ENOENT },
        { IORING_OP_CLOSE, -EBADF },
        { IORING_OP_SOCKET, -EAFNOSUPPORT },
        { IORING_OP_BIND, -EBADF },
        { IORING_OP_LISTEN, -EBADF },
        { IORING_OP_SHUTDOWN, -EBADF },
        { IORING_OP_ACCEPT, -EBADF },
        { IORING_OP_CONNECT, -EBADF },
        { IORING_OP_SEND, -EBADF },
        { IORING_OP_RECV, -EBADF },
        { IORING_OP_EPOLL_CTL, -EFAULT },
        { IORING_OP_MSG_RING, -EBADFD },
    };
    struct io_uring ring;

    ring_open(&ring, 8, 0);
    for (unsigned i = 0; i < ARRAY_LEN(minimal); i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);
        int res;

        io_uring_prep_rw(minimal[i].op, sqe, -1, NULL, 0, 0);
        res = run_res(&ring);
        if (res != minimal[i].want)
            test_fail(__FILE__, __LINE__, "opcode %d: %d, not %d", minimal[i].op, res, minimal[i].want);
    }
    io_uring_queue_exit(&ring);
}

/* A set-up flag that nobody knows is refused, so that programs fall back to less. */
static void unknown_flags(void)
{
    struct io_uring ring;

    for (unsigned bit = 18; bit < 32; bit++)
        CHECK_EQ(io_uring_queue_init(4, &ring, 1u << bit), -EINVAL);
}

static const struct test_case cases[] = {
    CASE(refused_opcodes),
    CASE(named_opcodes),
    CASE(unknown_flags),
};

TEST_MAIN(cases)
