/* What a request was refused for is looked up when its CQE is seen. The program may have changed it by then. */
#include "refused.h"

#include <sys/syscall.h>

static char byte;

/* Waits until so many CQEs are there, without a call of the library. */
static void until_ready(const struct io_uring *ring, unsigned count)
{
    while (io_uring_cq_ready(ring) < count)
        usleep(1000);
}

static void mark_all(struct io_uring *ring)
{
    io_uring_cq_advance(ring, io_uring_cq_ready(ring));
}

/* A read of a registered file that is not there: programs may find out in this way. */
static void read_slot(struct io_uring *ring, unsigned slot)
{
    struct io_uring_sqe *sqe = take(ring, 0);

    io_uring_prep_read(sqe, slot, &byte, 1, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = 1;
}

/* A ring with two free slots, and no descriptor any more: `close_it` closes it. Another ring has the number. */
static void number_of_another_ring(void (*close_it)(struct io_uring *))
{
    struct io_uring ring, other;
    int ret, number;

    open_ring(&ring, 4, 0);
    number = ring.ring_fd;
    MUST(io_uring_register_files_sparse(&ring, 2) == 0);
    ret = io_uring_register_ring_fd(&ring);
    if (ret == -EINVAL)
        exit(EXIT_SKIP);
    MUST(ret == 1);
    close_it(&ring);
    open_ring(&other, 4, 0);
    MUST(other.ring_fd == number);
    read_slot(&ring, 1);
    MUST(result_of(&ring, 1) == -EBADF);
    io_uring_queue_exit(&ring);
    io_uring_queue_exit(&other);
}

static void close_by_the_library(struct io_uring *ring)
{
    int ret = io_uring_close_ring_fd(ring);

    if (ret == -EOPNOTSUPP)
        exit(EXIT_SKIP);
    MUST(ret == 1);
}

static void close_by_itself(struct io_uring *ring)
{
    MUST(close(ring->ring_fd) == 0);
    ring->ring_fd = -1;
}

/* By a call that nothing stands before. */
static void close_unseen(struct io_uring *ring)
{
    MUST(syscall(SYS_close, ring->ring_fd) == 0);
    ring->ring_fd = -1;
}

static void ring_descriptor_closed(void) { number_of_another_ring(close_by_the_library); }
static void ring_descriptor_closed_by_itself(void) { number_of_another_ring(close_by_itself); }
static void ring_descriptor_closed_unseen(void) { number_of_another_ring(close_unseen); }

/* The slot was in the table when the kernel looked. `change` is what the program does before the library sees the CQE. */
static void table_changes(void (*change)(struct io_uring *))
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int ends[2];

    MUST(pipe(ends) == 0);
    open_ring(&ring, 4, 0);
    MUST(io_uring_register_files_sparse(&ring, 2) == 0);
    sqe = take(&ring, 2);
    io_uring_prep_poll_add(sqe, ends[0], POLLIN);
    sqe->user_data = 2;
    sqe->flags |= IOSQE_IO_LINK;
    read_slot(&ring, 1);
    MUST(io_uring_submit(&ring) == 2);
    MUST(write(ends[1], "x", 1) == 1);
    until_ready(&ring, 2);
    mark_all(&ring);
    change(&ring);
    io_uring_queue_exit(&ring);
}

static void unregister(struct io_uring *ring) { MUST(io_uring_unregister_files(ring) == 0); }

static void unregister_by_number(struct io_uring *ring)
{
    MUST(io_uring_register(ring->ring_fd, IORING_UNREGISTER_FILES, NULL, 0) == 0);
}

static void table_given_up(void) { table_changes(unregister); }
static void table_given_up_by_number(void) { table_changes(unregister_by_number); }

/* A file of the kind that no ring polls, though it has O_DIRECT. Then its number is that of a file without it. The kernel's
 * thread takes the request when the call that submits has returned. */
static void number_of_another_file(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int ends[2], fd = scratch();

    MUST(pipe2(ends, O_DIRECT) == 0);
    open_ring(&ring, 4, IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL);
    sqe = take(&ring, 0);
    io_uring_prep_write(sqe, ends[1], &byte, 1, 0);
    sqe->user_data = 1;
    MUST(io_uring_submit(&ring) == 1);
    until_ready(&ring, 1);
    mark_all(&ring);
    MUST(dup2(fd, ends[1]) == ends[1]);
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    RIGHT(ring_descriptor_closed),
    RIGHT(ring_descriptor_closed_by_itself),
    RIGHT(ring_descriptor_closed_unseen),
    RIGHT(table_given_up),
    RIGHT(table_given_up_by_number),
    RIGHT(number_of_another_file),
};

MISUSE_MAIN(cases)
