/*
 * No path operation is served with other credentials than those of the thread
 * that submitted it: a thread that became another user by itself, which libc
 * does not tell the other threads of, gets none of root's files.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/fsuid.h>

#include "file.h"
#include "ring.h"

enum { NOBODY = 65534 };

/* This thread alone; libc's functions would change all threads. */
static void become_nobody_alone(void)
{
    CHECK_SYS(syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY));
    CHECK_SYS(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY));
}

static void root_file(const char *name)
{
    int fd = make_file(name, 6, 1);

    CHECK_SYS(fchmod(fd, 0600));
    CHECK_SYS(close(fd));
    CHECK_SYS(chmod(".", 0755));
}

static void submit_each(struct io_uring *ring, unsigned first_flags)
{
    static struct statx status;
    struct open_how how = { .flags = O_RDONLY };
    static char value[8];
    char path[4096];

    CHECK(getcwd(path, sizeof(path) - 16) != NULL);
    for (unsigned op = 0; op < 10; op++) {
        struct io_uring_sqe *sqe;
        int res;

        if (first_flags) {
            /* what takes a while, so that a worker reaches what follows */
            sqe = next_sqe(ring);
            io_uring_prep_nop(sqe);
            io_uring_sqe_set_flags(sqe, first_flags | IOSQE_CQE_SKIP_SUCCESS);
        }
        sqe = next_sqe(ring);
        switch (op) {
        case 0: io_uring_prep_openat(sqe, AT_FDCWD, "secret", O_RDONLY, 0); break;
        case 1: io_uring_prep_openat2(sqe, AT_FDCWD, "secret", &how); break;
        case 2: io_uring_prep_unlink(sqe, "secret", 0); break;
        case 3: io_uring_prep_rename(sqe, "secret", "other"); break;
        case 4: io_uring_prep_mkdir(sqe, "dir", 0755); break;
        case 5: io_uring_prep_symlink(sqe, "secret", "link"); break;
        case 6: io_uring_prep_link(sqe, "secret", "hard", 0); break;
        case 7: io_uring_prep_statx(sqe, AT_FDCWD, "locked/secret", 0, STATX_ALL, &status); break;
        case 8: io_uring_prep_setxattr(sqe, "user.a", "b", "secret", 0, 1); break;
        case 9: io_uring_prep_getxattr(sqe, "user.a", value, "secret", sizeof(value)); break;
        }
        io_uring_sqe_set_data64(sqe, op);
        SUBMIT(ring, first_flags ? 2 : 1);
        res = reap(ring).res;
        if (res != -EACCES && res != -EPERM)
            test_fail(__FILE__, __LINE__, "operation %u: %d", op, res);
    }
}

static void make_files(void)
{
    root_file("secret");
    CHECK_SYS(mkdir("locked", 0700));
    CHECK_SYS(close(make_file("locked/secret", 6, 1)));
}

/* Threads of the emulator are made by root and stay root's. */
static void wake_workers(struct io_uring *ring)
{
    for (unsigned i = 0; i < 4; i++) {
        struct io_uring_sqe *sqe = next_sqe(ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
        CHECK_EQ(run_res(ring), 0);
    }
}

static void *alone_in_thread(void *argument)
{
    become_nobody_alone();
    submit_each(argument, 0);
    return NULL;
}

static void *linked_in_thread(void *argument)
{
    become_nobody_alone();
    submit_each(argument, IOSQE_ASYNC | IOSQE_IO_LINK);
    return NULL;
}

static void in_thread(void *(*function)(void *))
{
    struct io_uring ring, mine;
    pthread_t thread;

    need_root("becoming another user");
    make_files();
    ring_open(&ring, 8, 0);
    ring_open(&mine, 8, 0);
    wake_workers(&ring);
    CHECK_EQ(pthread_create(&thread, NULL, function, &ring), 0);
    /* Idle ones would end, and those that the thread then makes have its credentials. */
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        struct io_uring_sqe *sqe = next_sqe(&mine);
        struct io_uring_cqe *cqe;

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
        SUBMIT(&mine, 1);
        /* without a wait, in which this thread would look for events */
        while (io_uring_peek_cqe(&mine, &cqe) != 0)
            usleep(1000);
        io_uring_cqe_seen(&mine, cqe);
    }
    io_uring_queue_exit(&mine);
    CHECK_SYS(access("secret", F_OK));
    io_uring_queue_exit(&ring);
}

static void alone(void)
{
    in_thread(alone_in_thread);
}

static void linked(void)
{
    in_thread(linked_in_thread);
}

/* Fewer in an emulated machine. */
#ifndef HANDED_ROUNDS
#define HANDED_ROUNDS 300
#endif

/* What a worker may not do is left to the thread that waits, and wakes it. */
static void *wait_in_thread(void *argument)
{
    struct io_uring *ring = argument;

    become_nobody_alone();
    for (unsigned i = 0; i < HANDED_ROUNDS; i++) {
        struct io_uring_sqe *sqe = next_sqe(ring);

        io_uring_prep_nop(sqe);
        io_uring_sqe_set_flags(sqe, IOSQE_ASYNC | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
        sqe = next_sqe(ring);
        io_uring_prep_openat(sqe, AT_FDCWD, "secret", O_RDONLY, 0);
        SUBMIT(ring, 2);
        for (unsigned spins = i % 64 * 64; spins > 0; spins--)
            __asm__ volatile("");
        CHECK_EQ(reap(ring).res, -EACCES);
    }
    return NULL;
}

static void wakes_who_waits(void)
{
    in_thread(wait_in_thread);
}

/* The same for a thread that looks for events while it waits. */
static void *lead_in_thread(void *argument)
{
    static char never;
    struct io_uring *ring = argument;
    int ends[2];

    CHECK_SYS(pipe(ends));
    io_uring_prep_read(next_sqe(ring), ends[0], &never, 1, 0);
    SUBMIT(ring, 1);
    return wait_in_thread(argument);
}

static void wakes_who_leads(void)
{
    in_thread(lead_in_thread);
}

static sem_t submitted, entered;

static void *leave_in_thread(void *argument)
{
    struct io_uring *ring = argument;
    struct io_uring_sqe *sqe = next_sqe(ring);

    become_nobody_alone();
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
    io_uring_prep_openat(next_sqe(ring), AT_FDCWD, "secret", O_RDONLY, 0);
    SUBMIT(ring, 2);
    CHECK_SYS(sem_post(&submitted));
    CHECK_SYS(sem_wait(&entered));
    CHECK_EQ(reap(ring).res, -EACCES);
    return NULL;
}

/* What is left to its thread keeps no other one in a call. */
static void others_enter(void)
{
    struct pollfd readable = { .events = POLLIN };
    struct io_uring ring;
    pthread_t thread;

    need_root("becoming another user");
    make_files();
    ring_open(&ring, 8, 0);
    wake_workers(&ring);
    CHECK_SYS(sem_init(&submitted, 0, 0));
    CHECK_SYS(sem_init(&entered, 0, 0));
    CHECK_EQ(pthread_create(&thread, NULL, leave_in_thread, &ring), 0);
    CHECK_SYS(sem_wait(&submitted));
    readable.fd = ring.ring_fd;
    CHECK_EQ(poll(&readable, 1, -1), 1);
    CHECK_GE(io_uring_get_events(&ring), 0);
    CHECK_SYS(sem_post(&entered));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    io_uring_queue_exit(&ring);
}

/* A personality lends rights to the requests that name it, and leaves the thread as it was. */
static void lent(void)
{
    struct io_uring ring;
    int root, nobody, fd;

    need_root("becoming another user");
    make_files();
    ring_open(&ring, 8, 0);
    root = io_uring_register_personality(&ring);
    CHECK_GT(root, 0);
    CHECK_SYS(setfsuid(NOBODY));
    CHECK_EQ(setfsuid(NOBODY), NOBODY);
    nobody = io_uring_register_personality(&ring);
    CHECK_GT(nobody, 0);
    for (unsigned linked = 0; linked < 2; linked++) {
        for (unsigned i = 0; i < 4; i++) {
            struct io_uring_sqe *sqe;

            if (linked) {
                sqe = next_sqe(&ring);
                io_uring_prep_nop(sqe);
                io_uring_sqe_set_flags(sqe, IOSQE_ASYNC | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
            }
            sqe = next_sqe(&ring);
            io_uring_prep_openat(sqe, AT_FDCWD, "secret", O_RDONLY, 0);
            sqe->personality = (__u16) (i % 2 ? nobody : root);
            /* the submitter's own rights are root's in the second half */
            setfsuid(i < 2 ? NOBODY : 0);
            SUBMIT(&ring, linked ? 2 : 1);
            fd = reap(&ring).res;
            CHECK_EQ(setfsuid(-1), i < 2 ? NOBODY : 0);
            if (i % 2) {
                CHECK_EQ(fd, -EACCES);
            } else {
                CHECK_GE(fd, 0);
                CHECK_SYS(close(fd));
            }
        }
        setfsuid(NOBODY);
    }
    /* what a worker does to an open file goes on there */
    setfsuid(0);
    fd = make_file("synced", 6, 1);
    setfsuid(NOBODY);
    for (unsigned i = 0; i < 2; i++) {
        struct io_uring_sqe *sqe = next_sqe(&ring);

        io_uring_prep_fsync(sqe, fd, 0);
        sqe->personality = (__u16) root;
        io_uring_sqe_set_flags(sqe, i ? IOSQE_ASYNC : 0);
        CHECK_EQ(run_res(&ring), 0);
    }
    close(fd);
    setfsuid(0);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(alone),
    CASE(linked),
    CASE(wakes_who_waits),
    CASE(wakes_who_leads),
    CASE(others_enter),
    CASE(lent),
};

TEST_MAIN(cases)
