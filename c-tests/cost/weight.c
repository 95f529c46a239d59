/*
 * Programs to measure the cost of linking and loading the library. One source holds them all, so they differ in nothing
 * else. PROGRAM is 0 for the link alone, 1 for set-up and exit of a ring, 2 for five functions of the library, 3 for
 * one of them.
 */
#include <liburing.h>
#include <stddef.h>

#ifndef PROGRAM
#define PROGRAM 0
#endif

#if PROGRAM == 1

static int work(void)
{
    struct io_uring ring;
    int ret = io_uring_queue_init(8, &ring, 0);

    if (ret == 0)
        io_uring_queue_exit(&ring);
    return ret;
}

#elif PROGRAM == 2

static int work(void)
{
    struct io_uring_cqe *cqes[8], *cqe;
    struct io_uring ring;
    unsigned nr;

    if (io_uring_queue_init(8, &ring, 0))
        return 1;
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &cqe))
        return 1;
    nr = io_uring_peek_batch_cqe(&ring, cqes, 8);
    io_uring_cq_advance(&ring, nr);
    io_uring_queue_exit(&ring);
    return nr != 1;
}

#elif PROGRAM == 3

static int work(void)
{
    return io_uring_check_version(IO_URING_VERSION_MAJOR, IO_URING_VERSION_MINOR);
}

#else

static int work(void) { return 0; }

#endif

int main(void) { return work(); }
