/* The calls whose instructions are counted. Compiled once with each library's headers, and linked to that library. */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Neither inlined nor specialised: the arguments are in registers, as they would be anywhere. */
#define ROW static __attribute__((__noinline__, __noipa__))

/* Runs `call` between two breakpoints. Programs are linked with -z now, so that no call is a first one. */
#define COUNT(row, call)                                                                                               \
    do {                                                                                                               \
        snprintf(shared->name, sizeof(shared->name), "%s", row);                                                       \
        __asm__ volatile("int3" ::: "memory");                                                                         \
        call;                                                                                                          \
        __asm__ volatile("int3" ::: "memory");                                                                         \
    } while (0)

static void check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s: %s went wrong\n", shared->name, what);
        _exit(3);
    }
}

ROW void nothing(struct io_uring *ring) { (void) ring; }

/* Library calls, as a program makes them. */
ROW int submit(struct io_uring *ring) { return io_uring_submit(ring); }
ROW int submit_and_wait(struct io_uring *ring, unsigned nr) { return io_uring_submit_and_wait(ring, nr); }
ROW int submit_and_get_events(struct io_uring *ring) { return io_uring_submit_and_get_events(ring); }
ROW int submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned nr,
                                struct __kernel_timespec *ts)
{
    return io_uring_submit_and_wait_timeout(ring, cqe, nr, ts, NULL);
}
ROW int wait_cqe(struct io_uring *ring, struct io_uring_cqe **cqe) { return io_uring_wait_cqe(ring, cqe); }
ROW int wait_cqes(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned nr, struct __kernel_timespec *ts)
{
    return io_uring_wait_cqes(ring, cqe, nr, ts, NULL);
}
ROW int peek_cqe(struct io_uring *ring, struct io_uring_cqe **cqe) { return io_uring_peek_cqe(ring, cqe); }
ROW unsigned peek_batch(struct io_uring *ring, struct io_uring_cqe **cqes, unsigned nr)
{
    return io_uring_peek_batch_cqe(ring, cqes, nr);
}
ROW int register_buffers(struct io_uring *ring, const struct iovec *iov, unsigned nr)
{
    return io_uring_register_buffers(ring, iov, nr);
}
ROW int register_files(struct io_uring *ring, const int *fds, unsigned nr)
{
    return io_uring_register_files(ring, fds, nr);
}

/* Inline functions. */
ROW struct io_uring_sqe *get_sqe(struct io_uring *ring) { return io_uring_get_sqe(ring); }
ROW void cqe_seen(struct io_uring *ring, struct io_uring_cqe *cqe) { io_uring_cqe_seen(ring, cqe); }
ROW void cq_advance(struct io_uring *ring, unsigned nr) { io_uring_cq_advance(ring, nr); }
ROW unsigned cq_ready(struct io_uring *ring) { return io_uring_cq_ready(ring); }
ROW unsigned sq_space_left(struct io_uring *ring) { return io_uring_sq_space_left(ring); }
ROW __u64 for_each_cqe(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    __u64 sum = 0;

    io_uring_for_each_cqe(ring, head, cqe)
        sum += cqe->user_data;
    return sum + head;
}
ROW void buf_ring_add(struct io_uring_buf_ring *br, void *addr, unsigned len, unsigned short bid, int mask, int offset)
{
    io_uring_buf_ring_add(br, addr, len, bid, mask, offset);
}
ROW void buf_ring_advance(struct io_uring_buf_ring *br, int count) { io_uring_buf_ring_advance(br, count); }
ROW void buf_ring_cq_advance(struct io_uring *ring, struct io_uring_buf_ring *br, int count)
{
    io_uring_buf_ring_cq_advance(ring, br, count);
}

/* Request helpers, one of each family. */
ROW void prep_nop(struct io_uring_sqe *sqe) { io_uring_prep_nop(sqe); }
ROW void prep_read(struct io_uring_sqe *sqe, int fd, void *buf, unsigned len, __u64 off)
{
    io_uring_prep_read(sqe, fd, buf, len, off);
}
ROW void prep_write_fixed(struct io_uring_sqe *sqe, int fd, void *buf, unsigned len, __u64 off, int index)
{
    io_uring_prep_write_fixed(sqe, fd, buf, len, off, index);
}
ROW void prep_readv2(struct io_uring_sqe *sqe, int fd, const struct iovec *iov, unsigned nr, __u64 off, int flags)
{
    io_uring_prep_readv2(sqe, fd, iov, nr, off, flags);
}
ROW void prep_fsync(struct io_uring_sqe *sqe, int fd, unsigned flags) { io_uring_prep_fsync(sqe, fd, flags); }
ROW void prep_openat(struct io_uring_sqe *sqe, int fd, const char *path, int flags, mode_t mode)
{
    io_uring_prep_openat(sqe, fd, path, flags, mode);
}
ROW void prep_openat_direct(struct io_uring_sqe *sqe, int fd, const char *path, int flags, mode_t mode, unsigned slot)
{
    io_uring_prep_openat_direct(sqe, fd, path, flags, mode, slot);
}
ROW void prep_close_direct(struct io_uring_sqe *sqe, unsigned slot) { io_uring_prep_close_direct(sqe, slot); }
ROW void prep_accept_direct(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr, socklen_t *len, int flags,
                            unsigned slot)
{
    io_uring_prep_accept_direct(sqe, fd, addr, len, flags, slot);
}
ROW void prep_recv_multishot(struct io_uring_sqe *sqe, int fd, void *buf, size_t len, int flags)
{
    io_uring_prep_recv_multishot(sqe, fd, buf, len, flags);
}
ROW void prep_send_zc(struct io_uring_sqe *sqe, int fd, const void *buf, size_t len, int flags, unsigned zc)
{
    io_uring_prep_send_zc(sqe, fd, buf, len, flags, zc);
}
ROW void prep_socket(struct io_uring_sqe *sqe, int domain, int type, int protocol, unsigned flags)
{
    io_uring_prep_socket(sqe, domain, type, protocol, flags);
}
ROW void prep_poll_add(struct io_uring_sqe *sqe, int fd, unsigned mask) { io_uring_prep_poll_add(sqe, fd, mask); }
ROW void prep_timeout(struct io_uring_sqe *sqe, struct __kernel_timespec *ts, unsigned count, unsigned flags)
{
    io_uring_prep_timeout(sqe, ts, count, flags);
}
ROW void prep_cancel64(struct io_uring_sqe *sqe, __u64 data, int flags) { io_uring_prep_cancel64(sqe, data, flags); }
ROW void prep_provide_buffers(struct io_uring_sqe *sqe, void *addr, int len, int nr, int group, int id)
{
    io_uring_prep_provide_buffers(sqe, addr, len, nr, group, id);
}
ROW void prep_msg_ring(struct io_uring_sqe *sqe, int fd, unsigned len, __u64 data, unsigned flags)
{
    io_uring_prep_msg_ring(sqe, fd, len, data, flags);
}
ROW void prep_futex_wait(struct io_uring_sqe *sqe, const uint32_t *futex, uint64_t val, uint64_t mask, uint32_t kind,
                         unsigned flags)
{
    io_uring_prep_futex_wait(sqe, futex, val, mask, kind, flags);
}
ROW void prep_cmd_sock(struct io_uring_sqe *sqe, int op, int fd, int level, int name, void *value)
{
    io_uring_prep_cmd_sock(sqe, op, fd, level, name, value, 4);
}

/* The whole way of `batch` nops through a ring. */
ROW void cycle(struct io_uring *ring, unsigned batch)
{
    struct io_uring_cqe *cqe;

    for (unsigned i = 0; i < batch; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, i);
    }
    io_uring_submit(ring);
    for (unsigned i = 0; i < batch; i++) {
        if (io_uring_wait_cqe(ring, &cqe))
            break;
        io_uring_cqe_seen(ring, cqe);
    }
}

static void take_nops(struct io_uring *ring, unsigned nr)
{
    while (nr--)
        io_uring_prep_nop(io_uring_get_sqe(ring));
}

/* Puts `nr` completions into the CQ. */
static void complete(struct io_uring *ring, unsigned nr)
{
    take_nops(ring, nr);
    check(io_uring_submit_and_wait(ring, nr) == (int) nr, "completing");
}

static void drain(struct io_uring *ring)
{
    io_uring_cq_advance(ring, io_uring_cq_ready(ring));
}

/* A request that completes after a moment, so that waiting for it waits. */
static void complete_later(struct io_uring *ring, struct __kernel_timespec *moment)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    io_uring_prep_timeout(sqe, moment, 0, 0);
    check(io_uring_submit(ring) == 1 && io_uring_cq_ready(ring) == 0, "submitting a timeout");
}

static void make_ring(struct io_uring *ring, unsigned flags)
{
    check(io_uring_queue_init(64, ring, flags) == 0, "setting a ring up");
}

static void count_submit(struct io_uring *ring)
{
    COUNT("submit, nothing", check(submit(ring) == 0, "submit"));
    take_nops(ring, 1);
    COUNT("submit, 1", submit(ring));
    drain(ring);
    take_nops(ring, 1);
    COUNT("submit_and_wait, 1", submit_and_wait(ring, 1));
    drain(ring);
    take_nops(ring, 1);
    COUNT("submit_and_get_events, 1", submit_and_get_events(ring));
    drain(ring);
}

static void count_sqpoll(void)
{
    struct io_uring_params p = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 2000};
    struct io_uring_cqe *cqe;
    struct io_uring ring;

    check(io_uring_queue_init_params(64, &ring, &p) == 0, "setting a polled ring up");
    take_nops(&ring, 1);
    submit(&ring);
    check(wait_cqe(&ring, &cqe) == 0, "waiting");
    drain(&ring);
    take_nops(&ring, 1);
    COUNT("submit, SQPOLL awake", submit(&ring));
    check(wait_cqe(&ring, &cqe) == 0, "waiting");
    io_uring_queue_exit(&ring);

    p = (struct io_uring_params){.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1};
    check(io_uring_queue_init_params(64, &ring, &p) == 0, "setting a polled ring up");
    for (int i = 0; i < 1000 && !(IO_URING_READ_ONCE(*ring.sq.kflags) & IORING_SQ_NEED_WAKEUP); i++)
        usleep(1000);
    check(*ring.sq.kflags & IORING_SQ_NEED_WAKEUP, "falling asleep");
    take_nops(&ring, 1);
    COUNT("submit, SQPOLL asleep", submit(&ring));
    check(wait_cqe(&ring, &cqe) == 0, "waiting");
    io_uring_queue_exit(&ring);
}

static void count_wait(struct io_uring *ring)
{
    struct __kernel_timespec second = {.tv_sec = 1}, moment = {.tv_nsec = 50000000};
    struct io_uring_cqe *cqe;

    complete(ring, 1);
    COUNT("wait_cqe, there", wait_cqe(ring, &cqe));
    COUNT("wait_cqes, there", wait_cqes(ring, &cqe, 1, NULL));
    COUNT("wait_cqes with timeout, there", wait_cqes(ring, &cqe, 1, &second));
    COUNT("peek_cqe, there", peek_cqe(ring, &cqe));
    take_nops(ring, 1);
    COUNT("submit_and_wait_timeout, there", submit_and_wait_timeout(ring, &cqe, 1, &second));
    drain(ring);
    COUNT("peek_cqe, not there", peek_cqe(ring, &cqe));

    complete_later(ring, &moment);
    COUNT("wait_cqe, not there", check(wait_cqe(ring, &cqe) == 0, "waiting"));
    drain(ring);
    complete_later(ring, &moment);
    COUNT("wait_cqes, not there", check(wait_cqes(ring, &cqe, 1, NULL) == 0, "waiting"));
    drain(ring);
    complete_later(ring, &moment);
    COUNT("wait_cqes with timeout, not there", check(wait_cqes(ring, &cqe, 1, &second) == 0, "waiting"));
    drain(ring);
    io_uring_prep_timeout(io_uring_get_sqe(ring), &moment, 0, 0);
    COUNT("submit_and_wait_timeout, not there", check(submit_and_wait_timeout(ring, &cqe, 1, &second) == 1, "waiting"));
    drain(ring);
}

static void count_batches(struct io_uring *ring, const char *kind)
{
    static const unsigned sizes[] = {0, 1, 8, 32};
    struct io_uring_cqe *cqes[32];
    char name[64];

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i])
            complete(ring, sizes[i]);
        snprintf(name, sizeof(name), "peek_batch_cqe of %u%s", sizes[i], kind);
        COUNT(name, check(peek_batch(ring, cqes, 32) == sizes[i], "peeking"));
        if (sizes[i] == 32) {
            snprintf(name, sizeof(name), "for_each_cqe over 32%s", kind);
            COUNT(name, for_each_cqe(ring));
        }
        drain(ring);
    }
}

static void count_other_sizes(unsigned flag, const char *kind)
{
    struct io_uring_cqe *cqe;
    struct io_uring ring;
    char name[64];

    if (io_uring_queue_init(64, &ring, flag) == -EINVAL) {
        fprintf(stderr, "SKIP: rows with%s: this kernel has no such rings\n", kind + 1);
        return;
    }
    count_batches(&ring, kind);
    complete(&ring, 1);
    snprintf(name, sizeof(name), "peek_cqe, there%s", kind);
    COUNT(name, peek_cqe(&ring, &cqe));
    io_uring_queue_exit(&ring);
}

static void count_inlines(struct io_uring *ring)
{
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;

    COUNT("get_sqe", sqe = get_sqe(ring));
    io_uring_prep_nop(sqe);
    check(io_uring_submit_and_wait(ring, 1) == 1, "submitting");
    check(peek_cqe(ring, &cqe) == 0, "peeking");
    COUNT("cq_ready", cq_ready(ring));
    COUNT("sq_space_left", sq_space_left(ring));
    COUNT("cqe_seen", cqe_seen(ring, cqe));
    complete(ring, 8);
    COUNT("cq_advance by 8", cq_advance(ring, 8));
    drain(ring);
}

static void count_buf_ring(struct io_uring *ring)
{
    static char buffer[4096];
    struct io_uring_buf_ring *br;
    int err = 0;

    br = io_uring_setup_buf_ring(ring, 16, 1, 0, &err);
    check(br != NULL, "setting a buffer ring up");
    COUNT("buf_ring_add", buf_ring_add(br, buffer, sizeof(buffer), 3, io_uring_buf_ring_mask(16), 0));
    COUNT("buf_ring_advance", buf_ring_advance(br, 1));
    complete(ring, 1);
    io_uring_buf_ring_add(br, buffer, sizeof(buffer), 4, io_uring_buf_ring_mask(16), 0);
    COUNT("buf_ring_cq_advance", buf_ring_cq_advance(ring, br, 1));
    check(io_uring_free_buf_ring(ring, br, 16, 1) == 0, "freeing a buffer ring");
}

static void count_register(struct io_uring *ring)
{
    static char buffer[4096];
    struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};
    int fd = STDIN_FILENO;

    COUNT("register_buffers, 1", check(register_buffers(ring, &iov, 1) == 0, "registering"));
    check(io_uring_unregister_buffers(ring) == 0, "unregistering");
    COUNT("register_files, 1", check(register_files(ring, &fd, 1) == 0, "registering"));
    check(io_uring_unregister_files(ring) == 0, "unregistering");
}

static void count_preps(void)
{
    static struct io_uring_sqe sqes[2];
    struct io_uring_sqe *sqe = sqes;
    struct __kernel_timespec ts = {.tv_sec = 1};
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    static uint32_t futex;
    char buffer[64];
    struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};

    COUNT("prep_nop", prep_nop(sqe));
    COUNT("prep_read", prep_read(sqe, 3, buffer, 64, 4096));
    COUNT("prep_write_fixed", prep_write_fixed(sqe, 3, buffer, 64, 4096, 1));
    COUNT("prep_readv2", prep_readv2(sqe, 3, &iov, 1, 4096, 1));
    COUNT("prep_fsync", prep_fsync(sqe, 3, 1));
    COUNT("prep_openat", prep_openat(sqe, 3, "x", O_RDONLY, 0));
    COUNT("prep_openat_direct", prep_openat_direct(sqe, 3, "x", O_RDONLY, 0, 1));
    COUNT("prep_close_direct", prep_close_direct(sqe, 1));
    COUNT("prep_accept_direct", prep_accept_direct(sqe, 3, (struct sockaddr *) &addr, &len, 0, 1));
    COUNT("prep_recv_multishot", prep_recv_multishot(sqe, 3, buffer, 64, 0));
    COUNT("prep_send_zc", prep_send_zc(sqe, 3, buffer, 64, 0, 0));
    COUNT("prep_socket", prep_socket(sqe, AF_INET, SOCK_STREAM, 0, 0));
    COUNT("prep_poll_add", prep_poll_add(sqe, 3, 1));
    COUNT("prep_timeout", prep_timeout(sqe, &ts, 1, 0));
    COUNT("prep_cancel64", prep_cancel64(sqe, 7, 0));
    COUNT("prep_provide_buffers", prep_provide_buffers(sqe, buffer, 64, 1, 0, 0));
    COUNT("prep_msg_ring", prep_msg_ring(sqe, 3, 1, 2, 0));
    COUNT("prep_futex_wait", prep_futex_wait(sqe, &futex, 1, 2, 2, 0));
    COUNT("prep_cmd_sock", prep_cmd_sock(sqe, SOCKET_URING_OP_GETSOCKOPT, 3, 1, 2, buffer));
}

static void count_cycles(struct io_uring *ring)
{
    static const unsigned batches[] = {1, 8, 32};
    char name[64];

    for (unsigned i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        snprintf(name, sizeof(name), "cycle of %u", batches[i]);
        COUNT(name, cycle(ring, batches[i]));
        check(io_uring_cq_ready(ring) == 0, "reaping");
    }
}

void run_rows(void)
{
    struct io_uring ring;

    make_ring(&ring, 0);
    COUNT("nothing", nothing(&ring));
    count_submit(&ring);
    count_sqpoll();
    count_wait(&ring);
    count_batches(&ring, "");
    count_other_sizes(IORING_SETUP_CQE32, ", CQE32");
    count_other_sizes(IORING_SETUP_CQE_MIXED, ", CQE_MIXED");
    count_inlines(&ring);
    count_buf_ring(&ring);
    count_register(&ring);
    count_preps();
    count_cycles(&ring);
    io_uring_queue_exit(&ring);
}
