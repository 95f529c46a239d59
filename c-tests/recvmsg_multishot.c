/* Multishot recvmsg and the helpers that parse its buffers. */
#include "file.h"

enum { GROUP = 3, BUFFERS = 4, SIZE = 256 };

static int make_udp(struct sockaddr_in *address)
{
    int fd = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));
    socklen_t len = sizeof(*address);

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_SYS(bind(fd, (struct sockaddr *) address, sizeof(*address)));
    CHECK_SYS(getsockname(fd, (struct sockaddr *) address, &len));
    return fd;
}

/* Name, control data and payload of datagrams, one completion each. */
static void datagrams(void)
{
    static char bytes[BUFFERS][SIZE] __attribute__((aligned(8)));
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_buf_ring *buffers;
    struct sockaddr_in from, to;
    struct msghdr message;
    int sender = make_udp(&from);
    int receiver = make_udp(&to);
    int on = 1, error;

    need_kernel(6, 0, "multishot recvmsg");
    CHECK_SYS(setsockopt(receiver, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)));
    CHECK_SYS(setsockopt(receiver, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)));
    ring_open(&ring, 8, 0);
    buffers = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, 0, &error);
    CHECK(buffers != NULL);
    for (unsigned i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(buffers, bytes[i], SIZE, i, io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(buffers, BUFFERS);

    memset(&message, 0, sizeof(message));
    message.msg_namelen = sizeof(struct sockaddr_in) + 8;
    message.msg_controllen = 64;
    sqe = next_sqe(&ring);
    io_uring_prep_recvmsg_multishot(sqe, receiver, &message, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, GROUP);
    SUBMIT(&ring, 1);

    for (unsigned i = 0; i < 3; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "datagram %u", i);
        struct io_uring_recvmsg_out *out;
        struct sockaddr_in *name;
        struct cmsghdr *control;
        unsigned controls = 0;
        struct done done;

        CHECK_EQ(sendto(sender, text, len, 0, (struct sockaddr *) &to, sizeof(to)), len);
        done = reap(&ring);
        CHECK_GE(done.res, len);
        CHECK(done.flags & IORING_CQE_F_MORE);
        out = io_uring_recvmsg_validate(bytes[done.flags >> IORING_CQE_BUFFER_SHIFT],
                                        done.res, &message);
        CHECK(out != NULL);
        CHECK_EQ(out->payloadlen, len);
        CHECK_EQ(out->flags, 0);
        CHECK_EQ(out->namelen, sizeof(struct sockaddr_in));
        name = (struct sockaddr_in *) io_uring_recvmsg_name(out);
        CHECK_EQ(name->sin_port, from.sin_port);
        CHECK_EQ(io_uring_recvmsg_payload_length(out, done.res, &message), len);
        CHECK_MEM(io_uring_recvmsg_payload(out, &message), text, len);

        for (control = io_uring_recvmsg_cmsg_firsthdr(out, &message); control;
             control = io_uring_recvmsg_cmsg_nexthdr(out, &message, control)) {
            CHECK_EQ(control->cmsg_level, IPPROTO_IP);
            CHECK(control->cmsg_type == IP_TOS || control->cmsg_type == IP_TTL);
            controls++;
        }
        CHECK_EQ(controls, 2);
    }
    CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, BUFFERS, GROUP), 0);
    io_uring_queue_exit(&ring);
    close(sender);
    close(receiver);
}

/* The helpers on hand-made buffers with lengths that do not fit. */
static void lengths(void)
{
    _Alignas(16) char buffer[SIZE];
    struct io_uring_recvmsg_out *out = (struct io_uring_recvmsg_out *) buffer;
    struct msghdr message;
    const int head = sizeof(*out);

    memset(buffer, 0, sizeof(buffer));
    memset(&message, 0, sizeof(message));
    CHECK(io_uring_recvmsg_validate(buffer, -1, &message) == NULL);
    CHECK(io_uring_recvmsg_validate(buffer, head - 1, &message) == NULL);
    CHECK(io_uring_recvmsg_validate(buffer, head, &message) == out);
    message.msg_namelen = 16;
    message.msg_controllen = 32;
    CHECK(io_uring_recvmsg_validate(buffer, head + 47, &message) == NULL);
    CHECK(io_uring_recvmsg_validate(buffer, head + 48, &message) == out);
    message.msg_controllen = (__typeof__(message.msg_controllen)) -1;
    CHECK(io_uring_recvmsg_validate(buffer, SIZE, &message) == NULL);
    message.msg_controllen = 32;

    CHECK((char *) io_uring_recvmsg_name(out) == buffer + head);
    CHECK((char *) io_uring_recvmsg_payload(out, &message) == buffer + head + 48);
    CHECK_EQ(io_uring_recvmsg_payload_length(out, head + 48 + 5, &message), 5);
    CHECK_EQ(io_uring_recvmsg_payload_length(out, head + 48, &message), 0);
    CHECK_EQ(io_uring_recvmsg_payload_length(out, head, &message), 0);
    CHECK_EQ(io_uring_recvmsg_payload_length(out, -1, &message), 0);
}

static void control_messages(void)
{
    _Alignas(16) char buffer[SIZE];
    struct io_uring_recvmsg_out *out = (struct io_uring_recvmsg_out *) buffer;
    struct msghdr message;
    struct cmsghdr *first, *second;

    memset(buffer, 0, sizeof(buffer));
    memset(&message, 0, sizeof(message));
    message.msg_controllen = 64;
    out->controllen = sizeof(struct cmsghdr) - 1;
    CHECK(io_uring_recvmsg_cmsg_firsthdr(out, &message) == NULL);

    out->controllen = CMSG_SPACE(4) + CMSG_SPACE(8);
    first = io_uring_recvmsg_cmsg_firsthdr(out, &message);
    CHECK((char *) first == (char *) io_uring_recvmsg_name(out));
    first->cmsg_len = CMSG_LEN(4);
    second = (struct cmsghdr *) ((char *) first + CMSG_SPACE(4));
    second->cmsg_len = CMSG_LEN(8);
    CHECK(io_uring_recvmsg_cmsg_nexthdr(out, &message, first) == second);
    CHECK(io_uring_recvmsg_cmsg_nexthdr(out, &message, second) == NULL);

    /* a control message longer than its buffer */
    second->cmsg_len = CMSG_LEN(9);
    CHECK(io_uring_recvmsg_cmsg_nexthdr(out, &message, first) == NULL);
    /* and one shorter than its own header: an iterator would not advance */
    first->cmsg_len = sizeof(struct cmsghdr) - 1;
    CHECK(io_uring_recvmsg_cmsg_nexthdr(out, &message, first) == NULL);
}

static const struct test_case cases[] = {
    CASE(datagrams),
    CASE(lengths),
    CASE(control_messages),
};

TEST_MAIN(cases)
