/*
 * A ring without the library's help: the two system calls and three mappings,
 * as in programs of January 2019. With LINKED the calls are functions of
 * liburing.so.1. Otherwise they are made by number, and the preload library
 * takes them.
 */
#ifndef TESTS_2019_RAW_H
#define TESTS_2019_RAW_H

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "../../c-tests/test.h"

#ifdef LINKED
#include <liburing.h>
#else
#include <io_uring.h>

#define __NR_sys_io_uring_setup 335
#define __NR_sys_io_uring_enter 336

static inline int io_uring_setup(unsigned entries, struct iovec *iovecs, struct io_uring_params *p)
{
    return syscall(__NR_sys_io_uring_setup, entries, iovecs, p);
}

static inline int io_uring_enter(unsigned fd, unsigned to_submit, unsigned min_complete, unsigned flags)
{
    return syscall(__NR_sys_io_uring_enter, fd, to_submit, min_complete, flags);
}
#endif

/* The call returns -1 with errno `error`. */
#define FAILS(call, error)          \
    do {                            \
        errno = 0;                  \
        CHECK_EQ(call, -1);         \
        CHECK_EQ(errno, error);     \
    } while (0)

struct raw {
    int fd;
    struct io_uring_params p;
    char *sq, *cq;
    size_t sq_size, cq_size, iocbs_size;
    struct io_uring_iocb *iocbs;
    struct io_uring_event *events;
    unsigned *sq_head, *sq_tail, *sq_flags, *sq_dropped, *array, sq_mask;
    unsigned *cq_head, *cq_tail, *cq_overflow, cq_mask;
};

static inline void *raw_map(int fd, size_t size, off_t offset)
{
    void *area = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

    CHECK(area != MAP_FAILED);
    return area;
}

static inline void raw_mapped(struct raw *r)
{
    r->sq_size = r->p.sq_off.array + r->p.sq_entries * sizeof(unsigned);
    r->cq_size = r->p.cq_off.events + r->p.cq_entries * sizeof(struct io_uring_event);
    r->iocbs_size = r->p.sq_entries * sizeof(struct io_uring_iocb);
    r->sq = raw_map(r->fd, r->sq_size, IORING_OFF_SQ_RING);
    r->iocbs = raw_map(r->fd, r->iocbs_size, IORING_OFF_IOCB);
    r->cq = raw_map(r->fd, r->cq_size, IORING_OFF_CQ_RING);
    r->sq_head = (unsigned *) (r->sq + r->p.sq_off.head);
    r->sq_tail = (unsigned *) (r->sq + r->p.sq_off.tail);
    r->sq_flags = (unsigned *) (r->sq + r->p.sq_off.flags);
    r->sq_dropped = (unsigned *) (r->sq + r->p.sq_off.dropped);
    r->array = (unsigned *) (r->sq + r->p.sq_off.array);
    r->sq_mask = *(unsigned *) (r->sq + r->p.sq_off.ring_mask);
    r->cq_head = (unsigned *) (r->cq + r->p.cq_off.head);
    r->cq_tail = (unsigned *) (r->cq + r->p.cq_off.tail);
    r->cq_overflow = (unsigned *) (r->cq + r->p.cq_off.overflow);
    r->events = (struct io_uring_event *) (r->cq + r->p.cq_off.events);
    r->cq_mask = *(unsigned *) (r->cq + r->p.cq_off.ring_mask);
    CHECK(r->sq_mask + 1 == r->p.sq_entries);
    CHECK(r->cq_mask + 1 == r->p.cq_entries);
    CHECK_EQ(*(unsigned *) (r->sq + r->p.sq_off.ring_entries), r->p.sq_entries);
    CHECK_EQ(*(unsigned *) (r->cq + r->p.cq_off.ring_entries), r->p.cq_entries);
}

static inline void raw_unmap(struct raw *r)
{
    CHECK_EQ(munmap(r->sq, r->sq_size), 0);
    CHECK_EQ(munmap(r->iocbs, r->iocbs_size), 0);
    CHECK_EQ(munmap(r->cq, r->cq_size), 0);
}

static inline void raw_open(struct raw *r, unsigned entries, unsigned flags, struct iovec *iovecs)
{
    memset(r, 0, sizeof(*r));
    r->p.flags = flags;
    r->fd = CHECK_SYS(io_uring_setup(entries, iovecs, &r->p));
    raw_mapped(r);
}

/*
 * At most `ring_fds` descriptors of rings are left. The preload library gives a ring back in the call that closes it.
 * The linked library does not see that call: its watching thread gives the ring back a moment later.
 */
static inline void raw_gone(unsigned ring_fds)
{
#ifdef LINKED
    /* rings that were closed before may still be there too */
    for (int tries = 0; tries < 10000 && count_ring_fds() > ring_fds; tries++)
        usleep(100);
    usleep(1000);
    CHECK_LE(count_ring_fds(), ring_fds);
#else
    CHECK_EQ(count_ring_fds(), ring_fds);
#endif
}

static inline unsigned count_tasks(void)
{
    return count_entries("/proc/self/task");
}

static inline unsigned tasks_in_the_end(void)
{
    unsigned count = count_tasks();

#ifdef LINKED
    for (int tries = 0; tries < 1000 && count != 1; tries++) {
        usleep(1000);
        count = count_tasks();
    }
#endif
    return count;
}

/* A mark taken when the threads of rings that were closed before have ended. Such a thread has memory as well. */
static inline struct leak_mark mark_alone(void)
{
    CHECK_EQ(tasks_in_the_end(), 1);
    return leak_mark();
}

/* Nothing is left of what was made after the mark. With the linked library that may take a moment. */
static inline void check_gone(const char *file, int line, struct leak_mark mark)
{
    struct leak_mark now = leak_mark();

#ifdef LINKED
    for (int tries = 0; tries < 1000; tries++) {
        if (now.fds == mark.fds && now.maps.other_bytes == mark.maps.other_bytes)
            break;
        usleep(1000);
        now = leak_mark();
    }
#endif
    check_compare(file, line, now.fds == mark.fds, "descriptors now", "==", "before", now.fds, mark.fds);
    check_compare(file, line, now.maps.other_bytes == mark.maps.other_bytes, "bytes mapped now", "==", "before",
                  now.maps.other_bytes, mark.maps.other_bytes);
}
#define CHECK_GONE(mark) check_gone(__FILE__, __LINE__, mark)

static inline void raw_close(struct raw *r)
{
    unsigned ring_fds = count_ring_fds();

    raw_unmap(r);
    CHECK_EQ(close(r->fd), 0);
    raw_gone(ring_fds - 1);
}

/* Puts the index of an iocb into the ring. */
static inline void raw_push(struct raw *r, unsigned index)
{
    unsigned tail = *r->sq_tail;

    r->array[tail & r->sq_mask] = index;
    __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static inline void raw_fill(struct raw *r, unsigned index, int opcode, int fd, void *buffer,
                            unsigned len, unsigned long long off)
{
    struct io_uring_iocb *iocb = &r->iocbs[index];

    memset(iocb, 0, sizeof(*iocb));
    iocb->opcode = opcode;
    iocb->fd = fd;
    iocb->off = off;
    iocb->addr = buffer;
    iocb->len = len;
}

static inline void raw_request(struct raw *r, unsigned index, int opcode, int fd, void *buffer,
                               unsigned len, unsigned long long off)
{
    raw_fill(r, index, opcode, fd, buffer, len, off);
    raw_push(r, index);
}

static inline unsigned raw_ready(struct raw *r)
{
    return __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) - *r->cq_head;
}

static inline double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

/*
 * Takes an event without a call: it polls the CQ ring, for ten seconds at most. It yields, so that other threads run
 * under valgrind too, which runs one thread at a time.
 */
static inline struct io_uring_event raw_spin(struct raw *r)
{
    double end = seconds() + 10;
    struct io_uring_event event;

    while (!raw_ready(r)) {
        CHECK(seconds() < end);
        sched_yield();
    }
    event = r->events[*r->cq_head & r->cq_mask];
    __atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
    return event;
}

/* Takes an event, and waits in the kernel if there is none. */
static inline struct io_uring_event raw_wait(struct raw *r)
{
    while (!raw_ready(r))
        if (io_uring_enter(r->fd, 0, 1, IORING_ENTER_GETEVENTS) < 0)
            CHECK_EQ(errno, EINTR);
    return raw_spin(r);
}

/* Byte `at` of every test file. No two blocks of a file are alike. */
static inline unsigned char pattern(unsigned long long at)
{
    at = (at / 8 + 1) * 0x9e3779b97f4a7c15ULL >> (at % 8 * 8);
    return at;
}

static inline void fill_pattern(unsigned char *buffer, size_t len, unsigned long long at)
{
    size_t i;

    for (i = 0; i < len; i++)
        buffer[i] = pattern(at + i);
}

#define CHECK_PATTERN(buffer, len, at)                                          \
    do {                                                                        \
        for (size_t place_ = 0; place_ < (len); place_++)                       \
            if ((buffer)[place_] != pattern((at) + place_))                     \
                test_fail(__FILE__, __LINE__, "byte %zu of %s is wrong",        \
                          place_, #buffer);                                     \
    } while (0)

/* A file of `size` bytes with the pattern, opened with `flags`. */
static inline int pattern_file(const char *name, size_t size, int flags)
{
    unsigned char *buffer = malloc(1 << 16);
    size_t at, part;
    int fd = CHECK_SYS(open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644));

    for (at = 0; at < size; at += part) {
        part = size - at < 1 << 16 ? size - at : 1 << 16;
        fill_pattern(buffer, part, at);
        CHECK_EQ(write(fd, buffer, part), (ssize_t) part);
    }
    free(buffer);
    CHECK_EQ(fsync(fd), 0);
    close(fd);
    return CHECK_SYS(open(name, flags));
}

#endif
