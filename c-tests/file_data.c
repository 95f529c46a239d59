/* Requests on a file's data: allocate, truncate, advise, sync. */
#include <sys/mman.h>

#include "file.h"

static void allocate(void)
{
    struct io_uring ring;
    struct stat status;
    int fd = make_file("file", 10, 0);

    ring_open(&ring, 4, 0);
    io_uring_prep_fallocate(next_sqe(&ring), fd, 0, 0, 70000);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(fstat(fd, &status));
    CHECK_EQ(status.st_size, 70000);
    io_uring_prep_fallocate(next_sqe(&ring), fd, FALLOC_FL_KEEP_SIZE, 70000, 70000);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(fstat(fd, &status));
    CHECK_EQ(status.st_size, 70000);
    /* offset and length above 32 bits arrive whole */
    io_uring_prep_fallocate(next_sqe(&ring), fd, FALLOC_FL_KEEP_SIZE,
                            (__u64) 1 << 62, (__u64) 1 << 62);
    CHECK_EQ(run_res(&ring), -EFBIG);
    io_uring_prep_fallocate(next_sqe(&ring), fd, 0, 0, 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void truncate_file(void)
{
    struct io_uring ring;
    struct stat status;
    int fd = make_file("file", 100, 0);

    need_op(IORING_OP_FTRUNCATE, "ftruncate");
    ring_open(&ring, 4, 0);
    io_uring_prep_ftruncate(next_sqe(&ring), fd, 40);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(fstat(fd, &status));
    CHECK_EQ(status.st_size, 40);
    io_uring_prep_ftruncate(next_sqe(&ring), fd, (loff_t) 5 << 32);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_SYS(fstat(fd, &status));
    CHECK_EQ(status.st_size, (long long) 5 << 32);
    io_uring_prep_ftruncate(next_sqe(&ring), fd, -1);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void sync_file(void)
{
    struct io_uring ring;
    int fds[2];
    int fd = make_file("file", 5000, 0);

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    io_uring_prep_fsync(next_sqe(&ring), fd, 0);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_fsync(next_sqe(&ring), fd, IORING_FSYNC_DATASYNC);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_fsync(next_sqe(&ring), fd, 0x80);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_prep_fsync(next_sqe(&ring), fds[0], 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
    close(fd);
}

static void sync_range(void)
{
    struct io_uring ring;
    int fds[2];
    int fd = make_file("file", 5000, 0);

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    io_uring_prep_sync_file_range(next_sqe(&ring), fd, 4096, 0, SYNC_FILE_RANGE_WRITE);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_sync_file_range(next_sqe(&ring), fd, 4096, 0, 0x40);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_prep_sync_file_range(next_sqe(&ring), fds[0], 1, 0, SYNC_FILE_RANGE_WRITE);
    CHECK_EQ(run_res(&ring), -ESPIPE);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
    close(fd);
}

/* Advice has no visible effect except its errors: for an unknown advice, and for a pipe. */
static void advise_file(void)
{
    struct io_uring ring;
    int fds[2];
    int fd = make_file("file", 5000, 0);

    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    io_uring_prep_fadvise(next_sqe(&ring), fd, 0, 4096, POSIX_FADV_WILLNEED);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_fadvise(next_sqe(&ring), fd, 0, 4096, 99);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_prep_fadvise(next_sqe(&ring), fds[0], 0, 4096, POSIX_FADV_NORMAL);
    CHECK_EQ(run_res(&ring), -ESPIPE);
    io_uring_queue_exit(&ring);
    close(fds[0]);
    close(fds[1]);
    close(fd);
}

static void advise_file_64(void)
{
    struct io_uring ring;
    int fd = make_file("file", 5000, 0);

    need_kernel(6, 11, "fadvise with a 64-bit length");
    ring_open(&ring, 4, 0);
    io_uring_prep_fadvise64(next_sqe(&ring), fd, 0, 4096, POSIX_FADV_DONTNEED);
    CHECK_EQ(run_res(&ring), 0);
    io_uring_prep_fadvise64(next_sqe(&ring), fd, 0, -1, POSIX_FADV_DONTNEED);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_prep_fadvise64(next_sqe(&ring), fd, 0, 4096, 99);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void advise_memory(void)
{
    struct io_uring ring;
    const size_t page = page_size();
    char *pages = new_pages(2);

    ring_open(&ring, 4, 0);
    memset(pages, 1, 2 * page);
    io_uring_prep_madvise(next_sqe(&ring), pages, page, MADV_DONTNEED);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(pages[0], 0);
    CHECK_EQ(pages[page], 1);
    io_uring_prep_madvise(next_sqe(&ring), pages + 1, page, MADV_DONTNEED);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
    munmap(pages, 2 * page);
}

/* The 64-bit forms hold their length in another field. Kernels before 6.11 do not read it. */
static void advise_memory_64(void)
{
    struct io_uring ring;
    const size_t page = page_size();
    char *pages = new_pages(2);

    need_kernel(6, 11, "madvise with a 64-bit length");
    ring_open(&ring, 4, 0);
    memset(pages, 1, 2 * page);
    io_uring_prep_madvise64(next_sqe(&ring), pages + page, page, MADV_DONTNEED);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(pages[0], 1);
    CHECK_EQ(pages[page], 0);
    io_uring_queue_exit(&ring);
    munmap(pages, 2 * page);
}

static const struct test_case cases[] = {
    CASE(allocate),
    CASE(truncate_file),
    CASE(sync_file),
    CASE(sync_range),
    CASE(advise_file),
    CASE(advise_file_64),
    CASE(advise_memory),
    CASE(advise_memory_64),
};

TEST_MAIN(cases)
