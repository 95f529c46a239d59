/* A thread that hands work to another one: each has a ring of its own,
 * and messages go between them.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <stdint.h>
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

static void *worker(void *arg)
{
    struct io_uring *own = arg;
    struct io_uring_cqe *cqe;

    /* Only this thread takes completions of this ring. */
    ok(io_uring_wait_cqe(own, &cqe), "io_uring_wait_cqe");
    *(int *) io_uring_cqe_get_data(cqe) += 1;
    io_uring_cqe_seen(own, cqe);
    return NULL;
}

int main(void)
{
    struct io_uring mine, theirs;
    pthread_t thread;
    int work = 41, res;

    ok(io_uring_queue_init(8, &mine, 0), "io_uring_queue_init");
    ok(io_uring_queue_init(8, &theirs, 0), "io_uring_queue_init");
    if (pthread_create(&thread, NULL, worker, &theirs) != 0)
        errx(1, "no thread");
    io_uring_prep_msg_ring(io_uring_get_sqe(&mine), theirs.ring_fd, 0,
                           (uintptr_t) &work, 0);
    res = result(&mine);
    if (res == -EINVAL)
        return skip("needs Linux 5.18");
    ok(res, "msg_ring");
    pthread_join(thread, NULL);
    if (work != 42)
        errx(1, "the work was not done");
    io_uring_queue_exit(&mine);
    io_uring_queue_exit(&theirs);
    return 0;
}
