/* Receives datagrams with their senders by one request: each buffer holds
 * a header, the address and the data.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT 4
#define SIZE 256

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

static int skip(const char *reason)
{
    printf("SKIP: %s\n", reason);
    return 77;
}

int main(void)
{
    static char memory[COUNT][SIZE];
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);
    struct msghdr layout = { .msg_namelen = sizeof(address) };
    struct io_uring_recvmsg_out *out;
    struct sockaddr_in *from;
    struct io_uring_buf_ring *buffers;
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int i, ret;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, length) < 0 ||
        getsockname(fd, (struct sockaddr *) &address, &length) < 0)
        err(1, "socket");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    buffers = io_uring_setup_buf_ring(&ring, COUNT, 0, 0, &ret);
    if (!buffers && ret == -EINVAL)
        return skip("needs Linux 5.19");
    if (!buffers)
        ok(ret, "io_uring_setup_buf_ring");
    for (i = 0; i < COUNT; i++)
        io_uring_buf_ring_add(buffers, memory[i], SIZE,
                              (unsigned short) i,
                              io_uring_buf_ring_mask(COUNT), i);
    io_uring_buf_ring_advance(buffers, COUNT);

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_recvmsg_multishot(sqe, fd, &layout, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, 0);
    ok(io_uring_submit(&ring), "io_uring_submit");
    if (sendto(fd, "hello", 5, 0, (struct sockaddr *) &address, length) !=
        5)
        err(1, "sendto");

    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (cqe->res == -EINVAL)
        return skip("needs Linux 6.0");
    ok(cqe->res, "recvmsg");
    out = io_uring_recvmsg_validate(
        memory[cqe->flags >> IORING_CQE_BUFFER_SHIFT], cqe->res, &layout);
    if (!out)
        errx(
            1,
            "the buffer is too small for what the message header asks for");
    from = io_uring_recvmsg_name(out);
    if (from->sin_port != address.sin_port ||
        io_uring_recvmsg_payload_length(out, cqe->res, &layout) != 5 ||
        memcmp(io_uring_recvmsg_payload(out, &layout), "hello", 5) != 0 ||
        io_uring_recvmsg_cmsg_firsthdr(out, &layout) != NULL)
        errx(1, "not what was sent");
    io_uring_cqe_seen(&ring, cqe);
    io_uring_free_buf_ring(&ring, buffers, COUNT, 0);
    io_uring_queue_exit(&ring);
    return 0;
}
