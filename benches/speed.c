/*
 * Time an operation, through the library that this is linked to.
 *
 * usage: speed WORKLOAD SECONDS [NAME=VALUE...]
 *
 *   nop     batch=N entries=N rings=N       nops, batch by batch
 *   read    depth=N direct=0|1 fixed=0|1 file=PATH
 *                                           random reads of 4 KiB; fixed: registered file and buffers
 *   pair    kind=socket|pipe                one byte to and fro between two rings of one thread
 *   echo    size=N clients=N                messages through an echo server: multishot receive, a buffer ring
 *   setup   entries=N                       a ring set up and given up
 *
 * Prints the nanoseconds that an operation took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096u

static char **options;

static void die(const char *what, int error)
{
    fprintf(stderr, "speed: %s: %s\n", what, strerror(error));
    exit(1);
}

static long must(const char *what, long ret)
{
    if (ret < 0)
        die(what, (int) -ret);
    return ret;
}

static const char *option(const char *name, const char *otherwise)
{
    size_t length = strlen(name);

    for (char **each = options; *each; each++) {
        if (!strncmp(*each, name, length) && (*each)[length] == '=')
            return *each + length + 1;
    }
    return otherwise;
}

static unsigned number(const char *name, const char *otherwise)
{
    return (unsigned) strtoul(option(name, otherwise), NULL, 10);
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec + (double) ts.tv_nsec * 1e-9;
}

static struct io_uring_cqe *wait_one(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;

    must("waiting", io_uring_wait_cqe(ring, &cqe));
    return cqe;
}

static double bench_nop(double seconds)
{
    unsigned batch = number("batch", "1"), nr_rings = number("rings", "1");
    unsigned entries = number("entries", "0");
    struct io_uring *rings = calloc(nr_rings, sizeof(*rings));
    unsigned long done = 0;
    double start, end;

    if (!rings)
        die("rings", ENOMEM);
    for (unsigned i = 0; i < nr_rings; i++)
        must("setting a ring up", io_uring_queue_init(entries ? entries : batch, &rings[i], 0));
    start = now();
    end = start + seconds;
    do {
        for (unsigned turn = 0; turn < 64; turn++) {
            struct io_uring *ring = &rings[(done / batch) % nr_rings];

            for (unsigned i = 0; i < batch; i++)
                io_uring_prep_nop(io_uring_get_sqe(ring));
            must("submitting", io_uring_submit(ring));
            for (unsigned i = 0; i < batch; i++)
                io_uring_cqe_seen(ring, wait_one(ring));
            done += batch;
        }
    } while (now() < end);
    end = now();
    for (unsigned i = 0; i < nr_rings; i++)
        io_uring_queue_exit(&rings[i]);
    free(rings);
    return (end - start) / (double) done;
}

static unsigned next_random(unsigned *state)
{
    /* xorshift: the same blocks in each run. */
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static double bench_read(double seconds)
{
    unsigned depth = number("depth", "1"), direct = number("direct", "0"), fixed = number("fixed", "0");
    unsigned state = 2463534242u, in_flight = 0;
    const char *path = option("file", NULL);
    unsigned long done = 0;
    struct io_uring ring;
    struct stat st;
    double start, end;
    char *buffers;
    int fd;

    if (!path)
        die("file=", EINVAL);
    fd = open(path, O_RDONLY | (direct ? O_DIRECT : 0));
    if (fd < 0 || fstat(fd, &st))
        die(path, errno);
    if (posix_memalign((void **) &buffers, BLOCK, (size_t) depth * BLOCK))
        die("buffers", ENOMEM);
    memset(buffers, 0, (size_t) depth * BLOCK);
    must("setting a ring up", io_uring_queue_init(depth, &ring, 0));
    if (fixed) {
        struct iovec iov = {.iov_base = buffers, .iov_len = (size_t) depth * BLOCK};

        must("registering buffers", io_uring_register_buffers(&ring, &iov, 1));
        must("registering the file", io_uring_register_files(&ring, &fd, 1));
    }

    /* Each completed read's buffer goes to the next one. */
    unsigned *spare = calloc(depth, sizeof(*spare)), nr_spare = depth;

    if (!spare)
        die("buffers", ENOMEM);
    for (unsigned i = 0; i < depth; i++)
        spare[i] = i;
    start = now();
    end = start + seconds;
    bool more = true;

    while (more || in_flight) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;

        while (more && nr_spare) {
            struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
            unsigned slot = spare[--nr_spare];
            __u64 offset = (__u64) (next_random(&state) % (unsigned) (st.st_size / BLOCK)) * BLOCK;
            char *buffer = buffers + (size_t) slot * BLOCK;

            if (fixed) {
                io_uring_prep_read_fixed(sqe, 0, buffer, BLOCK, offset, 0);
                io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
            } else {
                io_uring_prep_read(sqe, fd, buffer, BLOCK, offset);
            }
            io_uring_sqe_set_data64(sqe, slot);
            in_flight++;
        }
        must("submitting", io_uring_submit_and_wait(&ring, 1));
        io_uring_for_each_cqe(&ring, head, cqe) {
            if (cqe->res != (int) BLOCK)
                die("reading", cqe->res < 0 ? -cqe->res : EIO);
            spare[nr_spare++] = (unsigned) cqe->user_data;
            seen++;
        }
        io_uring_cq_advance(&ring, seen);
        in_flight -= seen;
        done += seen;
        if ((done & 63) < seen)
            more = now() < end;
    }
    end = now();
    io_uring_queue_exit(&ring);
    free(spare);
    free(buffers);
    close(fd);
    return (end - start) / (double) done;
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
    unsigned long done = 0;
    int ends[4];
    char byte = 'x';
    double start, end;

    /* ends[0] is read on the left, ends[1] written on the right; ends[2] read on the right, ends[3] written left. */
    if (pipes ? pipe(ends) || pipe(ends + 2) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        die("a pair", errno);
    if (!pipes) {
        ends[2] = ends[1];
        ends[3] = ends[0];
    }
    must("setting a ring up", io_uring_queue_init(4, &left, 0));
    must("setting a ring up", io_uring_queue_init(4, &right, 0));
    start = now();
    end = start + seconds;
    do {
        for (unsigned i = 0; i < 64; i++, done++) {
            transfer(&right, ends[2], &byte, false);
            transfer(&left, ends[3], &byte, true);
            finish(&left);
            finish(&right);
            transfer(&left, ends[0], &byte, false);
            transfer(&right, ends[1], &byte, true);
            finish(&right);
            finish(&left);
        }
    } while (now() < end);
    end = now();
    io_uring_queue_exit(&left);
    io_uring_queue_exit(&right);
    return (end - start) / (double) done;
}

#define ECHO_BUFFERS 256u

struct client {
    pthread_t thread;
    unsigned short port;
    size_t size;
    double end;
    unsigned long done;
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
    while (now() < client->end) {
        whole(fd, data, client->size, true);
        whole(fd, data, client->size, false);
        client->done++;
    }
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

/* Serves until all clients have gone. A completion's data is its socket; a send's has the buffer above it. */
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
    unsigned long done = 0;
    struct io_uring ring;
    double start;

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

    start = now();
    for (unsigned i = 0; i < nr_clients; i++) {
        clients[i].port = address.sin_port;
        clients[i].size = number("size", "64");
        clients[i].end = start + seconds;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]))
            die("a client", EAGAIN);
    }
    serve(&ring, listener, nr_clients, br, buffers);

    double end = now();

    for (unsigned i = 0; i < nr_clients; i++) {
        pthread_join(clients[i].thread, NULL);
        done += clients[i].done;
    }
    must("freeing a buffer ring", io_uring_free_buf_ring(&ring, br, ECHO_BUFFERS, 1));
    io_uring_queue_exit(&ring);
    free(buffers);
    free(clients);
    return (end - start) / (double) done;
}

static double bench_setup(double seconds)
{
    unsigned entries = number("entries", "64");
    unsigned long done = 0;
    double start = now(), end = start + seconds;

    do {
        struct io_uring ring;

        must("setting a ring up", io_uring_queue_init(entries, &ring, 0));
        io_uring_queue_exit(&ring);
        done++;
    } while (now() < end);
    return (now() - start) / (double) done;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*run)(double seconds);
    } workloads[] = {
        {"nop", bench_nop}, {"read", bench_read}, {"pair", bench_pair}, {"echo", bench_echo}, {"setup", bench_setup},
    };

    if (argc >= 3) {
        options = argv + 3;
        for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
            if (!strcmp(argv[1], workloads[i].name)) {
                printf("%.2f\n", workloads[i].run(strtod(argv[2], NULL)) * 1e9);
                return 0;
            }
        }
    }
    fprintf(stderr, "usage: speed nop|read|pair|echo|setup SECONDS [NAME=VALUE...]\n");
    return 2;
}
