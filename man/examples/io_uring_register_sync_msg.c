/* A thread without a ring wakes one that waits on its ring. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

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

static void *waker(void *arg)
{
    struct io_uring *ring = arg;
    struct io_uring_sqe sqe;

    memset(&sqe, 0, sizeof(sqe));
    io_uring_prep_msg_ring(&sqe, ring->ring_fd, 7, 1234, 0);
    return (void *) (intptr_t) io_uring_register_sync_msg(&sqe);
}

int main(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    pthread_t thread;
    void *sent;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    if (pthread_create(&thread, NULL, waker, &ring) != 0)
        errx(1, "no thread");
    pthread_join(thread, &sent);
    if ((intptr_t) sent == -EINVAL)
        return skip("needs Linux 6.13");
    ok((int) (intptr_t) sent, "io_uring_register_sync_msg");

    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    if (cqe->res != 7 || cqe->user_data != 1234)
        errx(1, "not the message");
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    return 0;
}
