/* The bare system calls, as the library offers them: errno comes negated. */
#include <sys/mman.h>

#include "file.h"

struct raw_ring {
    int fd;
    struct io_uring_params params;
    char *queue;
    size_t queue_size;
    struct io_uring_sqe *sqes;
    size_t sqes_size;
};

static unsigned *field(struct raw_ring *ring, unsigned offset)
{
    return (unsigned *) (ring->queue + offset);
}

static void raw_open(struct raw_ring *ring)
{
    need_rings();
    memset(ring, 0, sizeof(*ring));
    ring->fd = io_uring_setup(4, &ring->params);
    CHECK_GE(ring->fd, 0);
    CHECK_EQ(ring->params.sq_entries, 4);
    CHECK(ring->params.features & IORING_FEAT_SINGLE_MMAP);
    ring->queue_size = ring->params.sq_off.array + 4 * sizeof(unsigned);
    ring->queue = (char *) mmap(NULL, ring->queue_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                                ring->fd, IORING_OFF_SQ_RING);
    ring->sqes_size = 4 * sizeof(struct io_uring_sqe);
    ring->sqes = (struct io_uring_sqe *) mmap(NULL, ring->sqes_size, PROT_READ | PROT_WRITE,
                                              MAP_SHARED, ring->fd, IORING_OFF_SQES);
    CHECK(ring->queue != MAP_FAILED);
    CHECK(ring->sqes != MAP_FAILED);
}

static void raw_close(struct raw_ring *ring)
{
    munmap(ring->queue, ring->queue_size);
    munmap(ring->sqes, ring->sqes_size);
    close(ring->fd);
}

static void raw_add_nop(struct raw_ring *ring, __u64 data)
{
    unsigned *tail = field(ring, ring->params.sq_off.tail);
    struct io_uring_sqe *sqe = &ring->sqes[*tail & 3];

    memset(sqe, 0, sizeof(*sqe));
    io_uring_prep_nop(sqe);
    sqe->user_data = data;
    field(ring, ring->params.sq_off.array)[*tail & 3] = *tail & 3;
    io_uring_smp_store_release(tail, *tail + 1);
}

static __u64 raw_take(struct raw_ring *ring)
{
    unsigned *head = field(ring, ring->params.cq_off.head);
    struct io_uring_cqe *cqes =
        (struct io_uring_cqe *) (ring->queue + ring->params.cq_off.cqes);
    __u64 data;

    CHECK_NE(io_uring_smp_load_acquire(field(ring, ring->params.cq_off.tail)), *head);
    data = cqes[*head & (ring->params.cq_entries - 1)].user_data;
    io_uring_smp_store_release(head, *head + 1);
    return data;
}

static void whole_round(void)
{
    struct raw_ring ring;
    struct __kernel_timespec ts = millis(20);
    struct io_uring_getevents_arg arg;

    raw_open(&ring);
    raw_add_nop(&ring, 7);
    CHECK_EQ(io_uring_enter(ring.fd, 1, 0, 0, NULL), 1);
    CHECK_EQ(raw_take(&ring), 7);
    raw_add_nop(&ring, 8);
    raw_add_nop(&ring, 9);
    CHECK_EQ(io_uring_enter(ring.fd, 2, 2, IORING_ENTER_GETEVENTS, NULL), 2);
    CHECK_EQ(raw_take(&ring), 8);
    CHECK_EQ(raw_take(&ring), 9);

    /* the second form has a size, so it can take an extended argument */
    CHECK(ring.params.features & IORING_FEAT_EXT_ARG);
    memset(&arg, 0, sizeof(arg));
    arg.ts = (__u64) (uintptr_t) &ts;
    CHECK_EQ(io_uring_enter2(ring.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                             &arg, sizeof(arg)), -ETIME);
    raw_add_nop(&ring, 10);
    CHECK_EQ(io_uring_enter2(ring.fd, 1, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                             &arg, sizeof(arg)), 1);
    CHECK_EQ(raw_take(&ring), 10);
    raw_close(&ring);
}

static void setup_errors(void)
{
    struct io_uring_params params;

    need_rings();
    memset(&params, 0, sizeof(params));
    CHECK_EQ(io_uring_setup(0, &params), -EINVAL);
    CHECK_EQ(io_uring_setup(1u << 20, &params), -EINVAL);
    CHECK_EQ(io_uring_setup(8, NULL), -EFAULT);
    params.resv[0] = 1;
    CHECK_EQ(io_uring_setup(8, &params), -EINVAL);
}

static void enter_errors(void)
{
    struct raw_ring ring;
    int plain = make_file("file", 0, 0);

    raw_open(&ring);
    CHECK_EQ(io_uring_enter(9999, 0, 0, 0, NULL), -EBADF);
    CHECK_EQ(io_uring_enter(plain, 0, 0, 0, NULL), -EOPNOTSUPP);
    CHECK_EQ(io_uring_enter(ring.fd, 0, 0, 1u << 30, NULL), -EINVAL);
    CHECK_EQ(io_uring_enter2(ring.fd, 0, 0, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                             NULL, 1), -EINVAL);
    raw_close(&ring);
    close(plain);
}

static void register_calls(void)
{
    struct raw_ring ring;
    int plain = make_file("file", 0, 0);

    raw_open(&ring);
    CHECK_EQ(io_uring_register(ring.fd, IORING_REGISTER_FILES, &plain, 1), 0);
    CHECK_EQ(io_uring_register(ring.fd, IORING_REGISTER_FILES, &plain, 1), -EBUSY);
    CHECK_EQ(io_uring_register(ring.fd, IORING_UNREGISTER_FILES, NULL, 0), 0);
    CHECK_EQ(io_uring_register(ring.fd, 0x7fffffff, NULL, 0), -EINVAL);
    CHECK_EQ(io_uring_register(9999, IORING_UNREGISTER_FILES, NULL, 0), -EBADF);
    CHECK_EQ(io_uring_register(plain, IORING_UNREGISTER_FILES, NULL, 0), -EOPNOTSUPP);
    raw_close(&ring);
    close(plain);
}

static volatile sig_atomic_t signals_seen;

static void on_signal(int signal_number)
{
    (void) signal_number;
    signals_seen++;
}

/* The mask of the plain form has the kernel's size, not the C library's. */
static void enter_with_mask(void)
{
    struct raw_ring ring;
    sigset_t blocked, open_mask;

    raw_open(&ring);
    signal(SIGUSR1, on_signal);
    sigemptyset(&open_mask);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    raise(SIGUSR1);
    CHECK_EQ(io_uring_enter(ring.fd, 0, 1, IORING_ENTER_GETEVENTS, &open_mask), -EINTR);
    CHECK_EQ(signals_seen, 1);
    raw_close(&ring);
}

static const struct test_case cases[] = {
    CASE(whole_round),
    CASE(setup_errors),
    CASE(enter_errors),
    CASE(register_calls),
    CASE(enter_with_mask),
};

TEST_MAIN(cases)
