/* A server that sends back what it receives, with one request in flight
 * for each client: a receive or a send, by turns. So data stays in order,
 * and a client that does not read is not received from. It needs nothing
 * that is newer than Linux 5.6. With a port as its argument it serves for
 * ever; without, it serves one client of its own.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 100
#define SIZE 16384

enum doing {
    NOTHING,
    RECEIVING,
    SENDING
};

struct client {
    int fd;
    enum doing doing;
    int size, sent; /* bytes that were received; how many went back */
    char data[SIZE];
};

static struct client clients[CLIENTS];
static struct io_uring ring;
static int listener, gone;

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

/* user_data of the accept is NULL, that of others is their client. */
static void accept_next(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    io_uring_prep_accept(sqe, listener, NULL, NULL, 0);
    io_uring_sqe_set_data(sqe, NULL);
}

static struct client *free_client(void)
{
    int i;

    for (i = 0; i < CLIENTS; i++)
        if (clients[i].doing == NOTHING)
            return &clients[i];
    return NULL;
}

static void receive(struct client *c)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    c->doing = RECEIVING;
    io_uring_prep_recv(sqe, c->fd, c->data, SIZE, 0);
    io_uring_sqe_set_data(sqe, c);
}

static void send_rest(struct client *c)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    c->doing = SENDING;
    io_uring_prep_send(sqe, c->fd, c->data + c->sent,
                       (size_t) (c->size - c->sent), 0);
    io_uring_sqe_set_data(sqe, c);
}

/* Handles the result of the client's request. */
static void completed(struct client *c, int res)
{
    if (c->doing == RECEIVING && res > 0) {
        c->size = res;
        c->sent = 0;
        send_rest(c);
    } else if (c->doing == SENDING && res > 0) {
        c->sent += res;
        if (c->sent < c->size)
            send_rest(c);
        else
            receive(c);
    } else {
        /* The client has ended, or an error. Nothing is in flight. */
        close(c->fd);
        c->doing = NOTHING;
        gone++;
    }
}

static void serve(int until)
{
    int accepting = 0;

    while (!until || gone < until) {
        struct io_uring_cqe *cqe;
        int ret;

        /* One accept, as long as there is room for a client. */
        if (!accepting && free_client()) {
            accept_next();
            accepting = 1;
        }
        ret = io_uring_submit_and_wait(&ring, 1);
        if (ret != -EINTR)
            ok(ret, "io_uring_submit_and_wait");
        while (io_uring_peek_cqe(&ring, &cqe) == 0) {
            struct client *c = io_uring_cqe_get_data(cqe);
            int res = cqe->res;

            io_uring_cqe_seen(&ring, cqe);
            if (c) {
                completed(c, res);
                continue;
            }
            accepting = 0;
            if (res >= 0) {
                c = free_client();
                c->fd = res;
                receive(c);
            } else if (res != -ECONNABORTED && res != -EINTR) {
                /* Descriptors cannot run out here: see main(). */
                ok(res, "accept");
            }
        }
    }
}

/* Sends 200000 bytes, ends its side, and expects them all. */
static void *try_it(void *arg)
{
    static char out[200000], in[sizeof(out)];
    struct sockaddr_in *address = arg;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t i, size = 0;
    ssize_t got;

    for (i = 0; i < sizeof(out); i++)
        out[i] = (char) (i / 7);
    if (connect(fd, (struct sockaddr *) address, sizeof(*address)) < 0 ||
        write(fd, out, sizeof(out)) != sizeof(out))
        err(1, "client");
    shutdown(fd, SHUT_WR);
    while ((got = read(fd, in + size, sizeof(in) - size)) > 0)
        size += (size_t) got;
    if (size != sizeof(in) || memcmp(in, out, size) != 0)
        errx(1, "%zu of %zu bytes came back", size, sizeof(in));
    close(fd);
    return NULL;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);
    pthread_t thread;

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
    if (sysconf(_SC_OPEN_MAX) < CLIENTS + 10)
        errx(1, "raise the limit on descriptors: ulimit -n");

    /* Each client has one request, and there is one accept: so an SQE is
     * always free, and the CQ has room for all. */
    ok(io_uring_queue_init(CLIENTS + 1, &ring, 0), "io_uring_queue_init");
    if (argc > 1) {
        serve(0);
    } else {
        if (pthread_create(&thread, NULL, try_it, &address) != 0)
            errx(1, "no thread");
        serve(1);
        pthread_join(thread, NULL);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
