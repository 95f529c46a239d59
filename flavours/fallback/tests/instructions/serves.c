/*
 * A program that makes io_uring's calls with instructions of its own: linked to
 * the plain archive, and here and there by hand.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "bare.h"
#include "file.h"
#include "ring.h"

enum { THREADS = 8, ROUNDS = 2000, BLOCK = 4096 };

/* What the system calls of the archive are like. */
static void is_not_seen_by_hooks(void)
{
    struct io_uring_params params = { 0 };
    struct io_uring ring;
    int fd;

    ring_open(&ring, 8, 0);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).res, 0);
    io_uring_queue_exit(&ring);
    fd = CHECK_SYS((int) bare_call(SYS_io_uring_setup, 4, (long) &params, 0, 0, 0, 0));
    CHECK_EQ(bare_call(SYS_io_uring_enter, fd, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(bare_call(SYS_io_uring_enter, fd, 0, 0, 1 << 30, 0, 0), -EINVAL);
    CHECK_SYS(close(fd));
    CHECK_LT(bare_call(SYS_io_uring_setup, 0, (long) &params, 0, 0, 0, 0), 0);
}

static void files_and_sockets(void)
{
    static char block[BLOCK];
    struct io_uring ring;
    int fd = make_file("data", BLOCK, 5), pair[2];

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_STREAM);
    io_uring_prep_read(next_sqe(&ring), fd, block, BLOCK, 0);
    CHECK_EQ(run_res(&ring), BLOCK);
    CHECK_PATTERN(block, BLOCK, 5);
    io_uring_prep_recv(next_sqe(&ring), pair[0], block, 8, 0);
    SUBMIT(&ring, 1);
    io_uring_prep_send(next_sqe(&ring), pair[1], "12345678", 8, 0);
    SUBMIT(&ring, 1);
    CHECK_EQ(reap(&ring).res, 8);
    CHECK_EQ(reap(&ring).res, 8);
    CHECK_MEM(block, "12345678", 8);
    io_uring_queue_exit(&ring);
}

/* A buffer ring in memory of the kernel's, mapped with the ring's descriptor. */
static void mapped_buffer_ring(void)
{
    enum { GROUP = 9 };
    struct io_uring_buf_reg reg = { .ring_entries = 4, .bgid = GROUP, .flags = IOU_PBUF_RING_MMAP };
    static char buffers[4][64];
    struct io_uring ring;
    struct io_uring_buf_ring *entries;
    struct io_uring_sqe *sqe;
    struct done done;
    int pair[2];
    long at;

    ring_open(&ring, 8, 0);
    CHECK_EQ(io_uring_register_buf_ring(&ring, &reg, 0), 0);
    at = bare_call(SYS_mmap, 0, (long) page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.ring_fd,
                   IORING_OFF_PBUF_RING | (long) GROUP << IORING_OFF_PBUF_SHIFT);
    CHECK(at > 0 || at < -4095);
    entries = (struct io_uring_buf_ring *) at;
    for (unsigned short i = 0; i < 4; i++)
        io_uring_buf_ring_add(entries, buffers[i], 64, i, io_uring_buf_ring_mask(4), i);
    io_uring_buf_ring_advance(entries, 4);
    make_socketpair(pair, SOCK_STREAM);
    CHECK_EQ(write(pair[1], "provided", 8), 8);
    sqe = next_sqe(&ring);
    io_uring_prep_recv(sqe, pair[0], NULL, 64, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    done = run_done(&ring);
    CHECK_EQ(done.res, 8);
    CHECK_MEM(buffers[done.flags >> IORING_CQE_BUFFER_SHIFT], "provided", 8);
    CHECK_EQ(bare_call(SYS_munmap, at, (long) page_size(), 0, 0, 0, 0), 0);
    io_uring_queue_exit(&ring);
}

static void *use_a_ring(void *unused)
{
    struct io_uring ring;
    int pair[2];
    char byte;

    make_socketpair(pair, SOCK_STREAM);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % 100 == 0)
            ring_open(&ring, 8, 0);
        io_uring_prep_recv(next_sqe(&ring), pair[0], &byte, 1, 0);
        io_uring_prep_send(next_sqe(&ring), pair[1], "x", 1, 0);
        CHECK_EQ(io_uring_submit_and_wait(&ring, 2), 2);
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(reap(&ring).res, 1);
        if (i % 100 == 99)
            io_uring_queue_exit(&ring);
    }
    CHECK_SYS(close(pair[0]));
    CHECK_SYS(close(pair[1]));
    return unused;
}

static void in_many_threads(void)
{
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, use_a_ring, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void wait_for(pid_t child, int want)
{
    int status;

    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, want);
}

static void in_children(void)
{
    struct io_uring ring, other;
    pid_t child;

    ring_open(&ring, 8, 0);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    child = CHECK_SYS(fork());
    if (child == 0) {
        ring_open(&other, 8, 0);
        submit_nop(&other, 3);
        CHECK_EQ(reap(&other).data, 3);
        io_uring_queue_exit(&other);
        _exit(0);
    }
    wait_for(child, 0);
    /* that a child gives its copy up is nothing to the parent */
    child = CHECK_SYS(fork());
    if (child == 0) {
        io_uring_queue_exit(&ring);
        _exit(0);
    }
    wait_for(child, 0);
    submit_nop(&ring, 4);
    CHECK_EQ(reap(&ring).data, 4);
    io_uring_queue_exit(&ring);
}

/* The number of a ring that is closed by an instruction goes to a file. */
static void closed_by_an_instruction(unsigned flags)
{
    struct __kernel_timespec soon = millis(50);
    struct io_uring ring, other;
    char *memory = new_pages(4), byte = 0;
    struct io_uring_params params = { .flags = flags };
    int pair[2], number, fd;

    make_socketpair(pair, SOCK_STREAM);
    if (flags & IORING_SETUP_NO_MMAP)
        CHECK_GT(io_uring_queue_init_mem(8, &ring, &params, memory, 4 * page_size()), 0);
    else
        CHECK_EQ(io_uring_queue_init_params(8, &ring, &params), 0);
    io_uring_prep_timeout(next_sqe(&ring), &soon, 0, 0);
    io_uring_prep_recv(next_sqe(&ring), pair[0], &byte, 1, 0);
    SUBMIT(&ring, 2);
    number = ring.ring_fd;
    io_uring_queue_exit(&ring);
    fd = make_file("data", BLOCK, 5);
    CHECK_SYS(dup2(fd, number));
    CHECK_SYS(lseek(number, 0, SEEK_SET));
    if (!(flags & IORING_SETUP_NO_MMAP)) {
        /* what was under way is gone: the byte is there for who asks next */
        CHECK_EQ(write(pair[1], "y", 1), 1);
        ring_open(&other, 8, 0);
        io_uring_prep_recv(next_sqe(&other), pair[0], &byte, 1, 0);
        CHECK_EQ(run_res(&other), 1);
        CHECK_EQ(byte, 'y');
        io_uring_queue_exit(&other);
    }
    CHECK_SYS(usleep(200000));
    {
        static char block[BLOCK];

        CHECK_EQ(lseek(number, 0, SEEK_CUR), 0);
        CHECK_EQ(pread(fd, block, BLOCK, 0), BLOCK);
        CHECK_PATTERN(block, BLOCK, 5);
    }
    /* and can be mapped */
    CHECK(mmap(NULL, BLOCK, PROT_READ, MAP_SHARED | MAP_POPULATE, number, 0) != MAP_FAILED);
    CHECK(bare_call(SYS_mmap, 0, BLOCK, PROT_READ, MAP_SHARED | MAP_POPULATE, number, 0) > 0);
    CHECK_SYS(close(number));
}

static void closed_and_number_reused(void)
{
    closed_by_an_instruction(0);
}

static void own_memory_closed(void)
{
    closed_by_an_instruction(IORING_SETUP_NO_MMAP);
}

/* Rings come and go by instructions alone, under one number. */
static void number_of_the_next_ring(void)
{
    int number = -1;

    for (unsigned i = 0; i < 300; i++) {
        struct io_uring_params params = { 0 };
        int fd = (int) bare_call(SYS_io_uring_setup, 4, (long) &params, 0, 0, 0, 0);

        CHECK_GE(fd, 0);
        if (number >= 0)
            CHECK_EQ(fd, number);
        number = fd;
        CHECK_EQ(bare_call(SYS_close, fd, 0, 0, 0, 0, 0), 0);
    }
    for (unsigned i = 0; i < 300; i++) {
        struct io_uring ring;

        ring_open(&ring, 4, 0);
        submit_nop(&ring, i);
        CHECK_EQ(reap(&ring).data, i);
        io_uring_queue_exit(&ring);
    }
}

static const struct test_case cases[] = {
    CASE(is_not_seen_by_hooks),
    CASE(files_and_sockets),
    CASE(mapped_buffer_ring),
    CASE(in_many_threads),
    CASE(in_children),
    CASE(closed_and_number_reused),
    CASE(own_memory_closed),
    CASE(number_of_the_next_ring),
};

TEST_MAIN(cases)
