/*
 * Bundles: which buffers they take, what is cut, and that they complete in the
 * order in which they took them, whoever runs them.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "ring.h"

enum { BUFFERS = 16, SIZE = 16, GROUP = 1, PAIRS = 8, WRITERS = 2, ORDERED = 50000 };

static struct io_uring ring;
static struct io_uring_buf_ring *group;
static char memory[BUFFERS][SIZE];
static int pair[2];

static void give(unsigned short buffer)
{
    io_uring_buf_ring_add(group, memory[buffer], SIZE, buffer, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(group, 1);
}

static void begin(unsigned entries, unsigned buffers)
{
    int ret;

    ring_open(&ring, entries, 0);
    group = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, 0, &ret);
    CHECK(group != NULL);
    for (unsigned short i = 0; i < buffers; i++)
        give(i);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static void end(void)
{
    io_uring_queue_exit(&ring);
    close(pair[0]);
    close(pair[1]);
}

static struct io_uring_sqe *selecting(void)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    sqe->buf_group = GROUP;
    return sqe;
}

static void prepare_receive(int fd, unsigned length, bool again, __u64 data)
{
    struct io_uring_sqe *sqe = selecting();

    if (again)
        io_uring_prep_recv_multishot(sqe, fd, NULL, length, 0);
    else
        io_uring_prep_recv(sqe, fd, NULL, length, 0);
    sqe->ioprio |= IORING_RECVSEND_BUNDLE;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_data64(sqe, data);
}

static void prepare_send(unsigned length, bool bundle)
{
    struct io_uring_sqe *sqe = selecting();

    if (bundle)
        io_uring_prep_send_bundle(sqe, pair[0], length, 0);
    else
        io_uring_prep_send(sqe, pair[0], NULL, length, 0);
    sqe->buf_group = GROUP;
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
}

static unsigned buffer_of(struct done done)
{
    CHECK(done.flags & IORING_CQE_F_BUFFER);
    return done.flags >> IORING_CQE_BUFFER_SHIFT;
}

static unsigned taken(void)
{
    uint16_t head;

    CHECK_EQ(io_uring_buf_ring_head(&ring, GROUP, &head), 0);
    return head;
}

/* What limits a receive cuts no buffer but the first: the rest of one would be lost. */
static void limited_receive(void)
{
    begin(8, BUFFERS);
    CHECK_EQ(write(pair[1], memory, 3 * SIZE), 3 * SIZE);
    prepare_receive(pair[0], SIZE + 4, false, 1);
    CHECK_EQ(run_res(&ring), SIZE);
    CHECK_EQ(taken(), 1);
    prepare_receive(pair[0], 4, false, 1);
    CHECK_EQ(run_res(&ring), 4);
    CHECK_EQ(taken(), 2);
    end();
}

/* The same for a send. What comes after the first part has no limit. */
static void limited_send(void)
{
    struct done done;

    begin(8, 5);
    prepare_send(2 * SIZE + 4, true);
    done = run_done(&ring);
    CHECK_EQ(done.res, 2 * SIZE);
    CHECK_EQ(buffer_of(done), 0);
    CHECK(done.flags & IORING_CQE_F_MORE);
    done = reap(&ring);
    CHECK_EQ(done.res, 3 * SIZE);
    CHECK_EQ(buffer_of(done), 2);
    CHECK(!(done.flags & IORING_CQE_F_MORE));
    end();
}

/* Of the buffers of a send that fails the program hears: they are used up. */
static void failed_send(void)
{
    struct done done;

    begin(8, 5);
    CHECK_SYS(shutdown(pair[0], SHUT_WR));
    prepare_send(0, false);
    done = run_done(&ring);
    CHECK_EQ(done.res, -EPIPE);
    CHECK_EQ(buffer_of(done), 0);
    CHECK_EQ(taken(), 1);
    prepare_send(0, true);
    done = run_done(&ring);
    CHECK_EQ(done.res, -EPIPE);
    CHECK_EQ(buffer_of(done), 1);
    CHECK_EQ(taken(), 5);
    end();
}

/* A receive that goes on ends with the last buffer. */
static void last_buffer(void)
{
    struct done done;

    begin(8, 2);
    prepare_receive(pair[0], 0, true, 1);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(write(pair[1], memory, 4), 4);
        done = reap(&ring);
        CHECK_EQ(done.res, 4);
        CHECK_EQ(buffer_of(done), i);
        CHECK_EQ((done.flags & IORING_CQE_F_MORE) != 0, i == 0);
    }
    end();
}

static int pairs[PAIRS][2];
static bool stop;

static void *write_to_pairs(void *first)
{
    unsigned random = (unsigned) (uintptr_t) first;
    char bytes[20] = { 0 };

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        for (unsigned i = (unsigned) (uintptr_t) first; i < PAIRS; i += WRITERS) {
            random = random * 1664525 + 1013904223;
            if (send(pairs[i][1], bytes, random / 256 % sizeof(bytes) + 1, MSG_NOSIGNAL) < 0)
                return NULL;
        }
    return NULL;
}

/*
 * A bundle's completion names its first buffer. The others are those behind it: a program that gives buffers back in
 * the order of the completions has to find them where they were.
 */
static void in_order(void)
{
    pthread_t writers[WRITERS];
    unsigned short order[BUFFERS];
    unsigned next = 0;

    begin(64, BUFFERS);
    for (unsigned short i = 0; i < BUFFERS; i++)
        order[i] = i;
    for (unsigned i = 0; i < PAIRS; i++) {
        CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
        prepare_receive(pairs[i][0], 0, true, i);
    }
    SUBMIT(&ring, PAIRS);
    for (uintptr_t i = 0; i < WRITERS; i++)
        CHECK_EQ(pthread_create(&writers[i], NULL, write_to_pairs, (void *) i), 0);
    for (unsigned i = 0; i < ORDERED;) {
        struct pollfd slot = { .fd = ring.ring_fd, .events = POLLIN };
        struct io_uring_cqe *cqe;

        CHECK_GE(io_uring_submit(&ring), 0);
        CHECK_SYS(poll(&slot, 1, -1));
        for (; io_uring_peek_cqe(&ring, &cqe) == 0; i++) {
            struct done done = take(&ring, cqe);

            if (done.res != -ENOBUFS) {
                unsigned count = ((unsigned) done.res + SIZE - 1) / SIZE;

                CHECK_GT(done.res, 0);
                CHECK_EQ(buffer_of(done), order[next % BUFFERS]);
                for (; count > 0; count--, next++)
                    give(order[next % BUFFERS]);
            }
            if (!(done.flags & IORING_CQE_F_MORE))
                prepare_receive(pairs[done.data][0], 0, true, done.data);
        }
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < PAIRS; i++)
        CHECK_SYS(shutdown(pairs[i][0], SHUT_RDWR));
    for (unsigned i = 0; i < WRITERS; i++)
        CHECK_EQ(pthread_join(writers[i], NULL), 0);
    end();
}

static const struct test_case cases[] = {
    CASE(limited_receive),
    CASE(limited_send),
    CASE(failed_send),
    CASE(last_buffer),
    CASE(in_order),
};

TEST_MAIN(cases)
