/*
 * <liburing-ffi.h>, twice and with the kernel's header after it: every constant, every structure, and functions that
 * have a body in <liburing.h>. It is compiled in many language versions, so it uses only what they have in common.
 */
#include <liburing-ffi.h>
#include <liburing-ffi.h>
#ifdef __has_include
#if __has_include("linux/io_uring.h")
#include <linux/io_uring.h>
#endif
#endif

#include <stddef.h>
#include "ffi-facts.h"

int one_read(struct io_uring *ring, int fd, char *buffer, unsigned size);
int one_read(struct io_uring *ring, int fd, char *buffer, unsigned size)
{
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    int ret;

    if (!sqe)
        return -EBUSY;
    io_uring_prep_read(sqe, fd, buffer, size, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    ret = io_uring_submit(ring);
    if (ret < 0)
        return ret;
    ret = io_uring_wait_cqe(ring, &cqe);
    if (ret < 0)
        return ret;
    ret = cqe->user_data == LIBURING_UDATA_TIMEOUT ? -ETIME : cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return ret;
}
