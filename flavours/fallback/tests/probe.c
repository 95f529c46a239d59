/*
 * What the probe names works, and what it does not name is refused. The list
 * is the interface's own: an opcode that is named and has no use here fails.
 */
#include "uses_net.h"

#define USE(name, function) [IORING_OP_##name] = function

static void (*const uses[256])(void) = {
    USE(NOP, use_nop),
    USE(READV, use_readv),
    USE(WRITEV, use_writev),
    USE(FSYNC, use_fsync),
    USE(READ_FIXED, use_read_fixed),
    USE(WRITE_FIXED, use_write_fixed),
    USE(POLL_ADD, use_poll_add),
    USE(POLL_REMOVE, use_poll_remove),
    USE(SYNC_FILE_RANGE, use_sync_file_range),
    USE(SENDMSG, use_sendmsg),
    USE(RECVMSG, use_recvmsg),
    USE(TIMEOUT, use_timeout),
    USE(TIMEOUT_REMOVE, use_timeout_remove),
    USE(ACCEPT, use_accept),
    USE(ASYNC_CANCEL, use_async_cancel),
    USE(LINK_TIMEOUT, use_link_timeout),
    USE(CONNECT, use_connect),
    USE(FALLOCATE, use_fallocate),
    USE(OPENAT, use_openat),
    USE(CLOSE, use_close),
    USE(FILES_UPDATE, use_files_update),
    USE(STATX, use_statx),
    USE(READ, use_read),
    USE(WRITE, use_write),
    USE(FADVISE, use_fadvise),
    USE(MADVISE, use_madvise),
    USE(SEND, use_send),
    USE(RECV, use_recv),
    USE(OPENAT2, use_openat2),
    USE(EPOLL_CTL, use_epoll_ctl),
    USE(SPLICE, use_splice),
    USE(PROVIDE_BUFFERS, use_provide_buffers),
    USE(REMOVE_BUFFERS, use_remove_buffers),
    USE(TEE, use_tee),
    USE(SHUTDOWN, use_shutdown),
    USE(RENAMEAT, use_renameat),
    USE(UNLINKAT, use_unlinkat),
    USE(MKDIRAT, use_mkdirat),
    USE(SYMLINKAT, use_symlinkat),
    USE(LINKAT, use_linkat),
    USE(MSG_RING, use_msg_ring),
    USE(FSETXATTR, use_fsetxattr),
    USE(SETXATTR, use_setxattr),
    USE(FGETXATTR, use_fgetxattr),
    USE(GETXATTR, use_getxattr),
    USE(SOCKET, use_socket),
    USE(URING_CMD, use_uring_cmd),
    USE(SEND_ZC, use_send_zc),
    USE(SENDMSG_ZC, use_sendmsg_zc),
    USE(READ_MULTISHOT, use_read_multishot),
    USE(WAITID, use_waitid),
    USE(FUTEX_WAIT, use_futex_wait),
    USE(FUTEX_WAKE, use_futex_wake),
    USE(FUTEX_WAITV, use_futex_waitv),
    USE(FIXED_FD_INSTALL, use_fixed_fd_install),
    USE(FTRUNCATE, use_ftruncate),
    USE(BIND, use_bind),
    USE(LISTEN, use_listen),
    USE(EPOLL_WAIT, use_epoll_wait),
    USE(READV_FIXED, use_readv_fixed),
    USE(WRITEV_FIXED, use_writev_fixed),
    USE(PIPE, use_pipe),
    USE(NOP128, use_nop128),
    USE(URING_CMD128, use_uring_cmd128),
};

static void named_opcodes(void)
{
    struct io_uring_probe *probe;
    unsigned named = 0;

    ring_open(&ring, 8, 0);
    probe = io_uring_get_probe_ring(&ring);
    CHECK(probe != NULL);
    for (unsigned op = 0; op < 256; op++) {
        if (!io_uring_opcode_supported(probe, (int) op))
            continue;
        named++;
        if (!uses[op])
            test_fail(__FILE__, __LINE__, "opcode %u is named, and has no use here", op);
        uses[op]();
        CHECK_NO_CQE(&ring);
    }
    CHECK_GT(named, 50);
    io_uring_free_probe(probe);
    io_uring_queue_exit(&ring);
}

/* Whatever else the SQE says. */
static void refused_opcodes(void)
{
    struct io_uring_probe *probe = io_uring_get_probe();
    unsigned refused = 0;

    CHECK(probe != NULL);
    ring_open(&ring, 8, 0);
    for (unsigned op = 0; op < 256; op++) {
        struct io_uring_sqe *one;

        if (io_uring_opcode_supported(probe, (int) op))
            continue;
        one = sqe();
        io_uring_prep_nop(one);
        one->opcode = (__u8) op;
        CHECK_EQ(run(), -EINVAL);
        refused++;
    }
    CHECK_GT(refused, 190);
    io_uring_queue_exit(&ring);
    io_uring_free_probe(probe);
}

static const struct test_case cases[] = {
    CASE(named_opcodes),
    CASE(refused_opcodes),
};

TEST_MAIN(cases)
