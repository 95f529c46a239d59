/* Registered buffers: tables, sparse tables, updates, tags, clones. */
#include "file.h"

enum { SIZE = 4096 };

static char bytes[4][SIZE] __attribute__((aligned(4096)));

static struct iovec vec_of(unsigned index)
{
    struct iovec vec = { bytes[index], SIZE };

    return vec;
}

static int read_fixed(struct io_uring *ring, int fd, unsigned buffer, unsigned slot)
{
    io_uring_prep_read_fixed(next_sqe(ring), fd, bytes[buffer], SIZE, 0, slot);
    return run_res(ring);
}

static void table(void)
{
    struct io_uring ring;
    struct iovec vecs[2] = { vec_of(0), vec_of(1) };
    struct iovec bad = { NULL, SIZE };
    int fd = make_file("file", SIZE, 1);

    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_unregister_buffers(&ring), -ENXIO);
    CHECK_EQ(io_uring_register_buffers(&ring, vecs, 0), -EINVAL);
    CHECK_EQ(io_uring_register_buffers(&ring, &bad, 1), -EFAULT);
    CHECK_EQ(io_uring_register_buffers(&ring, vecs, 2), 0);
    CHECK_EQ(io_uring_register_buffers(&ring, vecs, 2), -EBUSY);
    CHECK_EQ(read_fixed(&ring, fd, 1, 1), SIZE);
    CHECK_PATTERN(bytes[1], SIZE, 1);
    CHECK_EQ(io_uring_unregister_buffers(&ring), 0);
    CHECK_EQ(read_fixed(&ring, fd, 1, 1), -EFAULT);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void sparse_and_update(void)
{
    struct io_uring ring;
    struct iovec vec = vec_of(2);
    struct iovec none = { NULL, 0 };
    int fd = make_file("file", SIZE, 2);

    need_kernel(5, 19, "sparse buffer tables");
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_buffers_sparse(&ring, 4), 0);
    CHECK_EQ(read_fixed(&ring, fd, 2, 3), -EFAULT);
    CHECK_EQ(io_uring_register_buffers_update_tag(&ring, 3, &vec, NULL, 1), 1);
    CHECK_EQ(read_fixed(&ring, fd, 2, 3), SIZE);
    CHECK_PATTERN(bytes[2], SIZE, 2);
    CHECK_EQ(io_uring_register_buffers_update_tag(&ring, 3, &none, NULL, 1), 1);
    CHECK_EQ(read_fixed(&ring, fd, 2, 3), -EFAULT);
    CHECK_EQ(io_uring_register_buffers_update_tag(&ring, 4, &vec, NULL, 1), -EINVAL);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void tags(void)
{
    struct io_uring ring;
    struct iovec vecs[2] = { vec_of(0), vec_of(1) };
    struct iovec none[2] = { { NULL, 0 }, { NULL, 0 } };
    __u64 marks[2] = { 0x2000000000000001ull, 7 };
    __u64 new_mark = 8;
    int fd = make_file("file", SIZE, 3);

    ring_open(&ring, 4, 0);
    if (!(ring.features & IORING_FEAT_RSRC_TAGS)) {
        io_uring_queue_exit(&ring);
        skip("the kernel has no tags");
    }
    CHECK_EQ(io_uring_register_buffers_tags(&ring, vecs, marks, 2), 0);
    CHECK_EQ(read_fixed(&ring, fd, 0, 0), SIZE);
    CHECK_EQ(io_uring_register_buffers_update_tag(&ring, 0, &vecs[1], &new_mark, 1), 1);
    CHECK_EQ(reap(&ring).data, marks[0]);
    CHECK_EQ(io_uring_register_buffers_update_tag(&ring, 0, none, NULL, 2), 2);
    CHECK_EQ(reap(&ring).data + reap(&ring).data, marks[1] + new_mark);
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void clone_whole(void)
{
    struct io_uring source, copy;
    struct iovec vecs[2] = { vec_of(0), vec_of(1) };
    int fd = make_file("file", SIZE, 4);

    need_kernel(6, 12, "cloned buffers");
    ring_open(&source, 4, 0);
    ring_open(&copy, 4, 0);
    CHECK_EQ(io_uring_clone_buffers(&copy, &source), -ENXIO);
    CHECK_EQ(io_uring_register_buffers(&source, vecs, 2), 0);
    CHECK_EQ(io_uring_clone_buffers(&copy, &source), 0);
    CHECK_EQ(io_uring_clone_buffers(&copy, &source), -EBUSY);
    io_uring_queue_exit(&source);
    memset(bytes[1], 0, SIZE);
    CHECK_EQ(read_fixed(&copy, fd, 1, 1), SIZE);
    CHECK_PATTERN(bytes[1], SIZE, 4);
    io_uring_queue_exit(&copy);
    close(fd);
}

static void clone_part(void)
{
    struct io_uring source, copy;
    struct iovec vecs[3] = { vec_of(0), vec_of(1), vec_of(2) };
    int fd = make_file("file", SIZE, 5);

    need_kernel(6, 13, "cloning a part of the buffers");
    ring_open(&source, 4, 0);
    ring_open(&copy, 4, 0);
    CHECK_EQ(io_uring_register_buffers(&source, vecs, 3), 0);
    CHECK_EQ(io_uring_register_buffers(&copy, vecs, 1), 0);
    /* buffers 1 and 2 become 0 and 1 of the other ring */
    CHECK_EQ(io_uring_clone_buffers_offset(&copy, &source, 0, 1, 2, 0), -EBUSY);
    CHECK_EQ(io_uring_clone_buffers_offset(&copy, &source, 0, 1, 2,
                                           IORING_REGISTER_DST_REPLACE), 0);
    CHECK_EQ(read_fixed(&copy, fd, 2, 1), SIZE);
    CHECK_EQ(read_fixed(&copy, fd, 0, 0), -EFAULT);
    CHECK_EQ(io_uring_clone_buffers_offset(&copy, &source, 0, 3, 1,
                                           IORING_REGISTER_DST_REPLACE), -EOVERFLOW);
    CHECK_EQ(__io_uring_clone_buffers_offset(&copy, &source, 0, 0, 1,
                                             IORING_REGISTER_DST_REPLACE), 0);
    CHECK_EQ(read_fixed(&copy, fd, 0, 0), SIZE);
    io_uring_queue_exit(&source);
    io_uring_queue_exit(&copy);
    close(fd);
}

/* The source ring may be named by its registered index. */
static void clone_from_registered_ring(void)
{
    struct io_uring source, copy;
    struct iovec vec = vec_of(3);
    int fd = make_file("file", SIZE, 6);

    need_kernel(6, 12, "cloned buffers");
    ring_open(&source, 4, 0);
    ring_open(&copy, 4, 0);
    CHECK_EQ(io_uring_register_buffers(&source, &vec, 1), 0);
    CHECK_EQ(io_uring_register_ring_fd(&source), 1);
    CHECK_EQ(io_uring_close_ring_fd(&source), 1);
    CHECK_EQ(__io_uring_clone_buffers(&copy, &source, 0), -EBADF);
    CHECK_EQ(__io_uring_clone_buffers(&copy, &source, IORING_REGISTER_SRC_REGISTERED), 0);
    CHECK_EQ(read_fixed(&copy, fd, 3, 0), SIZE);
    CHECK_PATTERN(bytes[3], SIZE, 6);
    CHECK_EQ(io_uring_unregister_buffers(&copy), 0);
    CHECK_EQ(io_uring_clone_buffers(&copy, &source), 0);
    CHECK_EQ(read_fixed(&copy, fd, 3, 0), SIZE);
    io_uring_queue_exit(&source);
    io_uring_queue_exit(&copy);
    close(fd);
}

static const struct test_case cases[] = {
    CASE(table),
    CASE(sparse_and_update),
    CASE(tags),
    CASE(clone_whole),
    CASE(clone_part),
    CASE(clone_from_registered_ring),
};

TEST_MAIN(cases)
