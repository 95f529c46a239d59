/* The exit of a ring: everything is released. A second exit, or one after a failed set-up, has no effect. */
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "file.h"

static void returns_everything(void)
{
    static const unsigned flags[] = {
        0, IORING_SETUP_SQPOLL, IORING_SETUP_CQE32,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    };
    struct leak_mark mark = leak_mark();

    for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
        struct io_uring ring;

        need_setup(flags[i], "all of the flags tried here");
        ring_open(&ring, 8, flags[i]);
        submit_nop(&ring, 1);
        io_uring_queue_exit(&ring);
        CHECK_NO_LEAK(mark);
    }
}

/* The exit of a ring cancels a request that still waits. */
static void with_requests_in_flight(void)
{
    struct io_uring ring;
    struct leak_mark mark;
    static char byte;
    int fds[2];

    CHECK_SYS(pipe(fds));
    mark = leak_mark();
    ring_open(&ring, 8, 0);
    io_uring_prep_read(next_sqe(&ring), fds[0], &byte, 1, 0);
    SUBMIT(&ring, 1);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
    close(fds[0]);
    close(fds[1]);
}

/*
 * After exit, another owner may have the ring's descriptor number and addresses. A second exit must not touch them.
 */
static void twice(void)
{
    struct io_uring ring, copy;
    struct leak_mark mark;
    size_t sqes_size;
    char *sqes, *queue;
    int fd, ring_fd;

    need_rings();
    better_than_reference("io_uring_queue_exit() may be called twice");
    ring_open(&ring, 64, 0);
    copy = ring;
    ring_fd = ring.ring_fd;
    sqes_size = ring.sq.sqes_sz;
    io_uring_queue_exit(&ring);

    fd = CHECK_SYS(open("/dev/null", O_RDONLY));
    CHECK_EQ(fd, ring_fd);
    sqes = (char *) mmap(copy.sq.sqes, sqes_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    queue = (char *) mmap(copy.sq.ring_ptr, page_size(), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(sqes == (char *) copy.sq.sqes);
    CHECK(queue == (char *) copy.sq.ring_ptr);
    sqes[0] = queue[0] = 1;

    mark = leak_mark();
    io_uring_queue_exit(&ring);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
    CHECK_SYS(fcntl(fd, F_GETFD));
    CHECK_EQ(sqes[0] + queue[0], 2);
    munmap(sqes, sqes_size);
    munmap(queue, page_size());
    close(fd);
}

static void twice_when_registered(void)
{
    struct io_uring first, second;

    need_kernel(5, 18, "registered ring descriptors");
    better_than_reference("io_uring_queue_exit() may be called twice");
    ring_open(&first, 4, 0);
    CHECK_EQ(io_uring_register_ring_fd(&first), 1);
    io_uring_queue_exit(&first);
    ring_open(&second, 4, 0);
    CHECK_EQ(io_uring_register_ring_fd(&second), 1);
    io_uring_queue_exit(&first);
    /* the second ring still has the first one's old descriptor and index */
    submit_nop(&second, 2);
    CHECK_EQ(reap(&second).data, 2);
    io_uring_queue_exit(&second);
}

/* A zeroed ring would close descriptor 0. */
static void after_a_failure(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    struct leak_mark mark;

    need_rings();
    better_than_reference("io_uring_queue_exit() may be called after a failed set-up");
    CHECK_SYS(fcntl(0, F_GETFD));
    mark = leak_mark();
    memset(&ring, 0xff, sizeof(ring));
    CHECK_EQ(io_uring_queue_init(0, &ring, 0), -EINVAL);
    io_uring_queue_exit(&ring);
    memset(&ring, 0xff, sizeof(ring));
    CHECK_EQ(io_uring_queue_init(8, &ring, 1u << 31), -EINVAL);
    io_uring_queue_exit(&ring);
    memset(&ring, 0xff, sizeof(ring));
    CHECK_EQ(io_uring_queue_init(8, &ring, IORING_SETUP_NO_MMAP | 1u << 31), -EINVAL);
    io_uring_queue_exit(&ring);
    memset(&ring, 0xff, sizeof(ring));
    memset(&params, 0, sizeof(params));
    CHECK_EQ(io_uring_queue_init_mem(8, &ring, &params, &ring, 1), -ENOMEM);
    io_uring_queue_exit(&ring);
    CHECK_SYS(fcntl(0, F_GETFD));
    CHECK_NO_LEAK(mark);
}

/* A failed map leaves the descriptor with its owner. */
static void after_a_failed_map(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    struct leak_mark mark;
    int fd, other;

    need_rings();
    better_than_reference("io_uring_queue_exit() may be called after a failed set-up");
    memset(&params, 0, sizeof(params));
    fd = CHECK_SYS(raw_setup(4, &params));
    close(fd);
    other = CHECK_SYS(eventfd(0, 0));
    mark = leak_mark();
    memset(&ring, 0xff, sizeof(ring));
    CHECK_EQ(io_uring_queue_mmap(other, &params, &ring), -ENODEV);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
    close(other);
}

static const struct test_case cases[] = {
    CASE(returns_everything),
    CASE(with_requests_in_flight),
    CASE(twice),
    CASE(twice_when_registered),
    CASE(after_a_failure),
    CASE(after_a_failed_map),
};

TEST_MAIN(cases)
