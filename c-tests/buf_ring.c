/* Provided buffer rings: setting them up, counting their buffers, choosing from them. */
#include <sys/mman.h>

#include "file.h"

enum { GROUP = 2, BUFFERS = 4, SIZE = 32 };

static void add_all(struct io_uring_buf_ring *buffers, char bytes[BUFFERS][SIZE])
{
    for (unsigned i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(buffers, bytes[i], SIZE, 10 + i,
                              io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(buffers, BUFFERS);
}

static struct done read_selected(struct io_uring *ring, int fd, int group)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_read(sqe, fd, NULL, SIZE, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, group);
    return run_done(ring);
}

static void head_and_available(void)
{
    char bytes[BUFFERS][SIZE];
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    struct done done;
    uint16_t head = 99;
    int fd = make_file("file", SIZE, 1);
    int error = 1;

    need_kernel(6, 8, "the head of a provided buffer ring");
    ring_open(&ring, 4, 0);
    buffers = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, 0, &error);
    CHECK(buffers != NULL);
    CHECK_EQ(error, 0);
    CHECK_EQ(buffers->tail, 0);
    CHECK_EQ(io_uring_buf_ring_available(&ring, buffers, GROUP), 0);
    CHECK_EQ(read_selected(&ring, fd, GROUP).res, -ENOBUFS);

    add_all(buffers, bytes);
    CHECK_EQ(io_uring_buf_ring_available(&ring, buffers, GROUP), BUFFERS);
    CHECK_EQ(io_uring_buf_ring_head(&ring, GROUP, &head), 0);
    CHECK_EQ(head, 0);
    for (unsigned i = 0; i < BUFFERS; i++) {
        done = read_selected(&ring, fd, GROUP);
        CHECK_EQ(done.res, SIZE);
        CHECK_EQ(done.flags >> IORING_CQE_BUFFER_SHIFT, 10 + i);
        CHECK_PATTERN(bytes[i], SIZE, 1);
        CHECK_EQ(io_uring_buf_ring_head(&ring, GROUP, &head), 0);
        CHECK_EQ(head, i + 1);
        CHECK_EQ(io_uring_buf_ring_available(&ring, buffers, GROUP), BUFFERS - 1 - i);
    }
    CHECK_EQ(io_uring_buf_ring_head(&ring, GROUP + 1, &head), -ENOENT);
    CHECK_EQ(io_uring_buf_ring_available(&ring, buffers, GROUP + 1), -ENOENT);
    CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, BUFFERS, GROUP), 0);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* The 16-bit tail wraps many times. */
static void tail_wraps(void)
{
    char bytes[BUFFERS][SIZE];
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    int fd = make_file("file", SIZE, 1);
    int error;

    need_kernel(5, 19, "provided buffer rings");
    ring_open(&ring, 4, 0);
    buffers = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, 0, &error);
    CHECK(buffers != NULL);
    add_all(buffers, bytes);
    for (unsigned i = 0; i < 70000; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);
        struct io_uring_cqe *cqe;

        io_uring_prep_read(sqe, fd, NULL, SIZE, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
        io_uring_sqe_set_buf_group(sqe, GROUP);
        SUBMIT(&ring, 1);
        CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
        CHECK_EQ(cqe->flags >> IORING_CQE_BUFFER_SHIFT, 10 + i % BUFFERS);
        /* give the buffer back and the completion's slot as well */
        io_uring_buf_ring_add(buffers, bytes[i % BUFFERS], SIZE, 10 + i % BUFFERS,
                              io_uring_buf_ring_mask(BUFFERS), 0);
        if (i % 2)
            io_uring_buf_ring_cq_advance(&ring, buffers, 1);
        else
            __io_uring_buf_ring_cq_advance(&ring, buffers, 1, 1);
    }
    CHECK_EQ(buffers->tail, (uint16_t) (70000 + BUFFERS));
    CHECK_EQ(io_uring_cq_ready(&ring), 0);
    CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, BUFFERS, GROUP), 0);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* Linux 6.1 returns the error for a group of another kind. Later kernels return the error for a missing group. */
#define CHECK_NO_GROUP(expression)                              \
    do {                                                        \
        int group_result = (expression);                        \
        if (kernel_at_least(6, 12) || group_result != -EINVAL)  \
            CHECK_EQ(group_result, -ENOENT);                    \
    } while (0)

/* The program's own memory, registered and unregistered by hand. */
static void own_memory(void)
{
    char bytes[BUFFERS][SIZE];
    struct io_uring ring;
    struct io_uring_buf_reg reg;
    struct io_uring_buf_ring *buffers = (struct io_uring_buf_ring *) new_pages(1);
    int fd = make_file("file", SIZE, 1);

    need_kernel(5, 19, "provided buffer rings");
    ring_open(&ring, 4, 0);
    memset(&reg, 0, sizeof(reg));
    reg.ring_addr = (__u64) (uintptr_t) buffers;
    reg.ring_entries = BUFFERS;
    reg.bgid = GROUP;
    CHECK_EQ(io_uring_register_buf_ring(&ring, &reg, 0), 0);
    CHECK_EQ(io_uring_register_buf_ring(&ring, &reg, 0), -EEXIST);
    io_uring_buf_ring_init(buffers);
    add_all(buffers, bytes);
    CHECK_EQ(read_selected(&ring, fd, GROUP).res, SIZE);
    CHECK_EQ(io_uring_unregister_buf_ring(&ring, GROUP), 0);
    CHECK_NO_GROUP(io_uring_unregister_buf_ring(&ring, GROUP));
    CHECK_EQ(read_selected(&ring, fd, GROUP).res, -ENOBUFS);

    reg.ring_entries = 3; /* not a power of two */
    CHECK_EQ(io_uring_register_buf_ring(&ring, &reg, 0), -EINVAL);
    reg.ring_entries = BUFFERS;
    CHECK_EQ(io_uring_register_buf_ring(&ring, &reg, 1u << 15), -EINVAL);
    CHECK_EQ(reg.flags, 1u << 15);
    io_uring_queue_exit(&ring);
    munmap(buffers, page_size());
    close(fd);
}

/* The kernel's memory, mapped through the ring's descriptor. */
static void kernel_memory(void)
{
    char bytes[BUFFERS][SIZE];
    struct io_uring ring;
    struct io_uring_buf_reg reg;
    struct io_uring_buf_ring *buffers;
    int fd = make_file("file", SIZE, 1);

    need_kernel(6, 4, "kernel memory for provided buffer rings");
    ring_open(&ring, 4, 0);
    memset(&reg, 0, sizeof(reg));
    reg.ring_entries = BUFFERS;
    reg.bgid = GROUP;
    CHECK_EQ(io_uring_register_buf_ring(&ring, &reg, IOU_PBUF_RING_MMAP), 0);
    buffers = (struct io_uring_buf_ring *)
        mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, ring.ring_fd,
             IORING_OFF_PBUF_RING | (__u64) GROUP << IORING_OFF_PBUF_SHIFT);
    CHECK(buffers != MAP_FAILED);
    add_all(buffers, bytes);
    CHECK_EQ(read_selected(&ring, fd, GROUP).res, SIZE);
    munmap(buffers, page_size());
    CHECK_EQ(io_uring_unregister_buf_ring(&ring, GROUP), 0);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* The same through the library, which maps and unmaps it. */
static void kernel_memory_by_library(void)
{
    char bytes[BUFFERS][SIZE];
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    struct leak_mark mark;
    int fd = make_file("file", SIZE, 1);
    int error = 1;

    need_kernel(6, 4, "kernel memory for provided buffer rings");
    better_than_reference("a buffer ring may be set up in the kernel's memory");
    ring_open(&ring, 4, 0);
    mark = leak_mark();
    buffers = io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, IOU_PBUF_RING_MMAP, &error);
    CHECK_EQ(error, 0);
    CHECK(buffers != NULL);
    add_all(buffers, bytes);
    CHECK_EQ(read_selected(&ring, fd, GROUP).res, SIZE);
    CHECK(io_uring_setup_buf_ring(&ring, BUFFERS, GROUP, IOU_PBUF_RING_MMAP, &error) == NULL);
    CHECK_EQ(error, -EEXIST);
    CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, BUFFERS, GROUP), 0);
    CHECK_NO_LEAK(mark);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* A failed set-up of a buffer ring frees its memory. */
static void setup_errors(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers, *other;
    struct leak_mark mark;
    int error;

    need_kernel(5, 19, "provided buffer rings");
    ring_open(&ring, 4, 0);
    buffers = io_uring_setup_buf_ring(&ring, 256, GROUP, 0, &error);
    CHECK(buffers != NULL);

    mark = leak_mark();
    other = io_uring_setup_buf_ring(&ring, 256, GROUP, 0, &error);
    CHECK(other == NULL);
    CHECK_EQ(error, -EEXIST);
    other = io_uring_setup_buf_ring(&ring, 100, GROUP + 1, 0, &error);
    CHECK(other == NULL);
    CHECK_EQ(error, -EINVAL);
    other = io_uring_setup_buf_ring(&ring, 65536, GROUP + 1, 0, &error);
    CHECK(other == NULL);
    CHECK_EQ(error, -EINVAL);
    other = io_uring_setup_buf_ring(&ring, 256, GROUP + 1, 1u << 14, &error);
    CHECK(other == NULL);
    CHECK_EQ(error, -EINVAL);
    CHECK_NO_LEAK(mark);

    /* the wrong group: nothing is freed */
    CHECK_NO_GROUP(io_uring_free_buf_ring(&ring, buffers, 256, GROUP + 1));
    CHECK_EQ(buffers->tail, 0);
    CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, 256, GROUP), 0);
    io_uring_queue_exit(&ring);
}

static void setup_and_free_balance(void)
{
    struct io_uring ring;
    struct leak_mark mark;

    need_kernel(5, 19, "provided buffer rings");
    ring_open(&ring, 4, 0);
    mark = leak_mark();
    for (unsigned entries = 1; entries <= 32768; entries *= 2) {
        int error;
        struct io_uring_buf_ring *buffers =
            io_uring_setup_buf_ring(&ring, entries, GROUP, 0, &error);

        CHECK(buffers != NULL);
        CHECK_EQ(io_uring_free_buf_ring(&ring, buffers, entries, GROUP), 0);
    }
    CHECK_NO_LEAK(mark);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(head_and_available),
    CASE(tail_wraps),
    CASE(own_memory),
    CASE(kernel_memory),
    CASE(kernel_memory_by_library),
    CASE(setup_errors),
    CASE(setup_and_free_balance),
};

TEST_MAIN(cases)
