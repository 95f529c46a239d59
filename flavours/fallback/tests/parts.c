/*
 * Transfers that go in several parts: what is there when the first part has
 * gone, and where a request ends that waits for all of it.
 */
#include <sys/ioctl.h>

#include "file.h"

enum { REQUEST = 1, ALL = 8, PART = 4 };

static struct io_uring ring;
static int pair[2];

/* Room for one descriptor beside a message. */
static union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} control;

static struct iovec vector;
static struct msghdr message;

static void prepare_message(void *bytes, size_t size)
{
    memset(&message, 0, sizeof(message));
    vector = (struct iovec) { bytes, size };
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
}

static void name_descriptor(int fd)
{
    message.msg_control = &control;
    message.msg_controllen = sizeof(control);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
}

/* How many descriptors came with the message. */
static unsigned descriptors(const struct msghdr *came)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(came);

    return header && header->cmsg_type == SCM_RIGHTS ? (unsigned) ((header->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
}

/* Waits until the request has taken what there is to receive. */
static void taken(void)
{
    for (int left = 1; left != 0;) {
        CHECK_SYS(ioctl(pair[0], FIONREAD, &left));
        usleep(100);
    }
}

static void descriptor_is_sent_once(void)
{
    enum { SIZE = 1 << 20 };
    char *bytes = malloc(SIZE), *came = malloc(SIZE);
    struct io_uring_sqe *sqe;
    unsigned got = 0;
    size_t at = 0;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_STREAM);
    fill_pattern(bytes, SIZE, 1);
    prepare_message(bytes, SIZE);
    name_descriptor(pair[0]);
    sqe = next_sqe(&ring);
    io_uring_prep_sendmsg(sqe, pair[0], &message, MSG_WAITALL);
    SUBMIT(&ring, 1);
    while (at < SIZE) {
        char room[CMSG_SPACE(sizeof(int))];
        struct iovec rest = { came + at, SIZE - at };
        struct msghdr part = { .msg_iov = &rest, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };

        at += (size_t) CHECK_SYS(recvmsg(pair[1], &part, 0));
        got += descriptors(&part);
    }
    CHECK_EQ(reap(&ring).res, SIZE);
    CHECK_PATTERN(came, SIZE, 1);
    CHECK_EQ(got, 1);
    free(bytes);
    free(came);
    io_uring_queue_exit(&ring);
}

/* A request with room for a descriptor ends with the first part: the next one would take the room. */
static void descriptor_is_received(void)
{
    char bytes[ALL];
    struct msghdr sent;
    struct iovec part = { "abcd", PART };
    struct io_uring_sqe *sqe;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_STREAM);
    prepare_message(bytes, sizeof(bytes));
    name_descriptor(pair[0]);
    sent = message;
    sent.msg_iov = &part;
    CHECK_EQ(sendmsg(pair[1], &sent, 0), PART);
    memset(&control, 0, sizeof(control));
    sqe = next_sqe(&ring);
    io_uring_prep_recvmsg(sqe, pair[0], &message, MSG_WAITALL);
    SUBMIT(&ring, 1);
    /* Whoever waits for the rest would get it. */
    taken();
    CHECK_EQ(write(pair[1], "efgh", PART), PART);
    CHECK_EQ(reap(&ring).res, PART);
    CHECK_MEM(bytes, "abcd", PART);
    CHECK_EQ(descriptors(&message), 1);
    CHECK_EQ(message.msg_flags & MSG_CTRUNC, 0);
    io_uring_queue_exit(&ring);
}

/* Receives all in two parts. */
static void in_two_parts(int type, bool selects, bool headed)
{
    enum { GROUP = 1, ID = 7 };
    struct io_uring_buf_ring *buffers = NULL;
    struct io_uring_sqe *sqe;
    struct done done;
    char bytes[2 * ALL] = "";
    int error;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, type);
    if (selects) {
        buffers = io_uring_setup_buf_ring(&ring, 1, GROUP, 0, &error);
        CHECK(buffers != NULL);
        io_uring_buf_ring_add(buffers, bytes, sizeof(bytes), ID, 0, 0);
        io_uring_buf_ring_advance(buffers, 1);
    }
    prepare_message(selects ? NULL : bytes, ALL);
    sqe = next_sqe(&ring);
    if (headed)
        io_uring_prep_recvmsg(sqe, pair[0], &message, MSG_WAITALL);
    else
        io_uring_prep_recv(sqe, pair[0], vector.iov_base, ALL, MSG_WAITALL);
    if (selects) {
        io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
        sqe->buf_group = GROUP;
    }
    SUBMIT(&ring, 1);
    CHECK_EQ(write(pair[1], "abcd", PART), PART);
    taken();
    CHECK_EQ(write(pair[1], "efghijkl", ALL), ALL);
    done = reap(&ring);
    CHECK_EQ(done.res, ALL);
    CHECK_EQ(done.flags & IORING_CQE_F_BUFFER, selects ? IORING_CQE_F_BUFFER : 0);
    if (selects) {
        CHECK_EQ(done.flags >> IORING_CQE_BUFFER_SHIFT, ID);
        io_uring_free_buf_ring(&ring, buffers, 1, GROUP);
    }
    CHECK_MEM(bytes, "abcdefgh", ALL);
    CHECK_EQ(bytes[ALL], 0);
    io_uring_queue_exit(&ring);
    CHECK_SYS(close(pair[0]));
    CHECK_SYS(close(pair[1]));
}

static void into_provided_buffer(void)
{
    in_two_parts(SOCK_STREAM, true, false);
    in_two_parts(SOCK_STREAM, true, true);
}

static void of_packets(void)
{
    in_two_parts(SOCK_SEQPACKET, false, false);
    in_two_parts(SOCK_SEQPACKET, false, true);
}

/* More than the most that one request transfers. The file has holes alone, and each part of it goes to the same place. */
static void more_than_fits(void)
{
    enum { COUNT = 1024, SIZE = (2 << 20) + 8, MOST = 0x7ffff000 };
    struct iovec *vectors = malloc(COUNT * sizeof(*vectors));
    char *bytes = malloc(SIZE);
    struct io_uring_sqe *sqe;
    struct done dones[2];
    int file;

    if (sysconf(_SC_PAGESIZE) != 4096)
        skip("other pages, of which another number is the most");
    ring_open(&ring, 8, 0);
    file = CHECK_SYS(memfd_create("holes", 0));
    CHECK_SYS(ftruncate(file, (off_t) COUNT * SIZE));
    for (unsigned i = 0; i < COUNT; i++)
        vectors[i] = (struct iovec) { bytes, SIZE };
    sqe = next_sqe(&ring);
    io_uring_prep_readv(sqe, file, vectors, COUNT, 0);
    io_uring_sqe_set_data64(sqe, REQUEST);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    sqe = next_sqe(&ring);
    io_uring_prep_nop(sqe);
    SUBMIT(&ring, 2);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, REQUEST).res, MOST);
    CHECK_EQ(find_done(dones, 2, 0).res, 0);
    free(vectors);
    free(bytes);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(descriptor_is_sent_once),
    CASE(descriptor_is_received),
    CASE(into_provided_buffer),
    CASE(of_packets),
    CASE(more_than_fits),
};

TEST_MAIN(cases)
