/* Registered files: tables, sparse tables, updates, tags, ranges. */
#include <sys/resource.h>

#include "file.h"

static struct done read_slot(struct io_uring *ring, int slot, char *byte)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_read(sqe, slot, byte, 1, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    return run_done(ring);
}

static void make_files(int fds[3])
{
    static const char *names[3] = { "a", "b", "c" };

    for (unsigned i = 0; i < 3; i++) {
        fds[i] = CHECK_SYS(open(names[i], O_RDWR | O_CREAT, 0600));
        CHECK_EQ(write(fds[i], names[i], 1), 1);
    }
}

static void close_files(int fds[3])
{
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
}

static void table(void)
{
    struct io_uring ring;
    char byte;
    int fds[3];

    make_files(fds);
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files(&ring, fds, 3), 0);
    CHECK_EQ(io_uring_register_files(&ring, fds, 3), -EBUSY);
    close_files(fds); /* the table keeps them open */
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(read_slot(&ring, i, &byte).res, 1);
        CHECK_EQ(byte, 'a' + (int) i);
    }
    CHECK_EQ(read_slot(&ring, 3, &byte).res, -EBADF);
    CHECK_EQ(io_uring_unregister_files(&ring), 0);
    CHECK_EQ(io_uring_unregister_files(&ring), -ENXIO);
    CHECK_EQ(read_slot(&ring, 0, &byte).res, -EBADF);
    fds[0] = 9999;
    CHECK_EQ(io_uring_register_files(&ring, fds, 1), -EBADF);
    io_uring_queue_exit(&ring);
}

static void update(void)
{
    struct io_uring ring;
    char byte;
    int fds[3], change[2];

    make_files(fds);
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files(&ring, fds, 3), 0);
    change[0] = IORING_REGISTER_FILES_SKIP;
    change[1] = fds[0];
    CHECK_EQ(io_uring_register_files_update(&ring, 1, change, 2), 2);
    CHECK_EQ(read_slot(&ring, 1, &byte).res, 1);
    CHECK_EQ(byte, 'b');
    CHECK_EQ(read_slot(&ring, 2, &byte).res, 1);
    CHECK_EQ(byte, 'a');
    change[0] = -1; /* removes the file */
    CHECK_EQ(io_uring_register_files_update(&ring, 0, change, 1), 1);
    CHECK_EQ(read_slot(&ring, 0, &byte).res, -EBADF);
    CHECK_EQ(io_uring_register_files_update(&ring, 3, change, 1), -EINVAL);
    io_uring_queue_exit(&ring);
    close_files(fds);
}

static void update_by_request(void)
{
    struct io_uring ring;
    char byte;
    int fds[3], change[2];

    make_files(fds);
    need_kernel(5, 19, "sparse file tables");
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 4), 0);
    change[0] = fds[1];
    change[1] = fds[2];
    io_uring_prep_files_update(next_sqe(&ring), change, 2, 1);
    CHECK_EQ(run_res(&ring), 2);
    CHECK_EQ(read_slot(&ring, 0, &byte).res, -EBADF);
    CHECK_EQ(read_slot(&ring, 1, &byte).res, 1);
    CHECK_EQ(byte, 'b');

    /* with no offset the kernel picks the slots and writes them back */
    change[0] = fds[0];
    io_uring_prep_files_update(next_sqe(&ring), change, 1, IORING_FILE_INDEX_ALLOC);
    CHECK_EQ(run_res(&ring), 1);
    CHECK(change[0] == 0 || change[0] == 3);
    CHECK_EQ(read_slot(&ring, change[0], &byte).res, 1);
    CHECK_EQ(byte, 'a');
    io_uring_queue_exit(&ring);
    close_files(fds);
}

/* A tag comes back as a completion when the kernel releases its file. */
static void tags(void)
{
    struct io_uring ring;
    struct done done;
    __u64 marks[3] = { 0x1000000000000001ull, 0, 3 };
    __u64 new_mark = 44;
    char byte;
    int fds[3], gone[3], change;

    make_files(fds);
    ring_open(&ring, 4, 0);
    if (!(ring.features & IORING_FEAT_RSRC_TAGS)) {
        io_uring_queue_exit(&ring);
        skip("the kernel has no tags");
    }
    CHECK_EQ(io_uring_register_files_tags(&ring, fds, marks, 3), 0);
    CHECK_EQ(read_slot(&ring, 2, &byte).res, 1);
    CHECK_EQ(byte, 'c');
    change = fds[1];
    CHECK_EQ(io_uring_register_files_update_tag(&ring, 0, &change, &new_mark, 1), 1);
    done = reap(&ring);
    CHECK_EQ(done.data, marks[0]);
    CHECK_EQ(done.res, 0);
    CHECK_EQ(read_slot(&ring, 0, &byte).res, 1);
    CHECK_EQ(byte, 'b');

    /* removed without a new file; the one in slot 1 has no tag */
    memset(gone, 0xff, sizeof(gone));
    CHECK_EQ(io_uring_register_files_update(&ring, 0, gone, 3), 3);
    for (unsigned i = 0; i < 2; i++) {
        done = reap(&ring);
        CHECK(done.data == new_mark || done.data == marks[2]);
    }
    CHECK_NO_CQE(&ring);
    io_uring_queue_exit(&ring);
    close_files(fds);
}

static void allocation_range(void)
{
    struct io_uring ring;
    unsigned seen = 0;

    need_kernel(6, 0, "a range for direct descriptors");
    close(make_file("file", 1, 0));
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_files_sparse(&ring, 8), 0);
    CHECK_EQ(io_uring_register_file_alloc_range(&ring, 4, 2), 0);
    for (unsigned i = 0; i < 2; i++) {
        int slot;

        io_uring_prep_open_direct(next_sqe(&ring), "file", O_RDONLY, 0,
                                  IORING_FILE_INDEX_ALLOC);
        slot = run_res(&ring);
        CHECK(slot == 4 || slot == 5);
        seen |= 1u << slot;
    }
    CHECK_EQ(seen, 3u << 4);
    io_uring_prep_open_direct(next_sqe(&ring), "file", O_RDONLY, 0, IORING_FILE_INDEX_ALLOC);
    CHECK_EQ(run_res(&ring), -ENFILE);
    CHECK_EQ(io_uring_register_file_alloc_range(&ring, 7, 2), -EINVAL);
    CHECK_EQ(io_uring_register_file_alloc_range(&ring, ~0u, 2), -EOVERFLOW);
    io_uring_queue_exit(&ring);
}

/*
 * A table longer than the descriptor limit: the library raises the soft limit
 * once, which works as long as the hard one allows it.
 */
static void raises_the_limit(void)
{
    enum { TABLE = 200 };
    struct io_uring ring;
    struct rlimit limit = { 64, 4096 };
    struct rlimit now;
    int fds[TABLE];

    need_kernel(5, 19, "sparse file tables");
    ring_open(&ring, 4, 0);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_EQ(io_uring_register_files_sparse(&ring, TABLE), 0);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &now));
    CHECK_EQ(now.rlim_cur, 64 + TABLE);
    CHECK_EQ(io_uring_unregister_files(&ring), 0);

    for (unsigned i = 0; i < TABLE; i++)
        fds[i] = -1;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_EQ(io_uring_register_files(&ring, fds, TABLE), 0);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &now));
    CHECK_EQ(now.rlim_cur, 64 + TABLE);
    CHECK_EQ(io_uring_unregister_files(&ring), 0);

    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_EQ(io_uring_register_files_tags(&ring, fds, NULL, TABLE), 0);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &now));
    CHECK_EQ(now.rlim_cur, 64 + TABLE);
    CHECK_EQ(io_uring_unregister_files(&ring), 0);
    io_uring_queue_exit(&ring);
}

/* If the hard limit is too low, the first error is returned. */
static void hard_limit(void)
{
    struct io_uring ring;
    struct rlimit limit = { 64, 100 };
    int fds[200];

    need_kernel(5, 19, "sparse file tables");
    ring_open(&ring, 4, 0);
    memset(fds, 0xff, sizeof(fds));
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_EQ(io_uring_register_files_sparse(&ring, 200), -EMFILE);
    CHECK_EQ(io_uring_register_files(&ring, fds, 200), -EMFILE);
    CHECK_EQ(io_uring_register_files_tags(&ring, fds, NULL, 200), -EMFILE);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(table),
    CASE(update),
    CASE(update_by_request),
    CASE(tags),
    CASE(allocation_range),
    CASE(raises_the_limit),
    CASE(hard_limit),
};

TEST_MAIN(cases)
