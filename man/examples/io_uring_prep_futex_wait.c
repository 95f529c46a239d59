/* Waits on a futex, and is woken by a request of the same ring. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PRIVATE_U32 (FUTEX2_SIZE_U32 | FUTEX2_PRIVATE)
#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 2
#endif
#ifndef FUTEX2_PRIVATE
#define FUTEX2_PRIVATE FUTEX_PRIVATE_FLAG
#endif

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
    static uint32_t futex = 1;
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int i;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    /* Waits as long as the word is 1. The mask lets any wake-up through.
     */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_futex_wait(sqe, &futex, 1, 0xffffffff, PRIVATE_U32, 0);
    io_uring_sqe_set_data64(sqe, 0);
    ok(io_uring_submit(&ring), "io_uring_submit");
    if (io_uring_peek_cqe(&ring, &cqe) == 0 && cqe->res == -EINVAL)
        return skip("needs Linux 6.7");

    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_futex_wake(sqe, &futex, 1, 0xffffffff, PRIVATE_U32, 0);
    io_uring_sqe_set_data64(sqe, 1); /* it wakes one waiter */
    ok(io_uring_submit(&ring), "io_uring_submit");
    for (i = 0; i < 2; i++) {
        ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
        if (cqe->res != (int) cqe->user_data)
            errx(1, "%llu gave %d", (unsigned long long) cqe->user_data,
                 cqe->res);
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
