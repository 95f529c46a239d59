/* Provided buffers, and multishot requests. */
#include "misuse.h"

#define GROUP 7
#define COUNT 4
#define SIZE 64

static char memory[COUNT][SIZE];

static struct io_uring_buf_ring *provide(struct io_uring *ring)
{
    struct io_uring_buf_ring *buffers;
    int ret;

    open_ring(ring, 8, 0);
    buffers = io_uring_setup_buf_ring(ring, COUNT, GROUP, 0, &ret);
    if (!buffers)
        exit(EXIT_SKIP);
    for (unsigned i = 0; i < COUNT; i++)
        io_uring_buf_ring_add(buffers, memory[i], SIZE, i, COUNT - 1, i);
    io_uring_buf_ring_advance(buffers, COUNT);
    return buffers;
}

static void give_back(struct io_uring_buf_ring *buffers, unsigned number)
{
    io_uring_buf_ring_add(buffers, memory[number], SIZE, number, COUNT - 1, 0);
    io_uring_buf_ring_advance(buffers, 1);
}

/* One read into a buffer of the group. Returns the buffer's number, or a negative error. */
static int read_selected(struct io_uring *ring, int fd)
{
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe = take(ring, 0);
    int ret;

    io_uring_prep_recv(sqe, fd, NULL, SIZE, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    sqe->user_data = 0x91;
    MUST(io_uring_submit_and_wait(ring, 1) == 1);
    MUST(io_uring_wait_cqe(ring, &cqe) == 0);
    ret = cqe->res;
    if (cqe->flags & IORING_CQE_F_BUFFER)
        ret = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    io_uring_cqe_seen(ring, cqe);
    return ret;
}

static void open_sockets(int fds[2])
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
}

static void given_back_twice(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers = provide(&ring);
    int fds[2], number;

    open_sockets(fds);
    MUST(write(fds[1], "x", 1) == 1);
    number = read_selected(&ring, fds[0]);
    MUST(number >= 0);
    give_back(buffers, number);
    io_uring_submit(&ring);
    give_back(buffers, number);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void given_back_once(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers = provide(&ring);
    int fds[2], number;

    open_sockets(fds);
    for (unsigned i = 0; i < 10 * COUNT; i++) {
        MUST(write(fds[1], "x", 1) == 1);
        number = read_selected(&ring, fds[0]);
        MUST(number >= 0);
        give_back(buffers, number);
    }
    io_uring_queue_exit(&ring);
}

static void tail_too_far(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers = provide(&ring);

    io_uring_buf_ring_advance(buffers, COUNT + 1);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void group_given_up_before(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers = provide(&ring);
    int fds[2];

    open_sockets(fds);
    MUST(io_uring_free_buf_ring(&ring, buffers, COUNT, GROUP) == 0);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(read_selected(&ring, fds[0]) == -ENOBUFS);
    io_uring_queue_exit(&ring);
}

/* The request ends by that. */
static void group_given_up_while_armed(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers = provide(&ring);
    struct io_uring_sqe *sqe = take(&ring, 0x92);
    int fds[2];

    open_sockets(fds);
    io_uring_prep_recv_multishot(sqe, fds[0], NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    MUST(io_uring_submit(&ring) == 1);
    MUST(io_uring_free_buf_ring(&ring, buffers, COUNT, GROUP) == 0);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(reap(&ring) == -ENOBUFS);
    io_uring_queue_exit(&ring);
}

static void no_such_group(void)
{
    struct io_uring ring;
    int fds[2];

    open_sockets(fds);
    open_ring(&ring, 4, 0);
    MUST(write(fds[1], "x", 1) == 1);
    MUST(read_selected(&ring, fds[0]) == -ENOBUFS);
    io_uring_queue_exit(&ring);
}

/* Reads at the end of a file use a buffer and put nothing in it. */
static void ends_of_file(bool returned)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers = provide(&ring);
    int fd = open("empty", O_RDWR | O_CREAT, 0600);

    for (unsigned i = 0; i < 2 * COUNT; i++) {
        struct io_uring_sqe *sqe = take(&ring, 0);
        struct io_uring_cqe *cqe;

        io_uring_prep_read(sqe, fd, NULL, SIZE, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = GROUP;
        sqe->user_data = 0x92;
        MUST(io_uring_submit_and_wait(&ring, 1) == 1);
        MUST(io_uring_wait_cqe(&ring, &cqe) == 0);
        if (cqe->res == 0 && !(cqe->flags & IORING_CQE_F_BUFFER))
            exit(EXIT_SKIP);
        if (returned)
            give_back(buffers, cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
}

static void unused_and_kept(void)
{
    ends_of_file(false);
    KEEP_FRAME();
}

static void unused_and_returned(void)
{
    ends_of_file(true);
}

/* Used up for a while, and given back later. */
static void empty_for_a_while(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers = provide(&ring);
    int fds[2];

    open_sockets(fds);
    for (unsigned i = 0; i < COUNT; i++) {
        MUST(write(fds[1], "x", 1) == 1);
        MUST(read_selected(&ring, fds[0]) >= 0);
    }
    MUST(write(fds[1], "x", 1) == 1);
    MUST(read_selected(&ring, fds[0]) == -ENOBUFS);
    for (unsigned i = 0; i < COUNT; i++)
        give_back(buffers, i);
    MUST(read_selected(&ring, fds[0]) >= 0);
    io_uring_queue_exit(&ring);
}

static void receive(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = take(ring, 0);
    int fds[2];

    open_sockets(fds);
    io_uring_prep_recv(sqe, fds[0], NULL, SIZE, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    sqe->user_data = 0x93;
    MUST(io_uring_submit(ring) == 1);
}

static void ring_of_buffers_freed(void)
{
    struct io_uring ring;
    struct io_uring_buf_reg reg = { .ring_entries = COUNT, .bgid = GROUP };
    void *buffers;

    open_ring(&ring, 4, 0);
    MUST(posix_memalign(&buffers, 4096, 4096) == 0);
    memset(buffers, 0, 4096);
    reg.ring_addr = (unsigned long) buffers;
    if (io_uring_register_buf_ring(&ring, &reg, 0) != 0)
        exit(EXIT_SKIP);
    io_uring_buf_ring_add(buffers, memory[0], SIZE, 0, COUNT - 1, 0);
    io_uring_buf_ring_advance(buffers, 1);
    receive(&ring);
    free(buffers);
    io_uring_queue_exit(&ring);
}

/* Nothing takes from it any more. */
static void ring_of_buffers_freed_at_the_end(void)
{
    struct io_uring ring;
    struct io_uring_buf_reg reg = { .ring_entries = COUNT, .bgid = GROUP };
    void *buffers;

    open_ring(&ring, 4, 0);
    MUST(posix_memalign(&buffers, 4096, 4096) == 0);
    memset(buffers, 0, 4096);
    reg.ring_addr = (unsigned long) buffers;
    if (io_uring_register_buf_ring(&ring, &reg, 0) != 0)
        exit(EXIT_SKIP);
    free(buffers);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void ring_of_buffers_kept(void)
{
    struct io_uring ring;
    struct io_uring_buf_reg reg = { .ring_entries = COUNT, .bgid = GROUP };
    void *buffers;

    open_ring(&ring, 4, 0);
    MUST(posix_memalign(&buffers, 4096, 4096) == 0);
    memset(buffers, 0, 4096);
    reg.ring_addr = (unsigned long) buffers;
    if (io_uring_register_buf_ring(&ring, &reg, 0) != 0)
        exit(EXIT_SKIP);
    MUST(io_uring_unregister_buf_ring(&ring, GROUP) == 0);
    free(buffers);
    io_uring_queue_exit(&ring);
}

/* ---- multishot ---- */

static void multishot_without_buffers(void)
{
    struct io_uring ring;
    int fds[2];

    open_sockets(fds);
    open_ring(&ring, 4, 0);
    io_uring_prep_recv_multishot(take(&ring, 0), fds[0], NULL, 0, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 0xa1);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void arm(struct io_uring *ring, int fd)
{
    struct io_uring_sqe *sqe = take(ring, 0);

    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    sqe->user_data = 0xa2;
}

static void armed_while_armed(void)
{
    struct io_uring ring;
    int fds[2];

    provide(&ring);
    open_sockets(fds);
    arm(&ring, fds[0]);
    MUST(io_uring_submit(&ring) == 1);
    MUST(write(fds[1], "x", 1) == 1);
    if (reap(&ring) < 0)
        exit(EXIT_SKIP);
    arm(&ring, fds[0]);
    io_uring_submit(&ring);
    io_uring_queue_exit(&ring);
}

static void armed_after_end(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    bool more;
    int fds[2];

    provide(&ring);
    open_sockets(fds);
    arm(&ring, fds[0]);
    MUST(io_uring_submit(&ring) == 1);
    /* until the buffers are used up */
    do {
        MUST(write(fds[1], "x", 1) == 1);
        MUST(io_uring_wait_cqe(&ring, &cqe) == 0);
        if (cqe->res == -EINVAL)
            exit(EXIT_SKIP);
        more = cqe->flags & IORING_CQE_F_MORE;
        io_uring_cqe_seen(&ring, cqe);
    } while (more);
    arm(&ring, fds[0]);
    MUST(io_uring_submit(&ring) == 1);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    WRONG(given_back_twice, "buffer-twice", "-"),
    RIGHT(given_back_once),
    WRONG(tail_too_far, "buffer-overrun", "-"),
    WRONG(unused_and_kept, "buffer-lost", "IORING_OP_READ, user_data 0x92"),
    RIGHT(unused_and_returned),
    WRONG(no_such_group, "buffer-group", "IORING_OP_RECV, user_data 0x91"),
    WRONG(group_given_up_before, "buffer-group", "IORING_OP_RECV, user_data 0x91"),
    RIGHT(group_given_up_while_armed),
    RIGHT(empty_for_a_while),
    WRONG(ring_of_buffers_freed, "free", "-"),
    RIGHT(ring_of_buffers_freed_at_the_end),
    RIGHT(ring_of_buffers_kept),
    WRONG(multishot_without_buffers, "multishot", "IORING_OP_RECV, user_data 0xa1"),
    WRONG(armed_while_armed, "armed-twice", "IORING_OP_RECV, user_data 0xa2"),
    RIGHT(armed_after_end),
};

MISUSE_MAIN(cases)
