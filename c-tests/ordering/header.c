/*
 * The header's inline functions beside a thread that plays the kernel, for ThreadSanitizer. It reports two accesses that
 * nothing orders, whatever this machine's memory does.
 *
 * Each scenario has one queue only, as another one's indexes would order the accesses, too.
 */
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 4, COUNT = 20000 };

static struct {
    unsigned sq_head, sq_tail, sq_flags, cq_head, cq_tail;
    struct io_uring_sqe sqes[ENTRIES];
    struct io_uring_cqe cqes[ENTRIES];
    union {
        struct io_uring_buf_ring ring;
        struct io_uring_buf bufs[ENTRIES];
    } offers;
    unsigned contents[ENTRIES];
} memory;

static struct io_uring ring;

/* The library's part of peeking, which is done only if the kernel holds CQEs. */
int __io_uring_get_cqe(struct io_uring *r, struct io_uring_cqe **cqe, unsigned submit, unsigned wait_nr, sigset_t *mask)
{
    (void) r;
    (void) cqe;
    (void) submit;
    (void) wait_nr;
    (void) mask;
    abort();
}

static void expect(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static unsigned load(const unsigned *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void store(unsigned *word, unsigned value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void post(unsigned at, __u64 data)
{
    memory.cqes[at % ENTRIES].user_data = data;
    memory.cqes[at % ENTRIES].flags = 0;
    store(&memory.cq_tail, at + 1);
}

static void *consume(void *unused)
{
    for (unsigned head = 0; head < COUNT;) {
        unsigned tail = load(&memory.sq_tail);

        if (head == tail)
            sched_yield();
        for (; head != tail; head++)
            expect(memory.sqes[head % ENTRIES].user_data == head, "an SQE is not complete");
        store(&memory.sq_head, head);
    }
    return unused;
}

static void *complete(void *unused)
{
    for (unsigned at = 0; at < COUNT; at++) {
        while (at - load(&memory.cq_head) >= ENTRIES)
            sched_yield();
        post(at, at);
    }
    return unused;
}

static void *fill_buffers(void *unused)
{
    for (unsigned at = 0; at < COUNT; at++) {
        unsigned bid;

        while (__atomic_load_n(&memory.offers.ring.tail, __ATOMIC_ACQUIRE) == (__u16) at)
            sched_yield();
        bid = memory.offers.bufs[at % ENTRIES].bid;
        memory.contents[bid] = at;
        /* There are no more buffers than entries, so there is room. */
        post(at, bid);
    }
    return unused;
}

static void submit_all(void)
{
    for (unsigned at = 0; at < COUNT;) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

        if (!sqe) {
            sched_yield();
            continue;
        }
        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, at++);
        io_uring_smp_store_release(ring.sq.ktail, at);
    }
}

static struct io_uring_cqe *next_cqe(void)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&ring, &cqe))
        sched_yield();
    return cqe;
}

static void see_each(void)
{
    for (unsigned at = 0; at < COUNT; at++) {
        struct io_uring_cqe *cqe = next_cqe();

        expect(cqe->user_data == at, "a CQE is not complete");
        io_uring_cqe_seen(&ring, cqe);
    }
}

static void walk(void)
{
    for (unsigned at = 0; at < COUNT;) {
        struct io_uring_cqe *cqe;
        unsigned head, found = 0;

        io_uring_for_each_cqe(&ring, head, cqe)
            expect(cqe->user_data == at + found++, "a CQE is not complete");
        (void) head;
        io_uring_cq_advance(&ring, found);
        at += found;
        if (!found)
            sched_yield();
    }
}

static void count(void)
{
    for (unsigned at = 0; at < COUNT; at++) {
        while (!io_uring_cq_ready(&ring))
            sched_yield();
        expect(ring.cq.cqes[at % ENTRIES].user_data == at, "a CQE is not complete");
        io_uring_cq_advance(&ring, 1);
    }
}

static void offer_buffers(void)
{
    struct io_uring_buf_ring *br = &memory.offers.ring;
    int mask = io_uring_buf_ring_mask(ENTRIES);

    for (int bid = 0; bid < ENTRIES; bid++)
        io_uring_buf_ring_add(br, &memory.contents[bid], sizeof(unsigned), (unsigned short) bid, mask, bid);
    io_uring_buf_ring_advance(br, ENTRIES);
    for (unsigned at = 0; at < COUNT; at++) {
        struct io_uring_cqe *cqe = next_cqe();
        unsigned short bid = (unsigned short) cqe->user_data;

        expect(memory.contents[bid] == at, "a buffer is not complete");
        io_uring_buf_ring_add(br, &memory.contents[bid], sizeof(unsigned), bid, mask, 0);
        io_uring_buf_ring_cq_advance(&ring, br, 1);
    }
}

static void run(const char *name, void *(*kernel)(void *), void (*program)(void))
{
    pthread_t thread;

    memset(&memory, 0, sizeof(memory));
    memset(&ring, 0, sizeof(ring));
    ring.flags = IORING_SETUP_SQPOLL;
    ring.sq.khead = &memory.sq_head;
    ring.sq.ktail = &memory.sq_tail;
    ring.sq.kflags = &memory.sq_flags;
    ring.sq.sqes = memory.sqes;
    ring.sq.ring_entries = ENTRIES;
    ring.sq.ring_mask = ENTRIES - 1;
    ring.cq.khead = &memory.cq_head;
    ring.cq.ktail = &memory.cq_tail;
    ring.cq.cqes = memory.cqes;
    ring.cq.ring_entries = ENTRIES;
    ring.cq.ring_mask = ENTRIES - 1;
    io_uring_buf_ring_init(&memory.offers.ring);
    expect(pthread_create(&thread, NULL, kernel, NULL) == 0, "no thread");
    program();
    pthread_join(thread, NULL);
    printf("%s: %d\n", name, COUNT);
}

int main(void)
{
    run("SQEs", consume, submit_all);
    run("CQEs, one by one", complete, see_each);
    run("CQEs, by a walk", complete, walk);
    run("CQEs, by their number", complete, count);
    run("buffers", fill_buffers, offer_buffers);
    return 0;
}
