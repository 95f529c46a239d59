/* No call of the library changes errno, whether it succeeds or fails. */
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "file.h"

/* A call that succeeds, one that gives a certain errno, and one that just fails. */
#define RESULT_OF(call, op, wanted)                                     \
    do {                                                                \
        long long kept = (long long) KEEPS_ERRNO(call);                 \
        check_compare(__FILE__, __LINE__, kept op (wanted), #call, #op, \
                      #wanted, kept, wanted);                           \
    } while (0)
#define GOOD(call) RESULT_OF(call, >=, 0)
#define BAD(call, error) RESULT_OF(call, ==, -error)
#define FAILS(call) RESULT_OF(call, <, 0)
#define SILENT(call)                                                    \
    do {                                                                \
        errno = ERRNO_SENTINEL;                                         \
        call;                                                           \
        check_errno_kept(__FILE__, __LINE__, #call);                    \
    } while (0)

/* A ring whose descriptor is closed, so every system call on it fails. */
static struct io_uring broken_ring(const struct io_uring *ring)
{
    struct io_uring broken = *ring;

    broken.ring_fd = broken.enter_ring_fd = 9999;
    return broken;
}

static void set_up_and_exit(void)
{
    const size_t size = 2 * page_size();
    char *memory = new_pages(2);
    struct io_uring ring;
    struct io_uring_params params;
    int fd;

    need_rings();
    GOOD(io_uring_queue_init(8, &ring, 0));
    GOOD(io_uring_ring_dontfork(&ring));
    SILENT(io_uring_queue_exit(&ring));
    BAD(io_uring_queue_init(0, &ring, 0), EINVAL);
    BAD(io_uring_queue_init(8, &ring, 1u << 31), EINVAL);
    memset(&ring, 0, sizeof(ring));
    BAD(io_uring_ring_dontfork(&ring), EINVAL);

    memset(&params, 0, sizeof(params));
    GOOD(io_uring_queue_init_params(8, &ring, &params));
    SILENT(io_uring_queue_exit(&ring));
    memset(&params, 0, sizeof(params));
    BAD(io_uring_queue_init_params(1u << 20, &ring, &params), EINVAL);
    memset(&params, 0, sizeof(params));
    BAD(io_uring_queue_init_mem(8, &ring, &params, memory, 1), ENOMEM);
    if (kernel_at_least(6, 10)) {
        memset(&params, 0, sizeof(params));
        GOOD(io_uring_queue_init_mem(8, &ring, &params, memory, size));
        SILENT(io_uring_queue_exit(&ring));
    }

    memset(&params, 0, sizeof(params));
    fd = KEEPS_ERRNO(io_uring_setup(8, &params));
    CHECK_GE(fd, 0);
    BAD(io_uring_setup(0, &params), EINVAL);
    BAD(io_uring_queue_mmap(9999, &params, &ring), EBADF);
    GOOD(io_uring_queue_mmap(fd, &params, &ring));
    SILENT(io_uring_queue_exit(&ring));
}

static void questions(void)
{
    struct io_uring ring, broken;
    struct io_uring_params params;
    struct io_uring_probe *probe;

    ring_open(&ring, 8, 0);
    broken = broken_ring(&ring);
    memset(&params, 0, sizeof(params));
    GOOD(io_uring_mlock_size(8, 0));
    SILENT((void) io_uring_mlock_size(0, 0));
    GOOD(io_uring_mlock_size_params(8, &params));
    GOOD(io_uring_memory_size(8, 0));
    BAD(io_uring_memory_size(0, 0), EINVAL);
    GOOD(io_uring_memory_size_params(8, &params));
    GOOD(io_uring_major_version());
    GOOD(io_uring_minor_version());
    CHECK(!KEEPS_ERRNO(io_uring_check_version(2, 0)));

    probe = KEEPS_ERRNO(io_uring_get_probe());
    CHECK(probe != NULL);
    SILENT(io_uring_free_probe(probe));
    probe = KEEPS_ERRNO(io_uring_get_probe_ring(&ring));
    CHECK(probe != NULL);
    memset(probe, 0, sizeof(*probe) + 256 * sizeof(probe->ops[0]));
    GOOD(io_uring_register_probe(&ring, probe, 256));
    BAD(io_uring_register_probe(&ring, probe, 300), EINVAL);
    SILENT(io_uring_free_probe(probe));
    CHECK(KEEPS_ERRNO(io_uring_get_probe_ring(&broken)) == NULL);
    io_uring_queue_exit(&ring);
}

static void submission_and_waits(void)
{
    struct io_uring ring, broken;
    struct io_uring_cqe *cqe, *cqes[4];
    struct __kernel_timespec ts = millis(1);

    ring_open(&ring, 8, 0);
    broken = broken_ring(&ring);
    for (unsigned i = 0; i < 8; i++) {
        io_uring_prep_nop(KEEPS_ERRNO(io_uring_get_sqe(&ring)));
        switch (i) {
        case 0:
            GOOD(io_uring_submit(&ring));
            break;
        case 1:
            GOOD(io_uring_submit_and_wait(&ring, 1));
            break;
        case 2:
            GOOD(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL));
            break;
        case 3:
            GOOD(io_uring_submit_and_get_events(&ring));
            break;
        default:
            SUBMIT(&ring, 1);
        }
    }
    GOOD(io_uring_peek_cqe(&ring, &cqe));
    GOOD(io_uring_wait_cqe(&ring, &cqe));
    GOOD(io_uring_wait_cqes(&ring, &cqe, 2, &ts, NULL));
    GOOD(io_uring_wait_cqe_timeout(&ring, &cqe, &ts));
    GOOD(__io_uring_get_cqe(&ring, &cqe, 0, 1, NULL));
    CHECK_EQ(KEEPS_ERRNO(io_uring_peek_batch_cqe(&ring, cqes, 4)), 4);
    GOOD(io_uring_get_events(&ring));
    io_uring_cq_advance(&ring, 8);

    BAD(io_uring_peek_cqe(&ring, &cqe), EAGAIN);
    BAD(io_uring_wait_cqe_timeout(&ring, &cqe, &ts), ETIME);
    BAD(io_uring_wait_cqes(&ring, &cqe, 1, &ts, NULL), ETIME);
    BAD(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &ts, NULL), ETIME);
    if (ring.features & IORING_FEAT_MIN_TIMEOUT) {
        BAD(io_uring_wait_cqes_min_timeout(&ring, &cqe, 1, &ts, 100, NULL), ETIME);
        BAD(io_uring_submit_and_wait_min_timeout(&ring, &cqe, 1, &ts, 100, NULL), ETIME);
    }
    FAILS(io_uring_submit_and_wait_reg(&ring, &cqe, 1, 0));
    BAD(io_uring_submit_and_wait(&broken, 1), EBADF);
    BAD(io_uring_get_events(&broken), EBADF);
    BAD(io_uring_submit_and_get_events(&broken), EBADF);
    BAD(io_uring_wait_cqe(&broken, &cqe), EBADF);
    BAD(__io_uring_sqring_wait(&broken), EBADF);
    BAD(io_uring_enter(9999, 0, 0, 0, NULL), EBADF);
    BAD(io_uring_enter2(9999, 0, 0, 0, NULL, 0), EBADF);
    GOOD(io_uring_enter(ring.ring_fd, 0, 0, 0, NULL));
    GOOD(io_uring_enter2(ring.ring_fd, 0, 0, 0, NULL, 0));
    SILENT((void) io_uring_set_iowait(&ring, true));
    io_uring_queue_exit(&ring);
}

static void buffers_and_files(void)
{
    /* old kernels refuse a program's own data, which a file may back */
    struct iovec vec = { new_pages(1), page_size() };
    struct io_uring ring, other;
    struct iovec bad_vec = { NULL, 10 };
    __u64 tag = 0;
    int fd = make_file("file", 0, 0);
    int bad_fd = 9999;

    need_kernel(5, 19, "sparse tables");
    ring_open(&ring, 8, 0);
    ring_open(&other, 8, 0);
    BAD(io_uring_unregister_buffers(&ring), ENXIO);
    BAD(io_uring_register_buffers(&ring, &bad_vec, 1), EFAULT);
    GOOD(io_uring_register_buffers(&ring, &vec, 1));
    BAD(io_uring_register_buffers_tags(&ring, &vec, &tag, 1), EBUSY);
    BAD(io_uring_register_buffers_sparse(&ring, 1), EBUSY);
    GOOD(io_uring_register_buffers_update_tag(&ring, 0, &vec, &tag, 1));
    BAD(io_uring_register_buffers_update_tag(&ring, 9, &vec, &tag, 1), EINVAL);
    SILENT((void) io_uring_clone_buffers(&other, &ring));
    SILENT((void) __io_uring_clone_buffers(&other, &ring, 0));
    SILENT((void) io_uring_clone_buffers_offset(&other, &ring, 0, 9, 1, 0));
    SILENT((void) __io_uring_clone_buffers_offset(&other, &ring, 0, 9, 1, 0));
    GOOD(io_uring_unregister_buffers(&ring));

    BAD(io_uring_unregister_files(&ring), ENXIO);
    BAD(io_uring_register_files(&ring, &bad_fd, 1), EBADF);
    BAD(io_uring_register_files_tags(&ring, &bad_fd, &tag, 1), EBADF);
    GOOD(io_uring_register_files(&ring, &fd, 1));
    BAD(io_uring_register_files_sparse(&ring, 1), EBUSY);
    GOOD(io_uring_register_files_update(&ring, 0, &fd, 1));
    BAD(io_uring_register_files_update(&ring, 9, &fd, 1), EINVAL);
    GOOD(io_uring_register_files_update_tag(&ring, 0, &fd, &tag, 1));
    BAD(io_uring_register_files_update_tag(&ring, 9, &fd, &tag, 1), EINVAL);
    SILENT((void) io_uring_register_file_alloc_range(&ring, 0, 1));
    FAILS(io_uring_register_file_alloc_range(&ring, 5, 5));
    GOOD(io_uring_unregister_files(&ring));
    io_uring_queue_exit(&other);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void buffer_rings(void)
{
    struct io_uring ring;
    struct io_uring_buf_reg reg;
    struct io_uring_buf_ring *buffers;
    uint16_t head;
    int error;

    need_kernel(6, 8, "the head of a provided buffer ring");
    ring_open(&ring, 8, 0);
    buffers = KEEPS_ERRNO(io_uring_setup_buf_ring(&ring, 8, 1, 0, &error));
    CHECK(buffers != NULL);
    CHECK(KEEPS_ERRNO(io_uring_setup_buf_ring(&ring, 8, 1, 0, &error)) == NULL);
    GOOD(io_uring_buf_ring_head(&ring, 1, &head));
    BAD(io_uring_buf_ring_head(&ring, 2, &head), ENOENT);
    BAD(io_uring_free_buf_ring(&ring, buffers, 8, 2), ENOENT);
    GOOD(io_uring_free_buf_ring(&ring, buffers, 8, 1));
    memset(&reg, 0, sizeof(reg));
    FAILS(io_uring_register_buf_ring(&ring, &reg, 0));
    BAD(io_uring_unregister_buf_ring(&ring, 1), ENOENT);
    io_uring_queue_exit(&ring);
}

static void ring_descriptors(void)
{
    struct io_uring ring;

    need_kernel(6, 3, "registrations through a registered ring");
    ring_open(&ring, 8, 0);
    BAD(io_uring_unregister_ring_fd(&ring), EINVAL);
    BAD(io_uring_close_ring_fd(&ring), EINVAL);
    GOOD(io_uring_register_ring_fd(&ring));
    BAD(io_uring_register_ring_fd(&ring), EEXIST);
    GOOD(io_uring_unregister_ring_fd(&ring));
    GOOD(io_uring_register_ring_fd(&ring));
    GOOD(io_uring_close_ring_fd(&ring));
    BAD(io_uring_close_ring_fd(&ring), EBADF);
    SILENT(io_uring_queue_exit(&ring));
}

static void other_registrations(void)
{
    struct io_uring ring;
    struct io_uring_restriction rule;
    struct io_uring_sync_cancel_reg cancel;
    struct io_uring_params params;
    cpu_set_t processors;
    unsigned workers[2] = { 0, 0 };
    int event = CHECK_SYS(eventfd(0, 0));
    int id;

    need_kernel(6, 0, "synchronous cancel");
    ring_open(&ring, 8, 0);
    GOOD(io_uring_register_eventfd(&ring, event));
    BAD(io_uring_register_eventfd(&ring, event), EBUSY);
    GOOD(io_uring_unregister_eventfd(&ring));
    BAD(io_uring_unregister_eventfd(&ring), ENXIO);
    GOOD(io_uring_register_eventfd_async(&ring, event));
    BAD(io_uring_register_eventfd_async(&ring, event), EBUSY);
    id = KEEPS_ERRNO(io_uring_register_personality(&ring));
    CHECK_GT(id, 0);
    GOOD(io_uring_unregister_personality(&ring, id));
    BAD(io_uring_unregister_personality(&ring, id), EINVAL);
    memset(&rule, 0, sizeof(rule));
    BAD(io_uring_register_restrictions(&ring, &rule, 1), EBADFD);
    BAD(io_uring_enable_rings(&ring), EBADFD);
    CHECK_SYS(sched_getaffinity(0, sizeof(processors), &processors));
    GOOD(io_uring_register_iowq_aff(&ring, sizeof(processors), &processors));
    BAD(io_uring_register_iowq_aff(&ring, (size_t) 1 << 31, &processors), EINVAL);
    GOOD(io_uring_unregister_iowq_aff(&ring));
    GOOD(io_uring_register_iowq_max_workers(&ring, workers));
    BAD(io_uring_register_iowq_max_workers(&ring, NULL), EINVAL);
    memset(&cancel, 0, sizeof(cancel));
    cancel.timeout.tv_sec = cancel.timeout.tv_nsec = -1;
    BAD(io_uring_register_sync_cancel(&ring, &cancel), ENOENT);
    memset(&params, 0, sizeof(params));
    FAILS(io_uring_resize_rings(&ring, &params));
    BAD(io_uring_register(9999, IORING_UNREGISTER_FILES, NULL, 0), EBADF);
    GOOD(io_uring_register(ring.ring_fd, IORING_REGISTER_IOWQ_MAX_WORKERS, workers, 2));
    io_uring_queue_exit(&ring);
    close(event);
}

/* Arguments of zeros. Each kernel refuses them by an error of its choice. */
static void zeroed_registrations(void)
{
    struct io_uring ring;
    union {
        struct io_uring_napi napi;
        struct io_uring_zcrx_ifq_reg interface;
        struct zcrx_ctrl control;
        struct io_uring_clock_register clock;
        struct io_uring_bpf filter;
        struct io_uring_mem_region_reg region;
        struct io_uring_reg_wait wait;
        struct io_uring_query_hdr query;
        struct io_uring_sqe sqe;
    } zeros;

    ring_open(&ring, 8, 0);
    memset(&zeros, 0, sizeof(zeros));
    SILENT((void) io_uring_register_napi(&ring, &zeros.napi));
    SILENT((void) io_uring_unregister_napi(&ring, &zeros.napi));
    memset(&zeros, 0, sizeof(zeros));
    FAILS(io_uring_register_ifq(&ring, &zeros.interface));
    FAILS(io_uring_register_zcrx_ctrl(&ring, &zeros.control));
    FAILS(io_uring_register_clock(&ring, &zeros.clock));
    FAILS(io_uring_register_bpf_filter(&ring, &zeros.filter));
    FAILS(io_uring_register_bpf_filter_task(&zeros.filter));
    FAILS(io_uring_register_region(&ring, &zeros.region));
    BAD(io_uring_register_wait_reg(&ring, &zeros.wait, 1), EINVAL);
    FAILS(io_uring_register_sync_msg(&zeros.sqe));
    SILENT((void) io_uring_register_query(&zeros.query));
    SILENT((void) io_uring_register_query(NULL));
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(set_up_and_exit),
    CASE(questions),
    CASE(submission_and_waits),
    CASE(buffers_and_files),
    CASE(buffer_rings),
    CASE(ring_descriptors),
    CASE(other_registrations),
    CASE(zeroed_registrations),
};

TEST_MAIN(cases)
