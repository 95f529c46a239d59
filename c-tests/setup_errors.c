/* Failing set-ups: the errno, and no leak. */
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "file.h"

static int init(unsigned entries, unsigned flags, unsigned cq_entries)
{
    struct io_uring ring;
    struct io_uring_params params;
    int result;

    memset(&params, 0, sizeof(params));
    params.flags = flags;
    params.cq_entries = cq_entries;
    memset(&ring, 0xff, sizeof(ring));
    result = io_uring_queue_init_params(entries, &ring, &params);
    if (!result)
        io_uring_queue_exit(&ring);
    return result;
}

static void entries(void)
{
    struct io_uring ring;
    struct leak_mark mark;

    need_rings();
    mark = leak_mark();
    CHECK_EQ(io_uring_queue_init(0, &ring, 0), -EINVAL);
    CHECK_EQ(io_uring_queue_init(0, &ring, IORING_SETUP_CLAMP), -EINVAL);
    CHECK_EQ(io_uring_queue_init(32769, &ring, 0), -EINVAL);
    CHECK_EQ(io_uring_queue_init(~0u, &ring, 0), -EINVAL);
    CHECK_NO_LEAK(mark);
    CHECK_EQ(io_uring_queue_init(32769, &ring, IORING_SETUP_CLAMP), 0);
    CHECK_EQ(ring.sq.ring_entries, 32768);
    CHECK_EQ(ring.cq.ring_entries, 65536);
    io_uring_queue_exit(&ring);
    CHECK_EQ(io_uring_queue_init(~0u, &ring, IORING_SETUP_CLAMP), 0);
    CHECK_EQ(ring.sq.ring_entries, 32768);
    io_uring_queue_exit(&ring);
    CHECK_EQ(io_uring_queue_init(32768, &ring, 0), 0);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
}

static void completion_entries(void)
{
    struct leak_mark mark;

    need_rings();
    mark = leak_mark();
    CHECK_EQ(init(8, IORING_SETUP_CQSIZE, 0), -EINVAL);
    CHECK_EQ(init(8, IORING_SETUP_CQSIZE, 4), -EINVAL);
    CHECK_EQ(init(8, IORING_SETUP_CQSIZE, 65537), -EINVAL);
    CHECK_EQ(init(8, IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP, 65537), 0);
    CHECK_EQ(init(8, IORING_SETUP_CQSIZE, 8), 0);
    CHECK_NO_LEAK(mark);
}

static void flags(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    struct leak_mark mark;

    need_rings();
    mark = leak_mark();
    CHECK_EQ(init(8, 1u << 31, 0), -EINVAL);
    CHECK_EQ(init(8, IORING_SETUP_REGISTERED_FD_ONLY, 0), -EINVAL);
    CHECK_EQ(init(8, 1u << 31 | IORING_SETUP_NO_MMAP, 0), -EINVAL);
    memset(&params, 0, sizeof(params));
    params.resv[1] = 1;
    CHECK_EQ(io_uring_queue_init_params(8, &ring, &params), -EINVAL);
    CHECK_NO_LEAK(mark);
}

/* A refused set-up leaves the caller's flags unchanged, for another try. */
static void flags_are_kept(void)
{
    struct io_uring ring;
    struct io_uring_params params;

    need_rings();
    memset(&params, 0, sizeof(params));
    params.flags = 1u << 31;
    CHECK_EQ(io_uring_queue_init_params(8, &ring, &params), -EINVAL);
    CHECK_EQ(params.flags, 1u << 31);
    params.flags = IORING_SETUP_CLAMP;
    CHECK_EQ(io_uring_queue_init_params(8, &ring, &params), 0);
    CHECK_EQ(params.flags & ~IORING_SETUP_NO_SQARRAY, IORING_SETUP_CLAMP);
    io_uring_queue_exit(&ring);
}

/* The next free descriptor number. */
static rlim_t next_fd(void)
{
    int fd = CHECK_SYS(dup(0));

    close(fd);
    return (rlim_t) fd;
}

static void no_descriptor_left(void)
{
    const size_t size = 2 * page_size();
    char *memory = new_pages(2);
    struct io_uring ring;
    struct io_uring_params params;
    struct rlimit limit;
    struct leak_mark mark = leak_mark();

    need_rings();
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = next_fd();
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_EQ(io_uring_queue_init(8, &ring, 0), -EMFILE);
    memset(&params, 0, sizeof(params));
    CHECK_EQ(io_uring_setup(8, &params), -EMFILE);
    if (kernel_at_least(6, 10)) {
        CHECK_EQ(io_uring_queue_init(8, &ring, IORING_SETUP_NO_MMAP), -EMFILE);
        memset(&params, 0, sizeof(params));
        CHECK_EQ(io_uring_queue_init_mem(8, &ring, &params, memory, size), -EMFILE);
    }
    CHECK(io_uring_get_probe() == NULL);
    limit.rlim_cur = limit.rlim_max;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_NO_LEAK(mark);
    ring_open(&ring, 8, 0);
    io_uring_queue_exit(&ring);
}

/* No address space for the mappings: the descriptor is closed too. */
static void no_address_space(void)
{
    struct io_uring ring;
    struct rlimit limit;
    struct leak_mark mark = leak_mark();
    unsigned long pages = 0;
    FILE *statm;

    need_rings();
    statm = fopen("/proc/self/statm", "r");
    CHECK(statm != NULL);
    CHECK_EQ(fscanf(statm, "%lu", &pages), 1);
    fclose(statm);
    mark = leak_mark();
    CHECK_SYS(getrlimit(RLIMIT_AS, &limit));
    /* room for the mapping of the queues, not for that of the requests */
    limit.rlim_cur = pages * (rlim_t) page_size() + 200 * 1024;
    CHECK_SYS(setrlimit(RLIMIT_AS, &limit));
    CHECK_EQ(io_uring_queue_init(4096, &ring, 0), -ENOMEM);
    /* and for neither */
    limit.rlim_cur = pages * (rlim_t) page_size();
    CHECK_SYS(setrlimit(RLIMIT_AS, &limit));
    CHECK_EQ(io_uring_queue_init(4096, &ring, 0), -ENOMEM);
    limit.rlim_cur = limit.rlim_max;
    CHECK_SYS(setrlimit(RLIMIT_AS, &limit));
    CHECK_NO_LEAK(mark);
}

static void map_of_another_file(void)
{
    struct io_uring ring;
    struct io_uring_params params;
    struct leak_mark mark;
    int fd, other;

    need_rings();
    memset(&params, 0, sizeof(params));
    fd = CHECK_SYS(raw_setup(4, &params));
    close(fd);
    other = CHECK_SYS(eventfd(0, 0));
    mark = leak_mark();
    CHECK_EQ(io_uring_queue_mmap(other, &params, &ring), -ENODEV);
    CHECK_EQ(io_uring_queue_mmap(9999, &params, &ring), -EBADF);
    CHECK_NO_LEAK(mark); /* the caller's descriptor stays open */
    close(other);
}

static const struct test_case cases[] = {
    CASE(entries),
    CASE(completion_entries),
    CASE(flags),
    CASE(flags_are_kept),
    CASE(no_descriptor_left),
    CASE(no_address_space),
    CASE(map_of_another_file),
};

TEST_MAIN(cases)
