/*
 * Lengths that an SQE cannot carry, or that the kernel refuses: the request transfers what one request can, as send()
 * and recv() do.
 */
#include "file.h"

#include <sys/mman.h>

/* Every length here acts like this one: the most that one request transfers. */
#define MOST 0x7ffff000u

/* The lower 32 bits of these lengths are zero, too small, or more than the kernel accepts. */
static const uint64_t lengths[] = {
    MOST, MOST + 1ULL, 0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, (1ULL << 32) + 1, 1ULL << 40, UINT64_MAX,
};

/* Those that a size_t can hold come first. */
static unsigned count_lengths(void)
{
    unsigned count = 0;

    while (count < ARRAY_LEN(lengths) && (size_t) lengths[count] == lengths[count])
        count++;
    return count;
}

static size_t length(unsigned i)
{
    /* The compiler must not know the value: other tests use constants. */
    static volatile uint64_t unknown;

    unknown = lengths[i];
    return (size_t) unknown;
}

/* Memory for the longest transfer. Only touched pages take memory. */
static char *make_memory(void)
{
    void *memory = mmap(NULL, (size_t) MOST + 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    CHECK(memory != MAP_FAILED);
    return (char *) memory;
}

enum sender { SEND, SENDTO, SEND_ZC };

static void prep_send(struct io_uring_sqe *sqe, enum sender sender, int fd, const char *memory, size_t len)
{
    switch (sender) {
    case SEND:
        io_uring_prep_send(sqe, fd, memory, len, MSG_DONTWAIT);
        break;
    case SENDTO:
        io_uring_prep_sendto(sqe, fd, memory, len, MSG_DONTWAIT, NULL, 0);
        break;
    case SEND_ZC:
        io_uring_prep_send_zc(sqe, fd, memory, len, MSG_DONTWAIT, 0);
        break;
    }
}

/* The socket accepts as much as it has room for. */
static void check_sends(enum sender sender)
{
    char *memory = make_memory();
    struct io_uring ring;
    struct done done;
    int fds[2];

    better_than_reference("long lengths are capped");
    ring_open(&ring, 4, 0);
    for (unsigned i = 0; i < count_lengths(); i++) {
        make_tcp_pair(fds);
        prep_send(next_sqe(&ring), sender, fds[0], memory, length(i));
        done = run_done(&ring);
        CHECK_GT(done.res, 4096);
        close(fds[0]);
        close(fds[1]);
        if (done.flags & IORING_CQE_F_MORE)
            CHECK(reap(&ring).flags & IORING_CQE_F_NOTIF);
    }
    io_uring_queue_exit(&ring);
    munmap(memory, (size_t) MOST + 4096);
}

static void send_them(void)
{
    check_sends(SEND);
}

static void send_them_to(void)
{
    need_kernel(6, 0, "send with an address");
    check_sends(SENDTO);
}

static void send_them_without_copying(void)
{
    need_op(IORING_OP_SEND_ZC, "zero-copy send");
    need_root("more than RLIMIT_MEMLOCK without copying");
    check_sends(SEND_ZC);
}

/* No registered buffer is as long. The part that the lower bits name is not the part that the program asked for. */
static void send_them_from_a_registered_buffer(void)
{
    char *buffer = new_pages(1);
    struct iovec vec = { buffer, page_size() };
    struct io_uring ring;
    struct done done;
    int fds[2];

    need_op(IORING_OP_SEND_ZC, "zero-copy send");
    better_than_reference("long lengths are capped");
    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_buffers(&ring, &vec, 1), 0);
    for (unsigned i = 0; i < count_lengths(); i++) {
        io_uring_prep_send_zc_fixed(next_sqe(&ring), fds[0], buffer, length(i), MSG_DONTWAIT, 0, 0);
        done = run_done(&ring);
        CHECK_EQ(done.res, -EFAULT);
        if (done.flags & IORING_CQE_F_MORE)
            CHECK(reap(&ring).flags & IORING_CQE_F_NOTIF);
    }
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* The available data arrives. The length is not taken for 0, whose result looks like the end of the data. */
static void receive_them(void)
{
    char *memory = make_memory();
    struct io_uring ring;
    int fds[2];

    better_than_reference("long lengths are capped");
    make_socketpair(fds, SOCK_STREAM);
    ring_open(&ring, 4, 0);
    for (unsigned i = 0; i < count_lengths(); i++) {
        CHECK_EQ(write(fds[1], "hello", 5), 5);
        io_uring_prep_recv(next_sqe(&ring), fds[0], memory, length(i), 0);
        CHECK_EQ(run_res(&ring), 5);
        CHECK_MEM(memory, "hello", 5);
    }
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
    munmap(memory, (size_t) MOST + 4096);
}

enum { GROUP = 3, BUFFERS = 4, SIZE = 64 };

static void use_group(struct io_uring_sqe *sqe)
{
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, GROUP);
}

/* Fills the group again. */
static void provide(struct io_uring_buf_ring *buffers, char bytes[BUFFERS][SIZE])
{
    for (unsigned i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(buffers, bytes[i], SIZE, i, io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(buffers, BUFFERS);
}

/* A bundle is sent whole: with the lower bits alone it could end in its first buffer. */
static void send_them_as_bundles(void)
{
    static char bytes[BUFFERS][SIZE];
    struct io_uring_buf_ring *buffers;
    struct io_uring_sqe *sqe;
    struct io_uring ring;
    int fds[2], error;

    need_kernel(6, 10, "bundles");
    better_than_reference("long lengths are capped");
    make_tcp_pair(fds);
    ring_open(&ring, 4, 0);
    buffers = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, 0, &error);
    CHECK(buffers != NULL);
    for (unsigned i = 0; i < count_lengths(); i++) {
        provide(buffers, bytes);
        sqe = next_sqe(&ring);
        io_uring_prep_send_bundle(sqe, fds[0], length(i), MSG_DONTWAIT);
        use_group(sqe);
        CHECK_EQ(run_res(&ring), BUFFERS * SIZE);
    }
    CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, BUFFERS, GROUP), 0);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
}

/* The length limits each receive, and no buffer is as long. */
static void receive_them_again_and_again(void)
{
    static char bytes[BUFFERS][SIZE];
    struct io_uring_buf_ring *buffers;
    struct io_uring_sqe *sqe;
    struct io_uring ring;
    struct done done;
    int fds[2], error;

    need_kernel(6, 17, "a limit of each receive");
    better_than_reference("long lengths are capped");
    ring_open(&ring, 4, 0);
    for (unsigned i = 0; i < count_lengths(); i++) {
        make_socketpair(fds, SOCK_STREAM);
        buffers = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, 0, &error);
        CHECK(buffers != NULL);
        provide(buffers, bytes);
        CHECK_EQ(write(fds[1], "hello", 5), 5);
        sqe = next_sqe(&ring);
        io_uring_prep_recv_multishot(sqe, fds[0], NULL, length(i), 0);
        use_group(sqe);
        done = run_done(&ring);
        CHECK_EQ(done.res, 5);
        CHECK(done.flags & IORING_CQE_F_MORE);
        close(fds[1]);
        CHECK_EQ(reap(&ring).res, 0);
        close(fds[0]);
        CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, BUFFERS, GROUP), 0);
    }
    io_uring_queue_exit(&ring);
}

/* A length that the compiler knows is capped at compile time. */
static void a_constant_one(void)
{
    struct io_uring_sqe sqe;

    better_than_reference("long lengths are capped");
    memset(&sqe, 0, sizeof(sqe));
    io_uring_prep_recv(&sqe, 0, NULL, (size_t) MOST + 1, 0);
    CHECK_EQ(sqe.len, MOST);
    io_uring_prep_recv(&sqe, 0, NULL, MOST - 1, 0);
    CHECK_EQ(sqe.len, MOST - 1);
    io_uring_prep_send(&sqe, 0, NULL, SIZE_MAX, 0);
    CHECK_EQ(sqe.len, MOST);
    io_uring_prep_send(&sqe, 0, NULL, 0, 0);
    CHECK_EQ(sqe.len, 0);
}

static const struct test_case cases[] = {
    CASE(send_them),
    CASE(send_them_to),
    CASE(send_them_without_copying),
    CASE(send_them_from_a_registered_buffer),
    CASE(receive_them),
    CASE(send_them_as_bundles),
    CASE(receive_them_again_and_again),
    CASE(a_constant_one),
};

TEST_MAIN(cases)
