/* Rows of set-up, registration, and rings of other kinds. */
#include "steps-rows.h"

#include <errno.h>
#include <liburing.h>
#include <sys/uio.h>
#include <unistd.h>

ROW int set_up(unsigned entries, struct io_uring *ring, unsigned flags)
{
    int ret = io_uring_queue_init(entries, ring, flags);

    if (ret == 0)
        io_uring_queue_exit(ring);
    return ret;
}
ROW int register_ring_fd(struct io_uring *ring) { return io_uring_register_ring_fd(ring); }
ROW int unregister_ring_fd(struct io_uring *ring) { return io_uring_unregister_ring_fd(ring); }
ROW int register_buffers(struct io_uring *ring, const struct iovec *iov, unsigned nr)
{
    return io_uring_register_buffers(ring, iov, nr);
}
ROW int unregister_buffers(struct io_uring *ring) { return io_uring_unregister_buffers(ring); }
ROW int register_files(struct io_uring *ring, const int *fds, unsigned nr)
{
    return io_uring_register_files(ring, fds, nr);
}
ROW int register_files_update(struct io_uring *ring, unsigned slot, const int *fds, unsigned nr)
{
    return io_uring_register_files_update(ring, slot, fds, nr);
}
ROW int unregister_files(struct io_uring *ring) { return io_uring_unregister_files(ring); }

void count_register(struct io_uring *ring)
{
    static char buffer[4096];
    struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};
    int fd = STDIN_FILENO;

    COUNT_IS("register_buffers, 1", 0, register_buffers(ring, &iov, 1));
    COUNT_IS("unregister_buffers", 0, unregister_buffers(ring));
    COUNT_IS("register_files, 1", 0, register_files(ring, &fd, 1));
    COUNT_IS("register_files_update, 1", 1, register_files_update(ring, 0, &fd, 1));
    COUNT_IS("unregister_files", 0, unregister_files(ring));
}

static void count_kind(unsigned flags, const char *kind)
{
    struct io_uring ring;
    int ret = io_uring_queue_init(64, &ring, flags);

    if (ret == -EINVAL) {
        fprintf(stderr, "SKIP: rows with%s: this kernel has no such rings\n", kind + 1);
        return;
    }
    check(ret == 0, "setting a ring up");
    count_enters(&ring, kind);
    io_uring_queue_exit(&ring);
}

void count_setup(void)
{
    struct io_uring ring;

    COUNT_IS("queue_init and queue_exit, 8 entries", 0, set_up(8, &ring, 0));
    COUNT_IS("queue_init and queue_exit, 4096 entries", 0, set_up(4096, &ring, 0));
    check(io_uring_queue_init(8, &ring, 0) == 0, "setting a ring up");
    COUNT_IS("register_ring_fd", 1, register_ring_fd(&ring));
    count_enters(&ring, ", registered ring");
    COUNT_IS("register_files_update, 1, registered ring", -ENXIO, register_files_update(&ring, 0, &(int){0}, 1));
    COUNT_IS("unregister_ring_fd", 1, unregister_ring_fd(&ring));
    io_uring_queue_exit(&ring);
    count_kind(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, ", deferred work");
}
