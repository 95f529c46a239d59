/*
 * Requests that find nothing on a descriptor that is ready all the time: they
 * do not keep a processor busy, and complete when there is something.
 */
#include <poll.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "file.h"

enum { REQUEST = 1, CANCEL, MOMENT = 300 };

static struct io_uring ring;
static struct sockaddr_in own;

/* The processor's time that this process has used, in milliseconds. */
static long used(void)
{
    struct rusage usage;

    CHECK_SYS(getrusage(RUSAGE_SELF, &usage));
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* Who tries again and again uses as much of a processor as it gets: that counts, not the time that passes. */
static void is_idle(void)
{
    struct __kernel_timespec moment = millis(MOMENT);
    struct io_uring_cqe *cqe;
    long before = used();

    CHECK_EQ(io_uring_wait_cqe_timeout(&ring, &cqe, &moment), -ETIME);
    CHECK_LT(used() - before, MOMENT / 2);
}

static void cancelled(void)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);
    struct done dones[2];

    io_uring_prep_cancel64(sqe, REQUEST, 0);
    io_uring_sqe_set_data64(sqe, CANCEL);
    SUBMIT(&ring, 1);
    reap_all(&ring, dones, 2);
    CHECK_EQ(find_done(dones, 2, REQUEST).res, -ECANCELED);
    CHECK_EQ(find_done(dones, 2, CANCEL).res, 0);
}

/* A socket of datagrams with an address. */
static int bound_socket(void)
{
    socklen_t length = sizeof(own);
    int fd = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));

    memset(&own, 0, sizeof(own));
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_SYS(bind(fd, (struct sockaddr *) &own, length));
    CHECK_SYS(getsockname(fd, (struct sockaddr *) &own, &length));
    return fd;
}

/* A socket with an error in its queue, which nobody has taken, and no error but that. */
static int socket_with_errors(void)
{
    struct sockaddr_in nobody;
    struct pollfd slot;
    int one = 1, none, fd, gone = bound_socket();
    socklen_t length = sizeof(none);

    nobody = own;
    CHECK_SYS(close(gone));
    fd = bound_socket();
    CHECK_SYS(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one)));
    CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *) &nobody, sizeof(nobody)), 1);
    slot = (struct pollfd) { .fd = fd };
    CHECK_EQ(poll(&slot, 1, -1), 1);
    CHECK_SYS(getsockopt(fd, SOL_SOCKET, SO_ERROR, &none, &length));
    return fd;
}

static void send_to_own(int fd)
{
    CHECK_EQ(sendto(fd, "y", 1, 0, (struct sockaddr *) &own, sizeof(own)), 1);
}

static void receive_beside_errors(void)
{
    struct io_uring_sqe *sqe;
    char byte = 0;
    int fd = socket_with_errors(), other;

    ring_open(&ring, 8, 0);
    for (unsigned i = 0; i < 3; i++) {
        sqe = next_sqe(&ring);
        if (i == 1)
            io_uring_prep_read(sqe, fd, &byte, 1, 0);
        else
            io_uring_prep_recv(sqe, fd, &byte, 1, 0);
        io_uring_sqe_set_data64(sqe, REQUEST);
        SUBMIT(&ring, 1);
        is_idle();
        if (i == 2) {
            cancelled();
            break;
        }
        other = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));
        send_to_own(other);
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(byte, 'y');
        CHECK_SYS(close(other));
    }
    io_uring_queue_exit(&ring);
}

/* The program closes its descriptor, and the number stands for another file. */
static void closed_beside_errors(void)
{
    struct io_uring_sqe *sqe;
    char byte = 0;
    int ends[2], other, fd = socket_with_errors();

    ring_open(&ring, 8, 0);
    CHECK_SYS(pipe(ends));
    CHECK_EQ(write(ends[1], "z", 1), 1);
    sqe = next_sqe(&ring);
    io_uring_prep_read(sqe, fd, &byte, 1, 0);
    SUBMIT(&ring, 1);
    is_idle();
    CHECK_SYS(dup2(ends[0], fd));
    is_idle();
    other = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));
    send_to_own(other);
    CHECK_EQ(reap(&ring).res, 1);
    CHECK_EQ(byte, 'y');
    io_uring_queue_exit(&ring);
}

static void send_to_full_receiver(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "receiver" };
    struct iovec vector = { (void *) "x", 1 };
    struct msghdr message = { 0 };
    struct io_uring_sqe *sqe;
    char byte;
    int from, to;

    ring_open(&ring, 8, 0);
    to = CHECK_SYS(socket(AF_UNIX, SOCK_DGRAM, 0));
    from = CHECK_SYS(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_SYS(bind(to, (struct sockaddr *) &address, sizeof(address)));
    while (sendto(from, "x", 1, MSG_DONTWAIT, (struct sockaddr *) &address, sizeof(address)) == 1)
        ;
    CHECK_EQ(errno, EAGAIN);
    message.msg_name = &address;
    message.msg_namelen = sizeof(address);
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    sqe = next_sqe(&ring);
    io_uring_prep_sendmsg(sqe, from, &message, 0);
    SUBMIT(&ring, 1);
    is_idle();
    CHECK_EQ(recv(to, &byte, 1, 0), 1);
    CHECK_EQ(reap(&ring).res, 1);
    io_uring_queue_exit(&ring);
}

/* Errors are waited for. Where a message is there instead, the request ends. */
static void errors_beside_messages(void)
{
    struct io_uring_sqe *sqe;
    struct iovec vector;
    struct msghdr message = { 0 };
    char byte;
    int fd = bound_socket(), other = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));

    ring_open(&ring, 8, 0);
    vector = (struct iovec) { &byte, 1 };
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    sqe = next_sqe(&ring);
    io_uring_prep_recvmsg(sqe, fd, &message, MSG_ERRQUEUE);
    io_uring_sqe_set_data64(sqe, REQUEST);
    SUBMIT(&ring, 1);
    is_idle();
    cancelled();
    send_to_own(other);
    io_uring_prep_recvmsg(next_sqe(&ring), fd, &message, MSG_ERRQUEUE);
    CHECK_EQ(run_res(&ring), -EAGAIN);
    io_uring_prep_recv(next_sqe(&ring), fd, &byte, 1, MSG_ERRQUEUE);
    CHECK_EQ(run_res(&ring), -EAGAIN);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(receive_beside_errors),
    CASE(closed_beside_errors),
    CASE(send_to_full_receiver),
    CASE(errors_beside_messages),
};

TEST_MAIN(cases)
