/* Submits without a system call once the thread of the kernel runs. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
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

int main(void)
{
    struct io_uring_params params;
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    int i, ret;

    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_SQPOLL;
    params.sq_thread_idle = 100; /* milliseconds */
    ret = io_uring_queue_init_params(8, &ring, &params);
    if (ret == -EPERM)
        return skip("before Linux 5.13 this needs CAP_SYS_NICE");
    /* -EAGAIN: no thread could be made, see io_uring_errors(7). */
    ok(ret, "io_uring_queue_init_params");
    for (i = 0; i < 100; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

        /* The thread may not have taken the last ones yet. */
        while (!sqe) {
            ok(io_uring_sqring_wait(&ring), "io_uring_sqring_wait");
            sqe = io_uring_get_sqe(&ring);
        }
        io_uring_prep_nop(sqe);
        ok(io_uring_submit(&ring), "io_uring_submit");
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        ok(cqe->res, "nop");
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
