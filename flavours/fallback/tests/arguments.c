/*
 * Which arguments of requests are refused, and when. One that is refused when it is taken in ends the submission there,
 * and breaks its chain, even if that is linked hard.
 */
#include <sys/uio.h>
#include <sys/un.h>

#include "requests.h"

enum field { NONE, OFF, ADDR, LEN, FLAGS, BUFFER, INDEX, ADDR3, LAST, PRIORITY, FIXED, SELECT };

struct change {
    enum field field;
    __u64 value;
};

static void change(struct io_uring_sqe *sqe, struct change to)
{
    switch (to.field) {
    case NONE: break;
    case OFF: sqe->off = to.value; break;
    case ADDR: sqe->addr = to.value; break;
    case LEN: sqe->len = (__u32) to.value; break;
    case FLAGS: sqe->rw_flags = (__u32) to.value; break;
    case BUFFER: sqe->buf_index = (__u16) to.value; break;
    case INDEX: sqe->file_index = (__u32) to.value; break;
    case ADDR3: sqe->addr3 = to.value; break;
    case LAST: sqe->attr_type_mask = to.value; break;
    case PRIORITY: sqe->ioprio = (__u16) to.value; break;
    case FIXED:
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->fd = sqe->fd == file ? 0 : sqe->fd == ends[0] ? 1 : sqe->fd == pair[0] ? 2 : sqe->fd;
        break;
    case SELECT:
        sqe->flags |= IOSQE_BUFFER_SELECT;
        if (sqe->buf_group == 0)
            sqe->buf_group = GROUP;
        break;
    }
}

/* Submits a request with two changes, and a no-op behind it. Returns how many were taken in. */
static int submit_changed(int opcode, struct change first, struct change second)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    prepare(sqe, opcode);
    change(sqe, first);
    change(sqe, second);
    io_uring_prep_nop(sqe = next_sqe(&ring));
    sqe->user_data = NEXT;
    return io_uring_submit(&ring);
}

/* What the request completes with, all that is no error being one. */
static int complete(void)
{
    struct done done;

    do
        done = reap(&ring);
    while (done.data != DATA);
    return done.res < 0 ? done.res : 0;
}

/* What becomes of a request with one field changed: the columns. */
static const struct change COLUMNS[] = {
    { OFF, 1 }, { OFF, (__u64) -1 }, { ADDR, 0 }, { ADDR, 1 }, { LEN, 0 }, { LEN, 1 }, { LEN, 1U << 31 },
    { FLAGS, 1U << 30 }, { BUFFER, 1 }, { INDEX, 1 }, { INDEX, 1U << 16 }, { ADDR3, 1 }, { LAST, 2 },
    { PRIORITY, 1 }, { PRIORITY, 1 << 3 }, { FIXED, 0 }, { SELECT, 0 },
};

/*
 * '.': it is taken in, and completes with the same error or none. ',': it is taken in, and may do something else. '?' is
 * not looked at. The others are refused when they are taken in.
 */
static int refusal(char letter)
{
    switch (letter) {
    case 'i': return -EINVAL;
    case 'f': return -EFAULT;
    case 'b': return -EBADF;
    case 's': return -EOPNOTSUPP;
    case 'n': return -ENOENT;
    case 'g': return -E2BIG;
    default: return 0;
    }
}

static const struct {
    int opcode;
    const char *becomes;
} ROWS[] = {
    { IORING_OP_NOP, ".......i.....ii.s" },
    { IORING_OP_READV, "..ff..i,....ii..." },
    { IORING_OP_WRITEV, "..ff..i,....ii..s" },
    { IORING_OP_FSYNC, ".i.i...iiii..ii.s" },
    { IORING_OP_READ_FIXED, "..,,..,,,...ii..s" },
    { IORING_OP_WRITE_FIXED, "..,,..,,,...ii..s" },
    { IORING_OP_POLL_ADD, "ii.i..i,i....ii.s" },
    { IORING_OP_POLL_REMOVE, "ii...iiiiii..ii.s" },
    { IORING_OP_SYNC_FILE_RANGE, ".,.i...,iii..ii.s" },
    { IORING_OP_SENDMSG, "iiff..i..ii...i.s" },
    { IORING_OP_RECVMSG, "iiff..i..ii...i.." },
    { IORING_OP_TIMEOUT, ",.ffi.iiiiiiiii.s" },
    { IORING_OP_TIMEOUT_REMOVE, ".....iiiiiiiiiiis" },
    { IORING_OP_ACCEPT, "...,.iiii.,...i,s" },
    { IORING_OP_ASYNC_CANCEL, "ii.....i.ii..ii.s" },
    { IORING_OP_LINK_TIMEOUT, "iiffiiiiiiiiiiiis" },
    { IORING_OP_CONNECT, ",iff.iiiiii..ii,s" },
    { IORING_OP_FALLOCATE, ".,,.,,,iiii..ii.s" },
    { IORING_OP_OPENAT, "..ff....i.,..iibs" },
    { IORING_OP_CLOSE, "ii.i.iiiiii..iibs" },
    { IORING_OP_FILES_UPDATE, "..,,i.,i.ii..iiis" },
    { IORING_OP_STATX, ",,ff..,,iii..iibs" },
    { IORING_OP_READ, "..,,...,....ii..." },
    { IORING_OP_WRITE, "..,,...,....ii..s" },
    { IORING_OP_FADVISE, ".......,iii..ii.s" },
    { IORING_OP_MADVISE, ".,,,..,,iii..ii.s" },
    { IORING_OP_SEND, "..,,..i...i...i.." },
    { IORING_OP_RECV, "ii,,..i..ii...i.." },
    { IORING_OP_OPENAT2, "ffffii?.i.,..iibs" },
    { IORING_OP_EPOLL_CTL, ",,ff,.,.iii..ii.s" },
    { IORING_OP_SPLICE, ",......i.,,..ii,s" },
    { IORING_OP_PROVIDE_BUFFERS, ".g..i..i.ii..ii.s" },
    { IORING_OP_REMOVE_BUFFERS, "ii.i.iii,ii..ii.s" },
    { IORING_OP_TEE, "ii.i...i.,,..ii,s" },
    { IORING_OP_SHUTDOWN, "ii.i..,iiii..ii.s" },
    { IORING_OP_RENAMEAT, "ffff,,,,iii..iibs" },
    { IORING_OP_UNLINKAT, "iiff.iiiiii..iibs" },
    { IORING_OP_MKDIRAT, "iiff...iiii..iibs" },
    { IORING_OP_SYMLINKAT, "ffff.iiiiii..iibs" },
    { IORING_OP_LINKAT, "ffff,,,,iii..iibs" },
    { IORING_OP_MSG_RING, "...,...ii,,,.ii,s" },
    { IORING_OP_FSETXATTR, "ffff..gi.....ii.s" },
    { IORING_OP_SETXATTR, "ffff..gi...f.iibs" },
    { IORING_OP_FGETXATTR, ",,ff.,.i.....ii.s" },
    { IORING_OP_GETXATTR, ",,ff.,.i...f.iibs" },
    { IORING_OP_SOCKET, ".i.i.,,ii.,..ii.s" },
    { IORING_OP_URING_CMD, ".i,....i..,..ii,i" },
    { IORING_OP_SEND_ZC, "..........iii,.,s" },
    { IORING_OP_SENDMSG_ZC, "iiff.....iiii,.,s" },
    { IORING_OP_READ_MULTISHOT, "...i.ii.....iii.." },
    { IORING_OP_WAITID, ",,.i.,,ii,,i.ii.s" },
    { IORING_OP_FUTEX_WAIT, ".i,,.iiiiii..ii.s" },
    { IORING_OP_FUTEX_WAKE, ".i,,.iiiiii..ii.s" },
    { IORING_OP_FUTEX_WAITV, "iiffi.iiiiii.ii.s" },
    { IORING_OP_FIXED_FD_INSTALL, "ii.i.iiiiiii.ii.s" },
    { IORING_OP_FTRUNCATE, ".,.i.iiiiiii.ii.s" },
    { IORING_OP_BIND, ",iff.iiiiii..ii,s" },
    { IORING_OP_LISTEN, "ii.i...iiii..ii,s" },
    { IORING_OP_EPOLL_WAIT, "ii,,,.,iiii..ii,s" },
    { IORING_OP_READV_FIXED, "..ff..?,,...ii..s" },
    { IORING_OP_WRITEV_FIXED, "..ff..?,,...ii..s" },
    { IORING_OP_PIPE, "ii,,...i..,i.ii.s" },
};

static void fields(void)
{
    for (unsigned row = 0; row < ARRAY_LEN(ROWS); row++) {
        int plain;

        set_up(0);
        submit_changed(ROWS[row].opcode, (struct change) { NONE, 0 }, (struct change) { NONE, 0 });
        plain = complete();
        tear_down();
        for (unsigned column = 0; column < ARRAY_LEN(COLUMNS); column++) {
            char letter = ROWS[row].becomes[column];
            int expected = letter == '.' ? plain : refusal(letter);
            int taken, res = 0;

            if (letter == '?')
                continue;
            set_up(0);
            taken = submit_changed(ROWS[row].opcode, COLUMNS[column], (struct change) { NONE, 0 });
            if (letter != ',')
                res = complete();
            if (taken != (strchr(".,", letter) != NULL ? 2 : 1) || (letter != ',' && res != expected))
                test_fail(__FILE__, __LINE__, "opcode %d, column %u: %d taken in, result %d", ROWS[row].opcode, column,
                          taken, res);
            tear_down();
        }
    }
}

/* The same for values that matter to one opcode. */
static void values(void)
{
    static const struct iovec nowhere = { NULL, 16 };
    static struct { struct open_how how; __u64 more; } longer, wrong;
    static struct open_how closing = { .flags = O_CLOEXEC };
    static char long_path[PATH_MAX + 1], long_name[XATTR_NAME_MAX + 2], zeros[2 * SIZE];
    const __u64 vectored = IORING_SEND_VECTORIZED, bundle = IORING_RECVSEND_BUNDLE, any = IORING_ASYNC_CANCEL_ANY;
    const struct change no = { NONE, 0 }, none = { ADDR, 0 }, empty = { ADDR, AT("") };
    const struct {
        int opcode;
        struct change first, second;
        int taken, res;
    } all[] = {
        { IORING_OP_READV, none, { LEN, 0 }, 2, 0 },
        { IORING_OP_READV, { ADDR, AT(&nowhere) }, no, 2, -EFAULT },
        { IORING_OP_READ, { PRIORITY, 7 << 13 }, no, 1, -EINVAL },
        { IORING_OP_READ, { PRIORITY, 2 << 13 | 8 | 7 }, no, 2, 0 },
        { IORING_OP_READ, { FLAGS, RWF_HIPRI }, no, 2, -EINVAL },
        { IORING_OP_WRITEV, { FLAGS, RWF_HIPRI }, no, 2, -EINVAL },
        { IORING_OP_FSYNC, { OFF, 1ULL << 62 }, { LEN, ~0U }, 2, 0 },

        { IORING_OP_SEND, { OFF, AT(&address) }, { INDEX, 129 }, 1, -EINVAL },
        { IORING_OP_SEND, { OFF, 0 }, { INDEX, 129 }, 2, 0 },
        { IORING_OP_SEND, { PRIORITY, vectored }, none, 1, -EFAULT },
        { IORING_OP_SEND_ZC, { PRIORITY, vectored }, none, 1, -EFAULT },
        { IORING_OP_SEND_ZC, { PRIORITY, vectored | IORING_RECVSEND_FIXED_BUF }, no, 1, -EINVAL },
        { IORING_OP_SENDMSG, { PRIORITY, vectored }, no, 2, 0 },
        { IORING_OP_SENDMSG, { FLAGS, MSG_DONTWAIT }, { OFF, 1 }, 1, -EINVAL },
        { IORING_OP_SENDMSG, { FLAGS, MSG_DONTWAIT }, { INDEX, 1 }, 1, -EINVAL },
        { IORING_OP_RECV, { PRIORITY, bundle }, no, 2, 0 },
        { IORING_OP_RECVMSG, { PRIORITY, bundle }, no, 1, -EINVAL },
        { IORING_OP_CONNECT, { OFF, 128 }, no, 2, 0 },
        { IORING_OP_CONNECT, { OFF, 129 }, no, 1, -EINVAL },
        { IORING_OP_CONNECT, { OFF, 1ULL << 32 }, none, 2, -EINVAL },
        { IORING_OP_BIND, { OFF, 129 }, no, 1, -EINVAL },
        { IORING_OP_ACCEPT, { FLAGS, SOCK_CLOEXEC }, { INDEX, 1 }, 1, -EINVAL },
        { IORING_OP_URING_CMD, { FLAGS, 1 }, { BUFFER, 5 }, 2, -EINVAL },
        { IORING_OP_URING_CMD, { FLAGS, 2 }, no, 1, -EINVAL },

        { IORING_OP_ASYNC_CANCEL, { FLAGS, any | IORING_ASYNC_CANCEL_FD }, no, 1, -EINVAL },
        { IORING_OP_ASYNC_CANCEL, { FLAGS, any | IORING_ASYNC_CANCEL_OP }, no, 1, -EINVAL },
        { IORING_OP_ASYNC_CANCEL, { FLAGS, any | IORING_ASYNC_CANCEL_USERDATA }, no, 2, 0 },
        { IORING_OP_POLL_ADD, { LEN, IORING_POLL_ADD_LEVEL }, no, 1, -EINVAL },
        { IORING_OP_TIMEOUT_REMOVE, { FLAGS, IORING_TIMEOUT_UPDATE }, no, 1, -EFAULT },

        { IORING_OP_OPENAT, empty, no, 1, -ENOENT },
        { IORING_OP_OPENAT, { ADDR, AT(long_path) }, no, 1, -ENAMETOOLONG },
        { IORING_OP_OPENAT, { INDEX, 4 }, { FLAGS, O_CLOEXEC }, 1, -EINVAL },
        { IORING_OP_OPENAT2, { INDEX, 4 }, { OFF, AT(&closing) }, 1, -EINVAL },
        { IORING_OP_OPENAT2, { LEN, sizeof(longer) }, { OFF, AT(&longer) }, 2, 0 },
        { IORING_OP_OPENAT2, { LEN, sizeof(wrong) }, { OFF, AT(&wrong) }, 1, -E2BIG },
        { IORING_OP_OPENAT2, { LEN, 2 * SIZE }, { OFF, AT(zeros) }, 2, 0 },
        { IORING_OP_STATX, empty, no, 1, -ENOENT },
        { IORING_OP_STATX, empty, { FLAGS, AT_EMPTY_PATH }, 2, 0 },
        { IORING_OP_LINKAT, empty, { FLAGS, AT_EMPTY_PATH }, 2, -EPERM },
        { IORING_OP_LINKAT, { OFF, AT("") }, { FLAGS, AT_EMPTY_PATH }, 1, -ENOENT },
        { IORING_OP_RENAMEAT, { OFF, AT("") }, no, 1, -ENOENT },
        { IORING_OP_SYMLINKAT, empty, no, 1, -ENOENT },
        { IORING_OP_UNLINKAT, { FLAGS, AT_SYMLINK_NOFOLLOW }, no, 1, -EINVAL },
        { IORING_OP_SETXATTR, { ADDR, AT(long_name) }, no, 1, -ERANGE },
        { IORING_OP_SETXATTR, { LEN, 65537 }, empty, 1, -ERANGE },
        { IORING_OP_SETXATTR, { LEN, 65537 }, { ADDR3, AT("") }, 1, -E2BIG },
        { IORING_OP_SETXATTR, { FLAGS, 4 }, empty, 1, -EINVAL },
        { IORING_OP_SETXATTR, { ADDR3, AT("") }, no, 1, -ENOENT },
        { IORING_OP_SETXATTR, { ADDR3, AT("none") }, no, 2, -ENOENT },
        { IORING_OP_SETXATTR, { LEN, 0 }, { OFF, 0 }, 2, 0 },
        { IORING_OP_FGETXATTR, empty, no, 1, -ERANGE },
        { IORING_OP_GETXATTR, { ADDR3, AT(long_path) }, no, 1, -ENAMETOOLONG },

        { IORING_OP_PIPE, { FLAGS, O_CLOEXEC }, { INDEX, 4 }, 2, -EINVAL },
        { IORING_OP_PIPE, { FLAGS, O_CLOEXEC | O_NONBLOCK | O_DIRECT }, no, 2, 0 },
        { IORING_OP_PIPE, { FLAGS, O_APPEND }, no, 1, -EINVAL },
        { IORING_OP_PROVIDE_BUFFERS, { OFF, 65536 }, no, 1, -E2BIG },
        { IORING_OP_PROVIDE_BUFFERS, { OFF, 65535 }, no, 1, -EINVAL },
        { IORING_OP_PROVIDE_BUFFERS, { OFF, 65534 }, no, 2, 0 },
        { IORING_OP_PROVIDE_BUFFERS, { OFF, 65536 }, { LEN, 0 }, 1, -EINVAL },
        { IORING_OP_PROVIDE_BUFFERS, { ADDR, ~0ULL }, no, 1, -EOVERFLOW },
        { IORING_OP_PROVIDE_BUFFERS, { ADDR, 1ULL << 63 }, no, 1, -EFAULT },
        { IORING_OP_EPOLL_CTL, { LEN, EPOLL_CTL_DEL }, none, 2, -ENOENT },
        { IORING_OP_EPOLL_CTL, { LEN, EPOLL_CTL_MOD }, none, 1, -EFAULT },
        { IORING_OP_FILES_UPDATE, { OFF, ~0U - 1 }, none, 2, -EOVERFLOW },
        { IORING_OP_FILES_UPDATE, { OFF, SLOTS - 1 }, none, 2, -EINVAL },
        { IORING_OP_FILES_UPDATE, { OFF, SLOTS - 2 }, none, 2, -EFAULT },
        { IORING_OP_MSG_RING, { ADDR3, 1ULL << 32 }, no, 2, 0 },
    };

    wrong.more = 1;
    memset(long_path, 'x', PATH_MAX);
    memset(long_name, 'x', XATTR_NAME_MAX + 1);
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        int taken, res;

        set_up(0);
        taken = submit_changed(all[i].opcode, all[i].first, all[i].second);
        res = complete();
        if (taken != all[i].taken || res != all[i].res)
            test_fail(__FILE__, __LINE__, "value %u, opcode %d: %d taken in, result %d", i, all[i].opcode, taken, res);
        tear_down();
    }
}

/* Requests that are linked hard: a read, an open of this path, and a no-op. */
static void open_between(const char *path, int before, int after)
{
    struct io_uring_sqe *sqe;
    struct done done[3];

    set_up(0);
    io_uring_prep_read(sqe = next_sqe(&ring), file, buffer, 4, 0);
    sqe->flags |= IOSQE_IO_HARDLINK;
    sqe->user_data = 1;
    io_uring_prep_openat(sqe = next_sqe(&ring), AT_FDCWD, path, O_RDONLY, 0);
    sqe->flags |= IOSQE_IO_HARDLINK;
    sqe->user_data = 2;
    io_uring_prep_nop(sqe = next_sqe(&ring));
    sqe->user_data = 3;
    SUBMIT(&ring, 3);
    reap_all(&ring, done, 3);
    CHECK_EQ(find_done(done, 3, 1).res, before);
    CHECK_EQ(find_done(done, 3, 2).res, -ENOENT);
    CHECK_EQ(find_done(done, 3, 3).res, after);
    tear_down();
}

static void break_hard_links(void)
{
    open_between("none", 4, 0);
    open_between("", -ECANCELED, -ECANCELED);
}

static void submit_all(void)
{
    set_up(IORING_SETUP_SUBMIT_ALL);
    CHECK_EQ(submit_changed(IORING_OP_OPENAT, (struct change) { ADDR, 0 }, (struct change) { NONE, 0 }), 2);
    CHECK_EQ(complete(), -EFAULT);
    CHECK_EQ(reap(&ring).data, NEXT);
    tear_down();
}

/* The timeout of a link need not be one that expires once. */
static void link_timeout_may_repeat(void)
{
    struct io_uring_sqe *sqe;
    struct done done[2];
    int idle[2];

    set_up(0);
    CHECK_SYS(pipe(idle));
    io_uring_prep_poll_add(sqe = next_sqe(&ring), idle[0], POLLIN);
    sqe->flags |= IOSQE_IO_LINK;
    sqe->user_data = 1;
    io_uring_prep_link_timeout(sqe = next_sqe(&ring), &time_given, IORING_TIMEOUT_MULTISHOT);
    sqe->user_data = 2;
    SUBMIT(&ring, 2);
    reap_all(&ring, done, 2);
    CHECK_EQ(find_done(done, 2, 1).res, -ECANCELED);
    CHECK_EQ(find_done(done, 2, 2).res, -ETIME);
    close(idle[0]);
    close(idle[1]);
    tear_down();
}

/* A call that cancels takes what a request does not: all stands above what else is asked for. */
static void cancelled_by_call(void)
{
    struct io_uring_sync_cancel_reg what;
    int idle[2];

    set_up(0);
    CHECK_SYS(pipe(idle));
    memset(&what, 0, sizeof(what));
    what.timeout.tv_sec = what.timeout.tv_nsec = -1;
    what.opcode = IORING_OP_READ;
    CHECK_EQ(io_uring_register_sync_cancel(&ring, &what), -ENOENT);
    for (unsigned i = 0; i < 3; i++) {
        io_uring_prep_poll_add(next_sqe(&ring), idle[0], POLLIN);
        SUBMIT(&ring, 1);
        what.fd = file;
        what.flags = IORING_ASYNC_CANCEL_ANY | (i == 0 ? IORING_ASYNC_CANCEL_FD
                                                : i == 1 ? IORING_ASYNC_CANCEL_OP : IORING_ASYNC_CANCEL_USERDATA);
        what.addr = 99;
        CHECK_EQ(io_uring_register_sync_cancel(&ring, &what), 1);
        CHECK_EQ(reap(&ring).res, -ECANCELED);
    }
    close(idle[0]);
    close(idle[1]);
    tear_down();
}

static void messages_to_no_ring(void)
{
    struct io_uring_sqe sqe = { 0 };

    set_up(0);
    io_uring_prep_msg_ring(next_sqe(&ring), file, 0, 0, 0);
    CHECK_EQ(run_res(&ring), -EBADFD);
    io_uring_prep_msg_ring(next_sqe(&ring), -1, 0, 0, 0);
    CHECK_EQ(run_res(&ring), -EBADF);
    io_uring_prep_msg_ring(&sqe, file, 0, 0, 0);
    CHECK_EQ(io_uring_register_sync_msg(&sqe), -EBADFD);
    sqe.fd = -1;
    CHECK_EQ(io_uring_register_sync_msg(&sqe), -EBADF);
    sqe.fd = target.ring_fd;
    CHECK_EQ(io_uring_register_sync_msg(&sqe), 0);
    sqe.buf_index = 1;
    CHECK_EQ(io_uring_register_sync_msg(&sqe), -EINVAL);
    tear_down();
}

static void no_child_is_told_of(void)
{
    set_up(0);
    memset(&info, 7, sizeof(info));
    io_uring_prep_waitid(next_sqe(&ring), P_ALL, 0, &info, WEXITED, 0);
    CHECK_EQ(run_res(&ring), -ECHILD);
    CHECK_EQ(info.si_signo, 0);
    CHECK_EQ(info.si_pid, 0);
    tear_down();
}

/* A send without a copy takes a vector, too. */
static void vector_without_copy(void)
{
    struct iovec parts[2];
    struct io_uring_sqe *sqe;
    int ends_of_tcp[2];
    char got[8];

    set_up(0);
    make_tcp_pair(ends_of_tcp);
    memcpy(buffer, "abcdef", 6);
    parts[0] = (struct iovec) { buffer, 2 };
    parts[1] = (struct iovec) { buffer + 3, 3 };
    io_uring_prep_send_zc(sqe = next_sqe(&ring), ends_of_tcp[0], parts, 2, 0, 0);
    sqe->ioprio |= IORING_SEND_VECTORIZED;
    CHECK_EQ(run_res(&ring), 5);
    CHECK_EQ(reap(&ring).flags, IORING_CQE_F_NOTIF);
    CHECK_EQ(recv(ends_of_tcp[1], got, sizeof(got), 0), 5);
    CHECK_MEM(got, "abdef", 5);
    close(ends_of_tcp[0]);
    close(ends_of_tcp[1]);
    tear_down();
}

/* A group has no more buffers than there are numbers for. */
static void group_that_is_full(void)
{
    set_up(0);
    io_uring_prep_provide_buffers(next_sqe(&ring), buffer, 1, 65536, GROUP + 1, 0);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_provide_buffers(next_sqe(&ring), buffer, 1, 1, GROUP + 1, 0);
    CHECK_EQ(run_res(&ring), -EOVERFLOW);
    io_uring_prep_remove_buffers(next_sqe(&ring), 65536, GROUP + 1);
    CHECK_EQ(run_res(&ring), 65535);
    tear_down();
}

/* That more connections wait is told of TCP, and not of local sockets. */
static void more_connections(void)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "socket" };
    int clients[2], more, unnamed;
    struct done done;

    set_up(0);
    more = connect_to(&address);
    io_uring_prep_accept(next_sqe(&ring), listener, NULL, NULL, 0);
    done = run_done(&ring);
    CHECK_GE(done.res, 0);
    CHECK_EQ(done.flags, IORING_CQE_F_SOCK_NONEMPTY);
    unnamed = CHECK_SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    unlink(local.sun_path);
    CHECK_SYS(bind(unnamed, (struct sockaddr *) &local, sizeof(local)));
    CHECK_SYS(listen(unnamed, 4));
    for (unsigned i = 0; i < 2; i++) {
        clients[i] = CHECK_SYS(socket(AF_UNIX, SOCK_STREAM, 0));
        CHECK_SYS(connect(clients[i], (struct sockaddr *) &local, sizeof(local)));
    }
    io_uring_prep_accept(next_sqe(&ring), unnamed, NULL, NULL, 0);
    done = run_done(&ring);
    CHECK_GE(done.res, 0);
    CHECK_EQ(done.flags, 0);
    close(more);
    close(unnamed);
    close(clients[0]);
    close(clients[1]);
    tear_down();
}

static const struct test_case cases[] = {
    CASE(fields),
    CASE(values),
    CASE(break_hard_links),
    CASE(submit_all),
    CASE(link_timeout_may_repeat),
    CASE(cancelled_by_call),
    CASE(messages_to_no_ring),
    CASE(no_child_is_told_of),
    CASE(more_connections),
    CASE(vector_without_copy),
    CASE(group_that_is_full),
};

TEST_MAIN(cases)
