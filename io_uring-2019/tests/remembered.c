/*
 * What a call finds out about descriptors is remembered, and forgotten when one may have changed: closed, replaced, or
 * not shared any more. Raw calls. The linked library remembers nothing, and passes as well.
 */
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "changes.h"
#include "count_calls.h"
#include "read_one.h"

/* Other names that glibc exports. */
extern int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...) __attribute__((weak));
extern pid_t __vfork(void) __attribute__((weak));

/* "data", open for reading by the lowest free number. */
static int reader(void)
{
    return CHECK_SYS(open("data", O_RDONLY));
}

static void make_data(void)
{
    close(pattern_file("data", 16 * BLOCK, O_RDONLY));
}

/* After this, both descriptors are remembered. */
static void learn(struct raw *r, int fd)
{
    for (int i = 0; i < 4; i++)
        read_one(r, fd);
}

static void write_one(struct raw *r, int fd)
{
    raw_request(r, 1, IORING_OP_WRITE, fd, buffer, BLOCK, 64 * BLOCK);
    CHECK_EQ(io_uring_enter(r->fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_wait(r).res, BLOCK);
}

/* The call itself refuses the request. */
static void refuses(struct raw *r, int opcode, int fd)
{
    raw_request(r, 1, opcode, fd, buffer, BLOCK, 0);
    FAILS(io_uring_enter(r->fd, 1, 1, IORING_ENTER_GETEVENTS), EBADF);
    CHECK_EQ(*r->sq_tail, *r->sq_head + 1);
    *r->sq_tail = *r->sq_head;
}

/* Runs `act` for each way, in a child. */
static void each_way(void (*act)(size_t way))
{
    make_data();
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        int status;
        pid_t child = CHECK_SYS(fork());

        if (child == 0) {
            other = CHECK_SYS(open("other", O_WRONLY | O_CREAT, 0644));
            act(i);
            _exit(0);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        if (status)
            test_fail(__FILE__, __LINE__, "after %s", ways[i].name);
    }
}

/* The number of a file leads to another file, or to none. */
static void change_file(size_t way)
{
    struct raw r;
    int fd;

    raw_open(&r, 8, 0, NULL);
    fd = ways[way].prepare(reader());
    learn(&r, fd);
    ways[way].change(fd);
    refuses(&r, IORING_OP_READ, fd);
    if (ways[way].after == CLOSED) {
        int again = CHECK_SYS(open("other", O_WRONLY));

        CHECK_EQ(again, fd);
        refuses(&r, IORING_OP_READ, fd);
    }
    write_one(&r, fd);
}

static void files(void)
{
    each_way(change_file);
}

/* As before, with the number remembered as nothing: the other file is asked about anew. */
static void reopen_file(size_t way)
{
    struct raw r;
    int fd;

    if (ways[way].after == REPLACED)
        return;
    raw_open(&r, 8, 0, NULL);
    fd = ways[way].prepare(reader());
    learn(&r, fd);
    ways[way].change(fd);
    CHECK_EQ(CHECK_SYS(open("other", O_WRONLY)), fd);
    refuses(&r, IORING_OP_READ, fd);
    write_one(&r, fd);
}

static void files_at_once(void)
{
    each_way(reopen_file);
}

/* The number of a ring leads to a file, to none, or to another ring. */
static void change_ring(size_t way)
{
    int file = reader(), fd, again;
    struct raw r, next;

    raw_open(&r, 8, 0, NULL);
    fd = r.fd = ways[way].prepare(r.fd);
    learn(&r, file);
    ways[way].change(fd);
    if (ways[way].after == CLOSED) {
        FAILS(io_uring_enter(fd, 0, 0, 0), EBADF);
        again = CHECK_SYS(open("other", O_WRONLY));
        CHECK_LE(again, fd);
        close(again);
    } else {
        FAILS(io_uring_enter(fd, 0, 0, 0), EOPNOTSUPP);
        close(fd);
    }
    raw_unmap(&r);
    raw_open(&next, 8, 0, NULL);
    learn(&next, file);
    FAILS(io_uring_enter(next.fd == fd ? 4000 : fd, 0, 0, 0), EBADF);
}

static void rings(void)
{
    each_way(change_ring);
}

/* Another descriptor of the ring still leads there. */
static void duplicate(void)
{
    struct raw r;
    int file, first;

    make_data();
    file = reader();
    raw_open(&r, 8, 0, NULL);
    first = r.fd;
    learn(&r, file);
    r.fd = CHECK_SYS(dup(first));
    learn(&r, file);
    close(first);
    FAILS(io_uring_enter(first, 0, 0, 0), EBADF);
    learn(&r, file);
    raw_close(&r);
}

/* ---- descriptors that change unseen ---- */

static struct raw shared;
static int shared_fd;

/* Has the number lead to a file that is open for writing, and remembers that. */
static int replace(void *unused)
{
    (void) unused;
    CHECK_SYS(close(shared_fd));
    CHECK_EQ(CHECK_SYS(open("other", O_WRONLY)), shared_fd);
    for (int i = 0; i < 4; i++)
        write_one(&shared, shared_fd);
    return 0;
}

/* The same without a ring, and without a change that this library sees. */
static int replace_quietly(void *unused)
{
    (void) unused;
    close(shared_fd);
    _exit(open("other", O_WRONLY) != shared_fd);
}

static void share(void)
{
    make_data();
    close(CHECK_SYS(open("other", O_WRONLY | O_CREAT, 0644)));
    raw_open(&shared, 8, 0, NULL);
    shared_fd = reader();
    learn(&shared, shared_fd);
}

static void ended(pid_t child)
{
    int status;

    CHECK_EQ(waitpid(child, &status, __WALL), child);
    CHECK_EQ(status, 0);
}

/* Whoever had descriptors of its own has not changed what this thread's lead to. */
static void unchanged(void)
{
    refuses(&shared, IORING_OP_WRITE, shared_fd);
    read_one(&shared, shared_fd);
    raw_close(&shared);
}

static void run_vfork(pid_t (*fork_it)(void))
{
    pid_t child;

    share();
    child = fork_it();
    if (child == 0) {
        replace(NULL);
        _exit(0);
    }
    ended(CHECK_SYS(child));
    unchanged();
}

static void vforked(void) { run_vfork(vfork); }
static void vforked_alias(void) { run_vfork(__vfork ? __vfork : vfork); }

static int (*unshare_files)(void);

static int unshare_call(void) { return unshare(CLONE_FILES); }
static int unshare_number(void) { return syscall(SYS_unshare, CLONE_FILES); }
static int unshare_range(void) { return close_range(4000, 4000, CLOSE_RANGE_UNSHARE); }
static int unshare_range_number(void) { return syscall(SYS_close_range, 4000, 4000, CLOSE_RANGE_UNSHARE); }

static void *unsharing(void *unused)
{
    CHECK_SYS(unshare_files());
    replace(unused);
    return NULL;
}

static void run_unshare(int (*call)(void))
{
    pthread_t thread;

    unshare_files = call;
    share();
    CHECK_EQ(pthread_create(&thread, NULL, unsharing, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    unchanged();
}

static void unshared(void) { run_unshare(unshare_call); }
static void unshared_by_number(void) { run_unshare(unshare_number); }
static void unshared_by_range(void) { run_unshare(unshare_range); }
static void unshared_by_range_number(void) { run_unshare(unshare_range_number); }

static char stack[1 << 16] __attribute__((aligned(16)));

/* A process that shares the descriptors, and not the memory, has changed one. */
static void changed(pid_t child)
{
    ended(CHECK_SYS(child));
    refuses(&shared, IORING_OP_READ, shared_fd);
    write_one(&shared, shared_fd);
    raw_close(&shared);
}

static void cloned(void)
{
    share();
    changed(clone(replace_quietly, stack + sizeof(stack), CLONE_FILES | SIGCHLD, NULL));
}

static void cloned_alias(void)
{
    share();
    changed((__clone ? __clone : clone)(replace_quietly, stack + sizeof(stack), CLONE_FILES | SIGCHLD, NULL));
}

static void cloned_by_number(void)
{
    pid_t child;

    share();
    child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0)
        replace_quietly(NULL);
    changed(child);
}

static void cloned_by_number_3(void)
{
    struct clone_args arguments = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
    pid_t child;

    share();
    child = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (child == 0)
        replace_quietly(NULL);
    changed(child);
}

/* A system call instruction of the program is not seen. What is remembered then refuses no request that can be done. */
static void unseen(void)
{
    share();
#ifdef __x86_64__
    long ret = SYS_close;

    __asm__ volatile("syscall" : "+a"(ret) : "D"((long) shared_fd) : "rcx", "r11", "memory");
    CHECK_EQ(ret, 0);
#endif
    CHECK_EQ(CHECK_SYS(open("other", O_WRONLY)), shared_fd);
    write_one(&shared, shared_fd);
    raw_close(&shared);
}

/* ---- modes that change ---- */

/* Other processes can change the flags of an open file, and nothing shows that here. */
static void nonblocking(void)
{
    static const unsigned modes[] = { 0, IORING_SETUP_SQWQ, IORING_SETUP_SQTHREAD };
    struct utsname name;
    int major, minor;

    CHECK_SYS(uname(&name));
    CHECK_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
    if (major < 6 || (major == 6 && minor < 12))
        skip("before Linux 6.12 a read waits for data");
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        int pipes[2], on = 1;
        struct raw r;

        raw_open(&r, 8, modes[i], NULL);
        CHECK_SYS(pipe(pipes));
        for (int way = 0; way < 3; way++) {
            for (int j = 0; j < 4; j++) {
                CHECK_EQ(write(pipes[1], "x", 1), 1);
                raw_request(&r, 1, IORING_OP_READ, pipes[0], buffer, 1, 0);
                CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
                CHECK_EQ(raw_wait(&r).res, 1);
            }
            if (way == 0) {
                pid_t child = CHECK_SYS(fork());

                if (child == 0)
                    _exit(fcntl(pipes[0], F_SETFL, O_NONBLOCK) != 0);
                ended(child);
            } else if (way == 1) {
                CHECK_SYS(fcntl(pipes[0], F_SETFL, O_NONBLOCK));
            } else {
                CHECK_SYS(ioctl(pipes[0], FIONBIO, &on));
            }
            raw_request(&r, 1, IORING_OP_READ, pipes[0], buffer, 1, 0);
            CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
            CHECK_EQ(raw_spin(&r).res, -EAGAIN);
            CHECK_SYS(fcntl(pipes[0], F_SETFL, 0));
        }
        raw_close(&r);
    }
}

static void direct(void)
{
    struct raw r;
    int fd;

    make_data();
    fd = CHECK_SYS(open("data", O_RDONLY | O_DIRECT));
    raw_open(&r, 8, IORING_SETUP_IOPOLL, NULL);
    for (int i = 0; i < 2; i++) {
        learn(&r, fd);
        CHECK_SYS(fcntl(fd, F_SETFL, 0));
        raw_request(&r, 1, IORING_OP_READ, fd, buffer, BLOCK, 0);
        FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EOPNOTSUPP);
        *r.sq_tail = *r.sq_head;
        CHECK_SYS(fcntl(fd, F_SETFL, O_DIRECT));
    }
    raw_close(&r);
}

#ifndef LINKED
/* ---- and it is remembered ---- */

#define CALLS 16
static unsigned traced_flags;

static void traced(void)
{
    int fds[2] = { reader(), reader() };
    struct raw r;

    raw_open(&r, 8, traced_flags, NULL);
    learn(&r, fds[0]);
    learn(&r, fds[1]);
    mark();
    for (int i = 0; i < CALLS; i++)
        read_one(&r, fds[i % 2]);
    mark();
    close(fds[1]);
    mark();
    for (int i = 0; i < CALLS; i++)
        read_one(&r, fds[0]);
    mark();
    _exit(0);
}

/* Each call makes one system call, and a few more after a descriptor was closed. */
static void one_call(void)
{
    static const unsigned flags[] = { 0, IORING_SETUP_SQWQ, IORING_SETUP_SQTHREAD };

    make_data();
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        long counts[3];

        traced_flags = flags[i];
        count_calls(traced, counts, ARRAY_LEN(counts), "");
        CHECK_EQ(counts[0], CALLS);
        /* the ring's position; twice how the file was opened; once what it is */
        CHECK_EQ(counts[2], CALLS + 4);
    }
}
#endif

static const struct test_case cases[] = {
    CASE(files), CASE(files_at_once), CASE(rings), CASE(duplicate), CASE(vforked), CASE(vforked_alias), CASE(unshared),
    CASE(unshared_by_number), CASE(unshared_by_range), CASE(unshared_by_range_number), CASE(cloned), CASE(cloned_alias),
    CASE(cloned_by_number), CASE(cloned_by_number_3), CASE(unseen), CASE(nonblocking), CASE(direct),
#ifndef LINKED
    CASE(one_call),
#endif
};
TEST_MAIN(cases)
