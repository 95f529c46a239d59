/*
 * An I/O engine of a load generator: it prepares, queues and commits requests
 * in separate steps, and finds them again by an event's index. First it writes
 * every block of a file, in random order. Then it mixes reads, writes and a few
 * syncs. Each read must find what was last written to its block.
 *
 *   --hipri --fixedbufs --sqthread --sqthread-poll --sqwq --direct
 *   --depth N --batch N --rounds N FILE
 */
#include <getopt.h>

#include "raw.h"

#define BLOCK 4096
#define BLOCKS 1024

/* A request of the load generator. Its number never changes. */
struct request {
    unsigned index;
    int opcode;
    unsigned block;
    unsigned version;
    unsigned char *buffer;
};

struct engine {
    struct raw ring;
    struct request *requests;
    unsigned *idle, idle_count;
    unsigned queued, in_flight, depth, batch;
    unsigned cq_offset;
    int file;
};

static int hipri, fixedbufs, sqthread, sqthread_poll, sqwq, direct;
/* How often each block was written, and whether a request for it is under way. */
static unsigned versions[BLOCKS];
static unsigned char locked[BLOCKS];
static unsigned long reads, writes, syncs;

static unsigned long long contents(unsigned block, unsigned version)
{
    return (unsigned long long) version * (BLOCKS * BLOCK) + block * BLOCK;
}

static void prepare(struct engine *e, struct request *r)
{
    struct io_uring_iocb *iocb = &e->ring.iocbs[r->index];

    iocb->fd = e->file;
    iocb->flags = 0;
    iocb->ioprio = 0;
    if (r->opcode == IORING_OP_FSYNC || r->opcode == IORING_OP_FDSYNC) {
        /* the other members stay as the last request left them */
        iocb->opcode = r->opcode;
        return;
    }
    iocb->opcode = r->opcode + (fixedbufs ? IORING_OP_READ_FIXED - IORING_OP_READ : 0);
    iocb->off = (unsigned long long) r->block * BLOCK;
    iocb->addr = r->buffer;
    iocb->len = BLOCK;
    iocb->rw_flags = 0;
}

static void queue(struct engine *e, struct request *r)
{
    raw_push(&e->ring, r->index);
    e->queued++;
}

static void commit(struct engine *e)
{
    while (e->queued) {
        int ret;

        if (sqthread_poll) {
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            if (*e->ring.sq_flags & IORING_SQ_NEED_WAKEUP)
                CHECK_SYS(io_uring_enter(e->ring.fd, e->queued, 0, 0));
            e->in_flight += e->queued;
            e->queued = 0;
            return;
        }
        ret = io_uring_enter(e->ring.fd, e->queued, 0, IORING_ENTER_GETEVENTS);
        if (ret < 0)
            CHECK_EQ(errno, EAGAIN);
        else {
            e->queued -= ret;
            e->in_flight += ret;
        }
    }
}

/* Takes `min` to `max` events off the ring. They can be read behind the head until the next commit. */
static unsigned get_events(struct engine *e, unsigned min, unsigned max)
{
    struct raw *ring = &e->ring;
    unsigned events = 0;

    e->cq_offset = *ring->cq_head;
    for (;;) {
        unsigned head = *ring->cq_head;

        while (events < max && head != __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) {
            head++;
            events++;
        }
        __atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
        if (events >= min)
            return events;
        if (!sqthread_poll)
            CHECK_SYS(io_uring_enter(ring->fd, 0, min, IORING_ENTER_GETEVENTS));
    }
}

static void finish(struct engine *e, unsigned number)
{
    struct io_uring_event *event = &e->ring.events[(e->cq_offset + number) & e->ring.cq_mask];
    struct request *r;

    CHECK_LT(event->index, e->depth);
    r = &e->requests[event->index];
    if (r->opcode == IORING_OP_READ) {
        CHECK_EQ(event->res, BLOCK);
        CHECK_PATTERN(r->buffer, BLOCK, contents(r->block, r->version));
        locked[r->block] = 0;
        reads++;
    } else if (r->opcode == IORING_OP_WRITE) {
        CHECK_EQ(event->res, BLOCK);
        versions[r->block] = r->version;
        locked[r->block] = 0;
        writes++;
    } else {
        CHECK_EQ(event->res, 0);
        syncs++;
    }
    e->idle[e->idle_count++] = r->index;
}

static void start(struct engine *e, int opcode, unsigned block)
{
    struct request *r = &e->requests[e->idle[--e->idle_count]];

    r->opcode = opcode;
    r->block = block;
    if (opcode == IORING_OP_READ) {
        r->version = versions[block];
        memset(r->buffer, 0, BLOCK);
        locked[block] = 1;
    } else if (opcode == IORING_OP_WRITE) {
        r->version = versions[block] + 1;
        fill_pattern(r->buffer, BLOCK, contents(block, r->version));
        locked[block] = 1;
    }
    prepare(e, r);
    queue(e, r);
}

static void drain(struct engine *e, unsigned below)
{
    commit(e);
    while (e->in_flight > below) {
        unsigned count = get_events(e, 1, e->batch);

        for (unsigned i = 0; i < count; i++)
            finish(e, i);
        e->in_flight -= count;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "hipri", 0, &hipri, 1 }, { "fixedbufs", 0, &fixedbufs, 1 }, { "sqthread", 0, &sqthread, 1 },
        { "sqthread-poll", 0, &sqthread_poll, 1 }, { "sqwq", 0, &sqwq, 1 }, { "direct", 0, &direct, 1 },
        { "depth", 1, NULL, 'd' }, { "batch", 1, NULL, 'b' }, { "rounds", 1, NULL, 'r' }, { NULL, 0, NULL, 0 },
    };
    struct engine e = { .depth = 32, .batch = 8 };
    unsigned char *buffers, *back;
    struct iovec *iovecs;
    unsigned flags = 0, order[BLOCKS];
    unsigned long rounds = 10000;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            e.depth = atoi(optarg);
        else if (option == 'b')
            e.batch = atoi(optarg);
        else if (option == 'r')
            rounds = atol(optarg);
        else if (option)
            return 2;
    }
    if (optind + 1 != argc)
        return 2;
    alarm(300);
    srandom(1);
    flags |= hipri ? IORING_SETUP_IOPOLL : 0;
    flags |= fixedbufs ? IORING_SETUP_FIXEDBUFS : 0;
    flags |= sqthread ? IORING_SETUP_SQTHREAD : 0;
    flags |= sqthread_poll ? IORING_SETUP_SQPOLL : 0;
    flags |= sqwq ? IORING_SETUP_SQWQ : 0;
    e.file = CHECK_SYS(open(argv[optind], O_RDWR | O_CREAT | O_TRUNC | (direct || hipri ? O_DIRECT : 0), 0644));
    CHECK_SYS(ftruncate(e.file, BLOCKS * BLOCK));

    CHECK_EQ(posix_memalign((void **) &buffers, BLOCK, e.depth * BLOCK), 0);
    memset(buffers, 0, e.depth * BLOCK);
    e.requests = calloc(e.depth, sizeof(*e.requests));
    e.idle = calloc(e.depth, sizeof(*e.idle));
    iovecs = calloc(e.depth, sizeof(*iovecs));
    for (unsigned i = 0; i < e.depth; i++) {
        e.requests[i].index = i;
        e.requests[i].buffer = buffers + i * BLOCK;
        iovecs[i].iov_base = e.requests[i].buffer;
        iovecs[i].iov_len = BLOCK;
        e.idle[e.idle_count++] = i;
    }
    /* with the buffers even where they are ignored */
    raw_open(&e.ring, e.depth, flags, iovecs);

    for (unsigned i = 0; i < BLOCKS; i++) {
        unsigned other = random() % (i + 1);

        order[i] = order[other];
        order[other] = i;
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        start(&e, IORING_OP_WRITE, order[i]);
        if (e.queued == e.batch || !e.idle_count)
            drain(&e, e.depth - e.batch);
    }
    drain(&e, 0);
    for (unsigned long i = 0; i < rounds; i++) {
        unsigned block = random() % BLOCKS;

        if (!hipri && i % 500 == 0)
            start(&e, i % 1000 ? IORING_OP_FSYNC : IORING_OP_FDSYNC, 0);
        else if (!locked[block])
            start(&e, random() % 4 ? IORING_OP_READ : IORING_OP_WRITE, block);
        if (e.queued == e.batch || !e.idle_count)
            drain(&e, e.depth - e.batch);
    }
    drain(&e, 0);
    CHECK_EQ(e.idle_count, e.depth);
    CHECK_EQ(*e.ring.cq_overflow, 0);
    raw_close(&e.ring);

    close(e.file);
    e.file = CHECK_SYS(open(argv[optind], O_RDONLY));
    back = malloc(BLOCK);
    for (unsigned i = 0; i < BLOCKS; i++) {
        CHECK_EQ(pread(e.file, back, BLOCK, i * BLOCK), BLOCK);
        CHECK_PATTERN(back, BLOCK, contents(i, versions[i]));
    }
    printf("ok %lu reads, %lu writes, %lu syncs\n", reads, writes, syncs);
    return 0;
}
