/* Errors of io_uring_enter: which call fails, with which errno, or which event has the error. Raw calls. */
#include "raw.h"

#define BLOCK 4096

static unsigned char buffer[4 * BLOCK] __attribute__((aligned(BLOCK)));

static void not_a_ring(void)
{
    int fd = CHECK_SYS(open("file", O_RDWR | O_CREAT, 0644)), pipes[2], modern;
    unsigned char params[120] = { 0 };

    CHECK_SYS(pipe(pipes));
    FAILS(io_uring_enter(fd, 0, 0, 0), EOPNOTSUPP);
    FAILS(io_uring_enter(fd, 1, 1, IORING_ENTER_GETEVENTS), EOPNOTSUPP);
    FAILS(io_uring_enter(pipes[0], 0, 0, 0), EOPNOTSUPP);
    FAILS(io_uring_enter(-1, 0, 0, 0), EBADF);
    FAILS(io_uring_enter(4000, 0, 0, 0), EBADF);
    close(fd);
    FAILS(io_uring_enter(fd, 0, 0, 0), EBADF);
    /* a current ring is none of 2019 */
    modern = CHECK_SYS(syscall(425, 4, params));
    FAILS(io_uring_enter(modern, 0, 0, 0), EOPNOTSUPP);
    FAILS(io_uring_enter(modern, 1, 1, IORING_ENTER_GETEVENTS), EOPNOTSUPP);
    close(modern);
}

static void enter_flags(void)
{
    struct raw r;

    raw_open(&r, 4, 0, NULL);
    for (int i = 1; i < 32; i++)
        FAILS(io_uring_enter(r.fd, 0, 0, 1u << i), EINVAL);
    CHECK_EQ(io_uring_enter(r.fd, 0, 0, 0), 0);
    CHECK_EQ(io_uring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS), 0);
    /* there is nothing to submit, so the call does not wait */
    CHECK_EQ(io_uring_enter(r.fd, 3, 1, IORING_ENTER_GETEVENTS), 0);
    raw_close(&r);
}

static void push_bad(struct raw *r, int fd, int which)
{
    raw_fill(r, 1, IORING_OP_READ, fd, buffer, BLOCK, 0);
    if (which == 0)
        r->iocbs[1].opcode = 0;
    else if (which == 1)
        r->iocbs[1].opcode = 7;
    else if (which == 2)
        r->iocbs[1].opcode = 255;
    else if (which == 3)
        r->iocbs[1].flags = 1;
    else if (which == 4)
        r->iocbs[1].flags = 0x80;
    else if (which == 5)
        r->iocbs[1].fd = -1;
    else if (which == 6)
        r->iocbs[1].fd = 4000;
    else if (which == 7)
        r->iocbs[1].fd = CHECK_SYS(open("data", O_PATH));
    else
        r->iocbs[1].fd = CHECK_SYS(open("data", O_ACCMODE));
    /* does not change the error */
    if (which >= 5)
        r->iocbs[1].ioprio = 0xffff;
    raw_push(r, 1);
}
#define BAD_KINDS 9

/* Without SQTHREAD and SQWQ the call fails, and the iocb stays in the ring. */
static void bad_iocb_ends_the_call(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);

    for (int which = 0; which < BAD_KINDS; which++) {
        int error = which < 5 ? EINVAL : EBADF;
        struct raw r;

        raw_open(&r, 4, 0, NULL);
        push_bad(&r, fd, which);
        FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), error);
        CHECK_EQ(*r.sq_head, 0);
        FAILS(io_uring_enter(r.fd, 1, 0, 0), error);
        CHECK_EQ(*r.sq_head, 0);
        /* mended, it is submitted */
        raw_fill(&r, 1, IORING_OP_READ, fd, buffer, BLOCK, BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        CHECK_EQ(raw_wait(&r).res, BLOCK);
        CHECK_PATTERN(buffer, BLOCK, BLOCK);

        /* the iocbs before it are submitted, those after it are not */
        raw_request(&r, 0, IORING_OP_READ, fd, buffer, BLOCK, 0);
        raw_request(&r, 2, IORING_OP_READ, fd, buffer + BLOCK, BLOCK, BLOCK);
        push_bad(&r, fd, which);
        raw_request(&r, 3, IORING_OP_READ, fd, buffer + 2 * BLOCK, BLOCK, 2 * BLOCK);
        CHECK_EQ(io_uring_enter(r.fd, 4, 1, IORING_ENTER_GETEVENTS), 2);
        CHECK_EQ(*r.sq_head, 3);
        CHECK_EQ(raw_wait(&r).res, BLOCK);
        CHECK_EQ(raw_wait(&r).res, BLOCK);
        FAILS(io_uring_enter(r.fd, 2, 0, 0), error);
        CHECK_EQ(*r.sq_head, 3);
        raw_fill(&r, 1, IORING_OP_READ, fd, buffer, BLOCK, 0);
        CHECK_EQ(io_uring_enter(r.fd, 2, 1, IORING_ENTER_GETEVENTS), 2);
        CHECK_EQ(raw_wait(&r).res, BLOCK);
        CHECK_EQ(raw_wait(&r).res, BLOCK);
        CHECK_EQ(raw_ready(&r), 0);
        CHECK_EQ(*r.sq_dropped, 0);
        raw_close(&r);
    }
}

/* With SQTHREAD or SQWQ it is consumed, and its event has the error. */
static void bad_iocb_becomes_an_event(void)
{
    static const unsigned flags[] = {
        IORING_SETUP_SQWQ, IORING_SETUP_SQTHREAD, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL,
    };
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        for (int which = 0; which < BAD_KINDS; which++) {
            struct raw r;

            raw_open(&r, 4, flags[i], NULL);
            raw_request(&r, 0, IORING_OP_READ, fd, buffer, BLOCK, 0);
            push_bad(&r, fd, which);
            raw_request(&r, 2, IORING_OP_READ, fd, buffer + BLOCK, BLOCK, BLOCK);
            CHECK_EQ(io_uring_enter(r.fd, 3, 1, IORING_ENTER_GETEVENTS), 3);
            for (int j = 0; j < 3; j++) {
                struct io_uring_event event = raw_wait(&r);

                CHECK_EQ(event.res, event.index == 1 ? which < 5 ? -EINVAL : -EBADF : BLOCK);
            }
            CHECK_EQ(raw_ready(&r), 0);
            CHECK_EQ(*r.sq_head, 3);
            raw_close(&r);
        }
}

/* Reads and writes that the kernel refuses: their events have the error. */
static void results(void)
{
    int fd = pattern_file("data", BLOCK, O_RDONLY), out = CHECK_SYS(open("data", O_WRONLY));
    int dir = CHECK_SYS(open(".", O_RDONLY));
    static const unsigned flags[] = { 0, IORING_SETUP_SQWQ };
    struct { int opcode, fd, error; void *at; unsigned long long off; } bad[] = {
        { IORING_OP_READ, fd, EFAULT, (void *) 16, 0 },
        { IORING_OP_READ, dir, EISDIR, buffer, 0 },
        { IORING_OP_READ, fd, EINVAL, buffer, -1ull },
        { IORING_OP_READ, fd, EINVAL, buffer, -5ull },
        { IORING_OP_READ_FIXED, fd, EFAULT, buffer, 0 },
        { IORING_OP_WRITE, out, EFAULT, (void *) 16, 0 },
        { IORING_OP_WRITE, out, EINVAL, buffer, 1ull << 63 },
    };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct raw r;

        raw_open(&r, 4, flags[i], NULL);
        for (size_t j = 0; j < ARRAY_LEN(bad); j++) {
            raw_request(&r, 3, bad[j].opcode, bad[j].fd, bad[j].at, BLOCK, bad[j].off);
            CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
            CHECK_EQ(raw_wait(&r).res, -bad[j].error);
        }
        /* a file that is not open for reading, or for writing */
        for (int j = 0; j < 2; j++) {
            if (j)
                raw_request(&r, 3, IORING_OP_WRITE, fd, buffer, BLOCK, 0);
            else
                raw_request(&r, 3, IORING_OP_READ, out, buffer, BLOCK, 0);
            if (flags[i]) {
                CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
                CHECK_EQ(raw_wait(&r).res, -EBADF);
            } else {
                FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EBADF);
                *r.sq_tail = *r.sq_head;
            }
        }
        raw_close(&r);
    }
    close(fd);
    close(out);
    close(dir);
}

/* A ring that polls for completions takes no buffered files and no fsync. */
static void polled(void)
{
    int fd = pattern_file("data", BLOCK, O_RDWR), direct = CHECK_SYS(open("data", O_RDWR | O_DIRECT));
    struct raw r;

    raw_open(&r, 4, IORING_SETUP_IOPOLL, NULL);
    raw_request(&r, 0, IORING_OP_READ, fd, buffer, BLOCK, 0);
    FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EOPNOTSUPP);
    raw_fill(&r, 0, IORING_OP_FSYNC, direct, NULL, 0, 0);
    FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EINVAL);
    raw_fill(&r, 0, IORING_OP_FDSYNC, direct, NULL, 0, 0);
    FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EINVAL);
    raw_fill(&r, 0, IORING_OP_READ, direct, buffer, BLOCK, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_wait(&r).res, BLOCK);
    CHECK_PATTERN(buffer, BLOCK, 0);
    raw_close(&r);

    raw_open(&r, 4, IORING_SETUP_IOPOLL | IORING_SETUP_SQTHREAD, NULL);
    raw_request(&r, 0, IORING_OP_READ, fd, buffer, BLOCK, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_wait(&r).res, -EOPNOTSUPP);
    raw_request(&r, 1, IORING_OP_FSYNC, direct, NULL, 0, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_wait(&r).res, -EINVAL);
    raw_close(&r);
}

/* Indexes that name no iocb are skipped and counted. */
static void dropped(void)
{
    static const unsigned flags[] = { 0, IORING_SETUP_SQWQ, IORING_SETUP_SQTHREAD };
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct raw r;
        int ret;

        raw_open(&r, 8, flags[i], NULL);
        raw_push(&r, 8);
        ret = io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS & (flags[i] & IORING_SETUP_SQTHREAD ? 0 : ~0u));
        CHECK_EQ(ret, flags[i] == IORING_SETUP_SQTHREAD ? 1 : 0);
        CHECK_EQ(*r.sq_head, 1);
        CHECK_EQ(*r.sq_dropped, 1);
        raw_request(&r, 2, IORING_OP_READ, fd, buffer, BLOCK, 0);
        raw_push(&r, ~0u);
        raw_request(&r, 3, IORING_OP_READ, fd, buffer + BLOCK, BLOCK, BLOCK);
        raw_push(&r, 1000);
        raw_push(&r, 9);
        raw_request(&r, 4, IORING_OP_READ, fd, buffer + 2 * BLOCK, BLOCK, 2 * BLOCK);
        ret = io_uring_enter(r.fd, 6, 1, IORING_ENTER_GETEVENTS);
        CHECK_EQ(ret, flags[i] == IORING_SETUP_SQTHREAD ? 6 : 3);
        CHECK_EQ(*r.sq_head, 7);
        CHECK_EQ(*r.sq_dropped, 4);
        for (int j = 0; j < 3; j++)
            CHECK_EQ(raw_wait(&r).res, BLOCK);
        CHECK_PATTERN(buffer, 3 * BLOCK, 0);
        CHECK_EQ(raw_ready(&r), 0);
        raw_close(&r);
    }
}

/* Events that find no room are counted, and come when there is room. */
static void overflow(void)
{
    enum { ENTRIES = 4, CQ = 2 * ENTRIES, COUNT = 5 * ENTRIES };
    int fd = pattern_file("data", BLOCK, O_RDONLY);
    unsigned seen[ENTRIES] = { 0 };
    struct raw r;

    /* so that the block is cached, and each read completes in the call */
    CHECK_EQ(pread(fd, buffer, BLOCK, 0), BLOCK);
    raw_open(&r, ENTRIES, 0, NULL);
    for (int i = 0; i < COUNT / ENTRIES; i++) {
        for (unsigned j = 0; j < ENTRIES; j++)
            raw_request(&r, j, IORING_OP_READ, fd, buffer, 64, 0);
        CHECK_EQ(io_uring_enter(r.fd, ENTRIES, 0, 0), ENTRIES);
    }
    CHECK_EQ(raw_ready(&r), CQ);
    CHECK_EQ(*r.cq_overflow, COUNT - CQ);
    for (int i = 0; i < COUNT; i++) {
        struct io_uring_event event = raw_wait(&r);

        CHECK_EQ(event.res, 64);
        seen[event.index]++;
    }
    for (int i = 0; i < ENTRIES; i++)
        CHECK_EQ(seen[i], COUNT / ENTRIES);
    CHECK_EQ(raw_ready(&r), 0);
    CHECK_EQ(*r.cq_overflow, COUNT - CQ);
    /* a second time */
    for (int i = 0; i < 3; i++) {
        for (unsigned j = 0; j < ENTRIES; j++)
            raw_request(&r, j, IORING_OP_READ, fd, buffer, 64, 0);
        CHECK_EQ(io_uring_enter(r.fd, ENTRIES, 0, 0), ENTRIES);
    }
    CHECK_EQ(*r.cq_overflow, COUNT - CQ + ENTRIES);
    for (int i = 0; i < 3 * ENTRIES; i++)
        CHECK_EQ(raw_wait(&r).res, 64);
    raw_close(&r);
}

static void on_alarm(int signal_number)
{
    (void) signal_number;
}

static void interrupt_soon(void)
{
    struct sigaction action = { .sa_handler = on_alarm };

    CHECK_SYS(sigaction(SIGALRM, &action, NULL));
    ualarm(50000, 0);
}

static void interrupted(void)
{
    static const unsigned flags[] = { 0, IORING_SETUP_SQWQ, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL };
    int pipes[2];

    CHECK_SYS(pipe(pipes));
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct raw r;

        raw_open(&r, 4, flags[i], NULL);
        interrupt_soon();
        FAILS(io_uring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), EINTR);
        /* a request was submitted, so its count is returned */
        raw_request(&r, 0, IORING_OP_READ, pipes[0], buffer, 1, 0);
        interrupt_soon();
        CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
        CHECK_EQ(raw_ready(&r), 0);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(raw_wait(&r).res, 1);
        raw_close(&r);
    }
}

static const struct test_case cases[] = {
    CASE(not_a_ring), CASE(enter_flags), CASE(bad_iocb_ends_the_call), CASE(bad_iocb_becomes_an_event), CASE(results),
    CASE(polled), CASE(dropped), CASE(overflow), CASE(interrupted),
};
TEST_MAIN(cases)
