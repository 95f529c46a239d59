/*
 * A program that asks nobody but the library: a no-op, a read in the caller,
 * one in a worker, a poll, a timeout, and a link that is cut.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct io_uring ring;

static void want(const char *what, int have, int wanted)
{
    if (have != wanted) {
        fprintf(stderr, "linked: %s: %d, not %d\n", what, have, wanted);
        exit(1);
    }
}

static int complete(__u64 data)
{
    struct io_uring_cqe *cqe;
    int res;

    want("wait", io_uring_wait_cqe(&ring, &cqe), 0);
    want("user data", (int) cqe->user_data, (int) data);
    res = cqe->res;
    io_uring_cqe_seen(&ring, cqe);
    return res;
}

static struct io_uring_sqe *request(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    if (!sqe)
        want("room", 0, 1);
    return sqe;
}

int main(void)
{
    struct __kernel_timespec time = { .tv_nsec = 1000000 };
    struct io_uring_sqe *sqe;
    char byte;
    int ends[2];

    want("set-up", io_uring_queue_init(8, &ring, 0), 0);
    io_uring_prep_nop(request());
    want("submit", io_uring_submit(&ring), 1);
    want("no-op", complete(0), 0);

    want("pipe", pipe(ends), 0);
    sqe = request();
    io_uring_prep_poll_add(sqe, ends[0], POLLIN);
    io_uring_sqe_set_data64(sqe, 1);
    want("submit", io_uring_submit(&ring), 1);
    want("write", (int) write(ends[1], "x", 1), 1);
    want("poll", complete(1), POLLIN);
    io_uring_prep_read(request(), ends[0], &byte, 1, 0);
    want("submit", io_uring_submit(&ring), 1);
    want("read", complete(0), 1);

    sqe = request();
    io_uring_prep_timeout(sqe, &time, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(sqe, 2);
    sqe = request();
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, 3);
    want("submit", io_uring_submit(&ring), 2);
    want("timeout", complete(2), -ETIME);
    want("what follows it", complete(3), -ECANCELED);

    sqe = request();
    io_uring_prep_fsync(sqe, STDERR_FILENO, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    io_uring_sqe_set_data64(sqe, 4);
    want("submit", io_uring_submit(&ring), 1);
    (void) complete(4);
    io_uring_queue_exit(&ring);
    return 0;
}
