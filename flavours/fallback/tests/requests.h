/* A request of each kind that completes at once, and what it works on. */
#ifndef FALLBACK_REQUESTS_H
#define FALLBACK_REQUESTS_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <linux/futex.h>

#include "file.h"

#define FILE_NAME "file"
#define ATTRIBUTE "user.a"

enum { SIZE = 4096, GROUP = 7, GROUP_SIZE = 64, DATA = 5, NEXT = 6, SLOTS = 8, FUTEX_SIZE = 2 };

static struct io_uring ring, target;
static char *buffer;
static int file, ends[2], pair[2], listener, client, set;
static struct sockaddr_in address;
static struct iovec vector;
static struct msghdr message;
static struct __kernel_timespec time_given;
static struct open_how how;
static struct epoll_event event;
static struct futex_waitv futex;
static unsigned word;
static int numbers[2];
static siginfo_t info;
static char result[512];

/* Something for each kind of request to work on. */
static inline void set_up(unsigned flags)
{
    struct sockaddr_in named = { .sin_family = AF_INET };
    struct epoll_event readable = { .events = EPOLLIN };
    socklen_t length = sizeof(address);
    int slots[SLOTS];

    need_kernel(6, 18, "what is refused");
    ring_open(&ring, 8, flags);
    ring_open(&target, 8, 0);
    buffer = new_pages(4);
    unlink("new");
    rmdir("new");
    file = make_file(FILE_NAME, SIZE, 1);
    CHECK_SYS(fsetxattr(file, ATTRIBUTE, "xyz", 3, 0));
    CHECK_SYS(pipe(ends));
    CHECK_EQ(write(ends[1], "pipe data", 9), 9);
    make_socketpair(pair, SOCK_STREAM);
    CHECK_EQ(write(pair[1], "abcdefgh", 8), 8);
    set = CHECK_SYS(epoll_create1(0));
    CHECK_SYS(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &readable));
    listener = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_SYS(bind(listener, (struct sockaddr *) &named, sizeof(named)));
    CHECK_SYS(listen(listener, 8));
    CHECK_SYS(getsockname(listener, (struct sockaddr *) &address, &length));
    client = connect_to(&address);
    memset(slots, -1, sizeof(slots));
    slots[0] = file;
    slots[1] = ends[0];
    slots[2] = pair[0];
    CHECK_EQ(io_uring_register_files(&ring, slots, SLOTS), 0);
    vector = (struct iovec) { buffer, SIZE };
    CHECK_EQ(io_uring_register_buffers(&ring, &vector, 1), 0);
    vector = (struct iovec) { buffer, 16 };
    message = (struct msghdr) { .msg_iov = &vector, .msg_iovlen = 1 };
    time_given = (struct __kernel_timespec) { 0, 1000 };
    memset(&how, 0, sizeof(how));
    event.events = EPOLLIN;
    numbers[0] = ends[1];
    numbers[1] = -1;
    futex = (struct futex_waitv) { .val = 1, .uaddr = (unsigned long) &word, .flags = FUTEX_SIZE };
    io_uring_prep_provide_buffers(next_sqe(&ring), buffer + SIZE, GROUP_SIZE, 8, GROUP, 0);
    CHECK_EQ(run_res(&ring), 0);
}

static inline void tear_down(void)
{
    int all[] = { file, ends[0], ends[1], pair[0], pair[1], set, listener, client };

    io_uring_queue_exit(&ring);
    io_uring_queue_exit(&target);
    munmap(buffer, 4 * page_size());
    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        close(all[i]);
}

/* A request that completes at once. */
static inline void prepare(struct io_uring_sqe *sqe, int opcode)
{
    static struct sockaddr_in any = { .sin_family = AF_INET };
    static int others[2];

#define AT(of) ((unsigned long) (of))
#define FIELDS(...) *sqe = (struct io_uring_sqe) { .opcode = (__u8) opcode, __VA_ARGS__ }
    switch (opcode) {
    case IORING_OP_READV: case IORING_OP_WRITEV: case IORING_OP_READV_FIXED: case IORING_OP_WRITEV_FIXED:
        FIELDS(.fd = file, .addr = AT(&vector), .len = 1);
        break;
    case IORING_OP_READ: case IORING_OP_WRITE: case IORING_OP_READ_FIXED: case IORING_OP_WRITE_FIXED:
        FIELDS(.fd = file, .addr = AT(buffer), .len = 16);
        break;
    case IORING_OP_READ_MULTISHOT:
        FIELDS(.fd = file, .flags = IOSQE_BUFFER_SELECT, .buf_group = GROUP);
        break;
    case IORING_OP_POLL_ADD:
        FIELDS(.fd = ends[0], .poll32_events = POLLIN);
        break;
    case IORING_OP_POLL_REMOVE: case IORING_OP_TIMEOUT_REMOVE: case IORING_OP_ASYNC_CANCEL:
        FIELDS(.fd = -1, .addr = 99);
        break;
    case IORING_OP_SENDMSG: case IORING_OP_RECVMSG: case IORING_OP_SENDMSG_ZC:
        FIELDS(.fd = opcode == IORING_OP_SENDMSG_ZC ? listener : pair[0], .addr = AT(&message), .len = 1);
        break;
    case IORING_OP_SEND: case IORING_OP_RECV: case IORING_OP_SEND_ZC:
        FIELDS(.fd = opcode == IORING_OP_SEND_ZC ? listener : pair[0], .addr = AT(buffer), .len = 4);
        break;
    case IORING_OP_TIMEOUT: case IORING_OP_LINK_TIMEOUT:
        FIELDS(.addr = AT(&time_given), .len = 1);
        break;
    case IORING_OP_ACCEPT:
        FIELDS(.fd = listener);
        break;
    case IORING_OP_CONNECT:
        FIELDS(.fd = socket(AF_INET, SOCK_STREAM, 0), .addr = AT(&address), .off = sizeof(address));
        break;
    case IORING_OP_BIND:
        FIELDS(.fd = socket(AF_INET, SOCK_STREAM, 0), .addr = AT(&any), .off = sizeof(any));
        break;
    case IORING_OP_LISTEN:
        FIELDS(.fd = socket(AF_INET, SOCK_STREAM, 0), .len = 4);
        break;
    case IORING_OP_SOCKET:
        FIELDS(.fd = AF_INET, .off = SOCK_STREAM);
        break;
    case IORING_OP_SHUTDOWN:
        FIELDS(.fd = pair[0], .len = SHUT_WR);
        break;
    case IORING_OP_URING_CMD:
        FIELDS(.fd = listener, .cmd_op = SOCKET_URING_OP_SETSOCKOPT, .level = SOL_SOCKET);
        break;
    case IORING_OP_FALLOCATE:
        FIELDS(.fd = file, .addr = 2 * SIZE);
        break;
    case IORING_OP_FTRUNCATE:
        FIELDS(.fd = file, .off = 100);
        break;
    case IORING_OP_MADVISE:
        FIELDS(.addr = AT(buffer), .len = SIZE, .fadvise_advice = MADV_WILLNEED);
        break;
    case IORING_OP_OPENAT: case IORING_OP_UNLINKAT:
        FIELDS(.fd = AT_FDCWD, .addr = AT(FILE_NAME));
        break;
    case IORING_OP_OPENAT2:
        FIELDS(.fd = AT_FDCWD, .addr = AT(FILE_NAME), .addr2 = AT(&how), .len = sizeof(how));
        break;
    case IORING_OP_STATX:
        FIELDS(.fd = AT_FDCWD, .addr = AT(FILE_NAME), .addr2 = AT(result), .len = STATX_BASIC_STATS);
        break;
    case IORING_OP_MKDIRAT:
        FIELDS(.fd = AT_FDCWD, .addr = AT("new"), .len = 0755);
        break;
    case IORING_OP_RENAMEAT: case IORING_OP_LINKAT:
        FIELDS(.fd = AT_FDCWD, .len = (__u32) AT_FDCWD, .addr = AT(FILE_NAME), .addr2 = AT("new"));
        break;
    case IORING_OP_SYMLINKAT:
        FIELDS(.fd = AT_FDCWD, .addr = AT(FILE_NAME), .addr2 = AT("new"));
        break;
    case IORING_OP_SETXATTR: case IORING_OP_GETXATTR:
        FIELDS(.addr = AT(ATTRIBUTE), .addr2 = AT(buffer), .len = 64, .addr3 = AT(FILE_NAME));
        break;
    case IORING_OP_FSETXATTR: case IORING_OP_FGETXATTR:
        FIELDS(.fd = file, .addr = AT(ATTRIBUTE), .addr2 = AT(buffer), .len = 64);
        break;
    case IORING_OP_CLOSE:
        FIELDS(.fd = dup(file));
        break;
    case IORING_OP_FILES_UPDATE:
        FIELDS(.fd = -1, .addr = AT(numbers), .len = 2, .off = 3);
        break;
    case IORING_OP_EPOLL_CTL:
        FIELDS(.fd = set, .len = EPOLL_CTL_ADD, .off = (__u64) pair[0], .addr = AT(&event));
        break;
    case IORING_OP_EPOLL_WAIT:
        FIELDS(.fd = set, .addr = AT(result), .len = 4);
        break;
    case IORING_OP_SPLICE:
        FIELDS(.fd = ends[1], .len = 4, .off = (__u64) -1, .splice_fd_in = file);
        break;
    case IORING_OP_TEE:
        CHECK_SYS(pipe(others));
        FIELDS(.fd = others[1], .len = 4, .splice_fd_in = ends[0]);
        break;
    case IORING_OP_PROVIDE_BUFFERS:
        FIELDS(.fd = 2, .addr = AT(buffer), .len = 8, .off = 100, .buf_group = GROUP + 1);
        break;
    case IORING_OP_REMOVE_BUFFERS:
        FIELDS(.fd = 2, .buf_group = GROUP);
        break;
    case IORING_OP_MSG_RING:
        FIELDS(.fd = target.ring_fd, .off = 77, .len = 5);
        break;
    case IORING_OP_FIXED_FD_INSTALL:
        FIELDS(.flags = IOSQE_FIXED_FILE);
        break;
    case IORING_OP_PIPE:
        FIELDS(.addr = AT(numbers));
        break;
    case IORING_OP_WAITID:
        FIELDS(.len = P_ALL, .file_index = WEXITED | WNOHANG, .addr2 = AT(&info));
        break;
    case IORING_OP_FUTEX_WAIT: case IORING_OP_FUTEX_WAKE:
        FIELDS(.fd = FUTEX_SIZE, .addr = AT(&word), .off = 1, .addr3 = ~0U);
        break;
    case IORING_OP_FUTEX_WAITV:
        FIELDS(.addr = AT(&futex), .len = 1);
        break;
    default:
        FIELDS(.fd = file);
    }
    sqe->user_data = DATA;
}

#endif
