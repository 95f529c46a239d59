/*
 * Requests that are cancelled while a thread of the library works on them:
 * each ends, and what cancelled it says so.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "file.h"
#include "need_kcmp.h"

#ifndef CANCELLED_ROUNDS
#define CANCELLED_ROUNDS 2000
#endif

enum { REPEATED = 3, CANCEL = 4 };

/* Cancels a request, which may have completed before and would again. */
static void cancel(struct io_uring *ring, bool accepts)
{
    struct io_uring_sqe *sqe = next_sqe(ring);
    bool ended = false, cancelled = false;

    io_uring_prep_cancel64(sqe, REPEATED, 0);
    io_uring_sqe_set_data64(sqe, CANCEL);
    SUBMIT(ring, 1);
    while (!ended || !cancelled) {
        struct done done = reap(ring);

        if (done.data == CANCEL) {
            CHECK_EQ(done.res, 0);
            cancelled = true;
        } else if (!(done.flags & IORING_CQE_F_MORE)) {
            CHECK_EQ(done.res, -ECANCELED);
            ended = true;
        } else if (accepts) {
            close(done.res);
        }
    }
}

/* The next completion, without a wait: a thread of the library brings it. */
static struct done come_by(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(ring, &cqe) != 0)
        sched_yield();
    return reap(ring);
}

/* Closes a connection without a wait: else ports run out. */
static void forget(int client)
{
    struct linger none = { .l_onoff = 1 };

    CHECK_SYS(setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
    close(client);
}

static void accepts(int more)
{
    struct io_uring ring;
    struct sockaddr_in address;
    int listener = make_listener(&address);

    CHECK_SYS(fcntl(listener, F_SETFL, more));
    ring_open(&ring, 8, 0);
    for (unsigned i = 0; i < CANCELLED_ROUNDS; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);
        struct done done;
        int client;

        io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, 0);
        io_uring_sqe_set_data64(sqe, REPEATED);
        SUBMIT(&ring, 1);
        client = connect_to(&address);
        done = come_by(&ring);
        CHECK_EQ(done.data, REPEATED);
        CHECK_GE(done.res, 0);
        cancel(&ring, true);
        forget(client);
        close(done.res);
    }
    io_uring_queue_exit(&ring);
    close(listener);
}

/* A worker accepts. */
static void accepts_blocking(void)
{
    accepts(0);
}

static void accepts_nonblocking(void)
{
    accepts(O_NONBLOCK);
}

static int shared_listener;
static atomic_uint taken;
static atomic_bool stops;

static void *take_connections(void *unused)
{
    while (!stops) {
        close(CHECK_SYS(accept(shared_listener, NULL, NULL)));
        taken++;
    }
    return unused;
}

/* Has a worker wait in accept4(): another thread takes the connection for which it has come. */
static bool leave_in_accept(struct io_uring *ring, const struct sockaddr_in *address)
{
    for (unsigned i = 0; i < 2 * CANCELLED_ROUNDS; i++) {
        struct io_uring_sqe *sqe = next_sqe(ring);
        struct io_uring_cqe *cqe;
        unsigned before = taken;
        int client, res = 1;

        io_uring_prep_accept(sqe, shared_listener, NULL, NULL, 0);
        io_uring_sqe_set_data64(sqe, REPEATED);
        SUBMIT(ring, 1);
        client = connect_to(address);
        while (taken == before && io_uring_peek_cqe(ring, &cqe) != 0)
            sched_yield();
        forget(client);
        io_uring_prep_cancel64(sqe = next_sqe(ring), REPEATED, 0);
        io_uring_sqe_set_data64(sqe, CANCEL);
        SUBMIT(ring, 1);
        for (unsigned done = 0; done < 2 && res != -EALREADY; done++) {
            struct done one = reap(ring);

            if (one.data == CANCEL)
                res = one.res;
            else if (one.res >= 0)
                close(one.res);
        }
        if (res == -EALREADY)
            return true;
    }
    return false;
}

/* A connection that comes to a ring which was given up meanwhile is closed. */
static void accepts_for_nobody(void)
{
    struct io_uring ring;
    struct sockaddr_in address;
    pthread_t thread;
    unsigned left, maps = count_maps().ring_maps;

    shared_listener = make_listener(&address);
    ring_open(&ring, 8, 0);
    CHECK_EQ(pthread_create(&thread, NULL, take_connections, NULL), 0);
    left = leave_in_accept(&ring, &address);
    io_uring_queue_exit(&ring);
    stops = true;
    /* one for the thread, and one for the worker */
    for (unsigned i = 0; i < 1 + left; i++) {
        int client = connect_to(&address);
        struct pollfd slot = { .fd = client, .events = POLLIN };

        CHECK_EQ(poll(&slot, 1, 10000), 1);
        close(client);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    close(shared_listener);
    if (!left)
        skip("no worker was left in accept4()");
    /* The worker closes the connection first, and then lets go of the ring. */
    while (count_maps().ring_maps != maps)
        sched_yield();
}

/*
 * Where nobody accepts, a connection is not made: it can be cancelled, though
 * the socket is one that blocks. It stays such a socket.
 */
static void connects(void)
{
    struct __kernel_timespec time = millis(20);
    struct io_uring_sqe *sqe;
    struct sockaddr_in address;
    struct io_uring ring;
    int listener = make_listener(&address), others[4], fd;

    CHECK_SYS(listen(listener, 0));
    for (unsigned i = 0; i < 4; i++) {
        others[i] = CHECK_SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        (void) connect(others[i], (struct sockaddr *) &address, sizeof(address));
    }
    fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    ring_open(&ring, 8, 0);
    io_uring_prep_connect(sqe = next_sqe(&ring), fd, (struct sockaddr *) &address, sizeof(address));
    io_uring_sqe_set_data64(sqe, REPEATED);
    SUBMIT(&ring, 1);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    io_uring_prep_cancel64(sqe = next_sqe(&ring), REPEATED, 0);
    io_uring_sqe_set_data64(sqe, CANCEL);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.res, done.data == CANCEL ? 0 : -ECANCELED);
    }
    close(fd);
    fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    io_uring_prep_connect(sqe = next_sqe(&ring), fd, (struct sockaddr *) &address, sizeof(address));
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, REPEATED);
    io_uring_prep_link_timeout(sqe = next_sqe(&ring), &time, 0);
    io_uring_sqe_set_data64(sqe, CANCEL);
    SUBMIT(&ring, 2);
    for (unsigned i = 0; i < 2; i++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.res, done.data == CANCEL ? -ETIME : -ECANCELED);
    }
    close(fd);
    /* where there is room it is made */
    for (unsigned i = 0; i < 4; i++)
        close(others[i]);
    CHECK_SYS(fcntl(listener, F_SETFL, O_NONBLOCK));
    while ((fd = accept(listener, NULL, NULL)) >= 0)
        close(fd);
    fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    io_uring_prep_connect(sqe = next_sqe(&ring), fd, (struct sockaddr *) &address, sizeof(address));
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    io_uring_queue_exit(&ring);
    close(fd);
    close(listener);
}

static void receives(void)
{
    enum { BUFFERS = 8, GROUP = 1 };
    static char memory[BUFFERS];
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    int pair[2], error;

    ring_open(&ring, 8, 0);
    buffers = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, 0, &error);
    CHECK(buffers != NULL);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    for (unsigned i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(buffers, &memory[i], 1, (unsigned short) i, io_uring_buf_ring_mask(BUFFERS), (int) i);
    io_uring_buf_ring_advance(buffers, BUFFERS);
    for (unsigned i = 0; i < CANCELLED_ROUNDS; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);
        struct done done;
        unsigned short id;

        io_uring_prep_recv_multishot(sqe, pair[0], NULL, 0, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
        sqe->buf_group = GROUP;
        io_uring_sqe_set_data64(sqe, REPEATED);
        SUBMIT(&ring, 1);
        CHECK_EQ(write(pair[1], "x", 1), 1);
        done = come_by(&ring);
        CHECK_EQ(done.data, REPEATED);
        CHECK_EQ(done.res, 1);
        id = (unsigned short) (done.flags >> IORING_CQE_BUFFER_SHIFT);
        cancel(&ring, false);
        io_uring_buf_ring_add(buffers, &memory[id], 1, id, io_uring_buf_ring_mask(BUFFERS), 0);
        io_uring_buf_ring_advance(buffers, 1);
    }
    io_uring_free_buf_ring(&ring, buffers, BUFFERS, GROUP);
    io_uring_queue_exit(&ring);
    close(pair[0]);
    close(pair[1]);
}

/* Those that a cancel by `fd` ends, as bits by their numbers. */
static unsigned cancelled_by(struct io_uring *ring, int fd, int want)
{
    struct io_uring_sqe *sqe = next_sqe(ring);
    unsigned which = 0;

    io_uring_prep_cancel_fd(sqe, fd, IORING_ASYNC_CANCEL_ALL);
    io_uring_sqe_set_data64(sqe, CANCEL);
    SUBMIT(ring, 1);
    for (int left = want + 1; left > 0; left--) {
        struct done done = reap(ring);

        CHECK_EQ(done.res, done.data == CANCEL ? want : -ECANCELED);
        if (done.data != CANCEL)
            which |= 1u << done.data;
    }
    CHECK_NO_CQE(ring);
    return which;
}

static void read_by(struct io_uring *ring, int fd, unsigned number)
{
    static uint64_t bytes;
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_read(sqe, fd, &bytes, sizeof(bytes), 0);
    io_uring_sqe_set_data64(sqe, number);
    SUBMIT(ring, 1);
}

/* A file is not told by its inode: of these several have one. */
static void by_file(void)
{
    struct io_uring ring;
    int first, second, again;

    need_kernel(5, 19, "IORING_ASYNC_CANCEL_FD");
    ring_open(&ring, 8, 0);
    for (unsigned round = 0; round < 2; round++) {
        if (round == 0) {
            first = CHECK_SYS(eventfd(0, 0));
            second = CHECK_SYS(eventfd(0, 0));
        } else {
            CHECK_SYS(mkfifo("fifo", 0600));
            first = CHECK_SYS(open("fifo", O_RDWR));
            second = CHECK_SYS(open("fifo", O_RDWR));
        }
        again = CHECK_SYS(dup(first));
        need_kcmp(first, again);
        read_by(&ring, first, 0);
        read_by(&ring, again, 1);
        read_by(&ring, second, 2);
        CHECK_EQ(cancelled_by(&ring, second, 1), 1 << 2);
        read_by(&ring, second, 2);
        CHECK_EQ(cancelled_by(&ring, first, 2), 3);
        CHECK_EQ(cancelled_by(&ring, second, 1), 1 << 2);
        close(first);
        close(second);
        close(again);
    }
    io_uring_queue_exit(&ring);
}

/* What a splice works on is the file that it writes to. */
static void by_output(void)
{
    struct io_uring ring;
    int from[2], to[2], copy, res;

    need_kernel(5, 19, "IORING_ASYNC_CANCEL_FD");
    ring_open(&ring, 8, 0);
    for (unsigned round = 0; round < 2; round++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);
        unsigned splices = 0;

        CHECK_SYS(pipe(from));
        CHECK_SYS(pipe(to));
        copy = CHECK_SYS(dup(to[1]));
        io_uring_prep_splice(sqe, from[0], -1, to[1], -1, 1, 0);
        io_uring_sqe_set_data64(sqe, REPEATED);
        SUBMIT(&ring, 1);
        io_uring_prep_cancel_fd(sqe = next_sqe(&ring), from[0], 0);
        CHECK_EQ(run_res(&ring), -ENOENT);
        /* also where its own number is closed */
        if (round == 1)
            CHECK_SYS(close(to[1]));
        /* until it has begun */
        do {
            io_uring_prep_cancel_fd(sqe = next_sqe(&ring), copy, 0);
            io_uring_sqe_set_data64(sqe, CANCEL);
            SUBMIT(&ring, 1);
            for (res = 0; res == 0;) {
                struct done done = reap(&ring);

                if (done.data == REPEATED) {
                    CHECK_LT(done.res, 0);
                    splices++;
                } else {
                    res = done.res != 0 ? done.res : -EALREADY;
                }
            }
        } while (res == -ENOENT && splices == 0);
        /* the kernel's takes up its file when it begins */
        CHECK(res == -EALREADY || round == 1);
        if (splices == 0)
            CHECK_EQ(reap(&ring).data, REPEATED);
    }
    io_uring_queue_exit(&ring);
}

/* What a WAITID waits for is no descriptor, whatever its number. */
static void by_file_and_not_by_process(void)
{
    struct io_uring_sqe *sqe;
    struct io_uring ring;
    siginfo_t info;
    int ends[2], byte;
    pid_t child;

    need_kernel(6, 7, "IORING_OP_WAITID");
    CHECK_SYS(pipe(ends));
    child = CHECK_SYS(fork());
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    ring_open(&ring, 8, 0);
    io_uring_prep_waitid(sqe = next_sqe(&ring), P_ALL, STDOUT_FILENO, &info, WEXITED, 0);
    io_uring_sqe_set_data64(sqe, REPEATED);
    SUBMIT(&ring, 1);
    io_uring_prep_cancel_fd(next_sqe(&ring), STDOUT_FILENO, 0);
    CHECK_EQ(run_res(&ring), -ENOENT);
    close(ends[1]);
    CHECK_EQ(reap(&ring).data, REPEATED);
    CHECK_EQ(info.si_pid, child);
    io_uring_queue_exit(&ring);
    close(ends[0]);
}

static const struct test_case cases[] = {
    CASE(accepts_blocking),
    CASE(accepts_nonblocking),
    CASE(accepts_for_nobody),
    CASE(connects),
    CASE(receives),
    CASE(by_file),
    CASE(by_output),
    CASE(by_file_and_not_by_process),
};

TEST_MAIN(cases)
