/*
 * Time an operation through the library that this program is linked to.
 *
 * usage: speed WORKLOAD SECONDS [NAME=VALUE...]
 *
 *   nop     batch=N entries=N rings=N       nops, batch by batch
 *   read    depth=N direct=0|1 fixed=0|1 file=PATH
 *                                           random reads of 4 KiB; fixed: registered file and buffers
 *   pair    kind=socket|pipe                one byte to and fro between two rings of one thread
 *   trips   connections=N                   one byte to and fro on many socket pairs at a time, on one ring
 *   echo    size=N clients=N                messages through an echo server: multishot receive, a buffer ring
 *   setup   entries=N                       set-up and exit of a ring
 *
 * Prints the nanoseconds of an operation: the median of short slices. For echo, an operation is a client's round trip.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <arpa/inet.h>
#include <liburing.h>
#include <pthread.h>
#include <sys/socket.h>

static struct io_uring_cqe *wait_one(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;

    must("waiting", io_uring_wait_cqe(ring, &cqe));
    return cqe;
}

static double bench_nop(double seconds)
{
    unsigned batch = number("batch", "1"), nr_rings = number("rings", "1"), at = 0;
    unsigned entries = number("entries", "0"), turns = slice_turns(batch);
    struct io_uring *rings = calloc(nr_rings, sizeof(*rings));
    struct slices slices;

    if (!rings)
        die("rings", ENOMEM);
    for (unsigned i = 0; i < nr_rings; i++)
        must("setting a ring up", io_uring_queue_init(entries ? entries : batch, &rings[i], 0));
    slices = start_slices(seconds);
    do {
        for (unsigned turn = 0; turn < turns; turn++) {
            struct io_uring *ring = &rings[at];

            at = at + 1 < nr_rings ? at + 1 : 0;
            for (unsigned i = 0; i < batch; i++)
                io_uring_prep_nop(io_uring_get_sqe(ring));
            must("submitting", io_uring_submit(ring));
            for (unsigned i = 0; i < batch; i++)
                io_uring_cqe_seen(ring, wait_one(ring));
        }
    } while (next_slice(&slices, (unsigned long) turns * batch));
    for (unsigned i = 0; i < nr_rings; i++)
        io_uring_queue_exit(&rings[i]);
    free(rings);
    return end_slices(&slices);
}

static double bench_read(double seconds)
{
    unsigned in_flight = 0, fixed = number("fixed", "0");
    unsigned long done = 0;
    struct slices slices;
    struct io_uring ring;
    struct reads r;
    bool more = true;

    open_reads(&r);
    must("setting a ring up", io_uring_queue_init(r.depth, &ring, 0));
    if (fixed) {
        struct iovec iov = {.iov_base = r.buffers, .iov_len = (size_t) r.depth * BLOCK};

        must("registering buffers", io_uring_register_buffers(&ring, &iov, 1));
        must("registering the file", io_uring_register_files(&ring, &r.fd, 1));
    }
    slices = start_slices(seconds);
    while (more || in_flight) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;

        while (more && r.nr_spare) {
            struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
            unsigned slot = r.spare[--r.nr_spare];
            char *buffer = r.buffers + (size_t) slot * BLOCK;

            if (fixed) {
                io_uring_prep_read_fixed(sqe, 0, buffer, BLOCK, random_offset(&r), 0);
                io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
            } else {
                io_uring_prep_read(sqe, r.fd, buffer, BLOCK, random_offset(&r));
            }
            io_uring_sqe_set_data64(sqe, slot);
            in_flight++;
        }
        must("submitting", io_uring_submit_and_wait(&ring, 1));
        io_uring_for_each_cqe(&ring, head, cqe) {
            check_read(cqe->res);
            r.spare[r.nr_spare++] = (unsigned) cqe->user_data;
            seen++;
        }
        io_uring_cq_advance(&ring, seen);
        in_flight -= seen;
        done += seen;
        if (more && done >= 8) {
            more = next_slice(&slices, done);
            done = 0;
        }
    }
    io_uring_queue_exit(&ring);
    close_reads(&r);
    return end_slices(&slices);
}

static void transfer(struct io_uring *ring, int fd, char *byte, bool out)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    if (out)
        io_uring_prep_write(sqe, fd, byte, 1, 0);
    else
        io_uring_prep_read(sqe, fd, byte, 1, 0);
    must("submitting", io_uring_submit(ring));
}

static void finish(struct io_uring *ring)
{
    struct io_uring_cqe *cqe = wait_one(ring);

    if (cqe->res != 1)
        die("one byte", cqe->res < 0 ? -cqe->res : EIO);
    io_uring_cqe_seen(ring, cqe);
}

static double bench_pair(double seconds)
{
    bool pipes = !strcmp(option("kind", "socket"), "pipe");
    struct io_uring left, right;
    struct slices slices;
    int ends[4];
    char byte = 'x';

    /* ends[0] is read on the left, ends[1] written on the right; ends[2] read on the right, ends[3] written left. */
    if (pipes ? pipe(ends) || pipe(ends + 2) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        die("a pair", errno);
    if (!pipes) {
        ends[2] = ends[1];
        ends[3] = ends[0];
    }
    must("setting a ring up", io_uring_queue_init(4, &left, 0));
    must("setting a ring up", io_uring_queue_init(4, &right, 0));
    slices = start_slices(seconds);
    do {
        for (unsigned i = 0; i < 64; i++) {
            transfer(&right, ends[2], &byte, false);
            transfer(&left, ends[3], &byte, true);
            finish(&left);
            finish(&right);
            transfer(&left, ends[0], &byte, false);
            transfer(&right, ends[1], &byte, true);
            finish(&right);
            finish(&left);
        }
    } while (next_slice(&slices, 64));
    io_uring_queue_exit(&left);
    io_uring_queue_exit(&right);
    return end_slices(&slices);
}

/* Data of a completion: the number of the end, and whether it was sent or received there. */
static void move_byte(struct io_uring *ring, const int *ends, unsigned end, char *byte, bool out)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    if (out)
        io_uring_prep_send(sqe, ends[end], byte, 1, 0);
    else
        io_uring_prep_recv(sqe, ends[end], byte, 1, 0);
    io_uring_sqe_set_data64(sqe, end << 1 | (out ? 1 : 0));
}

static double bench_trips(double seconds)
{
    unsigned connections = number("connections", "64"), nr_ends = 2 * connections;
    int *ends = calloc(nr_ends, sizeof(*ends));
    char *bytes = calloc(nr_ends, 2);
    unsigned long trips = 0;
    struct slices slices;
    struct io_uring ring;

    if (!ends || !bytes)
        die("connections", ENOMEM);
    must("setting a ring up", io_uring_queue_init(4 * connections, &ring, 0));
    for (unsigned end = 0; end < nr_ends; end += 2) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends + end))
            die("a pair", errno);
        move_byte(&ring, ends, end, bytes + 2 * end, false);
        move_byte(&ring, ends, end + 1, bytes + 2 * (end + 1), false);
        move_byte(&ring, ends, end, bytes + 2 * end + 1, true);
    }
    slices = start_slices(seconds);
    for (bool more = true; more;) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;

        must("submitting", io_uring_submit_and_wait(&ring, 1));
        io_uring_for_each_cqe(&ring, head, cqe) {
            unsigned end = (unsigned) cqe->user_data >> 1;

            seen++;
            if (cqe->res != 1)
                die("one byte", cqe->res < 0 ? -cqe->res : EIO);
            if (cqe->user_data & 1)
                continue;
            /* Received: it goes back, and the next one is waited for. */
            move_byte(&ring, ends, end, bytes + 2 * end, false);
            move_byte(&ring, ends, end, bytes + 2 * end + 1, true);
            trips += end % 2 == 0;
        }
        io_uring_cq_advance(&ring, seen);
        if (trips >= 64) {
            more = next_slice(&slices, trips);
            trips = 0;
        }
    }
    io_uring_queue_exit(&ring);
    for (unsigned end = 0; end < nr_ends; end++)
        close(ends[end]);
    free(ends);
    free(bytes);
    return end_slices(&slices);
}

#define ECHO_BUFFERS 256u

struct client {
    pthread_t thread;
    unsigned short port;
    size_t size;
    double seconds;
    struct slices slices;
};

static void whole(int fd, char *data, size_t size, bool out)
{
    for (size_t at = 0; at < size;) {
        ssize_t moved = out ? send(fd, data + at, size - at, 0) : recv(fd, data + at, size - at, 0);

        if (moved <= 0)
            die("a client", moved ? errno : EPIPE);
        at += (size_t) moved;
    }
}

static void *run_client(void *argument)
{
    struct client *client = argument;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = client->port};
    char *data = calloc(1, client->size);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || !data || connect(fd, (struct sockaddr *) &address, sizeof(address)))
        die("connecting", errno);
    client->slices = start_slices(client->seconds);
    do {
        whole(fd, data, client->size, true);
        whole(fd, data, client->size, false);
    } while (next_slice(&client->slices, 1));
    close(fd);
    free(data);
    return NULL;
}

static void receive(struct io_uring *ring, int fd)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, 1);
    io_uring_sqe_set_data64(sqe, (__u64) fd);
}

/*
 * Serves until all clients have closed. A completion's data is its socket; the upper bits of a send's hold the buffer.
 */
static void serve(struct io_uring *ring, int listener, unsigned clients, struct io_uring_buf_ring *br, char *buffers)
{
    struct sockaddr_in *nobody = NULL;
    unsigned open_clients = clients, seen;

    io_uring_prep_multishot_accept(io_uring_get_sqe(ring), listener, (struct sockaddr *) nobody, NULL, 0);
    while (open_clients) {
        struct io_uring_cqe *cqe;
        unsigned head;

        must("serving", io_uring_submit_and_wait(ring, 1));
        seen = 0;
        io_uring_for_each_cqe(ring, head, cqe) {
            unsigned buffer = (unsigned) (cqe->user_data >> 32);
            int fd = (int) (unsigned) cqe->user_data;

            seen++;
            if (buffer) {
                /* Sent: the buffer may be filled again. */
                must("sending", cqe->res);
                io_uring_buf_ring_add(br, buffers + (size_t) (buffer - 1) * BLOCK, BLOCK, (unsigned short) (buffer - 1),
                                      io_uring_buf_ring_mask(ECHO_BUFFERS), 0);
                io_uring_buf_ring_advance(br, 1);
            } else if (fd == 0) {
                receive(ring, (int) must("accepting", cqe->res));
            } else if (cqe->res > 0) {
                unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
                struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

                io_uring_prep_send(sqe, fd, buffers + (size_t) id * BLOCK, (size_t) cqe->res, MSG_WAITALL);
                io_uring_sqe_set_data64(sqe, (__u64) (id + 1) << 32 | (unsigned) fd);
                if (!(cqe->flags & IORING_CQE_F_MORE))
                    receive(ring, fd);
            } else if (cqe->res == -ENOBUFS) {
                receive(ring, fd);
            } else {
                close(fd);
                open_clients--;
            }
        }
        io_uring_cq_advance(ring, seen);
    }
}

static double bench_echo(double seconds)
{
    unsigned nr_clients = number("clients", "4");
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    struct client *clients = calloc(nr_clients, sizeof(*clients));
    char *buffers = malloc((size_t) ECHO_BUFFERS * BLOCK);
    int listener = socket(AF_INET, SOCK_STREAM, 0), error = 0;
    struct io_uring_buf_ring *br;
    struct io_uring ring;
    double result = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!clients || !buffers || listener < 0 || bind(listener, (struct sockaddr *) &address, length) ||
        listen(listener, 64) || getsockname(listener, (struct sockaddr *) &address, &length))
        die("listening", errno);
    must("setting a ring up", io_uring_queue_init(ECHO_BUFFERS, &ring, 0));
    br = io_uring_setup_buf_ring(&ring, ECHO_BUFFERS, 1, 0, &error);
    must("a buffer ring", error);
    for (unsigned i = 0; i < ECHO_BUFFERS; i++)
        io_uring_buf_ring_add(br, buffers + (size_t) i * BLOCK, BLOCK, (unsigned short) i,
                              io_uring_buf_ring_mask(ECHO_BUFFERS), (int) i);
    io_uring_buf_ring_advance(br, (int) ECHO_BUFFERS);

    for (unsigned i = 0; i < nr_clients; i++) {
        clients[i].port = address.sin_port;
        clients[i].size = number("size", "64");
        clients[i].seconds = seconds;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]))
            die("a client", EAGAIN);
    }
    serve(&ring, listener, nr_clients, br, buffers);
    for (unsigned i = 0; i < nr_clients; i++) {
        pthread_join(clients[i].thread, NULL);
        result += end_slices(&clients[i].slices) / nr_clients;
    }
    must("freeing a buffer ring", io_uring_free_buf_ring(&ring, br, ECHO_BUFFERS, 1));
    io_uring_queue_exit(&ring);
    free(buffers);
    free(clients);
    return result;
}

static double bench_setup(double seconds)
{
    unsigned entries = number("entries", "64");
    struct slices slices = start_slices(seconds);

    do {
        struct io_uring ring;

        must("setting a ring up", io_uring_queue_init(entries, &ring, 0));
        io_uring_queue_exit(&ring);
    } while (next_slice(&slices, 1));
    return end_slices(&slices);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*run)(double seconds);
    } workloads[] = {
        {"nop", bench_nop}, {"read", bench_read}, {"pair", bench_pair}, {"trips", bench_trips},
        {"echo", bench_echo}, {"setup", bench_setup},
    };

    if (argc >= 3) {
        options = argv + 3;
        for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
            if (!strcmp(argv[1], workloads[i].name)) {
                printf("%.2f\n", workloads[i].run(strtod(argv[2], NULL)));
                return 0;
            }
        }
    }
    fprintf(stderr, "usage: speed nop|read|pair|trips|echo|setup SECONDS [NAME=VALUE...]\n");
    return 2;
}
