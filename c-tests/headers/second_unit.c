/* Another unit of the same program: inline functions must not clash when both are linked. */
#include <liburing.h>

int second_unit(struct io_uring *ring);
int second_unit(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    struct io_uring_cqe *cqe;
    int ret;

    if (!sqe)
        return -EBUSY;
    io_uring_prep_nop(sqe);
    ret = io_uring_submit_and_wait(ring, 1);
    if (ret != 1)
        return -1;
    ret = io_uring_wait_cqe(ring, &cqe);
    if (ret == 0) {
        ret = cqe->res;
        io_uring_cqe_seen(ring, cqe);
    }
    return ret;
}
