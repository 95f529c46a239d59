// The headers in the global fragment of a module that exports parts of them.
module;
#include <liburing.h>
export module uring;

export using ::io_uring;
export using ::io_uring_cqe;
export using ::io_uring_sqe;
export using ::io_uring_get_sqe;
export using ::io_uring_prep_nop;
export using ::io_uring_queue_init;
export using ::io_uring_submit;
export using ::io_uring_wait_cqe;

// Older compilers do not export a name by a using-declaration alone. So the module exports a function as well.
export int nop()
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = nullptr;
    int ret = io_uring_queue_init(4, &ring, 0);

    if (ret < 0)
        return ret == -ENOSYS || ret == -EPERM ? 77 : 1;
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    ret = io_uring_submit(&ring) == 1 && io_uring_wait_cqe(&ring, &cqe) == 0 ? cqe->res : 1;
    io_uring_queue_exit(&ring);
    return ret;
}
