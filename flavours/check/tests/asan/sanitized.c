/* Memory that the kernel writes to, and what AddressSanitizer then says of the program's own touches. */
#include "../misuse.h"

/* With it, CQEs come only in calls of the library. */
#define EXACT (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

static int fds[2], other_fds[2];

static void start(struct io_uring *ring, unsigned flags)
{
    MUST(pipe(fds) == 0 && pipe(other_fds) == 0);
    open_ring(ring, 4, flags);
}

static void start_read_from(int fd, struct io_uring *ring, void *buffer, unsigned size, unsigned long long data)
{
    struct io_uring_sqe *sqe = take(ring, 0);

    io_uring_prep_read(sqe, fd, buffer, size, 0);
    io_uring_sqe_set_data64(sqe, data);
    MUST(io_uring_submit(ring) == 1);
}

static void start_read(struct io_uring *ring, void *buffer, unsigned size, unsigned long long data)
{
    start_read_from(fds[0], ring, buffer, size, data);
}

static NOINLINE char peek_at(const volatile char *buffer) { return *buffer; }

/* /dev/null writes nothing there. */
static void length(unsigned size)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    open_ring(&ring, 4, 0);
    fds[0] = open("/dev/null", O_RDONLY);
    start_read(&ring, buffer, size, size);
    MUST(reap(&ring) == 0);
    io_uring_queue_exit(&ring);
    free(buffer);
}

static void too_long(void) { length(110); }
static void long_enough(void) { length(100); }

static void freed_before(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    start(&ring, 0);
    free(buffer);
    start_read(&ring, buffer, 100, 0x51);
    io_uring_queue_exit(&ring);
}

static void freed_meanwhile(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    start(&ring, 0);
    start_read(&ring, buffer, 100, 0x52);
    free(buffer);
    io_uring_queue_exit(&ring);
}

static void touch_in_flight(unsigned flags, unsigned at, unsigned long long data)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    start(&ring, flags);
    start_read(&ring, buffer, 100, data);
    peek_at(buffer + at);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    io_uring_queue_exit(&ring);
    free(buffer);
}

static void touched(void) { touch_in_flight(EXACT, 0, 0x53); }
static void touched_at_the_end(void) { touch_in_flight(EXACT, 99, 0x54); }
/* Where CQEs come by themselves, this is only looked for if asked for. */
static void touched_elsewhere(void) { touch_in_flight(0, 0, 0x55); }
static void touched_unasked(void) { touch_in_flight(0, 0, 0x55); }
static void touched_unheeded(void) { touch_in_flight(EXACT, 0, 0x53); }

static void filled_by_libc(void)
{
    struct io_uring ring;
    char *buffer = malloc(4096);

    start(&ring, EXACT);
    start_read(&ring, buffer, 4096, 0x56);
    memset(buffer + 50, 1, 10);
    io_uring_queue_exit(&ring);
}

static void neighbours_touched(void)
{
    struct io_uring ring;
    char *buffer = calloc(1, 100);

    start(&ring, EXACT);
    start_read(&ring, buffer + 5, 58, 0x57);
    MUST(peek_at(buffer + 4) == 0 && peek_at(buffer + 63) == 0);
    MUST(write(fds[1], "xyz", 3) == 3);
    MUST(reap(&ring) == 3 && buffer[5] == 'x' && buffer[62] == 0);
    io_uring_queue_exit(&ring);
    free(buffer);
}

/* What is given back is what there was: the block's end is still its end. */
static void end_of_block_after(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    start(&ring, EXACT);
    start_read(&ring, buffer, 100, 0x58);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1 && buffer[0] == 'x');
    buffer[99] = 1;
    io_uring_queue_exit(&ring);
    peek_at(buffer + 100);
    free(buffer);
}

/* A part of what two requests write to stays with the second. */
static void first_of_two(struct io_uring *ring, char *buffer)
{
    start(ring, EXACT);
    start_read(ring, buffer, 64, 0x59);
    start_read_from(other_fds[0], ring, buffer + 32, 68, 0x5a);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(ring) == 1);
}

static void touched_of_the_second(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    first_of_two(&ring, buffer);
    peek_at(buffer + 32);
    io_uring_queue_exit(&ring);
}

static void free_of_the_first(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);

    first_of_two(&ring, buffer);
    memset(buffer, 0, 32);
    MUST(write(other_fds[1], "y", 1) == 1);
    MUST(reap(&ring) == 1);
    memset(buffer, 0, 100);
    io_uring_queue_exit(&ring);
    free(buffer);
}

/* A program may read what the kernel only reads. */
static void written_out(void)
{
    struct io_uring ring;
    static char block[1 << 18];

    start(&ring, EXACT);
    io_uring_prep_write(take(&ring, 1), fds[1], block, sizeof(block), 0);
    MUST(io_uring_submit(&ring) == 1);
    MUST(peek_at(block) == 0);
    close(fds[0]);
    io_uring_queue_exit(&ring);
}

/* What the header says may be read, and the array is no longer needed. */
static void of_a_message(void)
{
    struct io_uring ring;
    char *block = malloc(64), *name = malloc(128);
    struct iovec iov = { .iov_base = block, .iov_len = 64 };
    struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1, .msg_name = name, .msg_namelen = 128 };
    int sockets[2];

    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == 0);
    open_ring(&ring, 4, EXACT);
    io_uring_prep_recvmsg(take(&ring, 0), sockets[0], &header, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 0x5b);
    MUST(io_uring_submit(&ring) == 1);
    MUST(header.msg_iov == &iov);
    iov.iov_len = 0;
    peek_at(block + 8);
    io_uring_queue_exit(&ring);
}

/* A child has memory of its own. */
static void in_a_child(void)
{
    struct io_uring ring;
    char *buffer = calloc(1, 100);
    int status;
    pid_t child;

    start(&ring, EXACT);
    start_read(&ring, buffer, 100, 0x5c);
    child = fork();
    if (child == 0) {
        buffer[7] = 1;
        free(buffer);
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1 && buffer[7] == 0);
    io_uring_queue_exit(&ring);
    free(buffer);
}

/* What is in flight when a ring goes, and what has one user_data with others, is the program's again. */
static void given_up(void)
{
    struct io_uring ring;
    char *buffer = calloc(3, 100);

    start(&ring, EXACT);
    start_read(&ring, buffer, 100, 0x5d);
    start_read_from(other_fds[0], &ring, buffer + 100, 100, 0x5e);
    start_read_from(other_fds[0], &ring, buffer + 200, 100, 0x5e);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1 && buffer[0] == 'x');
    MUST(write(other_fds[1], "x", 1) == 1);
    MUST(reap(&ring) == 1);
    MUST(buffer[100] + buffer[200] == 'x');
    io_uring_queue_exit(&ring);
    memset(buffer, 0, 300);
    free(buffer);
}

/* The kernel has not taken the second request: the memory is the program's until it does. */
static void not_taken(void)
{
    struct io_uring ring;
    char *buffer = calloc(2, 100);
    struct io_uring_sqe *sqe;

    start(&ring, EXACT);
    sqe = take(&ring, 1);
    sqe->opcode = IORING_OP_LAST;
    io_uring_prep_read(take(&ring, 2), fds[0], buffer, 100, 0);
    ring.sq.sqes[1].user_data = 2;
    /* an SQE that is refused ends the submission */
    MUST(io_uring_submit(&ring) == 1);
    memset(buffer, 0, 100);
    MUST(io_uring_submit(&ring) == 1);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == -EINVAL && reap(&ring) == 1);
    MUST(buffer[0] == 'x');
    io_uring_queue_exit(&ring);
    free(buffer);
}

static const struct misuse cases[] = {
    WRONG(too_long, "poisoned", "IORING_OP_READ, user_data 0x6e"),
    RIGHT(long_enough),
    WRONG(freed_before, "poisoned", "IORING_OP_READ, user_data 0x51"),
    WRONG(freed_meanwhile, "free", "IORING_OP_READ, user_data 0x52"),
    WRONG(touched, "+in-flight,asan:use-after-poison", "IORING_OP_READ, user_data 0x53"),
    WRONG(touched_at_the_end, "+in-flight,asan:use-after-poison", "IORING_OP_READ, user_data 0x54"),
    WRONG(touched_elsewhere, "+in-flight,asan:use-after-poison", "IORING_OP_READ, user_data 0x55"),
    RIGHT(touched_unasked),
    WRONG(touched_unheeded, "-in-flight", "-"),
    WRONG(filled_by_libc, "+in-flight,asan:use-after-poison", "IORING_OP_READ, user_data 0x56"),
    RIGHT(neighbours_touched),
    WRONG(end_of_block_after, "asan:heap-buffer-overflow", "-"),
    WRONG(touched_of_the_second, "+in-flight,asan:use-after-poison", "IORING_OP_READ, user_data 0x5a"),
    RIGHT(free_of_the_first),
    RIGHT(written_out),
    WRONG(of_a_message, "+in-flight,asan:use-after-poison", "IORING_OP_RECVMSG, user_data 0x5b"),
    RIGHT(in_a_child),
    RIGHT(given_up),
    RIGHT(not_taken),
};

MISUSE_MAIN(cases)
