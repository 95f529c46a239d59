/* Which descriptors lead to a ring, and which do not. Raw calls. */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "read_one.h"

/* A new descriptor has the lowest free number, even if that is one of the first three. */
static void lowest_descriptor(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), lowest = CHECK_SYS(dup(fd));
    struct raw r;

    close(lowest);
    raw_open(&r, 8, 0, NULL);
    CHECK_EQ(r.fd, lowest);
    raw_close(&r);
    close(STDIN_FILENO);
    for (int i = 0; i < 2; i++) {
        struct rlimit few = { 200, 200 };

        raw_open(&r, 8, 0, NULL);
        CHECK_EQ(r.fd, STDIN_FILENO);
        read_one(&r, fd);
        raw_close(&r);
        CHECK_SYS(setrlimit(RLIMIT_NOFILE, &few));
    }
}

static void duplicates(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), copy, other;
    struct leak_mark mark = leak_mark();
    struct raw r;

    raw_open(&r, 8, 0, NULL);
    copy = CHECK_SYS(dup(r.fd));
    close(r.fd);
    FAILS(io_uring_enter(r.fd, 0, 0, 0), EBADF);
    other = CHECK_SYS(open("/dev/null", O_RDONLY));
    CHECK_EQ(other, r.fd);
    FAILS(io_uring_enter(other, 0, 0, 0), EOPNOTSUPP);
    r.fd = copy;
    read_one(&r, fd);
    r.fd = CHECK_SYS(fcntl(copy, F_DUPFD, 100));
    close(copy);
    read_one(&r, fd);
    CHECK_EQ(dup2(r.fd, other), other);
    close(r.fd);
    r.fd = other;
    read_one(&r, fd);
    raw_close(&r);
    CHECK_GONE(mark);
}

static int sent_to_itself(int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'x';
    struct iovec data = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int sockets[2];

    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    *header = (struct cmsghdr) { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    CHECK_EQ(sendmsg(sockets[0], &message, 0), 1);
    CHECK_EQ(recvmsg(sockets[1], &message, 0), 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    close(sockets[0]);
    close(sockets[1]);
    return fd;
}

/* Every way to get a further descriptor. The first one is closed, and the ring stays. */
static void further_descriptors(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), self = syscall(SYS_pidfd_open, getpid(), 0);

    for (int way = 0; way < 10; way++) {
        struct raw r;
        int copy;

        raw_open(&r, 8, 0, NULL);
        if (way == 0)
            copy = dup(r.fd);
        else if (way == 1)
            copy = fcntl(r.fd, F_DUPFD, 100);
        else if (way == 2)
            copy = fcntl(r.fd, F_DUPFD_CLOEXEC, 100);
        else if (way == 3)
            copy = dup2(r.fd, 100);
        else if (way == 4)
            copy = dup3(r.fd, 100, O_CLOEXEC);
        else if (way == 5)
            copy = syscall(SYS_dup, r.fd);
        else if (way == 6)
            copy = syscall(SYS_fcntl, r.fd, F_DUPFD, 100);
        else if (way == 7)
            copy = syscall(SYS_fcntl, r.fd, F_DUPFD_CLOEXEC, 100);
        else if (way == 8)
            copy = sent_to_itself(r.fd);
        else if (self >= 0)
            copy = syscall(SYS_pidfd_getfd, self, r.fd, 0);
        else
            copy = CHECK_SYS(dup(r.fd));
        CHECK_SYS(copy);
        CHECK_EQ(close(r.fd), 0);
        r.fd = copy;
        read_one(&r, fd);
        raw_close(&r);
    }
    /* other commands go through */
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(syscall(SYS_fcntl, fd, F_GETFD), FD_CLOEXEC);
    FAILS(fcntl(4000, F_GETFD), EBADF);
    FAILS(dup(4000), EBADF);
    FAILS(recvmsg(fd, &(struct msghdr) { 0 }, 0), ENOTSOCK);
    FAILS(recvmmsg(fd, NULL, 1, 0, NULL), ENOTSOCK);
}

/* Every way to put another file in the descriptor's place. */
static void replaced_descriptors(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct leak_mark mark = leak_mark();
    struct raw r;

    for (int way = 0; way < 7; way++) {
        raw_open(&r, 8, way & 1 ? IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL : 0, NULL);
        read_one(&r, fd);
        raw_unmap(&r);
        if (way == 0)
            CHECK_EQ(dup2(fd, r.fd), r.fd);
        else if (way == 1)
            CHECK_EQ(dup3(fd, r.fd, O_CLOEXEC), r.fd);
        else if (way == 2)
            CHECK_EQ(close_range(r.fd, r.fd, 0), 0);
        else if (way == 3)
            CHECK_EQ(syscall(SYS_close, r.fd), 0);
        else if (way == 4)
            CHECK_EQ(syscall(SYS_dup2, fd, r.fd), r.fd);
        else if (way == 5)
            CHECK_EQ(syscall(SYS_dup3, fd, r.fd, O_CLOEXEC), r.fd);
        else
            CHECK_EQ(syscall(SYS_close_range, r.fd, r.fd, 0), 0);
        raw_gone(0);
        if (way == 2 || way == 3 || way == 6) {
            FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EBADF);
            CHECK_EQ(dup2(fd, r.fd), r.fd);
        }
        FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EOPNOTSUPP);
        FAILS(io_uring_enter(r.fd, 0, 0, 0), EOPNOTSUPP);
        close(r.fd);
        CHECK_GONE(mark);
    }
}

/*
 * Closed by a call that the library does not see. The number is not mistaken for the ring. The next set-up gives the
 * ring back at the latest.
 */
static void closed_unseen(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), other;
    struct leak_mark mark;
    struct raw r;

    raw_open(&r, 8, 0, NULL);
    raw_close(&r);
    fclose(fdopen(dup(fd), "r"));
    /* the watching thread of the linked library still has its stack */
    CHECK_EQ(tasks_in_the_end(), 1);
    mark = leak_mark();
    for (int i = 0; i < 10; i++) {
        raw_open(&r, 8, i % 2 ? IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL : 0, NULL);
        read_one(&r, fd);
        raw_unmap(&r);
        CHECK_EQ(fclose(fdopen(r.fd, "r+")), 0);
        FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EBADF);
        other = CHECK_SYS(open("/dev/null", O_RDONLY));
        if (other != r.fd) {
            CHECK_EQ(dup2(other, r.fd), r.fd);
            close(other);
        }
        FAILS(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), EOPNOTSUPP);
        CHECK_EQ(fclose(fdopen(r.fd, "r")), 0);
    }
    raw_open(&r, 8, 0, NULL);
    raw_close(&r);
    CHECK_GONE(mark);
    CHECK_EQ(tasks_in_the_end(), 1);
}

/* Many closed so: set-up comes to all of them in turn, and to all at once if something is lacking. */
static void many_closed_unseen(void)
{
    enum { MANY = 40 };
    struct rlimit limit;
    struct raw r;

    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    for (int round = 0; round < 2; round++) {
        int fds[MANY];

        for (int i = 0; i < MANY; i++) {
            memset(&r.p, 0, sizeof(r.p));
            fds[i] = CHECK_SYS(io_uring_setup(1, NULL, &r.p));
        }
        for (int i = 0; i < MANY; i++)
            CHECK_EQ(fclose(fdopen(fds[i], "r+")), 0);
        if (round) {
            struct rlimit few = { fds[0] + 1, limit.rlim_max };

            /* a ring takes two, and one number of these is free */
            CHECK_SYS(setrlimit(RLIMIT_NOFILE, &few));
            memset(&r.p, 0, sizeof(r.p));
            FAILS(io_uring_setup(1, NULL, &r.p), EMFILE);
            CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
        } else {
            for (int i = 0; i < MANY / 4 + 1; i++) {
                raw_open(&r, 1, 0, NULL);
                raw_unmap(&r);
                CHECK_EQ(close(r.fd), 0);
            }
        }
        raw_gone(0);
    }
}

/* All descriptors are closed, even those of the library. */
static void everything_closed(void)
{
    int fd;
    struct raw r;

    raw_open(&r, 8, 0, NULL);
    raw_unmap(&r);
    closefrom(3);
    raw_gone(0);
    FAILS(io_uring_enter(r.fd, 0, 0, 0), EBADF);
    fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    raw_open(&r, 8, 0, NULL);
    read_one(&r, fd);
    raw_close(&r);
}

/* The only descriptor of a ring moves from number to number, while another thread sets rings up. */
static volatile int all_set_up;

static void *set_up_others(void *argument)
{
    /* a slow machine does fewer */
    double end = seconds() + 5;
    struct io_uring_params p;

    for (int i = 0; i < 3000 && seconds() < end; i++) {
        memset(&p, 0, sizeof(p));
        close(CHECK_SYS(io_uring_setup(1, NULL, &p)));
    }
    all_set_up = 1;
    return argument;
}

static void move_about(struct raw *r, int fd)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, set_up_others, NULL), 0);
    for (unsigned moves = 0; !all_set_up; moves++) {
        int other = CHECK_SYS(fcntl(r->fd, F_DUPFD, moves & 1 ? 3 : 200));

        CHECK_EQ(close(r->fd), 0);
        r->fd = other;
        CHECK_EQ(io_uring_enter(r->fd, 0, 0, 0), 0);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    read_one(r, fd);
}

static void moving(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY), status;
    struct raw r;
    pid_t child;

    raw_open(&r, 4, 0, NULL);
    child = CHECK_SYS(fork());
    if (child == 0) {
        move_about(&r, fd);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    move_about(&r, fd);
    raw_unmap(&r);
    close(r.fd);
    raw_gone(0);
}

/* A thread that hangs in a read holds the lock of the file's position. Rings are set up and closed all the same. */
static struct {
    int file, faults;
    struct uffdio_zeropage page;
    volatile int done, late;
} hanging;

static void *hang(void *page)
{
    CHECK_EQ(read(hanging.file, page, BLOCK), BLOCK);
    return page;
}

/* A thread that waits for that lock cannot be killed, so this one ends the read after a while. */
static void *end_hanging_read(void *argument)
{
    double end = seconds() + 10;

    while (!hanging.done && seconds() < end)
        usleep(1000);
    hanging.late = !hanging.done;
    CHECK_SYS(ioctl(hanging.faults, UFFDIO_ZEROPAGE, &hanging.page));
    return argument;
}

static void file_in_use(void)
{
    int fd = pattern_file("data", 16 * BLOCK, O_RDONLY);
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register missing = { .mode = UFFDIO_REGISTER_MODE_MISSING };
    pthread_t thread, other;
    struct raw r;
    char *page;

    hanging.faults = syscall(SYS_userfaultfd, O_CLOEXEC);
    if (hanging.faults < 0)
        skip("userfaultfd: %s", strerror(errno));
    CHECK_SYS(ioctl(hanging.faults, UFFDIO_API, &api));
    page = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    missing.range.start = (unsigned long) page;
    missing.range.len = BLOCK;
    CHECK_SYS(ioctl(hanging.faults, UFFDIO_REGISTER, &missing));
    hanging.page.range = missing.range;
    hanging.file = CHECK_SYS(open("data", O_RDONLY));
    CHECK_EQ(pthread_create(&thread, NULL, hang, page), 0);
    CHECK_EQ(pthread_create(&other, NULL, end_hanging_read, NULL), 0);
    usleep(50000);
    for (int i = 0; i < 3; i++) {
        raw_open(&r, 8, 0, NULL);
        read_one(&r, fd);
        raw_close(&r);
    }
    close(CHECK_SYS(dup(hanging.file)));
    hanging.done = 1;
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(hanging.late, 0);
}

/* What the library reads in /proc: which descriptors there are, and how large the backlog is. */
static void look_everything_up(void)
{
    int fd = CHECK_SYS(open("data", O_RDONLY)), copy;
    struct raw r;

    for (int i = 0; i < 2; i++) {
        raw_open(&r, 4, 0, NULL);
        copy = CHECK_SYS(dup(r.fd));
        CHECK_EQ(close(r.fd), 0);
        r.fd = copy;
        read_one(&r, fd);
        for (int j = 0; j < 20; j++) {
            raw_request(&r, j & 3, IORING_OP_READ, fd, buffer, 64, 0);
            CHECK_EQ(io_uring_enter(r.fd, 1, 0, 0), 1);
        }
        CHECK_EQ(raw_ready(&r), 8);
        CHECK_EQ(*r.cq_overflow, 12);
        raw_unmap(&r);
        close(r.fd);
    }
    close(fd);
}

static void *unshare_table(void *argument)
{
    CHECK_SYS(unshare(CLONE_FILES));
    /* other numbers than in the first thread's table */
    for (int i = 3; i < 20; i++)
        close(i);
    look_everything_up();
    return argument;
}

static void own_descriptor_table(void)
{
    pthread_t thread;

    close(pattern_file("data", 16 * BLOCK, O_RDONLY));
    for (int i = 0; i < 10; i++)
        CHECK_SYS(open("data", O_RDWR));
    CHECK_EQ(pthread_create(&thread, NULL, unshare_table, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void *outlive(void *argument)
{
    (void) argument;
    usleep(50000);
    look_everything_up();
    exit(0);
}

static void first_thread_has_ended(void)
{
    int status;
    pid_t child;

    close(pattern_file("data", 16 * BLOCK, O_RDONLY));
    child = CHECK_SYS(fork());
    if (child == 0) {
        pthread_t thread;

        CHECK_EQ(pthread_create(&thread, NULL, outlive, NULL), 0);
        pthread_exit(NULL);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static const struct test_case cases[] = {
    CASE(lowest_descriptor), CASE(duplicates), CASE(further_descriptors), CASE(replaced_descriptors),
    CASE(closed_unseen), CASE(many_closed_unseen), CASE(everything_closed),
    CASE(moving), CASE(file_in_use), CASE(own_descriptor_table), CASE(first_thread_has_ended),
};
TEST_MAIN(cases)
