/* Memory of requests in flight that is given up: freed, moved, unmapped. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "misuse.h"

static void start_read(struct io_uring *ring, int fd, void *buffer, unsigned size)
{
    io_uring_prep_read(take(ring, 0), fd, buffer, size, 0);
    io_uring_sqe_set_data64(&ring->sq.sqes[0], 0x41);
    MUST(io_uring_submit(ring) == 1);
}

static void freed_in_flight(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    start_read(&ring, fds[0], buffer, 100);
    free(buffer);
    io_uring_queue_exit(&ring);
}

static void freed_after_completion(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    char *buffer = malloc(100);
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    start_read(&ring, fds[0], buffer, 100);
    MUST(write(fds[1], "x", 1) == 1);
    /* found without a call of the library's */
    while (io_uring_cq_ready(&ring) == 0)
        if (io_uring_peek_cqe(&ring, &cqe) == 0)
            break;
    free(buffer);
    io_uring_cq_advance(&ring, 1);
    io_uring_queue_exit(&ring);
}

static void neighbour_freed(void)
{
    struct io_uring ring;
    char *buffer = malloc(100), *neighbour = malloc(100);
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    start_read(&ring, fds[0], buffer, 100);
    free(neighbour);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    free(buffer);
    io_uring_queue_exit(&ring);
}

/* Of two requests with one user_data it is not known which has ended. */
static void freed_one_of_two(void)
{
    struct io_uring ring;
    char *first = malloc(100), *second = malloc(100);
    int fds[4];

    MUST(pipe(fds) == 0 && pipe(fds + 2) == 0);
    open_ring(&ring, 4, 0);
    io_uring_prep_read(take(&ring, 0), fds[0], first, 100, 0);
    io_uring_prep_read(take(&ring, 0), fds[2], second, 100, 0);
    MUST(io_uring_submit(&ring) == 2);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    free(first);
    MUST(write(fds[3], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    free(second);
    io_uring_queue_exit(&ring);
}

static void moved_in_flight(void)
{
    struct io_uring ring;
    char *buffer = malloc(100), *after = malloc(100);
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    start_read(&ring, fds[0], buffer, 100);
    buffer = realloc(buffer, 1 << 20);
    MUST(buffer != NULL && after != NULL);
    io_uring_queue_exit(&ring);
}

static void unmapped_in_flight(void)
{
    struct io_uring ring;
    void *buffer = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fds[2];

    MUST(buffer != MAP_FAILED);
    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    start_read(&ring, fds[0], buffer, 65536);
    munmap(buffer, 65536);
    io_uring_queue_exit(&ring);
}

static void unmapped_after_completion(void)
{
    struct io_uring ring;
    void *buffer = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fds[2];

    MUST(buffer != MAP_FAILED);
    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    start_read(&ring, fds[0], buffer, 65536);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    munmap(buffer, 65536);
    io_uring_queue_exit(&ring);
}

/* A zero-copy send has its memory until the notification. */
static void zero_copy_kept(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(name);
    char *buffer = malloc(4096);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool more;

    MUST(bind(fd, (struct sockaddr *) &name, length) == 0);
    MUST(getsockname(fd, (struct sockaddr *) &name, &length) == 0);
    MUST(connect(fd, (struct sockaddr *) &name, length) == 0);
    open_ring(&ring, 4, 0);
    io_uring_prep_send_zc(take(&ring, 0), fd, buffer, 4096, 0, 0);
    MUST(io_uring_submit(&ring) == 1);
    do {
        MUST(io_uring_wait_cqe(&ring, &cqe) == 0);
        if (cqe->res == -EINVAL || cqe->res == -EOPNOTSUPP)
            exit(EXIT_SKIP);
        more = cqe->flags & IORING_CQE_F_MORE;
        io_uring_cqe_seen(&ring, cqe);
    } while (more);
    free(buffer);
    io_uring_queue_exit(&ring);
}

/* The ring's own memory goes before the ring. */
static void ring_memory_freed(void)
{
    struct io_uring ring;
    struct io_uring_params params = { 0 };
    void *block;

    MUST(posix_memalign(&block, 4096, 1 << 20) == 0);
    if (io_uring_queue_init_mem(4, &ring, &params, block, 1 << 20) < 0)
        exit(EXIT_SKIP);
    take(&ring, 1);
    MUST(io_uring_submit(&ring) == 1);
    reap(&ring);
    close(ring.ring_fd);
    free(block);
}

static void one_buffer_for_two(void)
{
    struct io_uring ring;
    char buffer[8];
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    io_uring_prep_read(take(&ring, 0), fds[0], buffer, 8, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 0x43);
    io_uring_prep_read(take(&ring, 0), fds[0], buffer + 4, 4, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[1], 0x44);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

/* A read between no-ops, which complete at once; with the read's `user_data`, or with their own. */
static void freed_among_two(unsigned long long data)
{
    struct io_uring ring;
    char *buffer = malloc(8);
    int fds[2];

    MUST(pipe(fds) == 0);
    open_ring(&ring, 4, 0);
    take(&ring, data);
    io_uring_prep_read(take(&ring, 0), fds[0], buffer, 8, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[1], 0x45);
    take(&ring, 2);
    MUST(io_uring_submit(&ring) == 3);
    MUST(reap(&ring) == 0 && reap(&ring) == 0);
    free(buffer);
    io_uring_queue_exit(&ring);
}

static void freed_among_no_ops(void)
{
    freed_among_two(1);
    KEEP_FRAME();
}

/* It cannot be told which of the two has ended. */
static void freed_beside_its_twin(void) { freed_among_two(0x45); }

/* Five writes and reads, of which the first two have ended: one of the others loses its buffer. */
static void freed_among(int which)
{
    struct io_uring ring;
    char *buffers[5];
    int fds[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    open_ring(&ring, 8, 0);
    for (int i = 0; i < 5; i++) {
        buffers[i] = malloc(8);
        memset(buffers[i], 1, 8);
    }
    io_uring_prep_write(take(&ring, 0), fds[0], buffers[0], 8, 0);
    io_uring_prep_send(take(&ring, 0), fds[0], buffers[1], 8, 0);
    io_uring_prep_read(take(&ring, 0), fds[0], buffers[2], 8, 0);
    io_uring_prep_recv(take(&ring, 0), fds[0], buffers[3], 8, 0);
    take(&ring, 0);
    io_uring_prep_read(take(&ring, 0), fds[0], buffers[4], 8, 0);
    for (int i = 0; i < 6; i++)
        io_uring_sqe_set_data64(&ring.sq.sqes[i], 0x46 + i);
    MUST(io_uring_submit(&ring) == 6);
    MUST(reap(&ring) == 8 && reap(&ring) == 8 && reap(&ring) == 0);
    free(buffers[which]);
    io_uring_queue_exit(&ring);
}

static void freed_among_others(void)
{
    freed_among(3);
    KEEP_FRAME();
}

static void freed_of_a_read(void)
{
    freed_among(4);
    KEEP_FRAME();
}

static void freed_of_a_write_that_ended(void) { freed_among(1); }

static const struct misuse cases[] = {
    WRONG(freed_in_flight, "free", "IORING_OP_READ, user_data 0x41, descriptor 3 (pipe:"),
    RIGHT(freed_after_completion),
    RIGHT(neighbour_freed),
    RIGHT(freed_one_of_two),
    WRONG(moved_in_flight, "free", "IORING_OP_READ, user_data 0x41"),
    WRONG(unmapped_in_flight, "free", "IORING_OP_READ, user_data 0x41"),
    RIGHT(unmapped_after_completion),
    RIGHT(zero_copy_kept),
    RIGHT(ring_memory_freed),
    WRONG(freed_among_no_ops, "free", "IORING_OP_READ, user_data 0x45"),
    RIGHT(freed_beside_its_twin),
    WRONG(freed_among_others, "free", "IORING_OP_RECV, user_data 0x49, descriptor"),
    WRONG(freed_of_a_read, "free", "IORING_OP_READ, user_data 0x4b, descriptor"),
    RIGHT(freed_of_a_write_that_ended),
    ASKED(one_buffer_for_two, "overlap", "IORING_OP_READ, user_data 0x44"),
};

MISUSE_MAIN(cases)
