/* A program that calls symbols only, as other languages do. */
#include <liburing-ffi.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

static int fails(const char *what, int have)
{
    fprintf(stderr, "symbols: %s: %d\n", what, have);
    return 1;
}

int main(void)
{
    static struct io_uring ring;
    struct io_uring_cqe *cqe;
    unsigned long long count = 0;
    int event = eventfd(5, 0), ret;

    ret = io_uring_queue_init(4, &ring, 0);
    if (ret < 0)
        return fails("set-up", ret);
    io_uring_prep_read(io_uring_get_sqe(&ring), event, &count, sizeof(count), 0);
    ret = io_uring_submit_and_wait(&ring, 1);
    if (ret != 1)
        return fails("submit", ret);
    ret = io_uring_wait_cqe(&ring, &cqe);
    if (ret < 0 || cqe->res != (int) sizeof(count) || count != 5)
        return fails("read", ret < 0 ? ret : cqe->res);
    io_uring_cqe_seen(&ring, cqe);
    io_uring_queue_exit(&ring);
    return 0;
}
