/* Rings in the program's own memory, and in memory that the library maps for them. */
#include <sys/mman.h>

#include "ring.h"

enum { FILL = 0x5a };

/* Memory between two inaccessible pages. */
struct guarded {
    char *map;
    char *bytes;
    size_t size;
};

static struct guarded guarded_new(size_t size)
{
    struct guarded memory;
    long page = sysconf(_SC_PAGESIZE);

    size = (size + page - 1) & ~(size_t) (page - 1);
    memory.map = (char *) mmap(NULL, size + 2 * page, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory.map != MAP_FAILED);
    memory.bytes = memory.map + page;
    memory.size = size;
    CHECK_SYS(mprotect(memory.bytes, size, PROT_READ | PROT_WRITE));
    memset(memory.bytes, FILL, size);
    return memory;
}

static void guarded_free(struct guarded memory)
{
    CHECK_SYS(munmap(memory.map, memory.size + 2 * sysconf(_SC_PAGESIZE)));
}

static void check_untouched(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        CHECK_EQ(bytes[i], FILL);
}

static int init_mem(struct io_uring *ring, unsigned entries, unsigned flags, void *buffer,
                    size_t size)
{
    struct io_uring_params params;

    memset(&params, 0, sizeof(params));
    params.flags = flags;
    return io_uring_queue_init_mem(entries, ring, &params, buffer, size);
}

static void use(struct io_uring *ring)
{
    for (unsigned i = 0; i < 3 * ring->cq.ring_entries; i++) {
        submit_nop(ring, i);
        CHECK_EQ(reap(ring).data, i);
    }
}

static void need_own_memory(void)
{
    need_kernel(6, 10, "a ring in pages that are not contiguous");
}

/* Before 6.14 the kernel starts from the counters that the memory holds. */
static void need_own_memory_of_any_content(void)
{
    need_own_memory();
    if (!kernel_at_least(6, 14))
        better_than_reference("the memory given for a ring may hold anything");
}

/* The result is the number of bytes used; exactly that many are enough. */
static void exact_size(void)
{
    static const unsigned entries[] = { 1, 8, 64, 256 };
    static const unsigned flags[] = {
        0, IORING_SETUP_CQE32, IORING_SETUP_SQE128, IORING_SETUP_SQE128 | IORING_SETUP_CQE32,
    };

    need_own_memory_of_any_content();
    for (unsigned e = 0; e < ARRAY_LEN(entries); e++) {
        for (unsigned f = 0; f < ARRAY_LEN(flags); f++) {
            struct guarded memory = guarded_new(1 << 20);
            struct guarded exact;
            struct io_uring ring;
            struct leak_mark mark;
            int used = init_mem(&ring, entries[e], flags[f], memory.bytes, memory.size);

            CHECK_GT(used, 0);
            CHECK_LE(used, memory.size);
            use(&ring);
            check_untouched(memory.bytes + used, memory.size - used);
            io_uring_queue_exit(&ring);
            guarded_free(memory);

            exact = guarded_new(used);
            CHECK_EQ(exact.size, used);
            CHECK_EQ(init_mem(&ring, entries[e], flags[f], exact.bytes, used), used);
            use(&ring);
            io_uring_queue_exit(&ring);
            guarded_free(exact);

            /* other memory: the kernel may still write to the first ring after its exit */
            exact = guarded_new(used);
            mark = leak_mark();
            CHECK_EQ(init_mem(&ring, entries[e], flags[f], exact.bytes, used - 1), -ENOMEM);
            check_untouched(exact.bytes, used);
            CHECK_NO_LEAK(mark);
            guarded_free(exact);
        }
    }
}

/* memory_size returns the size that the ring then uses. */
static void foretold_size(void)
{
    static const unsigned entries[] = { 1, 7, 64, 500, 2048 };

    need_own_memory();
    for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
        struct guarded memory = guarded_new(4 << 20);
        struct io_uring ring;
        ssize_t foretold = io_uring_memory_size(entries[i], IORING_SETUP_NO_SQARRAY);

        CHECK_GT(foretold, 0);
        CHECK_EQ(init_mem(&ring, entries[i], IORING_SETUP_NO_SQARRAY, memory.bytes,
                          memory.size), foretold);
        io_uring_queue_exit(&ring);
        guarded_free(memory);
    }
}

static void far_too_small(void)
{
    struct guarded memory = guarded_new(2 * page_size());
    struct leak_mark mark = leak_mark();
    struct io_uring ring;

    CHECK_EQ(init_mem(&ring, 8, 0, memory.bytes, 0), -ENOMEM);
    CHECK_EQ(init_mem(&ring, 8, 0, memory.bytes, 1), -ENOMEM);
    CHECK_EQ(init_mem(&ring, 32768, 0, memory.bytes, memory.size), -ENOMEM);
    CHECK_EQ(init_mem(&ring, 0, 0, memory.bytes, memory.size), -EINVAL);
    CHECK_EQ(init_mem(&ring, 1u << 20, 0, memory.bytes, memory.size), -EINVAL);
    check_untouched(memory.bytes, memory.size);
    CHECK_NO_LEAK(mark);
    guarded_free(memory);
}

/* The rest of the memory holds another ring. */
static void two_in_one_buffer(void)
{
    struct guarded memory = guarded_new(16 * page_size());
    struct io_uring first, second;
    int used, used_too;

    need_own_memory_of_any_content();
    used = init_mem(&first, 8, 0, memory.bytes, memory.size);
    CHECK_GT(used, 0);
    used_too = init_mem(&second, 8, 0, memory.bytes + used, memory.size - used);
    CHECK_EQ(used_too, used);
    submit_nop(&first, 1);
    submit_nop(&second, 2);
    CHECK_EQ(reap(&first).data, 1);
    CHECK_EQ(reap(&second).data, 2);
    check_untouched(memory.bytes + 2 * used, memory.size - 2 * used);

    /* exit does not unmap the program's memory, and does not affect the other ring */
    io_uring_queue_exit(&first);
    memset(memory.bytes, FILL, used);
    use(&second);
    io_uring_queue_exit(&second);
    memory.bytes[used] = 1;
    guarded_free(memory);
}

/* With the flag and no buffer, the library maps the memory. */
static void library_memory(void)
{
    struct io_uring ring;
    struct leak_mark mark;

    need_own_memory();
    mark = leak_mark();
    ring_open(&ring, 8, IORING_SETUP_NO_MMAP);
    CHECK_EQ(count_maps().ring_maps, mark.maps.ring_maps);
    CHECK_GT(count_maps().other_bytes, mark.maps.other_bytes);
    use(&ring);
    io_uring_queue_exit(&ring);
    CHECK_NO_LEAK(mark);

    /* requests in one page, completions in more than one */
    if (io_uring_queue_init(64, &ring, IORING_SETUP_NO_MMAP | IORING_SETUP_CQE32) == 0) {
        use(&ring);
        io_uring_queue_exit(&ring);
    }
    CHECK_NO_LEAK(mark);
}

/* A ring in the library's memory has no more SQEs than a huge page holds. Machines with large pages have larger ones. */
#ifdef __s390x__
#define HUGE_PAGE (1u << 20)
#else
#define HUGE_PAGE (2u << 20)
#endif

/*
 * A ring larger than a page needs no huge page if the kernel accepts ordinary ones. (seccomp.c tests without huge
 * pages.)
 */
static void library_memory_of_any_size(void)
{
    static const unsigned entries[] = { 128, 1024, 16384, 32768 };
    struct leak_mark mark;

    better_than_reference("a ring in memory of the library's does without huge pages");
    need_own_memory();
    mark = leak_mark();
    for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
        struct io_uring ring;

        if (entries[i] * sizeof(struct io_uring_sqe) > HUGE_PAGE) {
            CHECK_EQ(io_uring_queue_init(entries[i], &ring, IORING_SETUP_NO_MMAP), -ENOMEM);
            continue;
        }
        ring_open(&ring, entries[i], IORING_SETUP_NO_MMAP);
        use(&ring);
        io_uring_queue_exit(&ring);
        CHECK_NO_LEAK(mark);
    }
}

static unsigned free_huge_pages(void)
{
    FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
    unsigned count = 0;

    if (!file || fscanf(file, "%u", &count) != 1)
        count = 0;
    if (file)
        fclose(file);
    return count;
}

static void library_huge_pages(void)
{
    static const unsigned entries[] = { 128, 1024, 16384, 32768 };
    struct leak_mark mark;

    need_own_memory();
    if (free_huge_pages() < 4)
        skip("fewer than 4 free huge pages of 2 MiB");
    mark = leak_mark();
    for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
        struct io_uring ring;

        ring_open(&ring, entries[i], IORING_SETUP_NO_MMAP);
        submit_nop(&ring, 1);
        CHECK_EQ(reap(&ring).data, 1);
        io_uring_queue_exit(&ring);
        CHECK_NO_LEAK(mark);
    }
}

static size_t huge_page_size(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    size_t kib = 0;

    CHECK(file != NULL);
    while (!kib && fgets(line, sizeof(line), file))
        sscanf(line, "Hugepagesize: %zu", &kib);
    fclose(file);
    return kib * 1024;
}

static void program_huge_page(void)
{
    const size_t size = huge_page_size();
    struct io_uring first, second;
    char *page;
    int used;

    need_kernel(6, 5, "a ring in the program's own memory");
    if (!size)
        skip("the kernel has no huge pages");
    page = (char *) mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (page == MAP_FAILED)
        skip("no free huge page: %s", strerror(errno));
    used = init_mem(&first, 1024, 0, page, size);
    CHECK_GT(used, 0);
    CHECK_EQ(init_mem(&second, 1024, 0, page + used, size - used), used);
    use(&first);
    use(&second);
    io_uring_queue_exit(&first);
    io_uring_queue_exit(&second);
    CHECK_SYS(munmap(page, size));
}

/* A ring that does not fit into a huge page is refused before anything is mapped. */
static void more_than_a_huge_page(void)
{
    struct io_uring ring;
    struct leak_mark mark = leak_mark();

    /* larger pages have larger huge pages, and no ring exceeds those */
    if (page_size() != 4096)
        skip("the largest rings fit into a huge page of this machine");

    CHECK_EQ(io_uring_queue_init(32768, &ring, IORING_SETUP_NO_MMAP | IORING_SETUP_CQE32),
             -ENOMEM);
    CHECK_EQ(io_uring_queue_init(32768, &ring, IORING_SETUP_NO_MMAP | IORING_SETUP_SQE128),
             -ENOMEM);
    CHECK_NO_LEAK(mark);
}

static const struct test_case cases[] = {
    CASE(exact_size),
    CASE(foretold_size),
    CASE(far_too_small),
    CASE(two_in_one_buffer),
    CASE(library_memory),
    CASE(library_memory_of_any_size),
    CASE(library_huge_pages),
    CASE(program_huge_page),
    CASE(more_than_a_huge_page),
};

TEST_MAIN(cases)
