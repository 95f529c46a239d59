/*
 * Provided buffers of requests that leave the thread, that fail, and that are
 * cancelled: no two requests have the same memory, and the program hears of
 * each buffer that left its group.
 */
#include <pthread.h>
#include <sys/socket.h>

#include "file.h"
#include "ring.h"

enum { GROUP = 1, COUNT = 8, BLOCK = 4096, NAMED = IORING_CQE_F_BUFFER, PIECE = 4, PIECES = COUNT * BLOCK / PIECE / 2 - 1 };

static struct io_uring ring;
static struct io_uring_buf_ring *group;
static char memory[COUNT][BLOCK] __attribute__((aligned(BLOCK)));

/* A ring, and a group of all the memory in buffers of this size. */
static void open_group(unsigned setup, int flags, unsigned size)
{
    unsigned count = sizeof(memory) / size;
    int error;

    ring_open(&ring, 32, setup);
    group = io_uring_setup_buf_ring(&ring, COUNT, GROUP, (unsigned) flags, &error);
    if (!group)
        skip("the kernel refuses such buffers: %s", strerror(-error));
    for (unsigned i = 0; i < count; i++)
        io_uring_buf_ring_add(group, (char *) memory + i * size, size, (unsigned short) i, COUNT - 1, (int) i);
    io_uring_buf_ring_advance(group, (int) count);
    memset(memory, '.', sizeof(memory));
}

static void close_group(void)
{
    CHECK_EQ(io_uring_free_buf_ring(&ring, group, COUNT, GROUP), 0);
    io_uring_queue_exit(&ring);
}

/* How many buffers have left the group. */
static unsigned head(void)
{
    uint16_t head = 0;

    CHECK_EQ(io_uring_buf_ring_head(&ring, GROUP, &head), 0);
    return head;
}

static void read_selected(int fd, unsigned length, __u64 offset, unsigned flags, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_read(sqe, fd, NULL, length, offset);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT | flags);
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, data);
}

/* A file of blocks of letters, on a disk if it is to be read past the page cache. */
static int letters(int flags)
{
    static char blocks[2][BLOCK] __attribute__((aligned(BLOCK)));
    int fd = CHECK_SYS(open("letters", O_RDWR | O_CREAT | O_TRUNC, 0644));

    memset(blocks[0], 'A', BLOCK);
    memset(blocks[1], 'B', BLOCK);
    CHECK_EQ(write(fd, blocks, sizeof(blocks)), (ssize_t) sizeof(blocks));
    CHECK_SYS(fsync(fd));
    close(fd);
    fd = open("letters", O_RDWR | flags);
    if (fd < 0 && errno == EINVAL)
        skip("the file system knows no O_DIRECT");
    return CHECK_SYS(fd);
}

static bool holds(const char *bytes, char byte)
{
    for (unsigned i = 0; i < BLOCK; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

/* Reads that go on elsewhere, into one buffer that is used up piece by piece. */
static void pieces(int open_flags, unsigned flags)
{
    int fd = letters(open_flags);
    struct done dones[2];

    open_group(0, IOU_PBUF_RING_INC, sizeof(memory));
    read_selected(fd, BLOCK, 0, flags, 0);
    read_selected(fd, BLOCK, BLOCK, flags, 1);
    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(dones[i].res, BLOCK);
        CHECK_EQ(dones[i].flags, NAMED | IORING_CQE_F_BUF_MORE);
    }
    /* workers take their pieces in any order */
    CHECK((holds(memory[0], 'A') && holds(memory[1], 'B')) || (holds(memory[0], 'B') && holds(memory[1], 'A')));
    CHECK_EQ(memory[2][0], '.');
    close_group();
    close(fd);
}

static void pieces_of_workers(void)
{
    pieces(0, IOSQE_ASYNC);
}

static void pieces_past_the_cache(void)
{
    pieces(O_DIRECT, 0);
}

static int crowd[2];

static void *send_much(void *unused)
{
    (void) unused;
    for (unsigned i = 0; i < PIECES; i++)
        CHECK_EQ(send(crowd[1], "AAAA", PIECE, 0), PIECE);
    return NULL;
}

static void receive_selected(int fd, unsigned flags, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_recv(sqe, fd, NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    sqe->ioprio = (unsigned short) flags;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, data);
}

/* Two sockets into one buffer, served by different threads: the completions tell of the pieces in their order. */
static void pieces_of_threads(void)
{
    unsigned sent = 0, got = 0;
    int own[2];
    pthread_t thread;

    make_socketpair(crowd, SOCK_SEQPACKET);
    make_socketpair(own, SOCK_SEQPACKET);
    open_group(0, IOU_PBUF_RING_INC, sizeof(memory));
    receive_selected(crowd[0], IORING_RECV_MULTISHOT, 'A');
    SUBMIT(&ring, 1);
    CHECK_EQ(pthread_create(&thread, NULL, send_much, NULL), 0);
    while (got < 2 * PIECES) {
        struct io_uring_cqe *cqe;

        if (sent < PIECES) {
            CHECK_EQ(send(own[1], "BBBB", PIECE, 0), PIECE);
            receive_selected(own[0], 0, 'B');
            SUBMIT(&ring, 1);
            sent++;
        }
        while (io_uring_peek_cqe(&ring, &cqe) == 0) {
            struct done done = take(&ring, cqe);

            CHECK_EQ(done.res, PIECE);
            for (unsigned i = 0; i < PIECE; i++)
                CHECK_EQ(((char *) memory)[got * PIECE + i], (char) done.data);
            got++;
            if (done.data == 'A' && !(done.flags & IORING_CQE_F_MORE)) {
                receive_selected(crowd[0], IORING_RECV_MULTISHOT, 'A');
                SUBMIT(&ring, 1);
            }
        }
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    close_group();
    for (unsigned i = 0; i < 2; i++) {
        close(crowd[i]);
        close(own[i]);
    }
}

/* Of a file on a disk as much is used up as was asked for, however much there was. */
static void pieces_that_are_short(void)
{
    int fd = letters(0);

    for (unsigned async = 0; async < 2; async++) {
        unsigned flags = async ? IOSQE_ASYNC : 0;

        open_group(0, IOU_PBUF_RING_INC, BLOCK);
        read_selected(fd, 64, 2 * BLOCK - 10, flags, 0);
        CHECK_EQ(run_done(&ring).res, 10);
        read_selected(fd, 0, 0, flags, 0);
        CHECK_EQ(run_done(&ring).res, BLOCK - 64);
        CHECK_EQ(memory[0][9], 'B');
        CHECK_EQ(memory[0][10], '.');
        CHECK_EQ(memory[0][64], 'A');
        CHECK_EQ(head(), 1);
        close_group();
    }
    close(fd);
}

/* Each read that fails tells of its buffer, until there is none. */
static void all_fail(int fd, unsigned length, __u64 offset, unsigned flags, int error)
{
    unsigned seen = 0;

    open_group(0, 0, BLOCK);
    for (unsigned round = 0; round < COUNT / 2; round++) {
        struct done dones[2];

        read_selected(fd, length, offset, flags, 0);
        read_selected(fd, length, offset, flags, 0);
        SUBMIT(&ring, 2);
        reap_all(&ring, dones, 2);
        for (unsigned i = 0; i < 2; i++) {
            CHECK_EQ(dones[i].res, error);
            CHECK_EQ(dones[i].flags & 0xffff, NAMED);
            seen |= 1U << (dones[i].flags >> IORING_CQE_BUFFER_SHIFT);
        }
        CHECK_EQ(head(), 2 * (round + 1));
    }
    CHECK_EQ(seen, (1U << COUNT) - 1);
    read_selected(fd, length, offset, flags, 0);
    CHECK_EQ(run_res(&ring), -ENOBUFS);
    close_group();
}

static void failed_reads(void)
{
    int fd, folder = CHECK_SYS(open(".", O_RDONLY));

    close(letters(0));
    fd = CHECK_SYS(open("letters", O_WRONLY));
    all_fail(fd, 64, 0, IOSQE_ASYNC, -EBADF);
    all_fail(fd, 64, 0, 0, -EBADF);
    all_fail(folder, 64, 0, IOSQE_ASYNC, -EISDIR);
    close(folder);
    close(fd);
}

static void failed_reads_past_the_cache(void)
{
    int fd = letters(O_DIRECT);

    /* nothing about it is aligned */
    all_fail(fd, 60, 1, 0, -EINVAL);
    close(fd);
}

/* A buffer that a request gave is gone with a read that failed, too; a pipe's goes back to a ring of buffers. */
static void failed_reads_of_pipes(void)
{
    struct io_uring_sqe *sqe;
    struct done done;
    int ends[2];

    CHECK_SYS(pipe(ends));
    open_group(0, 0, BLOCK);
    read_selected(ends[1], 64, 0, 0, 0);
    done = run_done(&ring);
    CHECK_EQ(done.res, -EBADF);
    CHECK_EQ(done.flags, 0);
    CHECK_EQ(head(), 0);
    close_group();
    ring_open(&ring, 8, 0);
    sqe = next_sqe(&ring);
    io_uring_prep_provide_buffers(sqe, memory, BLOCK, COUNT, GROUP, 0);
    CHECK_EQ(run_res(&ring), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        read_selected(ends[1], 64, 0, 0, 0);
        done = run_done(&ring);
        CHECK_EQ(done.res, -EBADF);
        CHECK_EQ(done.flags, NAMED | i << IORING_CQE_BUFFER_SHIFT);
    }
    read_selected(ends[1], 64, 0, 0, 0);
    CHECK_EQ(run_res(&ring), -ENOBUFS);
    io_uring_queue_exit(&ring);
    close(ends[0]);
    close(ends[1]);
}

/* A receive that gets nothing gives a buffer back that a request gave, wherever it is run. */
static void receives_of_nothing(void)
{
    int pair[2];

    make_socketpair(pair, SOCK_STREAM);
    close(pair[1]);
    ring_open(&ring, 8, 0);
    io_uring_prep_provide_buffers(next_sqe(&ring), memory, BLOCK, 1, GROUP, 0);
    CHECK_EQ(run_res(&ring), 0);
    for (unsigned i = 0; i < 4; i++) {
        struct done done;

        receive_selected(pair[0], 0, i);
        if (i % 2)
            ring.sq.sqes[(ring.sq.sqe_tail - 1) & ring.sq.ring_mask].flags |= IOSQE_ASYNC;
        done = run_done(&ring);
        CHECK_EQ(done.res, 0);
        CHECK_EQ(done.flags, 0);
    }
    io_uring_queue_exit(&ring);
    close(pair[0]);
}

/* A read that is cancelled while it waits for a worker: what left the group is what the program hears of. */
static void cancelled_reads(void)
{
    unsigned most[2] = { 1, 1 }, cancelled = 0;
    int fd = letters(0);

    for (unsigned round = 0; round < 50; round++) {
        struct done dones[COUNT + 1];
        unsigned named = 0;

        open_group(0, 0, BLOCK);
        CHECK_EQ(io_uring_register_iowq_max_workers(&ring, most), 0);
        for (unsigned i = 0; i < COUNT; i++)
            read_selected(fd, BLOCK, 0, IOSQE_ASYNC, i);
        io_uring_prep_cancel64(next_sqe(&ring), COUNT - 1, 0);
        SUBMIT(&ring, COUNT + 1);
        reap_all(&ring, dones, COUNT + 1);
        for (unsigned i = 0; i < COUNT + 1; i++) {
            named += (dones[i].flags & NAMED) != 0;
            cancelled += dones[i].res == -ECANCELED;
        }
        CHECK_EQ(head(), named);
        close_group();
    }
    CHECK_GT(cancelled, 0);
    close(fd);
}

static struct io_uring_sqe *selecting(struct io_uring_sqe *sqe)
{
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    sqe->buf_group = GROUP + 1;
    return sqe;
}

/* Where there is no buffer nothing is waited for. */
static void no_buffer(void)
{
    struct msghdr message = { 0 };
    int pair[2], ends[2];

    open_group(0, 0, BLOCK);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_SYS(pipe(ends));
    for (unsigned kind = 0; kind < 7; kind++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        switch (kind) {
        case 0:
            io_uring_prep_recv(sqe, pair[0], NULL, 0, 0);
            break;
        case 1:
            io_uring_prep_recvmsg(sqe, pair[0], &message, 0);
            break;
        case 2:
            io_uring_prep_recv_multishot(sqe, pair[0], NULL, 0, 0);
            break;
        case 3:
            io_uring_prep_recvmsg_multishot(sqe, pair[0], &message, 0);
            break;
        case 4:
            io_uring_prep_read_multishot(sqe, ends[0], 0, 0, 0);
            break;
        case 5:
            io_uring_prep_recv(sqe, pair[0], NULL, 0, 0);
            sqe->ioprio |= IORING_RECVSEND_BUNDLE;
            break;
        default:
            io_uring_prep_send(sqe, pair[0], NULL, 0, 0);
        }
        selecting(sqe);
        CHECK_EQ(run_res(&ring), kind < 5 ? -ENOBUFS : -ENOENT);
    }
    close_group();
}

/* After the last message that there was a buffer for a receive that goes on ends. */
static void no_buffer_for_more(void)
{
    struct io_uring_sqe *sqe;
    struct done done;
    int pair[2];

    open_group(0, 0, sizeof(memory));
    CHECK_SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    sqe = next_sqe(&ring);
    io_uring_prep_recv_multishot(sqe, pair[0], NULL, 0, 0);
    selecting(sqe)->buf_group = GROUP;
    SUBMIT(&ring, 1);
    CHECK_EQ(send(pair[1], "abc", 3, 0), 3);
    done = reap(&ring);
    CHECK_EQ(done.res, 3);
    CHECK(done.flags & IORING_CQE_F_MORE);
    done = reap(&ring);
    CHECK_EQ(done.res, -ENOBUFS);
    CHECK(!(done.flags & IORING_CQE_F_MORE));
    close_group();
}

static const struct test_case cases[] = {
    CASE(pieces_of_workers),
    CASE(pieces_past_the_cache),
    CASE(pieces_of_threads),
    CASE(pieces_that_are_short),
    CASE(failed_reads),
    CASE(failed_reads_past_the_cache),
    CASE(failed_reads_of_pipes),
    CASE(receives_of_nothing),
    CASE(cancelled_reads),
    CASE(no_buffer),
    CASE(no_buffer_for_more),
};

TEST_MAIN(cases)
