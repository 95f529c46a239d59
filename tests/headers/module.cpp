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
