/* A minimal use of each opcode that works on sockets, buffers, rings, processes and futexes: for probe.c. */
#ifndef FALLBACK_USES_NET_H
#define FALLBACK_USES_NET_H

#include <sys/epoll.h>
#include <sys/un.h>

#include <linux/futex.h>

#include "uses_files.h"

enum { FUTEX_FLAGS = 0x02 /* 32 bits */ | 128 /* private */ };

static int pair[2];

static inline void new_pair(void)
{
    make_socketpair(pair, SOCK_STREAM);
}

static struct iovec word = { buffer, 3 };
static struct msghdr message = { .msg_iov = &word, .msg_iovlen = 1 };

/* What is prepared sends "abc" on the pair. */
static inline void check_sent(void)
{
    memcpy(buffer, "abc", 3);
    CHECK_EQ(run(), 3);
    CHECK_EQ(read(pair[1], other, SOME), 3);
    CHECK_MEM(other, "abc", 3);
}

/* What is prepared receives "abc" from the pair. */
static inline void check_received(void)
{
    memset(buffer, 0, SOME);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    CHECK_EQ(reap(&ring).res, 3);
    CHECK_MEM(buffer, "abc", 3);
}

static inline void use_send(void)
{
    new_pair();
    io_uring_prep_send(sqe(), pair[0], buffer, 3, 0);
    check_sent();
}

static inline void use_sendmsg(void)
{
    new_pair();
    io_uring_prep_sendmsg(sqe(), pair[0], &message, 0);
    check_sent();
}

static inline void use_recv(void)
{
    new_pair();
    io_uring_prep_recv(sqe(), pair[0], buffer, SOME, 0);
    check_received();
}

static inline void use_recvmsg(void)
{
    new_pair();
    io_uring_prep_recvmsg(sqe(), pair[0], &message, 0);
    check_received();
}

/* The second completion says that the memory is free again. */
static inline void check_sent_zero_copy(void)
{
    struct done done;

    memcpy(buffer, "abc", 3);
    done = run_done(&ring);
    CHECK_EQ(done.res, 3);
    CHECK(done.flags & IORING_CQE_F_MORE);
    CHECK(reap(&ring).flags & IORING_CQE_F_NOTIF);
    CHECK_EQ(read(pair[1], other, SOME), 3);
    CHECK_MEM(other, "abc", 3);
}

static inline void use_send_zc(void)
{
    make_tcp_pair(pair);
    io_uring_prep_send_zc(sqe(), pair[0], buffer, 3, 0, 0);
    check_sent_zero_copy();
}

static inline void use_sendmsg_zc(void)
{
    make_tcp_pair(pair);
    io_uring_prep_sendmsg_zc(sqe(), pair[0], &message, 0);
    check_sent_zero_copy();
}

static inline void use_socket(void)
{
    int fd;

    io_uring_prep_socket(sqe(), AF_INET, SOCK_DGRAM, 0, 0);
    fd = run();
    CHECK_GE(fd, 0);
    CHECK_SYS(close(fd));
}

static inline void use_bind(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET }, bound;
    socklen_t length = sizeof(bound);
    int fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));

    io_uring_prep_bind(sqe(), fd, (struct sockaddr *) &address, sizeof(address));
    CHECK_EQ(run(), 0);
    CHECK_SYS(getsockname(fd, (struct sockaddr *) &bound, &length));
    CHECK_NE(bound.sin_port, 0);
}

static inline void use_listen(void)
{
    int fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0)), listens = 0;
    socklen_t length = sizeof(listens);

    io_uring_prep_listen(sqe(), fd, 1);
    CHECK_EQ(run(), 0);
    CHECK_SYS(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length));
    CHECK_EQ(listens, 1);
}

static inline void use_accept(void)
{
    struct sockaddr_in address;
    int listener = make_listener(&address), fd;

    io_uring_prep_accept(sqe(), listener, NULL, NULL, 0);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(connect_to(&address), "abc", 3), 3);
    fd = reap(&ring).res;
    CHECK_EQ(read(fd, buffer, SOME), 3);
}

static inline void use_connect(void)
{
    struct sockaddr_in address;
    int listener = make_listener(&address), fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));

    io_uring_prep_connect(sqe(), fd, (struct sockaddr *) &address, sizeof(address));
    CHECK_EQ(run(), 0);
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_EQ(read(CHECK_SYS(accept(listener, NULL, NULL)), buffer, SOME), 3);
}

static inline void use_shutdown(void)
{
    new_pair();
    io_uring_prep_shutdown(sqe(), pair[0], SHUT_WR);
    CHECK_EQ(run(), 0);
    CHECK_EQ(read(pair[1], buffer, SOME), 0);
}

static inline void use_uring_cmd(void)
{
    make_tcp_pair(pair);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    io_uring_prep_cmd_sock(sqe(), SOCKET_URING_OP_SIOCINQ, pair[0], 0, 0, NULL, 0);
    CHECK_EQ(run(), 3);
}

static inline void prepare_command(struct io_uring_sqe *one)
{
    io_uring_prep_cmd_sock(one, SOCKET_URING_OP_SIOCINQ, pair[0], 0, 0, NULL, 0);
    one->opcode = IORING_OP_URING_CMD128;
}

static inline void use_uring_cmd128(void)
{
    make_tcp_pair(pair);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    CHECK_EQ(run_double(prepare_command), 3);
}

static inline void use_epoll_ctl(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    int set = CHECK_SYS(epoll_create1(0));

    new_pair();
    io_uring_prep_epoll_ctl(sqe(), set, pair[0], EPOLL_CTL_ADD, &event);
    CHECK_EQ(run(), 0);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    CHECK_EQ(epoll_wait(set, &event, 1, 1000), 1);
}

static inline void use_epoll_wait(void)
{
    struct epoll_event event = { .events = EPOLLIN, .data = { .u32 = 5 } };
    int set = CHECK_SYS(epoll_create1(0));

    new_pair();
    CHECK_SYS(epoll_ctl(set, EPOLL_CTL_ADD, pair[0], &event));
    event.data.u32 = 0;
    io_uring_prep_epoll_wait(sqe(), set, &event, 1, 0);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    CHECK_EQ(reap(&ring).res, 1);
    CHECK_EQ(event.data.u32, 5);
}

static inline void use_pipe(void)
{
    int ends[2];

    io_uring_prep_pipe(sqe(), ends, 0);
    CHECK_EQ(run(), 0);
    CHECK_EQ(write(ends[1], "abc", 3), 3);
    CHECK_EQ(read(ends[0], buffer, SOME), 3);
}

static inline void use_provide_buffers(void)
{
    struct io_uring_sqe *read;
    struct done done;

    io_uring_prep_provide_buffers(sqe(), buffer, SOME, 1, GROUP + 1, 9);
    CHECK_EQ(run(), 0);
    read = sqe();
    io_uring_prep_read(read, data_file(), NULL, SOME, 0);
    io_uring_sqe_set_flags(read, IOSQE_BUFFER_SELECT);
    read->buf_group = GROUP + 1;
    done = run_done(&ring);
    CHECK_EQ(done.res, SOME);
    CHECK_EQ(done.flags >> IORING_CQE_BUFFER_SHIFT, 9);
    CHECK_PATTERN(buffer, SOME, 3);
}

static inline void use_remove_buffers(void)
{
    io_uring_prep_provide_buffers(sqe(), buffer, SOME, 3, GROUP + 2, 0);
    CHECK_EQ(run(), 0);
    io_uring_prep_remove_buffers(sqe(), 5, GROUP + 2);
    CHECK_EQ(run(), 3);
}

static inline void use_msg_ring(void)
{
    struct io_uring second;
    struct done done;

    ring_open(&second, 4, 0);
    io_uring_prep_msg_ring(sqe(), second.ring_fd, 17, 18, 0);
    CHECK_EQ(run(), 0);
    done = reap(&second);
    CHECK_EQ(done.res, 17);
    CHECK_EQ(done.data, 18);
    io_uring_queue_exit(&second);
}

static inline void use_waitid(void)
{
    siginfo_t info = { 0 };
    pid_t child = CHECK_SYS(fork());

    if (child == 0)
        _exit(42);
    io_uring_prep_waitid(sqe(), P_PID, (id_t) child, &info, WEXITED, 0);
    CHECK_EQ(run(), 0);
    CHECK_EQ(info.si_status, 42);
}

static uint32_t cell;

static inline int wake_cell(void)
{
    return (int) syscall(SYS_futex, &cell, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0);
}

/* Woken by the plain call, so that waiting is where the kernel's own waiters are. */
static inline void check_woken(int want)
{
    SUBMIT(&ring, 1);
    while (wake_cell() == 0)
        usleep(100);
    CHECK_EQ(reap(&ring).res, want);
}

static inline void use_futex_wait(void)
{
    io_uring_prep_futex_wait(sqe(), &cell, 0, FUTEX_BITSET_MATCH_ANY, FUTEX_FLAGS, 0);
    check_woken(0);
}

static inline void use_futex_waitv(void)
{
    static uint32_t idle;
    struct futex_waitv several[2] = {
        { .uaddr = (uintptr_t) &idle, .flags = FUTEX_FLAGS },
        { .uaddr = (uintptr_t) &cell, .flags = FUTEX_FLAGS },
    };

    io_uring_prep_futex_waitv(sqe(), several, 2, 0);
    check_woken(1);
}

static inline void use_futex_wake(void)
{
    pid_t child;
    int status, woken;
    uint32_t *shared = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(shared != MAP_FAILED);
    child = CHECK_SYS(fork());
    if (child == 0)
        _exit(syscall(SYS_futex, shared, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1);
    do {
        io_uring_prep_futex_wake(sqe(), shared, 1, FUTEX_BITSET_MATCH_ANY, 0x02, 0);
        woken = run();
        CHECK_GE(woken, 0);
    } while (woken == 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

#endif
