/*
 * The locked-memory limit. Kernels up to 5.11 and from 6.14 on charge rings of
 * users without CAP_IPC_LOCK to it; mlock_size says how much. 7.2 and later do not, as observed, and their features do
 * not tell them from 6.18. The answer there is an upper bound.
 */
#include <sys/resource.h>

#include "ring.h"

static void set_limit(size_t bytes)
{
    struct rlimit memlock;

    CHECK_SYS(getrlimit(RLIMIT_MEMLOCK, &memlock));
    if (memlock.rlim_max < bytes)
        skip("the hard limit on locked memory is below %zu bytes", bytes);
    memlock.rlim_cur = bytes;
    CHECK_SYS(setrlimit(RLIMIT_MEMLOCK, &memlock));
}

/* A user with no other locked memory. */
static void become_limited_user(size_t limit)
{
    set_limit(limit);
    become_plain_user();
}

/* Tested by bare system calls, as a user that may lock no memory. */
static bool kernel_charges_rings(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct io_uring_params params;

        become_limited_user(0);
        memset(&params, 0, sizeof(params));
        _exit(raw_setup(8, &params) < 0 && errno == ENOMEM);
    }
    CHECK(child > 0);
    CHECK_SYS(waitpid(child, &status, 0));
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status) == 1;
}

/* A kernel that does not charge rings: the answer is 0, or too much if the kernel's behaviour is unknown. */
static void check_uncharged(ssize_t size)
{
    if (kernel_at_least(6, 14))
        CHECK_GE(size, 0);
    else
        CHECK_EQ(size, 0);
    skip("the kernel does not charge rings to a limit");
}

/* The kernel releases a ring's charge a moment after its exit, also for a ring that mlock_size itself set up. */
static void settle(void)
{
    usleep(100000);
}

static int open_once(unsigned entries, unsigned flags)
{
    struct io_uring ring;
    int result = io_uring_queue_init(entries, &ring, flags);

    if (!result)
        io_uring_queue_exit(&ring);
    return result;
}

struct exact {
    unsigned entries;
    unsigned flags;
};

static void check_exact(struct exact ring)
{
    ssize_t size;
    struct leak_mark mark;
    bool charged;

    charged = kernel_charges_rings();
    become_limited_user(4 << 20);
    size = io_uring_mlock_size(ring.entries, ring.flags);
    if (!charged)
        check_uncharged(size);
    CHECK_GT(size, 0);
    settle();
    mark = leak_mark();
    set_limit(size - sysconf(_SC_PAGESIZE));
    CHECK_EQ(open_once(ring.entries, ring.flags), -ENOMEM);
    CHECK_NO_LEAK(mark);
    set_limit(size);
    CHECK_EQ(open_once(ring.entries, ring.flags), 0);
    CHECK_NO_LEAK(mark);
}

/* The predicted number of bytes is enough, and a page less is not. */
static void exact_small(void)
{
    struct exact ring = { 8, IORING_SETUP_NO_SQARRAY };

    need_setup(IORING_SETUP_NO_SQARRAY, "a queue without index array");
    better_than_reference("the locked memory of a ring is predicted on Linux 6.14 and later");
    check_exact(ring);
}

static void exact_large(void)
{
    struct exact ring = { 4096, IORING_SETUP_NO_SQARRAY };

    need_setup(IORING_SETUP_NO_SQARRAY, "a queue without index array");
    better_than_reference("the locked memory of a ring is predicted on Linux 6.14 and later");
    check_exact(ring);
}

static void exact_big_entries(void)
{
    struct exact ring = {
        512, IORING_SETUP_NO_SQARRAY | IORING_SETUP_SQE128 | IORING_SETUP_CQE32,
    };

    need_setup(IORING_SETUP_NO_SQARRAY, "a queue without index array");
    better_than_reference("the locked memory of a ring is predicted on Linux 6.14 and later");
    check_exact(ring);
}

/* As many rings open under a limit as the predicted size allows. */
static void number_of_rings(void)
{
    enum { LIMIT = 4 << 20, MOST = 64 };
    struct io_uring rings[MOST];
    struct leak_mark mark;
    ssize_t size;
    unsigned wanted, opened = 0;
    bool charged;

    need_setup(IORING_SETUP_NO_SQARRAY, "a queue without index array");
    better_than_reference("the locked memory of a ring is predicted on Linux 6.14 and later");
    charged = kernel_charges_rings();
    become_limited_user(LIMIT);
    size = io_uring_mlock_size(4096, IORING_SETUP_NO_SQARRAY);
    if (!charged)
        check_uncharged(size);
    CHECK_GT(size, 0);
    settle();
    wanted = LIMIT / size;
    CHECK_LT(wanted, MOST);
    while (opened < wanted) {
        CHECK_EQ(io_uring_queue_init(4096, &rings[opened], IORING_SETUP_NO_SQARRAY), 0);
        opened++;
    }
    mark = leak_mark();
    CHECK_EQ(io_uring_queue_init(4096, &rings[opened], IORING_SETUP_NO_SQARRAY), -ENOMEM);
    CHECK_NO_LEAK(mark);
    while (opened > 0)
        io_uring_queue_exit(&rings[--opened]);
}

/* Without the flag the answer is an upper bound: it is enough for such a ring. */
static void default_flags(void)
{
    ssize_t size;
    bool charged;

    need_rings();
    better_than_reference("the locked memory of a ring is predicted on Linux 6.14 and later");
    charged = kernel_charges_rings();
    become_limited_user(4 << 20);
    size = io_uring_mlock_size(4096, 0);
    if (!charged)
        check_uncharged(size);
    CHECK_GE(size, io_uring_mlock_size(4096, IORING_SETUP_NO_SQARRAY));
    CHECK_LE(size, io_uring_memory_size(4096, 0));
    settle();
    set_limit(size);
    CHECK_EQ(open_once(4096, 0), 0);
}

static ssize_t mlock_size(unsigned entries, unsigned flags, unsigned cq_entries)
{
    struct io_uring_params params;

    memset(&params, 0, sizeof(params));
    params.flags = flags;
    params.cq_entries = cq_entries;
    return io_uring_mlock_size_params(entries, &params);
}

/* For an impossible ring the answer is an error, not a size. */
static void refused(void)
{
    ssize_t none = io_uring_mlock_size(0, 0);

    CHECK_LE(none, 0);
    CHECK_LE(io_uring_mlock_size(32769, 0), 0);
    CHECK_LE(mlock_size(8, IORING_SETUP_CQSIZE, 4), 0);
    CHECK_EQ(mlock_size(8, IORING_SETUP_CQSIZE, 64) == 0, mlock_size(8, 0, 0) == 0);
    CHECK_GE(mlock_size(8, IORING_SETUP_CQSIZE, 4096), mlock_size(8, 0, 0));
}

static void nothing_allowed(void)
{
    struct leak_mark mark;

    need_rings();
    if (!kernel_charges_rings())
        skip("the kernel does not charge rings to a limit");
    become_limited_user(0);
    mark = leak_mark();
    CHECK_EQ(open_once(8, 0), -ENOMEM);
    CHECK(io_uring_get_probe() == NULL);
    CHECK_NO_LEAK(mark);
}

/* Registered buffers are charged on every kernel. */
static void buffers(void)
{
    enum { SIZE = 1 << 20 };
    struct io_uring ring;
    struct iovec vec;

    become_limited_user(4 << 20);
    vec.iov_base = calloc(1, SIZE);
    vec.iov_len = SIZE;
    ring_open(&ring, 4, 0);
    set_limit(SIZE / 2);
    CHECK_EQ(io_uring_register_buffers(&ring, &vec, 1), -ENOMEM);
    set_limit(4 << 20);
    CHECK_EQ(io_uring_register_buffers(&ring, &vec, 1), 0);
    io_uring_queue_exit(&ring);
    free(vec.iov_base);
}

/* How many workers a ring of 8 SQEs may have, in a thread that queried something before. */
static unsigned workers_after(void (*ask)(void))
{
    unsigned values[2] = { 0, 0 };
    struct io_uring ring;
    int status;
    pid_t child = fork();

    if (child == 0) {
        ask();
        if (io_uring_queue_init(8, &ring, 0) < 0 || io_uring_register_iowq_max_workers(&ring, values) < 0)
            _exit(0);
        _exit((int) values[0] & 0xff);
    }
    CHECK(child > 0);
    CHECK_SYS(waitpid(child, &status, 0));
    CHECK(WIFEXITED(status));
    return (unsigned) WEXITSTATUS(status);
}

static void ask_nothing(void)
{
}

static void ask_for_size(void)
{
    io_uring_mlock_size(8, 0);
}

static void ask_for_probe(void)
{
    io_uring_free_probe(io_uring_get_probe());
}

/* The kernel keeps the number of SQEs of a thread's first ring as the limit of its workers. */
static void asking_limits_no_workers(void)
{
    unsigned untouched = workers_after(ask_nothing);

    if (untouched == 0)
        skip("the kernel does not tell the limit of workers");
    CHECK_EQ(workers_after(ask_for_size), untouched);
}

static void probing_limits_no_workers(void)
{
    unsigned untouched = workers_after(ask_nothing);

    if (untouched == 0)
        skip("the kernel does not tell the limit of workers");
    better_than_reference("io_uring_get_probe() leaves the limit of workers alone");
    CHECK_GE(workers_after(ask_for_probe), untouched);
}

static const struct test_case cases[] = {
    CASE(exact_small),
    CASE(exact_large),
    CASE(exact_big_entries),
    CASE(number_of_rings),
    CASE(default_flags),
    CASE(refused),
    CASE(nothing_allowed),
    CASE(buffers),
    CASE(asking_limits_no_workers),
    CASE(probing_limits_no_workers),
};

TEST_MAIN(cases)
