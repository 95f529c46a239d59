/* Requests and their results, in every mode of submission. Raw calls. */
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>

#include "raw.h"

#define SIZE (1 << 20)
#define BLOCK 4096

/* Memory for direct I/O. It is not given back, as each case runs in a process. */
static unsigned char *aligned(size_t size)
{
    static unsigned char memory[64 * BLOCK] __attribute__((aligned(BLOCK)));
    static size_t used;
    unsigned char *start = memory + used;

    used += (size + BLOCK - 1) / BLOCK * BLOCK;
    CHECK_LE(used, sizeof(memory));
    return start;
}

/* The modes in which the call submits. */
static const unsigned by_call[] = {
    0, IORING_SETUP_SQWQ, IORING_SETUP_SQTHREAD, IORING_SETUP_SQTHREAD | IORING_SETUP_SQWQ,
};

static void params(void)
{
    static const unsigned entries[] = { 1, 2, 5, 32, 33, 64, 100, 1000, 4096, 32768 };
    struct raw r;

    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        unsigned rounded = 1;

        while (rounded < entries[i])
            rounded *= 2;
        raw_open(&r, entries[i], 0, NULL);
        CHECK_EQ(r.p.sq_entries, rounded);
        CHECK_EQ(r.p.cq_entries, 2 * rounded);
        CHECK_EQ(r.p.flags, 0);
        CHECK_EQ(*r.sq_head, 0);
        CHECK_EQ(*r.sq_tail, 0);
        CHECK_EQ(*r.sq_flags, 0);
        CHECK_EQ(*r.sq_dropped, 0);
        CHECK_EQ(*r.cq_head, 0);
        CHECK_EQ(*r.cq_tail, 0);
        CHECK_EQ(*r.cq_overflow, 0);
        CHECK_EQ(CHECK_SYS(fcntl(r.fd, F_GETFD)), FD_CLOEXEC);
        for (unsigned j = 0; j < r.p.sq_entries; j++)
            CHECK_EQ(r.array[j], 0);
        raw_close(&r);
    }
}

static void reads(void)
{
    unsigned char *buffer = aligned(4 * BLOCK);
    int fd = pattern_file("data", SIZE, O_RDONLY);

    for (size_t i = 0; i < ARRAY_LEN(by_call); i++) {
        struct raw r;

        raw_open(&r, 4, by_call[i], NULL);
        for (unsigned j = 0; j < 4; j++)
            raw_request(&r, j, IORING_OP_READ, fd, buffer + j * BLOCK, BLOCK, (7 + 3 * j) * BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, 4, 1, IORING_ENTER_GETEVENTS), 4);
        for (unsigned j = 0, seen = 0; j < 4; j++) {
            struct io_uring_event event = raw_wait(&r);

            CHECK_LT(event.index, 4);
            CHECK(!(seen & 1u << event.index));
            seen |= 1u << event.index;
            CHECK_EQ(event.res, BLOCK);
            CHECK_PATTERN(buffer + event.index * BLOCK, BLOCK, (7 + 3 * event.index) * BLOCK);
        }
        CHECK_EQ(*r.sq_head, 4);
        /* across the end of the file, and at it */
        raw_request(&r, 0, IORING_OP_READ, fd, buffer, BLOCK, SIZE - 100);
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        CHECK_EQ(raw_wait(&r).res, 100);
        CHECK_PATTERN(buffer, 100, SIZE - 100);
        raw_request(&r, 1, IORING_OP_READ, fd, buffer, BLOCK, SIZE);
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        CHECK_EQ(raw_wait(&r).res, 0);
        raw_close(&r);
    }
    close(fd);
}

static void writes(void)
{
    unsigned char *buffer = aligned(8 * BLOCK), *back = aligned(8 * BLOCK);

    for (size_t i = 0; i < ARRAY_LEN(by_call); i++) {
        int fd = CHECK_SYS(open("out", O_RDWR | O_CREAT | O_TRUNC, 0644));
        struct raw r;

        fill_pattern(buffer, 8 * BLOCK, i);
        raw_open(&r, 8, by_call[i], NULL);
        for (unsigned j = 0; j < 8; j++)
            raw_request(&r, j, IORING_OP_WRITE, fd, buffer + j * BLOCK, BLOCK, j * BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, 8, 1, IORING_ENTER_GETEVENTS), 8);
        for (unsigned j = 0; j < 8; j++)
            CHECK_EQ(raw_wait(&r).res, BLOCK);
        /* a sync ignores these members */
        for (unsigned j = 3; j < 5; j++) {
            r.iocbs[j].ioprio = 2 << 13 | 4;
            r.iocbs[j].rw_flags = 2;
        }
        r.iocbs[3].opcode = IORING_OP_FSYNC;
        raw_push(&r, 3);
        r.iocbs[4].opcode = IORING_OP_FDSYNC;
        raw_push(&r, 4);
        CHECK_EQ(io_uring_enter(r.fd, 2, 1, IORING_ENTER_GETEVENTS), 2);
        CHECK_EQ(raw_wait(&r).res, 0);
        CHECK_EQ(raw_wait(&r).res, 0);
        raw_close(&r);
        CHECK_EQ(pread(fd, back, 8 * BLOCK, 0), 8 * BLOCK);
        CHECK_MEM(back, buffer, 8 * BLOCK);
        close(fd);
    }
}

static void direct(void)
{
    static const unsigned flags[] = {
        0, IORING_SETUP_IOPOLL, IORING_SETUP_SQTHREAD, IORING_SETUP_IOPOLL | IORING_SETUP_SQTHREAD, IORING_SETUP_SQWQ,
    };
    unsigned char *buffer = aligned(4 * BLOCK);
    int fd = pattern_file("data", SIZE, O_RDWR | O_DIRECT);

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct raw r;

        raw_open(&r, 4, flags[i], NULL);
        for (unsigned j = 0; j < 4; j++)
            raw_request(&r, j, IORING_OP_READ, fd, buffer + j * BLOCK, BLOCK, (i + 9 * j) * BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, 4, 1, IORING_ENTER_GETEVENTS), 4);
        for (unsigned j = 0; j < 4; j++) {
            struct io_uring_event event = raw_wait(&r);

            CHECK_EQ(event.res, BLOCK);
            CHECK_PATTERN(buffer + event.index * BLOCK, BLOCK, (i + 9 * event.index) * BLOCK);
        }
        /* write one block to another place and back */
        fill_pattern(buffer, BLOCK, 40 * BLOCK);
        raw_request(&r, 2, IORING_OP_WRITE, fd, buffer, BLOCK, 40 * BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        CHECK_EQ(raw_wait(&r).res, BLOCK);
        raw_close(&r);
    }
    close(fd);
}

/* The events of a ring without IOPOLL come without another call. */
static void events_by_themselves(void)
{
    unsigned char *buffer = aligned(BLOCK);
    int fd = pattern_file("data", SIZE, O_RDONLY | O_DIRECT), pipes[2];
    struct raw r;

    raw_open(&r, 4, 0, NULL);
    raw_request(&r, 1, IORING_OP_READ, fd, buffer, BLOCK, 5 * BLOCK);
    CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
    CHECK_EQ(raw_spin(&r).res, BLOCK);
    CHECK_PATTERN(buffer, BLOCK, 5 * BLOCK);

    CHECK_SYS(pipe(pipes));
    raw_request(&r, 2, IORING_OP_READ, pipes[0], buffer, BLOCK, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 0, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_ready(&r), 0);
    CHECK_EQ(write(pipes[1], "four", 4), 4);
    CHECK_EQ(raw_spin(&r).res, 4);
    CHECK_MEM(buffer, "four", 4);
    raw_close(&r);
}

static void fixed(void)
{
    enum { ENTRIES = 8 };
    unsigned char *buffer = aligned(ENTRIES * 2 * BLOCK);
    int fd = pattern_file("data", SIZE, O_RDWR);
    struct iovec iovecs[ENTRIES];

    for (int i = 0; i < ENTRIES; i++) {
        iovecs[i].iov_base = buffer + i * 2 * BLOCK;
        iovecs[i].iov_len = 2 * BLOCK;
    }
    for (size_t i = 0; i < ARRAY_LEN(by_call); i++) {
        struct raw r;

        raw_open(&r, ENTRIES, by_call[i] | IORING_SETUP_FIXEDBUFS, iovecs);
        /* into the middle of each buffer */
        for (unsigned j = 0; j < ENTRIES; j++)
            raw_request(&r, j, IORING_OP_READ_FIXED, fd, buffer + j * 2 * BLOCK + 100, BLOCK, (j + i) * BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, ENTRIES, 1, IORING_ENTER_GETEVENTS), ENTRIES);
        for (unsigned j = 0; j < ENTRIES; j++) {
            struct io_uring_event event = raw_wait(&r);

            CHECK_EQ(event.res, BLOCK);
            CHECK_PATTERN(buffer + event.index * 2 * BLOCK + 100, BLOCK, (event.index + i) * BLOCK);
        }
        fill_pattern(buffer + 6 * BLOCK, 2 * BLOCK, 60 * BLOCK);
        raw_request(&r, 3, IORING_OP_WRITE_FIXED, fd, buffer + 6 * BLOCK, 2 * BLOCK, 60 * BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        CHECK_EQ(raw_wait(&r).res, 2 * BLOCK);
        /* outside of the buffer: in another one, before it, behind it, across its end */
        for (int j = 0; j < 4; j++) {
            long off[] = { 2 * BLOCK, -1, 4 * BLOCK, BLOCK + 1 };

            raw_request(&r, 2, IORING_OP_READ_FIXED, fd, buffer + 4 * BLOCK + off[j], BLOCK, 0);
            CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
            CHECK_EQ(raw_wait(&r).res, -EFAULT);
        }
        /* other requests may use any memory */
        raw_request(&r, 2, IORING_OP_READ, fd, buffer, 2 * BLOCK, 60 * BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        CHECK_EQ(raw_wait(&r).res, 2 * BLOCK);
        CHECK_PATTERN(buffer, 2 * BLOCK, 60 * BLOCK);
        raw_close(&r);
    }
    close(fd);
}

/* A consumed iocb is the program's again, and several requests of the same index may be under way. */
static void one_index_many_times(void)
{
    enum { TIMES = 100 };
    unsigned char *buffer = aligned(TIMES * 512);
    int pipes[TIMES][2];
    unsigned seen[TIMES] = { 0 };
    struct raw r;

    for (size_t i = 0; i < ARRAY_LEN(by_call); i++) {
        memset(seen, 0, sizeof(seen));
        raw_open(&r, 64, by_call[i], NULL);
        for (int j = 0; j < TIMES; j++) {
            CHECK_SYS(pipe(pipes[j]));
            raw_request(&r, 9, IORING_OP_READ, pipes[j][0], buffer + j * 512, 512, 0);
            CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
            memset(&r.iocbs[9], 0xff, sizeof(r.iocbs[9]));
        }
        CHECK_EQ(raw_ready(&r), 0);
        for (int j = TIMES; j-- > 0;)
            CHECK_EQ(write(pipes[j][1], &j, sizeof(j)), sizeof(j));
        for (int j = 0; j < TIMES; j++) {
            struct io_uring_event event = raw_wait(&r);

            CHECK_EQ(event.index, 9);
            CHECK_EQ(event.res, sizeof(int));
        }
        for (int j = 0; j < TIMES; j++) {
            int value;

            memcpy(&value, buffer + j * 512, sizeof(value));
            CHECK_EQ(value, j);
            close(pipes[j][0]);
            close(pipes[j][1]);
        }
        raw_close(&r);
    }
}

/* More requests are under way than the SQ ring has entries. */
static void more_than_entries(void)
{
    enum { ENTRIES = 4, COUNT = 7 };
    unsigned char *buffer = aligned(COUNT * 64);
    int pipes[2], written = 0;
    struct raw r;

    CHECK_SYS(pipe(pipes));
    raw_open(&r, ENTRIES, 0, NULL);
    for (int i = 0; i < COUNT; i++) {
        raw_request(&r, i % ENTRIES, IORING_OP_READ, pipes[0], buffer + i * 64, 1, 0);
        if (i % ENTRIES == ENTRIES - 1 || i == COUNT - 1) {
            unsigned count = *r.sq_tail - *r.sq_head;

            CHECK_EQ(io_uring_enter(r.fd, count, 0, IORING_ENTER_GETEVENTS), count);
        }
    }
    while (written < COUNT)
        written += CHECK_SYS(write(pipes[1], "0123456", COUNT - written));
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(raw_wait(&r).res, 1);
    raw_close(&r);
}

/* Whether the disk below a file has queues that can be polled. A partition has its disk's queue. */
static bool has_polled_queues(int fd)
{
    static const char *const places[] = { "queue/io_poll", "../queue/io_poll" };
    char path[96], answer = '0';
    struct stat status;

    CHECK_SYS(fstat(fd, &status));
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        int file;

        snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(status.st_dev), minor(status.st_dev), places[i]);
        file = open(path, O_RDONLY);
        if (file >= 0) {
            CHECK_EQ(read(file, &answer, 1), 1);
            close(file);
        }
    }
    return answer == '1';
}

static int kernel_is(int major, int minor)
{
    struct utsname name;
    int running[2] = { 0, 0 };

    CHECK_SYS(uname(&name));
    CHECK_EQ(sscanf(name.release, "%d.%d", &running[0], &running[1]), 2);
    return running[0] > major || (running[0] == major && running[1] >= minor);
}

/* Where completions are really polled for, no event comes until a thread enters. */
static void polled_for(void)
{
    unsigned char *buffer = aligned(BLOCK);
    int fd = pattern_file("data", SIZE, O_RDONLY);
    struct raw r;

    if (!has_polled_queues(fd))
        skip("the disk below this folder has no queues that can be polled");
    if (!kernel_is(6, 12))
        skip("rings are not polled before Linux 6.12");
    close(fd);
    fd = CHECK_SYS(open("data", O_RDONLY | O_DIRECT));
    raw_open(&r, 4, IORING_SETUP_IOPOLL, NULL);
    raw_request(&r, 0, IORING_OP_READ, fd, buffer, BLOCK, BLOCK);
    CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
    usleep(300000);
    CHECK_EQ(raw_ready(&r), 0);
    CHECK_EQ(raw_wait(&r).res, BLOCK);
    CHECK_PATTERN(buffer, BLOCK, BLOCK);
    raw_close(&r);
}

/* Positions wrap around the ring many times. The array is written once. */
static void round_and_round(void)
{
    unsigned char *buffer = aligned(BLOCK);
    int fd = pattern_file("data", SIZE, O_RDONLY);
    struct raw r;

    raw_open(&r, 8, 0, NULL);
    for (unsigned i = 0; i < 8; i++) {
        r.array[i] = 7 - i;
        raw_fill(&r, 7 - i, IORING_OP_READ, fd, buffer, 64, i * 64);
    }
    for (unsigned i = 0; i < 1000; i++) {
        unsigned count = 1 + i % 8;

        __atomic_store_n(r.sq_tail, *r.sq_tail + count, __ATOMIC_RELEASE);
        CHECK_EQ(io_uring_enter(r.fd, count, 1, IORING_ENTER_GETEVENTS), count);
        for (unsigned j = 0; j < count; j++)
            CHECK_EQ(raw_wait(&r).res, 64);
        CHECK_EQ(*r.sq_head, *r.sq_tail);
    }
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(r.array[i], 7 - i);
    raw_close(&r);
}

/* Empty files whose reads wait for data, with O_NONBLOCK or without. */
#define WAITING_KINDS 7

static void open_waiting(int kind, int nonblock, int ends[2])
{
    int flag = nonblock ? O_NONBLOCK : 0;

    if (kind == 0) {
        CHECK_SYS(pipe2(ends, flag));
    } else if (kind == 1) {
        unlink("fifo");
        CHECK_SYS(mkfifo("fifo", 0600));
        ends[0] = ends[1] = CHECK_SYS(open("fifo", O_RDWR | flag));
    } else if (kind < 4) {
        int type = kind == 2 ? SOCK_STREAM : SOCK_DGRAM;

        CHECK_SYS(socketpair(AF_UNIX, type | (nonblock ? SOCK_NONBLOCK : 0), 0, ends));
    } else if (kind == 4) {
        ends[0] = ends[1] = CHECK_SYS(eventfd(0, nonblock ? EFD_NONBLOCK : 0));
    } else if (kind == 5) {
        ends[0] = ends[1] = CHECK_SYS(timerfd_create(CLOCK_MONOTONIC, nonblock ? TFD_NONBLOCK : 0));
    } else {
        ends[0] = ends[1] = CHECK_SYS(inotify_init1(nonblock ? IN_NONBLOCK : 0));
    }
}

/* Reads and writes wait or fail with EAGAIN, as read() and write() do. */
static void nonblocking_files(void)
{
    static const unsigned modes[] = {
        0, IORING_SETUP_SQWQ, IORING_SETUP_SQTHREAD, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL,
    };
    unsigned char *buffer = aligned(BLOCK);
    uint64_t one = 1;
    struct raw r;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        for (int kind = 0; kind < WAITING_KINDS; kind++) {
            struct io_uring_event event;
            int ends[2];

            raw_open(&r, 8, modes[i], NULL);
            open_waiting(kind, 1, ends);
            FAILS(read(ends[0], buffer, 64), EAGAIN);
            raw_request(&r, 0, IORING_OP_READ, ends[0], buffer, 64, 0);
            CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
            CHECK_EQ(raw_spin(&r).res, -EAGAIN);
            if (kind < 5) {
                /* the read gets what the request before it has written */
                raw_request(&r, 1, IORING_OP_WRITE, ends[1], &one, sizeof(one), 0);
                raw_request(&r, 2, IORING_OP_READ, ends[0], buffer, 64, 0);
                CHECK_EQ(io_uring_enter(r.fd, 2, 0, 0), 2);
                CHECK_EQ(raw_spin(&r).res, sizeof(one));
                CHECK_EQ(raw_spin(&r).res, sizeof(one));
                CHECK(!memcmp(buffer, &one, sizeof(one)));
            }
            if (kind == 0) {
                while (write(ends[1], buffer, BLOCK) > 0)
                    ;
                raw_request(&r, 1, IORING_OP_WRITE, ends[1], &one, sizeof(one), 0);
                CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
                CHECK_EQ(raw_spin(&r).res, -EAGAIN);
            }

            if (kind < 5) {
                open_waiting(kind, 0, ends);
                raw_request(&r, 3, IORING_OP_READ, ends[0], buffer, 64, 0);
                CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
                usleep(10000);
                CHECK_EQ(raw_ready(&r), 0);
                CHECK_EQ(write(ends[1], &one, sizeof(one)), sizeof(one));
                event = raw_spin(&r);
                CHECK_EQ(event.index, 3);
                CHECK_EQ(event.res, sizeof(one));
            }
            raw_close(&r);
        }

    /* fixed reads and writes inside of pinned buffers, outside of them, and without any */
    for (int pinned = 0; pinned < 2; pinned++) {
        struct iovec iovecs[8];
        int ends[2];

        for (int i = 0; i < 8; i++)
            iovecs[i] = (struct iovec) { buffer + 64 * i, 64 };
        raw_open(&r, 8, pinned ? IORING_SETUP_FIXEDBUFS : 0, iovecs);
        open_waiting(0, 1, ends);
        CHECK_EQ(write(ends[1], "0123456789", 10), 10);
        raw_request(&r, 1, IORING_OP_READ_FIXED, ends[0], buffer + 64 + 60, 4, 0);
        raw_request(&r, 2, IORING_OP_READ_FIXED, ends[0], buffer + 2 * 64 + 61, 4, 0);
        raw_request(&r, 3, IORING_OP_READ_FIXED, ends[0], buffer, 4, 0);
        raw_request(&r, 4, IORING_OP_WRITE_FIXED, ends[1], buffer + 5 * 64 - 1, 2, 0);
        CHECK_EQ(io_uring_enter(r.fd, 4, 0, 0), 4);
        for (int i = 0; i < 4; i++) {
            struct io_uring_event event = raw_spin(&r);

            CHECK_EQ(event.res, event.index == 1 && pinned ? 4 : -EFAULT);
        }
        if (pinned)
            CHECK(!memcmp(buffer + 64 + 60, "0123", 4));
        raw_close(&r);
    }

    /* O_NONBLOCK has no effect on files that never wait */
    raw_open(&r, 8, 0, NULL);
    close(pattern_file("data", SIZE, O_RDONLY));
    raw_request(&r, 0, IORING_OP_READ, CHECK_SYS(open("data", O_RDONLY | O_NONBLOCK)), buffer, BLOCK, BLOCK);
    raw_request(&r, 1, IORING_OP_READ, CHECK_SYS(open("/dev/zero", O_RDONLY | O_NONBLOCK)), buffer, 1, 0);
    CHECK_EQ(io_uring_enter(r.fd, 2, 0, 0), 2);
    for (int i = 0; i < 2; i++) {
        struct io_uring_event event = raw_spin(&r);

        CHECK_EQ(event.res, event.index == 0 ? BLOCK : 1);
    }
    raw_close(&r);
}

static const struct test_case cases[] = {
    CASE(params), CASE(reads), CASE(writes), CASE(direct), CASE(events_by_themselves), CASE(fixed),
    CASE(one_index_many_times), CASE(more_than_entries), CASE(polled_for), CASE(round_and_round),
    CASE(nonblocking_files),
};
TEST_MAIN(cases)
