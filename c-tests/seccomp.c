/*
 * A filter makes single system calls of the library fail. The library returns their errors unchanged and undoes what it
 * did before.
 */
#include <stddef.h>
#include <sys/mman.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "file.h"

/* A call to refuse: by number, and by one of its arguments if `check` says so. */
struct rule {
    unsigned call;
    int error;
    bool check;
    unsigned argument;
    uint32_t value;
};

/* An errno that no call here returns by itself. */
enum { ODD_ERROR = ENOTNAM };

static struct sock_filter load(size_t offset)
{
    struct sock_filter filter = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset);

    return filter;
}

static struct sock_filter jump_if(uint32_t value, unsigned char yes, unsigned char no)
{
    struct sock_filter filter = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);

    return filter;
}

static struct sock_filter give(uint32_t result)
{
    struct sock_filter filter = BPF_STMT(BPF_RET | BPF_K, result);

    return filter;
}

/* The low half of an argument: none of the values here needs more. */
static size_t argument_offset(unsigned argument)
{
    size_t offset = offsetof(struct seccomp_data, args) + argument * sizeof(__u64);

#if __BYTE_ORDER == __BIG_ENDIAN
    offset += sizeof(__u32);
#endif
    return offset;
}

static void refuse(struct rule rule)
{
    struct sock_filter code[8];
    struct sock_fprog program;
    unsigned length = 0;

    code[length++] = load(offsetof(struct seccomp_data, nr));
    code[length++] = jump_if(rule.call, 0, rule.check ? 3 : 1);
    if (rule.check) {
        code[length++] = load(argument_offset(rule.argument));
        code[length++] = jump_if(rule.value, 0, 1);
    }
    code[length++] = give(SECCOMP_RET_ERRNO | (uint32_t) rule.error);
    code[length++] = give(SECCOMP_RET_ALLOW);
    program.len = (unsigned short) length;
    program.filter = code;
    CHECK_SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        skip("no seccomp filters here: %s", strerror(errno));
}

static void refuse_call(unsigned call, int error)
{
    struct rule rule = { call, error, false, 0, 0 };

    refuse(rule);
}

static void refuse_with(unsigned call, unsigned argument, uint32_t value, int error)
{
    struct rule rule = { call, error, true, argument, value };

    refuse(rule);
}

/* ---- io_uring_setup ---- */

static void check_setup_refused(int error)
{
    const size_t size = 2 * page_size();
    char *memory = new_pages(2);
    struct io_uring ring;
    struct io_uring_params params;
    struct leak_mark mark;

    need_rings();
    refuse_call(__NR_io_uring_setup, error);
    mark = leak_mark();
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(8, &ring, 0)), -error);
    memset(&params, 0, sizeof(params));
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init_params(8, &ring, &params)), -error);
    memset(&params, 0, sizeof(params));
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init_mem(8, &ring, &params, memory, size)),
             -error);
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(8, &ring, IORING_SETUP_NO_MMAP)), -error);
    memset(&params, 0, sizeof(params));
    CHECK_EQ(KEEPS_ERRNO(io_uring_setup(8, &params)), -error);
    CHECK(KEEPS_ERRNO(io_uring_get_probe()) == NULL);
    CHECK_NO_LEAK(mark);
}

static void setup_unknown(void)
{
    check_setup_refused(ENOSYS);
}

static void setup_forbidden(void)
{
    check_setup_refused(EPERM);
}

static void setup_odd(void)
{
    check_setup_refused(ODD_ERROR);
}

/* After a refused flag the library tries again with fewer flags; the next error is returned. */
static void setup_invalid(void)
{
    check_setup_refused(EINVAL);
}

/* ---- mmap ---- */

enum { MMAP_LENGTH = 1, MMAP_FLAGS = 3, MMAP_OFFSET = 5 };

/* The call that libc uses. On 32-bit architectures its offset is in units of 4096 bytes. */
#ifdef __NR_mmap2
#define MMAP_CALL __NR_mmap2
#define MMAP_OFFSET_SHIFT 12
#else
#define MMAP_CALL __NR_mmap
#define MMAP_OFFSET_SHIFT 0
#endif

static void refuse_map(unsigned argument, uint32_t value, int error)
{
#ifdef __s390__
    skip("mmap takes its arguments in memory here, where no filter sees them");
#endif
    refuse_with(MMAP_CALL, argument, argument == MMAP_OFFSET ? value >> MMAP_OFFSET_SHIFT : value, error);
}

static void check_map_refused(uint32_t offset)
{
    struct io_uring ring;
    struct leak_mark mark;

    need_rings();
    refuse_map(MMAP_OFFSET, offset, ODD_ERROR);
    mark = leak_mark();
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(8, &ring, 0)), -ODD_ERROR);
    /* a probe may map memory or not, but must leave nothing */
    io_uring_free_probe(io_uring_get_probe());
    CHECK_NO_LEAK(mark);
}

/* The filter recognises the queues' mapping by its protection and flags, as its offset is 0. */
static void map_of_queues(void)
{
    struct io_uring ring;
    struct leak_mark mark;

    need_rings();
    refuse_map(MMAP_FLAGS, MAP_SHARED | MAP_POPULATE, ODD_ERROR);
    mark = leak_mark();
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(8, &ring, 0)), -ODD_ERROR);
    CHECK_NO_LEAK(mark);
}

static void map_of_requests(void)
{
    check_map_refused((uint32_t) IORING_OFF_SQES);
}

/* As on an old kernel, each queue has its own mapping. Any of the three may fail. */
static void check_third_map_refused(uint32_t argument, uint32_t value)
{
    struct io_uring ring;
    struct io_uring_params params;
    struct leak_mark mark;
    int fd;

    need_rings();
    memset(&params, 0, sizeof(params));
    fd = CHECK_SYS(raw_setup(4, &params));
    params.features &= ~IORING_FEAT_SINGLE_MMAP;
    mark = leak_mark();
    refuse_map(argument, value, ODD_ERROR);
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_mmap(fd, &params, &ring)), -ODD_ERROR);
    CHECK_NO_LEAK(mark);
    close(fd);
}

static void first_of_three_maps(void)
{
    check_third_map_refused(MMAP_FLAGS, MAP_SHARED | MAP_POPULATE);
}

static void second_of_three_maps(void)
{
    check_third_map_refused(MMAP_OFFSET, (uint32_t) IORING_OFF_CQ_RING);
}

static void third_of_three_maps(void)
{
    check_third_map_refused(MMAP_OFFSET, (uint32_t) IORING_OFF_SQES);
}

/* The library's own memory for a ring. */
static void own_memory(void)
{
    struct io_uring ring;
    struct leak_mark mark = leak_mark();

    need_rings();
    refuse_map(MMAP_FLAGS, MAP_SHARED | MAP_ANONYMOUS, ODD_ERROR);
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(8, &ring, IORING_SETUP_NO_MMAP)), -ODD_ERROR);
    CHECK_NO_LEAK(mark);
}

/* Without a huge page the library uses ordinary ones, if the kernel accepts them and they can be mapped. */
static void own_memory_without_huge_pages(void)
{
    const unsigned flags = IORING_SETUP_NO_MMAP | IORING_SETUP_CQE32;
    struct leak_mark mark = leak_mark();
    struct io_uring ring;

    better_than_reference("a ring in the library's memory needs no huge pages");
    need_kernel(6, 10, "a ring in pages that are not contiguous");
    need_rings();
    if (page_size() != 4096)
        skip("the ring fits into a page");
    refuse_map(MMAP_FLAGS, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | 21u << 26, ENOMEM);
    /* one page of requests, but more than one of completions */
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(64, &ring, flags)), 0);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
    refuse_map(MMAP_FLAGS, MAP_SHARED | MAP_ANONYMOUS, ODD_ERROR);
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(64, &ring, flags)), -ODD_ERROR);
    CHECK_NO_LEAK(mark);
}

/* ---- io_uring_register and io_uring_enter ---- */

static void registrations(void)
{
    struct io_uring ring;
    struct leak_mark mark;
    int error = 0;

    ring_open(&ring, 8, 0);
    refuse_call(__NR_io_uring_register, ODD_ERROR);
    mark = leak_mark();
    CHECK_EQ(KEEPS_ERRNO(io_uring_register_ring_fd(&ring)), -ODD_ERROR);
    CHECK_EQ(ring.enter_ring_fd, ring.ring_fd);
    CHECK_EQ(ring.int_flags, 0);
    CHECK_EQ(KEEPS_ERRNO(io_uring_register_files_sparse(&ring, 8)), -ODD_ERROR);
    CHECK(KEEPS_ERRNO(io_uring_setup_buf_ring(&ring, 1024, 1, 0, &error)) == NULL);
    CHECK_EQ(error, -ODD_ERROR);
    CHECK(KEEPS_ERRNO(io_uring_get_probe_ring(&ring)) == NULL);
    CHECK(KEEPS_ERRNO(io_uring_get_probe()) == NULL);
    CHECK_NO_LEAK(mark);
    io_uring_queue_exit(&ring);
}

/* When a buffer ring can't be unregistered, the kernel may still use its memory. */
static void buffer_ring_is_kept(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    struct leak_mark mark;
    int error;

    need_kernel(5, 19, "provided buffer rings");
    ring_open(&ring, 8, 0);
    buffers = io_uring_setup_buf_ring(&ring, 1024, 1, 0, &error);
    CHECK(buffers != NULL);
    refuse_call(__NR_io_uring_register, ODD_ERROR);
    mark = leak_mark();
    CHECK_EQ(KEEPS_ERRNO(io_uring_free_buf_ring(&ring, buffers, 1024, 1)), -ODD_ERROR);
    CHECK_NO_LEAK(mark);
    buffers->tail = 1;
    io_uring_queue_exit(&ring);
}

static void buffer_ring_memory(void)
{
    struct io_uring ring;
    struct leak_mark mark;
    int error = 0;

    if (BUILT_WITH_ASAN)
        skip("the address sanitizer needs these mappings");
    ring_open(&ring, 8, 0);
    mark = leak_mark();
    /* by its length, as libc maps memory for the count of leaks */
    refuse_map(MMAP_LENGTH, 1024 * sizeof(struct io_uring_buf), ODD_ERROR);
    CHECK(KEEPS_ERRNO(io_uring_setup_buf_ring(&ring, 1024, 1, 0, &error)) == NULL);
    CHECK_EQ(error, -ODD_ERROR);
    CHECK_NO_LEAK(mark);
    io_uring_queue_exit(&ring);
}

static void entering(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = (struct io_uring_cqe *) &ring;
    struct __kernel_timespec ts = millis(1);

    ring_open(&ring, 8, 0);
    refuse_call(__NR_io_uring_enter, ODD_ERROR);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(KEEPS_ERRNO(io_uring_submit(&ring)), -ODD_ERROR);
    CHECK_EQ(io_uring_sq_ready(&ring), 1);
    CHECK_EQ(KEEPS_ERRNO(io_uring_submit_and_wait(&ring, 1)), -ODD_ERROR);
    CHECK_EQ(KEEPS_ERRNO(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL)),
             -ODD_ERROR);
    CHECK(cqe == NULL);
    CHECK_EQ(KEEPS_ERRNO(io_uring_wait_cqe(&ring, &cqe)), -ODD_ERROR);
    CHECK(cqe == NULL);
    CHECK_EQ(KEEPS_ERRNO(io_uring_wait_cqe_timeout(&ring, &cqe, &ts)), -ODD_ERROR);
    CHECK_EQ(KEEPS_ERRNO(io_uring_get_events(&ring)), -ODD_ERROR);
    CHECK_EQ(KEEPS_ERRNO(io_uring_submit_and_get_events(&ring)), -ODD_ERROR);
    /* a peek has no reason to enter the kernel */
    CHECK_EQ(KEEPS_ERRNO(io_uring_peek_cqe(&ring, &cqe)), -EAGAIN);
    CHECK_EQ(KEEPS_ERRNO(io_uring_peek_batch_cqe(&ring, &cqe, 1)), 0);
    io_uring_queue_exit(&ring);
}

/* ---- resizing ---- */

static void check_resize_refused(unsigned argument, uint32_t value)
{
    struct io_uring ring;
    struct io_uring_params params;
    struct leak_mark mark;

    need_kernel(6, 13, "ring resizing");
    mark = leak_mark();
    ring_open(&ring, 8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    memset(&params, 0, sizeof(params));
    params.sq_entries = 64;
    refuse_map(argument, value, ODD_ERROR);
    CHECK_EQ(KEEPS_ERRNO(io_uring_resize_rings(&ring, &params)), -ODD_ERROR);
    CHECK_EQ(params.flags, 0);
    /* the ring still has its old mappings, and no new one is left */
    CHECK_EQ(count_maps().ring_maps, 2);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);
}

static void resized_queues(void)
{
    check_resize_refused(MMAP_FLAGS, MAP_SHARED | MAP_POPULATE);
}

static void resized_requests(void)
{
    check_resize_refused(MMAP_OFFSET, (uint32_t) IORING_OFF_SQES);
}

static const struct test_case cases[] = {
    CASE(setup_unknown),
    CASE(setup_forbidden),
    CASE(setup_odd),
    CASE(setup_invalid),
    CASE(map_of_queues),
    CASE(map_of_requests),
    CASE(first_of_three_maps),
    CASE(second_of_three_maps),
    CASE(third_of_three_maps),
    CASE(own_memory),
    CASE(own_memory_without_huge_pages),
    CASE(registrations),
    CASE(buffer_ring_is_kept),
    CASE(buffer_ring_memory),
    CASE(entering),
    CASE(resized_queues),
    CASE(resized_requests),
};

TEST_MAIN(cases)
