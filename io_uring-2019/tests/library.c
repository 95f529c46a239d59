/* The library's functions, second shape: one structure. Built once more for the first shape by split.c. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "../../c-tests/test.h"
#ifdef SPLIT
#include <split/liburing.h>

/* The functions of the second shape, by those of the first. */
struct ring {
    struct io_uring_sq sq;
    struct io_uring_cq cq;
    int fd;
};

static int init(unsigned entries, struct io_uring_params *p, struct iovec *iovecs, struct ring *ring)
{
    int ret = io_uring_queue_init(entries, p, iovecs, &ring->sq, &ring->cq);

    if (ret >= 0)
        ring->fd = ret;
    return ret < 0 ? ret : 0;
}

static void quit(struct ring *ring)
{
    io_uring_queue_exit(ring->fd, &ring->sq, &ring->cq);
}

static struct io_uring_iocb *get_iocb(struct ring *ring)
{
    return io_uring_get_iocb(&ring->sq);
}

static int submit(struct ring *ring)
{
    return io_uring_submit(ring->fd, &ring->sq);
}

static int wait_completion(struct ring *ring, struct io_uring_event **event)
{
    return io_uring_get_completion(ring->fd, &ring->cq, event);
}
#else
#include <liburing.h>

/* The members under their names in the first shape. */
struct ring {
    __extension__ union {
        struct io_uring r;
        struct {
            struct io_uring_sq sq;
            struct io_uring_cq cq;
            int fd;
        };
    };
};

static int init(unsigned entries, struct io_uring_params *p, struct iovec *iovecs, struct ring *ring)
{
    return io_uring_queue_init(entries, p, iovecs, &ring->r);
}

static void quit(struct ring *ring)
{
    io_uring_queue_exit(&ring->r);
}

static struct io_uring_iocb *get_iocb(struct ring *ring)
{
    return io_uring_get_iocb(&ring->r);
}

static int submit(struct ring *ring)
{
    return io_uring_submit(&ring->r);
}

static int wait_completion(struct ring *ring, struct io_uring_event **event)
{
    return io_uring_wait_completion(&ring->r, event);
}
#endif

static unsigned char buffer[64 * 4096] __attribute__((aligned(4096)));

static const unsigned flags[] = {
    0, IORING_SETUP_SQWQ, IORING_SETUP_SQTHREAD, IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL,
};

static void make(struct ring *ring, unsigned entries, unsigned flags, struct iovec *iovecs)
{
    struct io_uring_params p;

    memset(&p, 0, sizeof(p));
    memset(ring, 0xa5, sizeof(*ring));
    p.flags = flags;
    CHECK_EQ(init(entries, &p, iovecs, ring), 0);
    CHECK_EQ(*ring->sq.kring_entries, p.sq_entries);
    CHECK_EQ(*ring->sq.kring_mask, p.sq_entries - 1);
    CHECK_EQ(*ring->cq.kring_entries, p.cq_entries);
    CHECK_EQ(*ring->cq.kring_mask, p.cq_entries - 1);
    CHECK_EQ(ring->sq.ring_sz, p.sq_off.array + p.sq_entries * sizeof(unsigned));
    CHECK_EQ(ring->cq.ring_sz, p.cq_off.events + p.cq_entries * sizeof(struct io_uring_event));
    CHECK_EQ(ring->sq.iocb_head, 0);
    CHECK_EQ(ring->sq.iocb_tail, 0);
    CHECK_EQ(*ring->sq.khead, 0);
    CHECK_EQ(*ring->sq.ktail, 0);
    CHECK_EQ(*ring->sq.kflags, 0);
    CHECK_EQ(*ring->sq.kdropped, 0);
    CHECK_EQ(*ring->cq.khead, 0);
    CHECK_EQ(*ring->cq.ktail, 0);
    CHECK_EQ(*ring->cq.koverflow, 0);
}

static struct io_uring_iocb *read_iocb(struct ring *ring, int file, void *at, unsigned len, unsigned long long off)
{
    struct io_uring_iocb *iocb = get_iocb(ring);

    if (iocb) {
        memset(iocb, 0, sizeof(*iocb));
        iocb->opcode = IORING_OP_READ;
        iocb->fd = file;
        iocb->addr = at;
        iocb->len = len;
        iocb->off = off;
    }
    return iocb;
}

static int data(void)
{
    int file = CHECK_SYS(open("data", O_RDWR | O_CREAT | O_TRUNC, 0644));

    for (size_t i = 0; i < sizeof(buffer); i++)
        buffer[i] = i * 7 + i / 256;
    CHECK_EQ(write(file, buffer, sizeof(buffer)), sizeof(buffer));
    memset(buffer, 0, sizeof(buffer));
    return file;
}

static void failing_init(void)
{
    struct io_uring_params p;
    struct leak_mark mark = leak_mark();
    struct ring ring;

    memset(&p, 0, sizeof(p));
    errno = 0;
    CHECK_EQ(init(0, &p, NULL, &ring), -EINVAL);
    CHECK_EQ(errno, EINVAL);
    p.resv[4] = 1;
    CHECK_EQ(init(4, &p, NULL, &ring), -EINVAL);
    CHECK_EQ(init(4, (void *) 16, NULL, &ring), -EFAULT);
    memset(&p, 0, sizeof(p));
    p.flags = IORING_SETUP_FIXEDBUFS;
    CHECK_EQ(init(4, &p, NULL, &ring), -EFAULT);
    CHECK_NO_LEAK(mark);
}

/* All iocbs can be taken, and no more. Once submitted, they can be taken again. */
static void iocbs(void)
{
    int file = data();
    struct io_uring_event *event;
    struct ring ring;

    make(&ring, 8, 0, NULL);
    CHECK_EQ(submit(&ring), 0);
    for (int round = 0; round < 5; round++) {
        int count = round + 4;

        for (int i = 0; i < count; i++)
            CHECK(read_iocb(&ring, file, buffer + i * 4096, 4096, i * 4096) >= ring.sq.iocbs);
        if (count == 8)
            CHECK(get_iocb(&ring) == NULL);
        CHECK_EQ(submit(&ring), count);
        CHECK_EQ(submit(&ring), 0);
        for (int i = 0; i < count; i++) {
            unsigned head = *ring.cq.khead;
            struct io_uring_iocb *iocb;

            event = NULL;
            CHECK_EQ(wait_completion(&ring, &event), 0);
            CHECK(event != NULL);
            CHECK_EQ(*ring.cq.khead, head + 1);
            CHECK_EQ(event->res, 4096);
            CHECK_LT(event->index, 8);
            iocb = ring.sq.iocbs + event->index;
            CHECK_EQ(((unsigned char *) iocb->addr)[1], (unsigned char) ((iocb->off + 1) * 7 + iocb->off / 256));
        }
    }
    quit(&ring);
}

/* An event stays readable until the next call, although the kernel may write to its place again. */
static void event_stays(void)
{
    struct io_uring_event *event, copy;
    struct ring ring;
    int pipes[2];

    CHECK_SYS(pipe(pipes));
    make(&ring, 2, 0, NULL);
    for (int i = 0; i < 9; i++) {
        CHECK(read_iocb(&ring, pipes[0], buffer + i, 1, 0));
        CHECK_EQ(submit(&ring), 1);
    }
    CHECK_EQ(write(pipes[1], "1", 1), 1);
    CHECK_EQ(wait_completion(&ring, &event), 0);
    copy = *event;
    /* the ring holds four events, so all places are overwritten */
    CHECK_EQ(write(pipes[1], "23456789", 8), 8);
    while (*ring.cq.ktail - *ring.cq.khead < 4)
        usleep(100);
    CHECK_EQ(event->res, 1);
    CHECK_MEM(event, &copy, sizeof(copy));
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(wait_completion(&ring, &event), 0);
        CHECK_EQ(event->res, 1);
    }
    quit(&ring);
}

#ifndef SPLIT
static void get_without_waiting(void)
{
    struct io_uring_event *event = (void *) 1;
    struct ring ring;
    int pipes[2];

    CHECK_SYS(pipe(pipes));
    make(&ring, 4, 0, NULL);
    CHECK_EQ(io_uring_get_completion(&ring.r, &event), 0);
    CHECK(event == NULL);
    CHECK(read_iocb(&ring, pipes[0], buffer, 4, 0));
    CHECK_EQ(submit(&ring), 1);
    event = (void *) 1;
    CHECK_EQ(io_uring_get_completion(&ring.r, &event), 0);
    CHECK(event == NULL);
    CHECK_EQ(write(pipes[1], "four", 4), 4);
    do
        CHECK_EQ(io_uring_get_completion(&ring.r, &event), 0);
    while (!event);
    CHECK_EQ(event->res, 4);
    CHECK(io_uring_iocb_from_ev(&ring.r, event) == ring.sq.iocbs);
    quit(&ring);
}

/* More events than the ring holds are all found without waiting. */
static void get_backlog_without_waiting(void)
{
    int file = data();
    struct io_uring_event *event;
    struct ring ring;
    unsigned seen = 0;

    make(&ring, 4, 0, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK(read_iocb(&ring, file, buffer, 1, 0));
        CHECK_EQ(submit(&ring), 1);
    }
    CHECK_EQ(*ring.cq.koverflow, 12);
    for (;;) {
        CHECK_EQ(io_uring_get_completion(&ring.r, &event), 0);
        if (!event)
            break;
        seen++;
    }
    CHECK_EQ(seen, 20);
    quit(&ring);
}
#endif

/* An iocb that cannot be started is left in the ring, with those behind it. The next call submits them first. */
static void short_submission(void)
{
    int file = data();
    struct io_uring_event *event;
    struct io_uring_iocb *bad;
    struct ring ring;

    make(&ring, 8, 0, NULL);
    CHECK(read_iocb(&ring, file, buffer, 16, 0));
    bad = read_iocb(&ring, file, buffer, 16, 0);
    bad->opcode = 99;
    CHECK(read_iocb(&ring, file, buffer, 16, 0));
    CHECK_EQ(submit(&ring), 1);
    errno = 0;
    CHECK_EQ(submit(&ring), -EINVAL);
    CHECK_EQ(errno, EINVAL);
    bad->opcode = IORING_OP_READ;
    CHECK(read_iocb(&ring, file, buffer, 16, 0));
    CHECK_EQ(submit(&ring), 3);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(wait_completion(&ring, &event), 0);
        CHECK_EQ(event->res, 16);
    }
    quit(&ring);
}

static void fixed_and_threads(void)
{
    int file = data();
    struct iovec iovecs[8];
    struct io_uring_event *event;

    for (int i = 0; i < 8; i++) {
        iovecs[i].iov_base = buffer + i * 4096;
        iovecs[i].iov_len = 4096;
    }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct leak_mark mark = leak_mark();
        struct ring ring;

        make(&ring, 8, flags[i] | IORING_SETUP_FIXEDBUFS, iovecs);
        for (int j = 0; j < 8; j++) {
            struct io_uring_iocb *iocb = read_iocb(&ring, file, buffer + j * 4096, 4096, j * 4096);

            CHECK(iocb != NULL);
            iocb->opcode = IORING_OP_READ_FIXED;
        }
        CHECK_EQ(submit(&ring), 8);
        for (int j = 0; j < 8; j++) {
            CHECK_EQ(wait_completion(&ring, &event), 0);
            CHECK_EQ(event->res, 4096);
        }
        for (int j = 0; j < 8 * 4096; j++)
            CHECK_EQ(buffer[j], (unsigned char) (j * 7 + j / 256));
        quit(&ring);
        CHECK_NO_LEAK(mark);
    }
}

static void exits(void)
{
    struct leak_mark mark = leak_mark();
    struct ring ring;

    for (int i = 0; i < 100; i++) {
        make(&ring, 1 << i % 10, i % 3 ? 0 : IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL, NULL);
        quit(&ring);
        CHECK_NO_LEAK(mark);
        quit(&ring);
        CHECK_NO_LEAK(mark);
    }
}

/* The bare calls work on the descriptor of a ring of io_uring_queue_init(). */
static void bare_calls(void)
{
    int file = data();
    struct io_uring_event *event;
    struct ring ring;

    make(&ring, 4, 0, NULL);
    CHECK(read_iocb(&ring, file, buffer, 16, 0) == ring.sq.iocbs);
    ring.sq.array[0] = 0;
    ring.sq.iocb_head++;
    __atomic_store_n(ring.sq.ktail, 1, __ATOMIC_RELEASE);
    CHECK_EQ(io_uring_enter(ring.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(wait_completion(&ring, &event), 0);
    CHECK_EQ(event->res, 16);
    quit(&ring);
}

/* Each iocb is reported as submitted once, even while a polling thread has yet to consume it. */
static void counts(void)
{
    int file = data();
    struct io_uring_event *event;
    struct ring ring;

    for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
        make(&ring, 64, flags[i], NULL);
        for (int j = 0; j < 64; j++) {
            CHECK(read_iocb(&ring, file, buffer, 16, 0) != NULL);
            CHECK_EQ(submit(&ring), 1);
        }
        CHECK_EQ(submit(&ring), 0);
        for (int j = 0; j < 64; j++)
            CHECK_EQ(wait_completion(&ring, &event), 0);
        quit(&ring);
    }
}

/* An iocb that a short submission left in the ring is not handed out again. */
static void taken_and_left(void)
{
    int file = data();
    struct io_uring_iocb *second;
    struct io_uring_event *event;
    struct ring ring;

    make(&ring, 4, 0, NULL);
    CHECK(read_iocb(&ring, file, buffer, 16, 0) != NULL);
    second = read_iocb(&ring, file, buffer, 16, 0);
    CHECK(second != NULL);
    second->opcode = 77;
    for (int i = 0; i < 2; i++)
        CHECK(read_iocb(&ring, file, buffer, 16, 0) != NULL);
    CHECK(get_iocb(&ring) == NULL);
    CHECK_EQ(submit(&ring), 1);
    CHECK(get_iocb(&ring) == ring.sq.iocbs);
    CHECK(get_iocb(&ring) == NULL);
    second->opcode = IORING_OP_READ;
    memcpy(ring.sq.iocbs, second, sizeof(*second));
    CHECK_EQ(submit(&ring), 4);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(wait_completion(&ring, &event), 0);
        CHECK_EQ(event->res, 16);
    }
    quit(&ring);
}

/* As on Linux 6.5, which does not know IORING_SETUP_NO_SQARRAY and keeps an array of indexes behind the events. */
static void with_an_array(void)
{
    enum { SETUP = 425, NO_SQARRAY = 1 << 16 };
    int status, entering = 0, denied = 0, denies = 0;
    pid_t child = CHECK_SYS(fork());

    if (child == 0) {
        int file = data();
        struct io_uring_event *event;
        struct ring ring;

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(EXIT_SKIP);
        raise(SIGSTOP);
        make(&ring, 4, 0, NULL);
        for (int round = 0; round < 8; round++) {
            memset(buffer, 0, 4 * 64);
            for (int i = 0; i < 4; i++)
                CHECK(read_iocb(&ring, file, buffer + i * 64, 64, (round * 4 + i) * 64) != NULL);
            CHECK_EQ(submit(&ring), 4);
            for (int i = 0; i < 4; i++) {
                CHECK_EQ(wait_completion(&ring, &event), 0);
                CHECK_EQ(event->res, 64);
            }
            for (int i = 0; i < 4 * 64; i++) {
                int at = round * 4 * 64 + i;

                CHECK_EQ(buffer[i], (unsigned char) (at * 7 + at / 256));
            }
        }
        quit(&ring);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
        CHECK_EQ(WEXITSTATUS(status), EXIT_SKIP);
        skip("ptrace is forbidden");
    }
    CHECK_SYS(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    for (;;) {
        struct user_regs_struct regs;

        CHECK_SYS(ptrace(PTRACE_SYSCALL, child, NULL, NULL));
        CHECK_EQ(waitpid(child, &status, 0), child);
        if (WIFEXITED(status))
            break;
        CHECK(WIFSTOPPED(status));
        CHECK_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
        CHECK_SYS(ptrace(PTRACE_GETREGS, child, NULL, &regs));
        entering = !entering;
        if (entering && regs.orig_rax == SETUP) {
            /* the flags, in the third word of the parameters */
            if (ptrace(PTRACE_PEEKDATA, child, regs.rsi + 8, NULL) & NO_SQARRAY) {
                denies = 1;
                regs.orig_rax = -1;
                CHECK_SYS(ptrace(PTRACE_SETREGS, child, NULL, &regs));
            }
        } else if (!entering && denies) {
            denies = 0;
            denied++;
            regs.rax = -EINVAL;
            CHECK_SYS(ptrace(PTRACE_SETREGS, child, NULL, &regs));
        }
    }
    CHECK_EQ(status, 0);
    CHECK_EQ(denied, 1);
}

static const struct test_case cases[] = {
    CASE(failing_init), CASE(iocbs), CASE(event_stays), CASE(short_submission), CASE(fixed_and_threads), CASE(exits),
    CASE(bare_calls), CASE(counts), CASE(taken_and_left), CASE(with_an_array),
#ifndef SPLIT
    CASE(get_without_waiting), CASE(get_backlog_without_waiting),
#endif
};
TEST_MAIN(cases)
