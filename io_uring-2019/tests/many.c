/*
 * Many rings: making and closing one takes as many system calls whether there are few others or many. They are counted
 * by a tracing parent, so nothing depends on time. Raw calls; with the linked library its functions as well.
 */
#include <sys/resource.h>
#include <sys/utsname.h>

#include "count_calls.h"

#define RINGS 256
/* Rings that are made and closed between two marks. */
#define SOME 16

static struct raw rings[RINGS];

static void need_descriptors(void)
{
    struct rlimit limit;

    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max < 8 * RINGS)
        skip("the limit of descriptors is %lu", (unsigned long) limit.rlim_max);
    limit.rlim_cur = 8 * RINGS;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
}

/* Calls `act` for all rings. Marks stand around the first few and around the last few. */
static void for_all(void (*act)(int ring))
{
    for (int i = 0; i < RINGS; i++) {
        if (i == 0 || i == SOME || i == RINGS - SOME)
            mark();
        act(i);
    }
    mark();
}

static void make(int i)
{
    memset(&rings[i], 0, sizeof(rings[i]));
    rings[i].fd = CHECK_SYS(io_uring_setup(1, NULL, &rings[i].p));
}

static void make_and_map(int i)
{
    make(i);
    raw_mapped(&rings[i]);
}

static void close_only(int i)
{
    CHECK_EQ(close(rings[i].fd), 0);
}

static void unmap_and_close(int i)
{
    raw_unmap(&rings[i]);
    close_only(i);
}

#ifndef LINKED
/* As the first library: the CQ ring by the address of its head. */
static void unmap_by_head_and_close(int i)
{
    struct raw *r = &rings[i];
    unsigned char resident;

    CHECK_EQ(munmap(r->cq_head, r->cq_size), 0);
    FAILS(mincore(r->cq, 1, &resident), ENOMEM);
    CHECK_EQ(munmap(r->sq, r->sq_size), 0);
    CHECK_EQ(munmap(r->iocbs, r->iocbs_size), 0);
    close_only(i);
}
#endif

static void close_by_range(int i)
{
    CHECK_EQ(close_range(rings[i].fd, rings[i].fd, 0), 0);
}

static void close_by_number(int i)
{
    CHECK_EQ(syscall(SYS_close, rings[i].fd), 0);
}

static void replace(int i)
{
    CHECK_EQ(dup2(STDIN_FILENO, rings[i].fd), rings[i].fd);
}

#ifdef LINKED
static struct io_uring queues[RINGS];

static void init(int i)
{
    struct io_uring_params p = { .flags = 0 };

    CHECK_EQ(io_uring_queue_init(1, &p, NULL, &queues[i]), 0);
}

static void queue_exit(int i)
{
    io_uring_queue_exit(&queues[i]);
}
#endif

static void (*make_one)(int), (*close_one)(int);

static void traced(void)
{
    need_descriptors();
    /* what is done once only */
    make_one(0);
    close_one(0);
    raw_gone(0);
    for_all(make_one);
    for_all(close_one);
    raw_gone(0);
    _exit(0);
}

static void same_for_many(void (*making)(int), void (*closing)(int))
{
    /* making the first ones, those between and the last ones; what is between making and closing; closing likewise */
    long counts[7];

    make_one = making;
    close_one = closing;
    count_calls(traced, counts, ARRAY_LEN(counts), "there are too few descriptors");
    printf("    making: %ld calls for the first %d, %ld for the last; closing: %ld and %ld\n", counts[0], SOME,
           counts[2], counts[4], counts[6]);
    CHECK_GT(counts[0], 3 * SOME);
    /* of the others a set-up looks at a few, which the first ones do not have */
    CHECK_LE(counts[2], counts[0] + 20 * SOME);
    CHECK_GE(counts[4], SOME);
    CHECK_LE(counts[4], counts[6] + SOME);
    CHECK_LE(counts[6], counts[4] + SOME);
}

static void bare(void) { same_for_many(make, close_only); }
static void mapped(void) { same_for_many(make_and_map, unmap_and_close); }
#ifndef LINKED
/* The linked library gives a ring back only when its mappings are gone. */
static void closed_before_unmapping(void) { same_for_many(make_and_map, close_only); }
static void unmapped_by_head(void)
{
    struct utsname name;
    int major, minor;

    CHECK_SYS(uname(&name));
    CHECK_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
    if (major < 6 || (major == 6 && minor < 11))
        skip("before Linux 6.11 the text of all mappings has to be read");
    same_for_many(make_and_map, unmap_by_head_and_close);
}
#endif
static void closed_by_range(void) { same_for_many(make, close_by_range); }
static void closed_by_number(void) { same_for_many(make, close_by_number); }
static void replaced(void) { same_for_many(make, replace); }

#ifdef LINKED
static void queues_made(void) { same_for_many(init, queue_exit); }
#endif

static const struct test_case cases[] = {
    CASE(bare), CASE(mapped), CASE(closed_by_range), CASE(closed_by_number), CASE(replaced),
#ifdef LINKED
    CASE(queues_made),
#else
    CASE(closed_before_unmapping), CASE(unmapped_by_head),
#endif
};
TEST_MAIN(cases)
