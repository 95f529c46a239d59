/* Rings known by an index instead of a descriptor, and rings that share workers. */
#include <pthread.h>
#include <sys/mman.h>

#include "file.h"

static void need_registered_rings(void)
{
    need_kernel(5, 18, "registered ring descriptors");
}

static void use(struct io_uring *ring)
{
    for (unsigned i = 0; i < 20; i++) {
        struct io_uring_cqe *cqe;
        struct __kernel_timespec ts = millis(10000);

        submit_nop(ring, i);
        CHECK_EQ(reap(ring).data, i);
        io_uring_prep_nop(next_sqe(ring));
        CHECK_EQ(io_uring_submit_and_wait(ring, 1), 1);
        CHECK_EQ(io_uring_wait_cqe_timeout(ring, &cqe, &ts), 0);
        take(ring, cqe);
    }
    CHECK_EQ(io_uring_get_events(ring), 0);
}

static void register_and_unregister(void)
{
    struct io_uring ring;

    need_registered_rings();
    ring_open(&ring, 4, 0);
    CHECK_EQ(ring.enter_ring_fd, ring.ring_fd);
    CHECK_EQ(io_uring_unregister_ring_fd(&ring), -EINVAL);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(io_uring_register_ring_fd(&ring), 1);
        CHECK_EQ(io_uring_register_ring_fd(&ring), -EEXIST);
        CHECK_GE(ring.enter_ring_fd, 0);
        CHECK_LT(ring.enter_ring_fd, 16);
        use(&ring);
        CHECK_EQ(io_uring_unregister_ring_fd(&ring), 1);
        CHECK_EQ(io_uring_unregister_ring_fd(&ring), -EINVAL);
        CHECK_EQ(ring.enter_ring_fd, ring.ring_fd);
        use(&ring);
    }
    io_uring_queue_exit(&ring);
}

/* The descriptor may be closed; waits, submissions and registrations go on. */
static void close_descriptor(void)
{
    struct io_uring ring;
    unsigned fds = count_fds();
    int fd = make_file("file", 1, 0);
    char byte;

    need_kernel(6, 3, "registrations through a registered ring");
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_close_ring_fd(&ring), -EINVAL);
    CHECK_EQ(io_uring_register_ring_fd(&ring), 1);
    CHECK_EQ(io_uring_close_ring_fd(&ring), 1);
    CHECK_EQ(ring.ring_fd, -1);
    CHECK_EQ(io_uring_close_ring_fd(&ring), -EBADF);
    CHECK_EQ(count_fds(), fds + 1);
    use(&ring);
    CHECK_EQ(io_uring_register_files(&ring, &fd, 1), 0);
    {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        io_uring_prep_read(sqe, 0, &byte, 1, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
        CHECK_EQ(run_res(&ring), 1);
    }
    io_uring_queue_exit(&ring);
    close(fd);
    CHECK_EQ(count_fds(), fds);
}

static void close_on_old_kernels(void)
{
    struct io_uring ring;

    need_registered_rings();
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_ring_fd(&ring), 1);
    ring.features &= ~IORING_FEAT_REG_REG_RING;
    CHECK_EQ(io_uring_close_ring_fd(&ring), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
}

/* Exit frees the index: a leak would use up all sixteen. */
static void exit_frees_the_index(void)
{
    need_registered_rings();
    for (unsigned i = 0; i < 40; i++) {
        struct io_uring ring;

        ring_open(&ring, 2, 0);
        CHECK_EQ(io_uring_register_ring_fd(&ring), 1);
        if (i % 2 && (ring.features & IORING_FEAT_REG_REG_RING))
            CHECK_EQ(io_uring_close_ring_fd(&ring), 1);
        io_uring_queue_exit(&ring);
    }
}

struct other_thread {
    struct io_uring ring;
    struct io_uring *given_up;
    int index;
};

/* Registers a second ring under the same index, gives up the other thread's ring, and continues with the second one. */
static void *give_up_there(void *argument)
{
    struct other_thread *other = (struct other_thread *) argument;

    ring_open(&other->ring, 4, 0);
    CHECK_EQ(io_uring_register_ring_fd(&other->ring), 1);
    other->index = other->ring.enter_ring_fd;
    CHECK_EQ(io_uring_unregister_ring_fd(other->given_up), -EINVAL);
    use(&other->ring);
    io_uring_queue_exit(other->given_up);
    use(&other->ring);
    io_uring_queue_exit(&other->ring);
    return NULL;
}

/* An index names different rings in different threads. */
static void exit_in_another_thread(void)
{
    struct other_thread other;
    struct io_uring ring;
    pthread_t thread;

    better_than_reference("a thread keeps its own rings when it gives up another one's");
    need_registered_rings();
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_ring_fd(&ring), 1);
    other.given_up = &ring;
    other.index = ring.enter_ring_fd + 1;
    {
        int index = ring.enter_ring_fd;

        CHECK_EQ(pthread_create(&thread, NULL, give_up_there, &other), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_EQ(other.index, index);
    }
}

/* A child has the parent's rings in its memory, but no ring in its own table of registered rings. */
static void exit_in_a_child(void)
{
    struct io_uring ring;
    int status;
    pid_t child;

    better_than_reference("a thread keeps its own rings when it gives up another one's");
    need_registered_rings();
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_ring_fd(&ring), 1);
    child = CHECK_SYS(fork());
    if (child == 0) {
        struct io_uring own;

        ring_open(&own, 4, 0);
        CHECK_EQ(io_uring_register_ring_fd(&own), 1);
        CHECK_EQ(own.enter_ring_fd, ring.enter_ring_fd);
        io_uring_queue_exit(&ring);
        use(&own);
        io_uring_queue_exit(&own);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    use(&ring);
    io_uring_queue_exit(&ring);
}

static void never_a_descriptor(void)
{
    const unsigned flags = IORING_SETUP_REGISTERED_FD_ONLY | IORING_SETUP_NO_MMAP;
    struct io_uring ring;
    unsigned fds;

    need_kernel(6, 10, "a ring in pages that are not contiguous");
    CHECK_EQ(io_uring_queue_init(4, &ring, IORING_SETUP_REGISTERED_FD_ONLY), -EINVAL);
    fds = count_fds();
    for (unsigned i = 0; i < 20; i++) {
        struct io_uring_probe *probe;

        ring_open(&ring, 4, flags);
        CHECK_EQ(ring.ring_fd, -1);
        CHECK_GE(ring.enter_ring_fd, 0);
        CHECK_EQ(count_fds(), fds);
        use(&ring);
        probe = io_uring_get_probe_ring(&ring);
        CHECK(probe != NULL);
        io_uring_free_probe(probe);
        CHECK_EQ(io_uring_close_ring_fd(&ring), -EBADF);
        io_uring_queue_exit(&ring);
    }
}

/* ---- shared worker threads ---- */

static int attach(struct io_uring *ring, int fd)
{
    struct io_uring_params params;

    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_ATTACH_WQ;
    params.wq_fd = (unsigned) fd;
    return io_uring_queue_init_params(4, ring, &params);
}

static void shared_workers(void)
{
    struct io_uring first, second;
    struct io_uring_sqe *sqe;
    struct leak_mark mark;
    int fds[2];

    ring_open(&first, 4, 0);
    CHECK_EQ(attach(&second, first.ring_fd), 0);
    io_uring_queue_exit(&first);
    sqe = next_sqe(&second);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    CHECK_EQ(run_res(&second), 0);
    io_uring_queue_exit(&second);

    CHECK_SYS(pipe(fds));
    mark = leak_mark();
    CHECK_EQ(attach(&second, fds[0]), -EINVAL);
    CHECK_EQ(attach(&second, 9999), -ENXIO);
    CHECK_NO_LEAK(mark);
    close(fds[0]);
    close(fds[1]);
}

static const struct test_case cases[] = {
    CASE(register_and_unregister),
    CASE(close_descriptor),
    CASE(close_on_old_kernels),
    CASE(exit_frees_the_index),
    CASE(exit_in_another_thread),
    CASE(exit_in_a_child),
    CASE(never_a_descriptor),
    CASE(shared_workers),
};

TEST_MAIN(cases)
