/* What is compared after every call. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fuzz.h"

struct record *record;
bool in_full;

static int statm = -1;
static long size_before, size_at_start;

const char *label_name(enum label label)
{
    static const char *const names[] = {
        "whether the call was made", "result", "what the result leads to", "whether the ring is set up",
        "struct io_uring", "SQ ring", "CQ ring", "CQEs", "array of SQE numbers", "CQE pointers", "iterator",
        "arguments and data", "open descriptors", "limit on descriptors", "size of the address space", "mappings of rings",
        "signal",
    };

    return names[label];
}

void emit(enum label label, unsigned index, uint64_t value)
{
    if (record->nr_words < MAX_WORDS)
        record->words[record->nr_words++] =
            (struct word) {record->step, (uint16_t) label, (uint16_t) index, value};
}

static long address_space(void)
{
    char text[64];
    ssize_t length = pread(statm, text, sizeof(text) - 1, 0);

    if (length <= 0)
        return -1;
    text[length] = 0;
    return strtol(text, NULL, 10);
}

void observe_begin(void)
{
    int fd = open("/proc/self/statm", O_RDONLY);

    statm = dup2(fd, FD_LIMIT - 1);
    close(fd);
    size_before = size_at_start = address_space();
}

/* A pointer into an area, as a distance. */
static uint64_t within(const void *pointer, const void *area)
{
    return pointer ? (uint64_t) ((const char *) pointer - (const char *) area) : (uint64_t) -1;
}

static uint64_t hash(uint64_t seed, const void *from, size_t bytes)
{
    const uint64_t *word = from;

    for (size_t i = 0; i < bytes / 8; i++)
        seed = ((seed ^ word[i]) * 0x9e3779b97f4a7c15u) ^ (seed >> 29);
    return seed;
}

static void observe_sq(const struct io_uring *ring)
{
    const struct io_uring_sq *sq = &ring->sq;
    unsigned n = 0;

    emit(L_SQ, n++, within(sq->khead, sq->ring_ptr));
    emit(L_SQ, n++, within(sq->ktail, sq->ring_ptr));
    emit(L_SQ, n++, within(sq->kring_mask, sq->ring_ptr));
    emit(L_SQ, n++, within(sq->kring_entries, sq->ring_ptr));
    emit(L_SQ, n++, within(sq->kflags, sq->ring_ptr));
    emit(L_SQ, n++, within(sq->kdropped, sq->ring_ptr));
    emit(L_SQ, n++, within(sq->array, sq->ring_ptr));
    emit(L_SQ, n++, sq->sqe_head);
    emit(L_SQ, n++, sq->sqe_tail);
    emit(L_SQ, n++, sq->ring_sz);
    emit(L_SQ, n++, sq->ring_mask);
    emit(L_SQ, n++, sq->ring_entries);
    emit(L_SQ, n++, sq->sqes_sz);
    emit(L_SQ, n++, sq->pad);
    emit(L_SQ, n++, *sq->khead);
    emit(L_SQ, n++, *sq->ktail);
    emit(L_SQ, n++, *sq->kflags);
    emit(L_SQ, n++, *sq->kdropped);
    emit(L_SQ, n++, sq->sqes != NULL);
    if (sq->array && !(ring->flags & IORING_SETUP_NO_SQARRAY))
        for (unsigned i = 0; i < sq->ring_entries && i < 16; i++)
            emit(L_ARRAY, i, sq->array[i]);
}

static void observe_cq(const struct io_uring *ring)
{
    const struct io_uring_cq *cq = &ring->cq;
    unsigned shift = ring->flags & IORING_SETUP_CQE32 ? 1 : 0, n = 0;

    emit(L_CQ, n++, within(cq->khead, cq->ring_ptr));
    emit(L_CQ, n++, within(cq->ktail, cq->ring_ptr));
    emit(L_CQ, n++, within(cq->kring_mask, cq->ring_ptr));
    emit(L_CQ, n++, within(cq->kring_entries, cq->ring_ptr));
    emit(L_CQ, n++, within(cq->kflags, cq->ring_ptr));
    emit(L_CQ, n++, within(cq->koverflow, cq->ring_ptr));
    emit(L_CQ, n++, within(cq->cqes, cq->ring_ptr));
    emit(L_CQ, n++, cq->ring_ptr == ring->sq.ring_ptr);
    emit(L_CQ, n++, cq->ring_sz);
    emit(L_CQ, n++, cq->ring_mask);
    emit(L_CQ, n++, cq->ring_entries);
    emit(L_CQ, n++, *cq->khead);
    emit(L_CQ, n++, *cq->ktail);
    emit(L_CQ, n++, *cq->koverflow);
    emit(L_CQ, n++, cq->kflags ? *cq->kflags : 0);
    n = 0;
    for (unsigned at = *cq->khead; at != *cq->ktail && n < 192; at++) {
        const struct io_uring_cqe *cqe = &cq->cqes[(at & cq->ring_mask) << shift];

        emit(L_CQE, n++, cqe->user_data);
        emit(L_CQE, n++, (uint64_t) (uint32_t) cqe->res << 32 | cqe->flags);
        if (shift)
            emit(L_CQE, n++, cqe->big_cqe[0] * 3 + cqe->big_cqe[1]);
    }
}

static void observe_ring(unsigned number)
{
    const struct io_uring *ring = &w->ring[number];
    unsigned n = 0;
    /* DIFFERS: a bit of int_flags that no program sees is another one. */
    unsigned own_memory = ring->int_flags & 2 || ring->int_flags & 8;

    emit(L_LIVE, number, w->live[number]);
    if (!w->live[number]) {
        emit(L_RING, 0, hash(1, ring, sizeof(*ring)));
        return;
    }
    emit(L_RING, n++, ring->flags);
    emit(L_RING, n++, (uint64_t) ring->ring_fd);
    emit(L_RING, n++, ring->features);
    emit(L_RING, n++, (uint64_t) ring->enter_ring_fd);
    emit(L_RING, n++, (ring->int_flags & 0xf5u) | own_memory << 1);
    /* DIFFERS: the padding holds the thread that registered the ring; upstream leaves it alone. */
    observe_sq(ring);
    observe_cq(ring);
}

/* What a function wrote through its pointers. */
static void observe_out(void)
{
    for (unsigned i = 0; i < sizeof(w->cqe) / sizeof(w->cqe[0]); i++) {
        if (w->cqe[i]) {
            int ring = w->cqe_ring < 0 ? 0 : w->cqe_ring;

            emit(L_OUT, i, within(w->cqe[i], w->ring[ring].cq.cqes));
            w->cqe[i] = NULL;
        }
    }
    if (w->iter_ring >= 0) {
        emit(L_ITER, 0, within(w->iter.cqes, w->ring[w->iter_ring].cq.cqes));
        emit(L_ITER, 1, w->iter.mask);
        emit(L_ITER, 2, w->iter.shift);
        emit(L_ITER, 3, w->iter.head);
        emit(L_ITER, 4, w->iter.tail);
    }
    if (in_full) {
        const uint64_t *word = (const uint64_t *) w->params;

        for (unsigned i = 0; word + i < &w->end; i++)
            emit(L_MEMORY, i, word[i]);
    } else {
        emit(L_MEMORY, 0, hash(1, w->params, (size_t) ((char *) &w->end - (char *) w->params)));
    }
    for (unsigned i = 0; i < NR_BUF_RINGS; i++)
        if (w->buf_ring[i].ring)
            emit(L_MEMORY, 0x8000 + i, hash(1, w->buf_ring[i].ring, 16 * w->buf_ring[i].entries));
}

static void observe_files(void)
{
    static unsigned char known[FD_LIMIT];

    for (int fd = 0; fd < FD_LIMIT - 1; fd++) {
        int flags = fcntl(fd, F_GETFD);
        unsigned char kind = 0;

        if (flags >= 0) {
            kind = known[fd];
            if (!kind) {
                char path[32], target[64];
                ssize_t length;

                snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                length = readlink(path, target, sizeof(target) - 1);
                kind = 1;
                for (ssize_t i = 0; i < length && (target[i] < '0' || target[i] > '9'); i++)
                    kind = (unsigned char) (kind * 31 + target[i]);
                kind |= 1;
            }
            emit(L_FD, (unsigned) fd, (uint64_t) kind << 8 | (unsigned) flags);
        }
        known[fd] = kind;
    }
}

/* Mappings of rings, by size and place in the file. Neighbours of other kinds may become one, by address. */
static void observe_maps(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char line[256];
    uint64_t sum = 0, count = 0;

    while (file && fgets(line, sizeof(line), file)) {
        unsigned long long from, to, offset;
        char access[8];

        if (strstr(line, "io_uring") && sscanf(line, "%llx-%llx %7s %llx", &from, &to, access, &offset) == 4) {
            uint64_t map[3] = {to - from, offset, (uint64_t) access[0] << 16 | (uint64_t) access[3]};

            sum += hash(7, map, sizeof(map));
            count++;
        }
    }
    if (file)
        fclose(file);
    emit(L_MAP, 0, count);
    emit(L_MAP, 1, sum);
}

static void observe_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    emit(L_LIMIT, 0, limit.rlim_cur);
    if (limit.rlim_cur != FD_LIMIT) {
        limit.rlim_cur = FD_LIMIT;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void observe_result(const struct function *f, uint64_t result)
{
    unsigned size;

    switch (f->result) {
    case K_SQE:
        emit(L_RESULT, 0, w->sqe ? within(w->sqe, w->ring[w->sqe_ring].sq.sqes) : (uint64_t) -1);
        break;
    case K_BUF_RING:
    case K_PROBE:
        emit(L_RESULT, 0, result != 0);
        if (f->result == K_PROBE && result)
            emit(L_RESULT_WORD, 0, hash(1, (void *) (uintptr_t) result, sizeof(w->free_probe)));
        break;
    default:
        emit(L_RESULT, 0, result);
    }
    if (f->flags & FILLS && w->sqe) {
        size = w->ring[w->sqe_ring].flags & IORING_SETUP_SQE128 ? 16 : 8;
        for (unsigned i = 0; i < size; i++)
            emit(L_RESULT_WORD, i, ((uint64_t *) (void *) w->sqe)[i]);
    }
}

void observe(const struct function *f, uint64_t result)
{
    long size;

    observe_result(f, result);
    if (f->flags & FILLS) {
        /* Nothing else than memory can have changed. */
        emit(L_MEMORY, 0x4000, hash(1, w->params, (size_t) ((char *) &w->end - (char *) w->params)));
        return;
    }
    for (unsigned i = 0; i < NR_RINGS; i++)
        observe_ring(i);
    observe_out();
    observe_files();
    observe_limit();
    size = address_space();
    /* DIFFERS: a probe lies in the program's heap; upstream built without libc maps memory for it. */
    if (!w->probe)
        emit(L_SIZE, 0, (uint64_t) (size - size_at_start));
    if ((size != size_before && !strstr(f->name, "probe")) || strstr(f->name, "queue") || strstr(f->name, "resize"))
        observe_maps();
    size_before = size;
}
