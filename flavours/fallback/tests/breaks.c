/*
 * What breaks a chain, and what is told of a request that is silent of its
 * success: a failure, or a part of a transfer. Not each of them does. And what
 * becomes of others where one is wrong.
 */
#include <sched.h>

#include "file.h"

enum { REQUEST = 1, NEXT };

static struct io_uring ring;

/* The request that was prepared last. */
static struct io_uring_sqe *last_sqe(void)
{
    return &ring.sq.sqes[(ring.sq.sqe_tail - 1) & ring.sq.ring_mask];
}

/* The request that was prepared last completes with this, and whether the next one of its chain runs. */
static void has_next(int res, bool runs)
{
    struct io_uring_sqe *sqe = last_sqe();
    struct done dones[2];

    io_uring_sqe_set_data64(sqe, REQUEST);
    io_uring_sqe_set_flags(sqe, sqe->flags | IOSQE_IO_LINK);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, NEXT);
    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, REQUEST).res, res);
    CHECK_EQ(find_done(dones, 2, NEXT).res, runs ? 0 : -ECANCELED);
}

/* The request says nothing of what is no failure to it. The next one of its chain tells that it has ended. */
static void is_silent(void)
{
    struct io_uring_sqe *sqe = last_sqe();
    struct done done;

    io_uring_sqe_set_data64(sqe, REQUEST);
    io_uring_sqe_set_flags(sqe, sqe->flags | IOSQE_CQE_SKIP_SUCCESS | IOSQE_IO_HARDLINK);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, NEXT);
    SUBMIT(&ring, 2);
    done = reap(&ring);
    CHECK_EQ(done.data, NEXT);
    CHECK_EQ(done.res, 0);
    CHECK_NO_CQE(&ring);
}

/* It tells of a failure, also if nothing is linked to it. */
static void is_told_of(int res)
{
    struct io_uring_sqe *sqe = last_sqe();

    io_uring_sqe_set_flags(sqe, sqe->flags | IOSQE_CQE_SKIP_SUCCESS);
    CHECK_EQ(run_res(&ring), res);
    CHECK_NO_CQE(&ring);
}

static void open_ring(void)
{
    need_kernel(6, 18, "each failure as it is in chains here");
    ring_open(&ring, 8, IORING_SETUP_SUBMIT_ALL);
}

/* Each for its own: they are all the kernel's that fail without a break. */
static void failures_that_break_nothing(void)
{
    char value[8];
    int ends[2], socket_end, file = make_file("file", 0, 0);

    open_ring();
    CHECK_SYS(pipe(ends));
    socket_end = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_SYS(mkdir("folder", 0700));
#define FAILS(res, prepare, ...)                                        \
    do {                                                                \
        prepare(next_sqe(&ring), __VA_ARGS__);                          \
        has_next(res, true);                                            \
        prepare(next_sqe(&ring), __VA_ARGS__);                          \
        is_silent();                                           \
    } while (0)
    FAILS(-EINVAL, io_uring_prep_fsync, ends[0], 0);
    FAILS(-ESPIPE, io_uring_prep_sync_file_range, ends[0], 10, 0, 7);
    FAILS(-EBADF, io_uring_prep_fallocate, ends[0], 0, 0, 10);
    FAILS(-EINVAL, io_uring_prep_ftruncate, ends[0], 5);
    FAILS(-ENOMEM, io_uring_prep_madvise, (void *) 4096, 4096, 3);
    FAILS(-ENOENT, io_uring_prep_statx, AT_FDCWD, "none", 0, STATX_SIZE, (struct statx *) value);
    FAILS(-ENOENT, io_uring_prep_unlink, "none", 0);
    FAILS(-ENAMETOOLONG, io_uring_prep_unlink,
          "1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          0);
    FAILS(-ENOENT, io_uring_prep_rename, "none", "other");
    FAILS(-EEXIST, io_uring_prep_mkdir, "folder", 0700);
    FAILS(-EEXIST, io_uring_prep_symlink, "file", "folder");
    FAILS(-ENOENT, io_uring_prep_link, "none", "other", 0);
    FAILS(-ENOENT, io_uring_prep_setxattr, "user.a", "b", "none", 0, 1);
    FAILS(-ENOENT, io_uring_prep_getxattr, "user.a", value, "none", sizeof(value));
    FAILS(-EOPNOTSUPP, io_uring_prep_fsetxattr, file, "a", "b", 0, 1);
    FAILS(-EOPNOTSUPP, io_uring_prep_fgetxattr, file, "a", value, sizeof(value));
    FAILS(-ENOTCONN, io_uring_prep_shutdown, socket_end, SHUT_WR);
    io_uring_queue_exit(&ring);
}

/* The call has not been made: there is no file, or no path. */
static void without_file_or_path(void)
{
    char value[8], *path = malloc(5001);
    int file = make_file("file", 0, 0), only_path;

    open_ring();
    only_path = CHECK_SYS(open("file", O_PATH));
    memset(path, 'a', 5000);
    path[5000] = '\0';
#define BREAKS(res, prepare, ...)                                       \
    do {                                                                \
        prepare(next_sqe(&ring), __VA_ARGS__);                          \
        has_next(res, false);                                           \
    } while (0)
    BREAKS(-EBADF, io_uring_prep_fsync, 999, 0);
    BREAKS(-EBADF, io_uring_prep_shutdown, 999, SHUT_WR);
    BREAKS(-EBADF, io_uring_prep_fgetxattr, only_path, "user.a", value, sizeof(value));
    BREAKS(-EINVAL, io_uring_prep_fsync, file, 7);
    BREAKS(-ENOENT, io_uring_prep_unlink, "", 0);
    BREAKS(-ENAMETOOLONG, io_uring_prep_unlink, path, 0);
    BREAKS(-ENOENT, io_uring_prep_rename, "file", "");
    BREAKS(-ENOENT, io_uring_prep_symlink, "", "other");
    BREAKS(-ERANGE, io_uring_prep_getxattr, "", value, "file", sizeof(value));
    /* And calls that do break what is linked to them. */
    BREAKS(-ENOENT, io_uring_prep_openat, AT_FDCWD, "none", 0, 0);
    BREAKS(-EBADF, io_uring_prep_close, 999);
    io_uring_prep_fsync(next_sqe(&ring), 999, 0);
    is_told_of(-EBADF);
    free(path);
    io_uring_queue_exit(&ring);
}

static void socket_closed_behind_shutdown(void)
{
    struct io_uring_sqe *sqe;
    struct done dones[2];
    int end;

    open_ring();
    end = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    sqe = next_sqe(&ring);
    io_uring_prep_shutdown(sqe, end, SHUT_RDWR);
    io_uring_sqe_set_data64(sqe, REQUEST);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    sqe = next_sqe(&ring);
    io_uring_prep_close(sqe, end);
    io_uring_sqe_set_data64(sqe, NEXT);
    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, REQUEST).res, -ENOTCONN);
    CHECK_EQ(find_done(dones, 2, NEXT).res, 0);
    CHECK_EQ(fcntl(end, F_GETFD), -1);
    io_uring_queue_exit(&ring);
}

/* A file's end comes before all was read: past the page cache, in memory, and in another thread. */
static void part_of_file(int file, unsigned flags)
{
    char *bytes = aligned_alloc(4096, 8192);

    io_uring_prep_read(next_sqe(&ring), file, bytes, 4096, 0);
    last_sqe()->flags |= flags;
    has_next(4096, true);
    io_uring_prep_read(next_sqe(&ring), file, bytes, 8192, 0);
    last_sqe()->flags |= flags;
    has_next(4096, false);
    io_uring_prep_read(next_sqe(&ring), file, bytes, 4096, 4096);
    last_sqe()->flags |= flags;
    has_next(0, false);
    io_uring_prep_read(next_sqe(&ring), file, bytes, 4096, 0);
    last_sqe()->flags |= flags;
    is_silent();
    io_uring_prep_read(next_sqe(&ring), file, bytes, 8192, 0);
    last_sqe()->flags |= flags;
    is_told_of(4096);
    free(bytes);
}

static void part_of_direct_read(void)
{
    int file = make_file("file", 4096, 0);

    CHECK_SYS(close(file));
    file = open("file", O_RDONLY | O_DIRECT);
    if (file < 0)
        skip("no O_DIRECT here");
    open_ring();
    part_of_file(file, 0);
    io_uring_queue_exit(&ring);
}

static void part_of_read(void)
{
    int file = make_file("file", 4096, 0);

    open_ring();
    part_of_file(file, 0);
    part_of_file(file, IOSQE_ASYNC);
    io_uring_queue_exit(&ring);
}

/* With vectors, of which the last is not filled. */
static void part_of_vectors(void)
{
    char *bytes = aligned_alloc(4096, 8192);
    struct iovec vectors[] = { { bytes, 4096 }, { bytes + 4096, 4096 } };
    int file = make_file("file", 4096, 0), direct;

    direct = open("file", O_RDONLY | O_DIRECT);
    if (direct < 0)
        skip("no O_DIRECT here");
    open_ring();
    for (unsigned i = 0; i < 2; i++) {
        io_uring_prep_readv(next_sqe(&ring), i ? direct : file, vectors, 1, 0);
        has_next(4096, true);
        io_uring_prep_readv(next_sqe(&ring), i ? direct : file, vectors, 2, 0);
        has_next(4096, false);
        io_uring_prep_readv(next_sqe(&ring), i ? direct : file, vectors, 2, 0);
        is_told_of(4096);
    }
    free(bytes);
    io_uring_queue_exit(&ring);
}

/* Who wants all of it to be received hears of a part, and of a message that was cut off. */
static void part_of_receive(void)
{
    struct msghdr header = { 0 };
    struct iovec vector;
    int pair[2];
    char bytes[8];

    open_ring();
    make_socketpair(pair, SOCK_DGRAM);
    vector = (struct iovec) { bytes, sizeof(bytes) };
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(write(pair[1], "abcdefghi", 4), 4);
    io_uring_prep_recv(next_sqe(&ring), pair[0], bytes, sizeof(bytes), MSG_WAITALL);
    has_next(4, false);
    io_uring_prep_recv(next_sqe(&ring), pair[0], bytes, sizeof(bytes), 0);
    has_next(4, true);
    io_uring_prep_recv(next_sqe(&ring), pair[0], bytes, sizeof(bytes), MSG_WAITALL);
    is_told_of(4);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(write(pair[1], "abcdefghi", 9), 9);
    io_uring_prep_recv(next_sqe(&ring), pair[0], bytes, sizeof(bytes), MSG_WAITALL);
    has_next(8, false);
    io_uring_prep_recvmsg(next_sqe(&ring), pair[0], &header, MSG_WAITALL);
    has_next(8, false);
    io_uring_prep_recvmsg(next_sqe(&ring), pair[0], &header, MSG_WAITALL);
    is_told_of(8);
    io_uring_prep_recvmsg(next_sqe(&ring), pair[0], &header, 0);
    has_next(8, true);
    io_uring_queue_exit(&ring);
}

/* A socket that takes a part: enough for who does not ask for all. */
static void part_of_send(void)
{
    enum { MORE = 8 << 20 };
    struct io_uring_sqe *sqe;
    struct done dones[2];
    char *bytes = calloc(1, MORE);
    int pair[2];

    open_ring();
    for (unsigned i = 0; i < 2; i++) {
        struct msghdr header = { 0 };
        struct iovec vector = { bytes, MORE };

        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        make_socketpair(pair, SOCK_STREAM);
        sqe = next_sqe(&ring);
        if (i == 0)
            io_uring_prep_send(sqe, pair[0], bytes, MORE, 0);
        else
            io_uring_prep_sendmsg(sqe, pair[0], &header, 0);
        io_uring_sqe_set_data64(sqe, REQUEST);
        io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
        sqe = next_sqe(&ring);
        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, NEXT);
        SUBMIT(&ring, 2);
        reap_all(&ring, dones, 2);
        CHECK_GT(find_done(dones, 2, REQUEST).res, 0);
        CHECK_LT(find_done(dones, 2, REQUEST).res, MORE);
        CHECK_EQ(find_done(dones, 2, NEXT).res, 0);
        io_uring_prep_send(next_sqe(&ring), pair[0], bytes, 1, MSG_DONTWAIT);
        has_next(-EAGAIN, false);
        CHECK_SYS(close(pair[0]));
        CHECK_SYS(close(pair[1]));
    }
    free(bytes);
    io_uring_queue_exit(&ring);
}

/* The end of a time that the program calls a success. */
static void silent_timeout(void)
{
    struct __kernel_timespec soon = millis(1);

    open_ring();
    io_uring_prep_timeout(next_sqe(&ring), &soon, 0, IORING_TIMEOUT_ETIME_SUCCESS);
    is_silent();
    io_uring_prep_timeout(next_sqe(&ring), &soon, 0, 0);
    is_told_of(-ETIME);
    io_uring_queue_exit(&ring);
}

/* A chain with a member that no ring takes. Only the silence of its first member counts, and it is about the others. */
static void wrong_chain(void)
{
    open_ring();
    for (unsigned silent = 0; silent < 3; silent++) {
        for (unsigned i = 0; i < 3; i++) {
            struct io_uring_sqe *sqe = next_sqe(&ring);

            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, i);
            io_uring_sqe_set_flags(sqe, (i < 2 ? IOSQE_IO_LINK : 0) | (i == silent ? IOSQE_CQE_SKIP_SUCCESS : 0));
            if (i == 1)
                sqe->opcode = 255;
        }
        SUBMIT(&ring, 3);
        for (unsigned i = 0; i < (silent == 0 ? 1 : 3); i++) {
            struct done done = reap(&ring);

            CHECK_EQ(done.data, i);
            CHECK_EQ(done.res, i == 1 ? -EINVAL : -ECANCELED);
        }
        CHECK_NO_CQE(&ring);
    }
    io_uring_queue_exit(&ring);
}

/* Where a thread of the kernel's submits nothing stays in the queue, whatever is wrong. */
static void wrong_request_before_others(void)
{
    struct done dones[3];

    need_kernel(5, 11, "SQPOLL without privileges");
    ring_open(&ring, 8, IORING_SETUP_SQPOLL);
    for (unsigned i = 0; i < 3; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, i);
        if (i == 0)
            sqe->opcode = 255;
    }
    SUBMIT(&ring, 3);
    /* without another call on the ring, which would submit what is left */
    while (io_uring_cq_ready(&ring) < 3)
        sched_yield();
    reap_all(&ring, dones, 3);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(find_done(dones, 3, i).res, i == 0 ? -EINVAL : 0);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(failures_that_break_nothing),
    CASE(without_file_or_path),
    CASE(socket_closed_behind_shutdown),
    CASE(part_of_direct_read),
    CASE(part_of_read),
    CASE(part_of_vectors),
    CASE(part_of_receive),
    CASE(part_of_send),
    CASE(silent_timeout),
    CASE(wrong_chain),
    CASE(wrong_request_before_others),
};

TEST_MAIN(cases)
