/*
 * Completions that wait for the owner to ask, under DEFER_TASKRUN: they come
 * in the order in which the bytes that they tell of came.
 */
#include <sys/eventfd.h>

#include "file.h"
#include "ring.h"

enum { GROUP = 1, ENTRIES = 8, PART = 4 };

static struct io_uring ring;
static struct io_uring_buf_ring *group;
static char memory[1 << 16];
static int pair[2], other[2], told;

static void begin(unsigned flags)
{
    need_setup(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, "DEFER_TASKRUN");
    ring_open(&ring, ENTRIES, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | flags);
    told = CHECK_SYS(eventfd(0, 0));
    CHECK_EQ(io_uring_register_eventfd(&ring, told), 0);
    make_socketpair(pair, SOCK_STREAM);
    make_socketpair(other, SOCK_STREAM);
}

static void end(void)
{
    io_uring_queue_exit(&ring);
    close(told);
    for (unsigned i = 0; i < 2; i++) {
        close(pair[i]);
        close(other[i]);
    }
}

static void open_group(void)
{
    int error;

    group = io_uring_setup_buf_ring(&ring, ENTRIES, GROUP, IOU_PBUF_RING_INC, &error);
    if (!group)
        skip("the kernel refuses such buffers: %s", strerror(-error));
    io_uring_buf_ring_add(group, memory, sizeof(memory), 0, ENTRIES - 1, 0);
    io_uring_buf_ring_advance(group, 1);
}

/* The ring has been told that there is something for a request that waits, which is to complete at the next call. */
static void send_and_be_told(int fd, const char *part)
{
    __u64 count;

    CHECK_EQ(send(fd, part, PART, 0), PART);
    CHECK_EQ(read(told, &count, sizeof(count)), (ssize_t) sizeof(count));
}

static struct io_uring_sqe *receive(int fd, void *to, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_recv(sqe, fd, to, to ? PART : 0, 0);
    io_uring_sqe_set_data64(sqe, data);
    if (!to) {
        io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
        sqe->buf_group = GROUP;
    }
    return sqe;
}

/* What two receives on a stream got, one after the other. */
static void two_on_a_stream(unsigned flags)
{
    char parts[2][PART], all[2 * PART];

    begin(flags);
    receive(pair[0], parts[0], 0);
    SUBMIT(&ring, 1);
    send_and_be_told(pair[1], "1111");
    CHECK_EQ(send(pair[1], "2222", PART, 0), PART);
    receive(pair[0], parts[1], 1);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.res, PART);
        memcpy(all + i * PART, parts[done.data], PART);
    }
    CHECK_MEM(all, "11112222", sizeof(all));
    end();
}

static void of_a_stream(void)
{
    two_on_a_stream(0);
    two_on_a_stream(IORING_SETUP_TASKRUN_FLAG);
}

/* The same, and what is linked behind the second one completes behind it. */
static void of_a_chain(void)
{
    char parts[2][PART], all[3 * PART + 1] = "";
    struct io_uring_sqe *sqe;

    begin(0);
    receive(pair[0], parts[0], 0);
    SUBMIT(&ring, 1);
    send_and_be_told(pair[1], "1111");
    CHECK_EQ(send(pair[1], "2222", PART, 0), PART);
    io_uring_sqe_set_flags(receive(pair[0], parts[1], 1), IOSQE_IO_LINK);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, 2);
    SUBMIT(&ring, 2);
    for (unsigned i = 0; i < 3; i++) {
        struct done done = reap(&ring);

        memcpy(all + i * PART, done.data == 2 ? "next" : parts[done.data], PART);
    }
    /* the kernel receives for the chain first */
    CHECK(strcmp(all, "11112222next") == 0 || strcmp(all, "1111next2222") == 0);
    CHECK_NO_CQE(&ring);
    end();
}

/* Two streams into one buffer: each completion tells of the bytes behind those of the one before. */
static void of_a_buffer(bool multishot, bool second_multishot)
{
    unsigned at = 0;

    begin(0);
    open_group();
    receive(pair[0], NULL, 'A')->ioprio = multishot ? IORING_RECV_MULTISHOT : 0;
    SUBMIT(&ring, 1);
    send_and_be_told(pair[1], "AAAA");
    CHECK_EQ(send(other[1], "BBBB", PART, 0), PART);
    receive(other[0], NULL, 'B')->ioprio = second_multishot ? IORING_RECV_MULTISHOT : 0;
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.res, PART);
        CHECK_EQ(memory[at], (char) done.data);
        CHECK_EQ(memory[at + PART - 1], (char) done.data);
        at += PART;
    }
    CHECK_NO_CQE(&ring);
    end();
}

static void of_buffers(void)
{
    of_a_buffer(false, false);
    of_a_buffer(true, false);
    of_a_buffer(false, true);
    of_a_buffer(true, true);
}

/* One that has nothing to do with what is kept back is there when the submission returns. */
static void of_others(void)
{
    char parts[2][PART];

    begin(0);
    receive(pair[0], parts[0], 0);
    SUBMIT(&ring, 1);
    send_and_be_told(pair[1], "1111");
    CHECK_EQ(send(other[1], "2222", PART, 0), PART);
    receive(other[0], parts[1], 1);
    SUBMIT(&ring, 1);
    CHECK_EQ(io_uring_cq_ready(&ring), 1);
    CHECK_EQ(reap(&ring).data, 1);
    CHECK_EQ(reap(&ring).data, 0);
    end();
}

static const struct test_case cases[] = {
    CASE(of_a_stream),
    CASE(of_a_chain),
    CASE(of_buffers),
    CASE(of_others),
};

TEST_MAIN(cases)
