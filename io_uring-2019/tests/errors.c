/* Errors: which call fails, with which errno, or which event has the error. Raw calls. */
#include <sys/resource.h>
#include <sys/utsname.h>

#include "raw.h"

#define BLOCK 4096

static unsigned char buffer[4 * BLOCK] __attribute__((aligned(BLOCK)));

/* Set-up fails, and leaves nothing behind. */
static void refuse(unsigned entries, struct iovec *iovecs, struct io_uring_params *p, int error)
{
    struct leak_mark mark = mark_alone();

    FAILS(io_uring_setup(entries, iovecs, p), error);
    CHECK_GONE(mark);
}

static void setup_arguments(void)
{
    struct io_uring_params p;

    for (int i = 0; i < 9; i++) {
        memset(&p, 0, sizeof(p));
        p.resv[i] = 1;
        refuse(4, NULL, &p, EINVAL);
    }
    for (int i = 5; i < 32; i++) {
        memset(&p, 0, sizeof(p));
        p.flags = 1u << i;
        refuse(4, NULL, &p, EINVAL);
    }
    memset(&p, 0, sizeof(p));
    refuse(0, NULL, &p, EINVAL);
    refuse(32769, NULL, &p, EINVAL);
    refuse(~0u, NULL, &p, EINVAL);
    refuse(4, NULL, NULL, EFAULT);
    refuse(4, NULL, (void *) 16, EFAULT);
    refuse(4, NULL, (void *) 0xffff800000000000ul, EFAULT);
}

/* The submission thread's CPU, which counts only if there is such a thread. */
static void setup_cpu(void)
{
    enum { thread = IORING_SETUP_SQTHREAD };
    static const unsigned flags[] = {
        thread, thread | IORING_SETUP_SQWQ, thread | IORING_SETUP_IOPOLL, thread | IORING_SETUP_SQPOLL,
    };
    static const unsigned short no_cpu[] = { 9999, 0xffff };

    if (access("/sys/devices/system/cpu/cpu0", F_OK))
        skip("/sys does not tell which CPUs there are");
    for (size_t i = 0; i < ARRAY_LEN(no_cpu); i++) {
        struct io_uring_params p;
        struct raw r;

        for (size_t j = 0; j < ARRAY_LEN(flags); j++) {
            memset(&p, 0, sizeof(p));
            p.flags = flags[j];
            p.sq_thread_cpu = no_cpu[i];
            refuse(4, NULL, &p, EINVAL);
        }
        memset(&r, 0, sizeof(r));
        r.p.sq_thread_cpu = no_cpu[i];
        r.fd = CHECK_SYS(io_uring_setup(4, NULL, &r.p));
        raw_mapped(&r);
        raw_close(&r);
    }
}

/* The parameters' memory ends too early, or cannot be written. */
static void setup_memory(void)
{
    char *pages = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct io_uring_params *p = (void *) (pages + BLOCK - sizeof(*p) + 8);

    CHECK(pages != MAP_FAILED);
    CHECK_SYS(munmap(pages + BLOCK, BLOCK));
    refuse(4, NULL, p, EFAULT);
    CHECK_SYS(mprotect(pages, BLOCK, PROT_READ));
    refuse(4, NULL, (void *) pages, EFAULT);
    munmap(pages, BLOCK);
}

static void setup_buffers(void)
{
    struct iovec iovecs[4];
    struct io_uring_params p;
    struct rlimit limit = { 4 * BLOCK, 4 * BLOCK };
    struct raw r;
    char *large = mmap(NULL, (4 << 20) + BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(large != MAP_FAILED);
    memset(&p, 0, sizeof(p));
    p.flags = IORING_SETUP_FIXEDBUFS;
    for (int i = 0; i < 4; i++) {
        iovecs[i].iov_base = buffer + i * BLOCK;
        iovecs[i].iov_len = BLOCK;
    }
    refuse(4, NULL, &p, EFAULT);
    refuse(4, (void *) 16, &p, EFAULT);
    /* no memory is there */
    iovecs[2].iov_base = (void *) 16;
    refuse(4, iovecs, &p, EFAULT);
    /* beyond the last address */
    iovecs[2].iov_base = (void *) -(uintptr_t) BLOCK;
    refuse(4, iovecs, &p, EFAULT);
    iovecs[2].iov_base = NULL;
    refuse(4, iovecs, &p, EFAULT);
    iovecs[2].iov_base = large;
    iovecs[2].iov_len = (4 << 20) + 1;
    refuse(4, iovecs, &p, EFAULT);
    iovecs[2].iov_len = 4 << 20;
    raw_open(&r, 4, IORING_SETUP_FIXEDBUFS, iovecs);
    raw_close(&r);

    /* the limit holds for all users, as in 2019 */
    iovecs[2].iov_base = buffer + 2 * BLOCK;
    iovecs[2].iov_len = BLOCK;
    CHECK_SYS(setrlimit(RLIMIT_MEMLOCK, &limit));
    raw_open(&r, 4, IORING_SETUP_FIXEDBUFS, iovecs);
    raw_close(&r);
    iovecs[3].iov_base = large + 1;
    refuse(4, iovecs, &p, ENOMEM);

    /* no request fits into a buffer of no length */
    iovecs[3].iov_len = 0;
    raw_open(&r, 4, IORING_SETUP_FIXEDBUFS, iovecs);
    for (int i = 0; i < 4; i++)
        CHECK(!memcmp(&r.iocbs[i], &(struct io_uring_iocb) { .opcode = 0 }, sizeof(*r.iocbs)));
    raw_request(&r, 3, IORING_OP_READ_FIXED, CHECK_SYS(open("/dev/zero", O_RDONLY)), iovecs[3].iov_base, 1, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_wait(&r).res, -EFAULT);
    raw_close(&r);

    /* without the flag the buffers are ignored */
    raw_open(&r, 4, 0, (void *) 16);
    raw_close(&r);
}

/* Each step of set-up that takes a descriptor is made to fail. */
static void setup_descriptors(void)
{
    struct io_uring_params p;
    struct rlimit limit;
    int used = CHECK_SYS(open("/dev/null", O_RDONLY)), fd;

    close(used);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    for (int room = 0; ; room++) {
        struct leak_mark mark = mark_alone();

        memset(&p, 0, sizeof(p));
        limit.rlim_cur = used + room;
        CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
        errno = 0;
        fd = io_uring_setup(4, NULL, &p);
        limit.rlim_cur = limit.rlim_max;
        if (fd >= 0)
            break;
        CHECK_EQ(errno, EMFILE);
        CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
        CHECK_GONE(mark);
        CHECK_LT(room, 4);
    }
    close(fd);
    raw_gone(0);
}

static void setup_file_size(void)
{
    struct rlimit limit = { 1 << 20, 1 << 20 };
    struct io_uring_params p;

    CHECK_SYS(setrlimit(RLIMIT_FSIZE, &limit));
    memset(&p, 0, sizeof(p));
    refuse(4, NULL, &p, EFBIG);
}

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

static void old_kernel(void)
{
    struct io_uring_params p = { .flags = 0 };
    struct leak_mark mark = leak_mark();
    struct utsname name;
    int major, minor;

    CHECK_SYS(uname(&name));
    CHECK_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
    if (major > 6 || (major == 6 && minor >= 5))
        skip("this kernel runs rings in the program's memory");
    FAILS(io_uring_setup(4, NULL, &p), ENOSYS);
    CHECK_NO_LEAK(mark);
}

static const struct test_case cases[] = {
    CASE(setup_arguments), CASE(setup_cpu), CASE(setup_memory), CASE(setup_buffers), CASE(setup_descriptors),
    CASE(setup_file_size), CASE(not_a_ring), CASE(enter_flags), CASE(bad_iocb_ends_the_call),
    CASE(bad_iocb_becomes_an_event), CASE(results),
    CASE(polled), CASE(dropped), CASE(overflow), CASE(interrupted), CASE(old_kernel),
};
TEST_MAIN(cases)
