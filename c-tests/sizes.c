/* The predicted memory of a ring against the memory of a real one. */
#include "ring.h"

static ssize_t foretell(unsigned entries, unsigned flags, unsigned cq_entries)
{
    struct io_uring_params params;

    memset(&params, 0, sizeof(params));
    params.flags = flags;
    params.cq_entries = cq_entries;
    return io_uring_memory_size_params(entries, &params);
}

static void as_mapped(void)
{
    static const unsigned entries[] = { 1, 2, 3, 64, 100, 1024, 4096 };
    static const struct {
        unsigned flags;
        unsigned cq_factor;
    } kinds[] = {
        { 0, 0 },
        { IORING_SETUP_SQE128, 0 },
        { IORING_SETUP_CQE32, 0 },
        { IORING_SETUP_SQE128 | IORING_SETUP_CQE32, 0 },
        { IORING_SETUP_CQSIZE, 8 },
        { IORING_SETUP_CQSIZE | IORING_SETUP_CQE32, 3 },
        { IORING_SETUP_NO_SQARRAY, 0 },
    };

    need_setup(IORING_SETUP_SQE128 | IORING_SETUP_CQE32, "entries of double size");
    need_setup(IORING_SETUP_NO_SQARRAY, "a queue without index array");
    for (unsigned e = 0; e < ARRAY_LEN(entries); e++) {
        for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
            struct io_uring ring;
            struct io_uring_params params;
            unsigned cq_entries = entries[e] * kinds[k].cq_factor;

            memset(&params, 0, sizeof(params));
            params.flags = kinds[k].flags;
            params.cq_entries = cq_entries;
            CHECK_EQ(io_uring_queue_init_params(entries[e], &ring, &params), 0);
            CHECK_EQ(count_maps().ring_bytes, foretell(entries[e], ring.flags, cq_entries));
            io_uring_queue_exit(&ring);
        }
    }
}

/* With the index array, which the library itself does not use. */
static void with_index_array(void)
{
    static const unsigned entries[] = { 1, 256, 1024, 4096 };

    for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
        struct io_uring ring;
        struct io_uring_params params;
        int fd;

        need_rings();
        memset(&params, 0, sizeof(params));
        fd = CHECK_SYS(raw_setup(entries[i], &params));
        CHECK_EQ(io_uring_queue_mmap(fd, &params, &ring), 0);
        CHECK_EQ(count_maps().ring_bytes, io_uring_memory_size(entries[i], 0));
        io_uring_queue_exit(&ring);
    }
}

static void known_values(void)
{
    const long page = (long) page_size();

    if (page != 4096)
        skip("the values are for pages of 4096 bytes, here they have %ld", page);
    CHECK_EQ(io_uring_memory_size(1, 0), 2 * page);
    CHECK_EQ(io_uring_memory_size(64, 0), 2 * page);
    CHECK_EQ(io_uring_memory_size(65, 0), 4 * page);
    CHECK_EQ(io_uring_memory_size(4096, 0), (64 + 37) * page);
    CHECK_EQ(io_uring_memory_size(4096, IORING_SETUP_NO_SQARRAY), (64 + 33) * page);
    CHECK_EQ(io_uring_memory_size(4096, IORING_SETUP_SQE128 | IORING_SETUP_NO_SQARRAY),
             (128 + 33) * page);
    CHECK_EQ(io_uring_memory_size(4096, IORING_SETUP_CQE32 | IORING_SETUP_NO_SQARRAY),
             (64 + 65) * page);
    CHECK_EQ(foretell(8, IORING_SETUP_CQSIZE | IORING_SETUP_NO_SQARRAY, 4096), (1 + 17) * page);
}

static void refused(void)
{
    CHECK_EQ(io_uring_memory_size(0, 0), -EINVAL);
    CHECK_EQ(io_uring_memory_size(32769, 0), -EINVAL);
    CHECK_EQ(io_uring_memory_size(~0u, 0), -EINVAL);
    CHECK_EQ(io_uring_memory_size(0, IORING_SETUP_CLAMP), -EINVAL);
    CHECK_EQ(io_uring_memory_size(~0u, IORING_SETUP_CLAMP), io_uring_memory_size(32768, 0));
    CHECK_EQ(foretell(8, IORING_SETUP_CQSIZE, 0), -EINVAL);
    CHECK_EQ(foretell(8, IORING_SETUP_CQSIZE, 4), -EINVAL);
    CHECK_EQ(foretell(8, IORING_SETUP_CQSIZE, 65537), -EINVAL);
    CHECK_EQ(foretell(8, IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP, ~0u),
             foretell(8, IORING_SETUP_CQSIZE, 65536));
}

static const struct test_case cases[] = {
    CASE(as_mapped),
    CASE(with_index_array),
    CASE(known_values),
    CASE(refused),
};

TEST_MAIN(cases)
