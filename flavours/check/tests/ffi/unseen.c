/* A program that calls symbols only, as other languages do. It waits for what cannot come, and is stopped. */
#include <liburing-ffi.h>
#include <unistd.h>

int main(void)
{
    static struct io_uring ring;
    struct io_uring_cqe *cqe;

    if (io_uring_queue_init(4, &ring, 0) < 0)
        return 2;
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &cqe) != 0)
        return 1;
    io_uring_cqe_seen(&ring, cqe);
    alarm(5);
    io_uring_wait_cqe(&ring, &cqe);
    return 0;
}
