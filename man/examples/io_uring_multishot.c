/* A server that sends back what it receives. One request accepts all
 * connections, one for each connection receives all that comes. With a
 * port as its argument it serves for ever; without, it serves one client
 * of its own, to show that it works.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFERS 64
#define SIZE 4096
#define GROUP 0

enum {
    ACCEPT,
    RECEIVE,
    SEND
};

/* user_data: what the request is, the descriptor, and a buffer. */
#define DATA(what, fd, bid)                                              \
    ((__u64) (what) << 56 | (__u64) (bid) << 32 | (unsigned) (fd))

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

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char memory[BUFFERS][SIZE];

static struct io_uring_sqe *next_sqe(void)
{
    struct io_uring_sqe *sqe;

    while (!(sqe = io_uring_get_sqe(&ring)))
        ok(io_uring_submit(&ring), "io_uring_submit");
    return sqe;
}

static void start_accept(int listener)
{
    struct io_uring_sqe *sqe = next_sqe();

    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, 0);
    io_uring_sqe_set_data64(sqe, DATA(ACCEPT, listener, 0));
}

static void start_receive(int fd)
{
    struct io_uring_sqe *sqe = next_sqe();

    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, GROUP);
    io_uring_sqe_set_data64(sqe, DATA(RECEIVE, fd, 0));
}

static void give_back(unsigned short bid)
{
    io_uring_buf_ring_add(buffers, memory[bid], SIZE, bid,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(buffers, 1);
}

/* Handles one completion. Returns 1 when a client has gone. */
static int handle(const struct io_uring_cqe *cqe)
{
    int fd = (int) (cqe->user_data & 0xffffffff),
        more = (cqe->flags & IORING_CQE_F_MORE) != 0;
    struct io_uring_sqe *sqe;
    unsigned short bid;

    switch (cqe->user_data >> 56) {
    case ACCEPT:
        if (cqe->res >= 0)
            start_receive(cqe->res);
        if (!more)
            start_accept(fd);
        return 0;
    case RECEIVE:
        if (cqe->res > 0) {
            bid =
                (unsigned short) (cqe->flags >> IORING_CQE_BUFFER_SHIFT);
            sqe = next_sqe();
            /* MSG_WAITALL: all of it, or an error. Several sends to one
             * socket may be carried out in any order. Here a client waits
             * for its answer, so there is one. */
            io_uring_prep_send(sqe, fd, memory[bid], (size_t) cqe->res,
                               MSG_WAITALL);
            io_uring_sqe_set_data64(sqe, DATA(SEND, fd, bid));
        }
        if (more)
            return 0;
        /* Out of buffers, or the request ended for another reason: go on.
         */
        if (cqe->res > 0 || cqe->res == -ENOBUFS) {
            start_receive(fd);
            return 0;
        }
        close(fd);
        return 1;
    default:
        give_back((unsigned short) (cqe->user_data >> 32));
        return 0;
    }
}

static void *client(void *arg)
{
    struct sockaddr_in *address = arg;
    char text[6];
    int fd = socket(AF_INET, SOCK_STREAM, 0), i;

    if (connect(fd, (struct sockaddr *) address, sizeof(*address)) < 0)
        err(1, "connect");
    for (i = 0; i < 1000; i++)
        if (write(fd, "hello", 6) != 6 ||
            recv(fd, text, 6, MSG_WAITALL) != 6 ||
            strcmp(text, "hello") != 0)
            errx(1, "answer %d is wrong", i);
    close(fd);
    return NULL;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0), gone = 0, ret;
    pthread_t thread;

    address.sin_addr.s_addr =
        htonl(argc > 1 ? INADDR_ANY : INADDR_LOOPBACK);
    address.sin_port =
        htons(argc > 1 ? (unsigned short) atoi(argv[1]) : 0);
    if (listener < 0 ||
        bind(listener, (struct sockaddr *) &address, length) < 0 ||
        listen(listener, 128) < 0 ||
        getsockname(listener, (struct sockaddr *) &address, &length) < 0)
        err(1, "socket");

    ret = io_uring_queue_init(256, &ring,
                              IORING_SETUP_SINGLE_ISSUER |
                                  IORING_SETUP_DEFER_TASKRUN);
    if (ret == -EINVAL)
        return skip("needs Linux 6.1");
    ok(ret, "io_uring_queue_init");
    buffers = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, 0, &ret);
    if (!buffers)
        ok(ret, "io_uring_setup_buf_ring");
    for (unsigned short bid = 0; bid < BUFFERS; bid++)
        give_back(bid);
    start_accept(listener);
    if (argc == 1 && pthread_create(&thread, NULL, client, &address) != 0)
        errx(1, "no thread");

    while (argc > 1 || !gone) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;

        ok(io_uring_submit_and_wait(&ring, 1),
           "io_uring_submit_and_wait");
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            gone |= handle(cqe);
            seen++;
        }
        io_uring_cq_advance(&ring, seen);
    }
    pthread_join(thread, NULL);
    io_uring_queue_exit(&ring);
    return 0;
}
