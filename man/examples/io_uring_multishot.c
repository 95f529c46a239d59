/* A server that sends back what it receives. One request accepts all
 * connections, one for each connection receives all that comes. Each
 * connection has at most one send in flight, so its data stays in order.
 * A client that does not read is not received from until it does. With a
 * port as its argument it serves for ever; without, it serves two clients
 * of its own, to show that it works.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFERS 64
#define SIZE 4096
#define GROUP 0
/* A connection with more bytes to send than this is not received from. */
#define HIGH 65536

/* What a request is, in the low bits of user_data. The rest is the
 * connection's address, whose low bits are 0. */
enum {
    ACCEPT,
    PAUSE,
    CANCEL,
    RECEIVE,
    SEND,
    MASK = 7
};

/* Data that waits to be sent. */
struct piece {
    struct piece *next;
    size_t size;
    char data[];
};

struct connection {
    struct connection *next; /* on the list of those with work */
    struct piece *first, *last;
    size_t held, sent; /* bytes that wait, and that of first were sent */
    int fd, listed;
    int receiving, cancelled, sending; /* the requests in flight */
    int ended, broken; /* the client ended its side; an error */
};

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char memory[BUFFERS][SIZE];
static struct connection *work;
static int listener, accepting, pausing, gone;

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

static void list(struct connection *c)
{
    if (c->listed)
        return;
    c->listed = 1;
    c->next = work;
    work = c;
}

static void give_back(unsigned short bid)
{
    io_uring_buf_ring_add(buffers, memory[bid], SIZE, bid,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(buffers, 1);
}

static void drop_first(struct connection *c)
{
    struct piece *p = c->first;

    c->first = p->next;
    c->held -= p->size;
    c->sent = 0;
    free(p);
}

static void accepted(const struct io_uring_cqe *cqe)
{
    struct connection *c;

    accepting = (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (cqe->res < 0) {
        /* Out of descriptors or memory: the next try would fail, too.
         * Wait a little, so that connections can end meanwhile. */
        pausing |= cqe->res != -ECONNABORTED && cqe->res != -EINTR;
        return;
    }
    c = calloc(1, sizeof(*c));
    if (!c) {
        close(cqe->res);
        return;
    }
    c->fd = cqe->res;
    list(c);
}

/* The data is copied, and the buffer given back at once: one that waited
 * for a slow client would be missing for all others. */
static void received(struct connection *c, const struct io_uring_cqe *cqe)
{
    struct piece *p;

    if (cqe->flags & IORING_CQE_F_BUFFER) {
        unsigned short bid =
            (unsigned short) (cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        size_t size = cqe->res > 0 ? (size_t) cqe->res : 0;

        p = size && !c->broken ? malloc(sizeof(*p) + size) : NULL;
        if (p) {
            p->next = NULL;
            p->size = size;
            memcpy(p->data, memory[bid], size);
            *(c->first ? &c->last->next : &c->first) = p;
            c->last = p;
            c->held += size;
        } else if (size) {
            c->broken = 1;
        }
        give_back(bid);
    }
    if (!(cqe->flags & IORING_CQE_F_MORE)) {
        c->receiving = c->cancelled = 0;
        if (cqe->res == 0)
            c->ended = 1;
        else if (cqe->res < 0 && cqe->res != -ENOBUFS &&
                 cqe->res != -ECANCELED && cqe->res != -EINTR)
            c->broken = 1;
    }
    list(c);
}

static void sent(struct connection *c, int res)
{
    c->sending = 0;
    if (res <= 0) {
        c->broken = 1;
    } else {
        c->sent += (size_t) res;
        if (c->sent == c->first->size)
            drop_first(c);
    }
    list(c);
}

/* Takes one completion. It only notes what happened: requests are prepared
 * when all CQEs have been given back, and so have room to complete. */
static void take(const struct io_uring_cqe *cqe)
{
    struct connection *c =
        (void *) ((uintptr_t) cqe->user_data & ~(uintptr_t) MASK);

    switch (cqe->user_data & MASK) {
    case ACCEPT:
        accepted(cqe);
        break;
    case PAUSE:
        pausing = 0;
        break;
    case RECEIVE:
        received(c, cqe);
        break;
    case SEND:
        sent(c, cqe->res);
        break;
    }
}

static struct io_uring_sqe *marked(struct io_uring_sqe *sqe,
                                   struct connection *c, unsigned what)
{
    io_uring_sqe_set_data64(sqe, (uintptr_t) c | what);
    return sqe;
}

/* Prepares what a connection needs, at most two requests. */
static void go_on(struct connection *c)
{
    struct io_uring_sqe *sqe;
    int full = c->held > HIGH;

    /* What is in flight ends by this, too. */
    if (c->broken)
        shutdown(c->fd, SHUT_RDWR);
    if (c->first && !c->sending && !c->broken) {
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_send(sqe, c->fd, c->first->data + c->sent,
                           c->first->size - c->sent, 0);
        marked(sqe, c, SEND);
        c->sending = 1;
    }
    if (c->receiving && full && !c->cancelled) {
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_cancel64(sqe, (uintptr_t) c | RECEIVE, 0);
        marked(sqe, NULL, CANCEL);
        c->cancelled = 1;
    } else if (!c->receiving && !full && !c->ended && !c->broken) {
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
        io_uring_sqe_set_buf_group(sqe, GROUP);
        marked(sqe, c, RECEIVE);
        c->receiving = 1;
    }
    /* Close only when no request needs the descriptor or the memory. */
    if (c->receiving || c->sending)
        return;
    while (c->first)
        drop_first(c);
    close(c->fd);
    free(c);
    gone++;
}

/* Prepares all that is to be done, as far as there are SQEs. The rest
 * stays on the list until the next time. */
static void prepare(void)
{
    static struct __kernel_timespec tenth = { .tv_nsec = 100000000 };
    static int timing;

    timing = timing && pausing;
    while (work && io_uring_sq_space_left(&ring) >= 2) {
        struct connection *c = work;

        work = c->next;
        c->listed = 0;
        go_on(c);
    }
    if (io_uring_sq_space_left(&ring) < 1)
        return;
    if (pausing && !timing) {
        io_uring_prep_timeout(
            marked(io_uring_get_sqe(&ring), NULL, PAUSE), &tenth, 0, 0);
        timing = 1;
    } else if (!pausing && !accepting) {
        io_uring_prep_multishot_accept(
            marked(io_uring_get_sqe(&ring), NULL, ACCEPT), listener, NULL,
            NULL, 0);
        accepting = 1;
    }
}

static void serve(int clients)
{
    for (;;) {
        struct io_uring_cqe *cqe;
        int ret;

        prepare();
        if (clients && gone == clients)
            return;
        /* What is on the list needs SQEs, not completions. */
        ret = io_uring_submit_and_wait(&ring, work ? 0 : 1);
        /* A signal; or the kernel wants completions to be taken first. */
        if (ret != -EINTR && ret != -EBUSY && ret != -EAGAIN)
            ok(ret, "io_uring_submit_and_wait");
        while (io_uring_peek_cqe(&ring, &cqe) == 0) {
            take(cqe);
            io_uring_cqe_seen(&ring, cqe);
        }
    }
}

static int connected(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 ||
        connect(fd, (struct sockaddr *) address, sizeof(*address)) < 0)
        err(1, "connect");
    return fd;
}

/* Sends 200000 bytes, ends its side, and expects them all. Beside it, a
 * client sends as much as it can, and reads nothing. */
static void *client(void *arg)
{
    static char out[200000], in[sizeof(out)];
    int silent = connected(arg), fd = connected(arg);
    size_t i, size = 0;
    ssize_t got;

    for (i = 0; i < sizeof(out); i++)
        out[i] = (char) (i / 7);
    while (send(silent, out, sizeof(out), MSG_DONTWAIT) > 0)
        usleep(10000);
    if (write(fd, out, sizeof(out)) != sizeof(out))
        err(1, "write");
    shutdown(fd, SHUT_WR);
    while ((got = read(fd, in + size, sizeof(in) - size)) > 0)
        size += (size_t) got;
    if (size != sizeof(in) || memcmp(in, out, size) != 0)
        errx(1, "%zu of %zu bytes came back", size, sizeof(in));
    close(fd);
    close(silent);
    return NULL;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);
    pthread_t thread;
    int ret;

    address.sin_addr.s_addr =
        htonl(argc > 1 ? INADDR_ANY : INADDR_LOOPBACK);
    address.sin_port =
        htons(argc > 1 ? (unsigned short) atoi(argv[1]) : 0);
    listener = socket(AF_INET, SOCK_STREAM, 0);
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

    if (argc > 1) {
        serve(0);
    } else {
        if (pthread_create(&thread, NULL, client, &address) != 0)
            errx(1, "no thread");
        serve(2);
        pthread_join(thread, NULL);
    }
    io_uring_free_buf_ring(&ring, buffers, BUFFERS, GROUP);
    io_uring_queue_exit(&ring);
    return 0;
}
