/*
 * Helpers of most tests: open a ring, submit a request, read its completion, and ask the kernel for its features by
 * bare system calls.
 */
#ifndef C_TESTS_RING_H
#define C_TESTS_RING_H

#include <liburing.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "test.h"

/* A completion, copied so that it stays valid when its slot is handed back. */
struct done {
    __u64 data;
    int res;
    unsigned flags;
};

/* ---- the kernel's features, asked without the library ---- */

static inline int raw_setup(unsigned entries, struct io_uring_params *params)
{
    return (int) syscall(__NR_io_uring_setup, entries, params);
}

static inline bool kernel_at_least(int major, int minor)
{
    struct utsname name;
    int have_major = 0, have_minor = 0;

    uname(&name);
    sscanf(name.release, "%d.%d", &have_major, &have_minor);
    return have_major > major || (have_major == major && have_minor >= minor);
}

static inline void need_kernel(int major, int minor, const char *what)
{
    if (!kernel_at_least(major, minor))
        skip("%s needs Linux %d.%d", what, major, minor);
}

static inline void need_root(const char *what)
{
    if (geteuid() != 0)
        skip("%s needs root", what);
}

/* Skips if the kernel refuses io_uring altogether. */
static inline void need_rings(void)
{
    struct io_uring_params params;
    int fd;

    memset(&params, 0, sizeof(params));
    fd = raw_setup(2, &params);
    if (fd < 0)
        skip("the kernel refuses io_uring: %s", strerror(errno));
    close(fd);
}

/* Skips unless the kernel takes these set-up flags. */
static inline void need_setup(unsigned flags, const char *what)
{
    struct io_uring_params params;
    int fd;

    need_rings();
    memset(&params, 0, sizeof(params));
    params.flags = flags;
    params.cq_entries = 8;
    fd = raw_setup(4, &params);
    if (fd < 0)
        skip("the kernel refuses %s: %s", what, strerror(errno));
    close(fd);
}

static inline bool kernel_has_op(int op)
{
    size_t size = sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op);
    struct io_uring_probe *probe = (struct io_uring_probe *) calloc(1, size);
    struct io_uring_params params;
    bool has;
    int fd;

    memset(&params, 0, sizeof(params));
    fd = raw_setup(2, &params);
    if (fd < 0)
        return false;
    has = syscall(__NR_io_uring_register, fd, IORING_REGISTER_PROBE, probe, 256) == 0 &&
          op <= probe->last_op && (probe->ops[op].flags & IO_URING_OP_SUPPORTED);
    close(fd);
    free(probe);
    return has;
}

static inline void need_op(int op, const char *what)
{
    need_rings();
    if (!kernel_has_op(op))
        skip("the kernel has no %s request", what);
}

/* ---- rings ---- */

static inline void ring_open(struct io_uring *ring, unsigned entries, unsigned flags)
{
    need_rings();
    CHECK_EQ(io_uring_queue_init(entries, ring, flags), 0);
}

static inline struct io_uring_sqe *next_sqe(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    CHECK(sqe != NULL);
    return sqe;
}

static inline struct done take(struct io_uring *ring, struct io_uring_cqe *cqe)
{
    struct done done;

    done.data = cqe->user_data;
    done.res = cqe->res;
    done.flags = cqe->flags;
    io_uring_cqe_seen(ring, cqe);
    return done;
}

/* Waits for the next completion and takes it. */
static inline struct done reap(struct io_uring *ring)
{
    struct io_uring_cqe *cqe = NULL;

    CHECK_EQ(io_uring_wait_cqe(ring, &cqe), 0);
    CHECK(cqe != NULL);
    return take(ring, cqe);
}

#define CHECK_NO_CQE(ring)                                              \
    do {                                                                \
        struct io_uring_cqe *peeked = NULL;                             \
        CHECK_EQ(io_uring_peek_cqe(ring, &peeked), -EAGAIN);            \
        CHECK(peeked == NULL);                                          \
    } while (0)

/*
 * If a kernel thread submits, the result also counts requests of earlier calls that the thread has not consumed yet.
 */
#define SUBMIT(ring, count)                                             \
    do {                                                                \
        if ((ring)->flags & IORING_SETUP_SQPOLL)                        \
            CHECK_GE(io_uring_submit(ring), count);                     \
        else                                                            \
            CHECK_EQ(io_uring_submit(ring), count);                     \
    } while (0)

/* Submits the one prepared request and gives its completion. */
static inline struct done run_done(struct io_uring *ring)
{
    SUBMIT(ring, 1);
    return reap(ring);
}

static inline int run_res(struct io_uring *ring)
{
    return run_done(ring).res;
}

/* Finds the completion with this user_data among `count` completions. */
static inline struct done find_done(const struct done *dones, unsigned count, __u64 data)
{
    for (unsigned i = 0; i < count; i++)
        if (dones[i].data == data)
            return dones[i];
    test_fail(__FILE__, __LINE__, "no completion for request %llu",
              (unsigned long long) data);
}

static inline void reap_all(struct io_uring *ring, struct done *dones, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        dones[i] = reap(ring);
}

static inline void submit_nop(struct io_uring *ring, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, data);
    SUBMIT(ring, 1);
}

static inline struct __kernel_timespec millis(unsigned ms)
{
    struct __kernel_timespec ts;

    ts.tv_sec = ms / 1000;
    ts.tv_nsec = (long long) (ms % 1000) * 1000000;
    return ts;
}

static inline long long now_ms(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (long long) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
