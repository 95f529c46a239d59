/* Adds a descriptor to an epoll set that a part of the program still
 * uses, and waits for the set through the ring.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

static int skip(const char *reason)
{
    printf("SKIP: %s\n", reason);
    return 77;
}

/* Submits, and takes the result of the one request in flight. */
static int result(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    int res;

    ok(io_uring_submit(ring), "io_uring_submit");
    ok(io_uring_wait_cqe(ring, &cqe), "io_uring_wait_cqe");
    res = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return res;
}

int main(void)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = 42 },
                       got[4];
    struct io_uring ring;
    int set = epoll_create1(0);
    int fds[2], res;

    if (set < 0 || pipe(fds) < 0 || write(fds[1], "x", 1) != 1)
        err(1, "pipe");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_epoll_ctl(io_uring_get_sqe(&ring), set, fds[0],
                            EPOLL_CTL_ADD, &event);
    ok(result(&ring), "epoll_ctl");

    io_uring_prep_epoll_wait(io_uring_get_sqe(&ring), set, got, 4, 0);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 6.15");
    if (res != 1 || got[0].data.u64 != 42)
        errx(1, "%d events", res);
    io_uring_queue_exit(&ring);
    return 0;
}
