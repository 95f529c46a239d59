/*
 * A program that takes its headers in the order that ORDER names, checks every type and constant, and does a request.
 * It is compiled in many language versions, so it uses only what they have in common.
 */
#define ORDER_alone 0
#define ORDER_kernel_after 1
#define ORDER_kernel_first 2
#define ORDER_others_around 3
#define ORDER_parts 4
#define ORDER_own_names 5
#define ORDER_extern_c 6
#define CONCAT(a, b) a##b
#define NUMBER(order) CONCAT(ORDER_, order)
#define IS(order) (NUMBER(ORDER) == ORDER_##order)

#if IS(kernel_first)
#include <linux/futex.h>
#include <linux/io_uring.h>
#ifdef FUTURE
#include <linux/io_uring/bpf_filter.h>
#include <linux/io_uring/query.h>
#endif
#elif IS(others_around)
#include <sys/stat.h>
#include <linux/fs.h>
#include <fcntl.h>
#elif IS(parts)
#include <liburing/io_uring/bpf_filter.h>
#include <liburing/io_uring/query.h>
#include <liburing/io_uring_version.h>
#include <liburing/barrier.h>
#include <liburing/io_uring.h>
#endif

#if IS(extern_c)
extern "C" {
#endif
#include <liburing.h>
#if IS(extern_c)
}
#endif

/* The numbers that this header alone defines. */
#ifndef SETUP_NUMBER
#define SETUP_NUMBER 425
#endif
enum numbers {
    number_of_setup = __NR_io_uring_setup,
    number_of_enter = __NR_io_uring_enter,
    number_of_register = __NR_io_uring_register
};

#if IS(own_names)
/* Names of headers that <liburing.h> must not include. */
struct futex_waitv {
    uint64_t val, uaddr;
    uint32_t flags, reserved;
};
struct robust_list {
    int member;
};
enum own {
    FUTEX_WAIT,
    FUTEX_WAKE,
    FUTEX_32,
    FUTEX_WAITV_MAX,
    FUTEX_BITSET_MATCH_ANY,
    ROBUST_LIST_LIMIT,
/* <atomic> includes these in C++20. */
#if !defined(__cplusplus) || __cplusplus < 202002L
    SYS_read,
    SYS_io_uring_setup,
    __NR_read,
#endif
    OWN_LAST
};
#endif

#if IS(kernel_after)
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#elif IS(others_around)
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/stat.h>
#include <linux/types.h>
#include <linux/time_types.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#endif

#include <stddef.h>
#include "facts.h"

#if defined(FUTURE) && IS(kernel_first)
/* Names that only the kernel's header has stay usable. */
CHECK(future_op, IORING_OP_OF_TOMORROW == 65);
CHECK(future_flag, IORING_SETUP_OF_TOMORROW == 1U << 30);
CHECK(future_structure, sizeof(struct io_uring_tomorrow) == 8);
#endif

/* Types that strict modes hide, as the prototypes need them. */
struct needed {
    sigset_t *sigset;
    siginfo_t *siginfo;
    idtype_t idtype;
    id_t id;
    cpu_set_t *cpus;
    off_t off;
    mode_t mode;
    ssize_t size;
    socklen_t length;
    struct iovec vector;
    struct msghdr message;
    struct open_how how;
    struct futex_waitv *futex;
    struct __kernel_timespec time;
    struct statx *status;
    struct epoll_event *event;
};

#if IS(kernel_first) || IS(kernel_after)
/* The one of <linux/futex.h>, or ours if that header is older. */
CHECK(futex_waitv, sizeof(struct futex_waitv) == 24 && FUTEX_WAITV_MAX == 128 && FUTEX_32 == 2);
#endif
CHECK(setup_number, number_of_setup == SETUP_NUMBER);
CHECK(enter_number, number_of_enter == SETUP_NUMBER + 1);
CHECK(register_number, number_of_register == SETUP_NUMBER + 2);

int one_nop(struct io_uring *ring, struct needed *needed);
int one_nop(struct io_uring *ring, struct needed *needed)
{
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    unsigned head, seen = 0;
    int ret;

    if (!sqe)
        return -EBUSY;
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, needed->how.flags);
    sqe->attr_type_mask = 0;
    ret = io_uring_submit_and_wait_timeout(ring, &cqe, 1, &needed->time, needed->sigset);
    if (ret < 0)
        return ret;
    io_uring_for_each_cqe(ring, head, cqe)
        seen += cqe->res == 0;
    io_uring_cq_advance(ring, seen);
    return io_uring_clone_buffers(ring, ring);
}

#ifdef WITH_MAIN
int second_unit(struct io_uring *ring);
int main(void)
{
    struct io_uring ring;
    struct needed needed;
    int ret = io_uring_queue_init(4, &ring, 0);

    if (ret == -ENOSYS || ret == -EPERM)
        return 77;
    if (ret < 0)
        return 1;
    needed.how.flags = 7;
    needed.sigset = NULL;
    needed.time.tv_sec = 10;
    needed.time.tv_nsec = 0;
    one_nop(&ring, &needed);
    ret = second_unit(&ring);
    io_uring_queue_exit(&ring);
    return ret == 0 && NUMBER(ORDER) >= 0 ? 0 : 1;
}
#endif
