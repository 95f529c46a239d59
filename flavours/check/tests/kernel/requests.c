/* Requests of each opcode that the kernel takes. */
#include "requests.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 2
#endif

struct io_uring other;
struct io_uring_buf_ring *buffers;
char *memory, *more;
int file;

/* A descriptor, which must be one. */
static int opened(int fd)
{
    MUST(fd >= 0);
    return fd;
}

char *page(void)
{
    char *at = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    MUST(at != MAP_FAILED && mprotect(at + SIZE, SIZE, PROT_NONE) == 0);
    return at;
}

static void socket_pair(int sockets[2])
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    MUST(write(sockets[1], memory, 64) == 64);
}

static void full_pipe(int ends[2])
{
    MUST(pipe(ends) == 0);
    MUST(write(ends[1], memory, 64) == 64);
}

/* A datagram socket that is connected to itself. */
static int datagrams(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int fd = opened(socket(AF_INET, SOCK_DGRAM, 0));

    MUST(bind(fd, (void *) &address, len) == 0);
    MUST(getsockname(fd, (void *) &address, &len) == 0);
    MUST(connect(fd, (void *) &address, len) == 0);
    return fd;
}

/* A socket that listens, at an address without a name in the file system. */
static int listener(struct sockaddr_un *address, socklen_t *len)
{
    int fd = opened(socket(AF_UNIX, SOCK_STREAM, 0));

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    *len = sizeof(*address);
    MUST(bind(fd, (void *) address, sizeof(address->sun_family)) == 0);
    MUST(getsockname(fd, (void *) address, len) == 0);
    MUST(listen(fd, 4) == 0);
    return fd;
}

bool another(unsigned op, struct io_uring_sqe *sqe)
{
    static struct __kernel_timespec later = { .tv_sec = 9 };

    switch (op) {
    case IORING_OP_POLL_REMOVE:
        io_uring_prep_poll_update(sqe, 0x99, 0x98, POLLIN, IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA);
        return true;
    case IORING_OP_TIMEOUT_REMOVE:
        io_uring_prep_timeout_update(sqe, &later, 0x99, 0);
        return true;
    case IORING_OP_ASYNC_CANCEL:
        io_uring_prep_cancel_fd(sqe, file, 0);
        return true;
    case IORING_OP_MSG_RING:
        io_uring_prep_msg_ring_fd(sqe, other.ring_fd, 0, 1, 0, 0);
        return true;
    case IORING_OP_RECV:
        io_uring_prep_recv_multishot(sqe, datagrams(), NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = GROUP + 3;
        return true;
    default:
        return false;
    }
}

bool valid(unsigned op, struct io_uring_sqe *sqe)
{
    static struct iovec vector;
    static struct msghdr message;
    static struct __kernel_timespec soon = { .tv_nsec = 1 };
    static struct sockaddr_un address;
    static struct open_how how = { .flags = O_RDONLY };
    static struct statx found;
    static struct epoll_event event = { .events = EPOLLOUT };
    static siginfo_t info;
    static uint32_t word;
    static struct futex_waitv waiter = { .val = 1, .flags = FUTEX2_SIZE_U32 };
    static socklen_t len;
    static int descriptor, sockets[2], ends[2], more_ends[2];

    vector = (struct iovec) { memory, 64 };
    message = (struct msghdr) { .msg_iov = &vector, .msg_iovlen = 1 };
    waiter.uaddr = (uintptr_t) &word;
    switch ((enum io_uring_op) op) {
    case IORING_OP_NOP:
        io_uring_prep_nop(sqe);
        return true;
    case IORING_OP_READV:
        io_uring_prep_readv(sqe, file, &vector, 1, 0);
        return true;
    case IORING_OP_WRITEV:
        io_uring_prep_writev(sqe, file, &vector, 1, 0);
        return true;
    case IORING_OP_FSYNC:
        io_uring_prep_fsync(sqe, file, 0);
        return true;
    case IORING_OP_READ_FIXED:
        io_uring_prep_read_fixed(sqe, file, memory, 64, 0, 0);
        return true;
    case IORING_OP_WRITE_FIXED:
        io_uring_prep_write_fixed(sqe, file, memory, 64, 0, 0);
        return true;
    case IORING_OP_READV_FIXED:
        io_uring_prep_readv_fixed(sqe, file, &vector, 1, 0, 0, 0);
        return true;
    case IORING_OP_WRITEV_FIXED:
        io_uring_prep_writev_fixed(sqe, file, &vector, 1, 0, 0, 0);
        return true;
    case IORING_OP_READ:
        io_uring_prep_read(sqe, file, memory, 64, 0);
        return true;
    case IORING_OP_WRITE:
        io_uring_prep_write(sqe, file, memory, 64, 0);
        return true;
    case IORING_OP_READ_MULTISHOT:
        full_pipe(ends);
        io_uring_buf_ring_add(buffers, more, SIZE, 0, io_uring_buf_ring_mask(8), 0);
        io_uring_buf_ring_advance(buffers, 1);
        io_uring_prep_read_multishot(sqe, ends[0], 0, 0, GROUP);
        return true;
    case IORING_OP_POLL_ADD:
        full_pipe(ends);
        io_uring_prep_poll_add(sqe, ends[0], POLLIN);
        return true;
    case IORING_OP_POLL_REMOVE:
        io_uring_prep_poll_remove(sqe, 0x99);
        return true;
    case IORING_OP_SYNC_FILE_RANGE:
        io_uring_prep_sync_file_range(sqe, file, 64, 0, SYNC_FILE_RANGE_WRITE);
        return true;
    case IORING_OP_SENDMSG:
        socket_pair(sockets);
        io_uring_prep_sendmsg(sqe, sockets[0], &message, 0);
        return true;
    case IORING_OP_RECVMSG:
        socket_pair(sockets);
        io_uring_prep_recvmsg(sqe, sockets[0], &message, 0);
        return true;
    case IORING_OP_SEND:
        socket_pair(sockets);
        io_uring_prep_send(sqe, sockets[0], memory, 64, 0);
        return true;
    case IORING_OP_RECV:
        socket_pair(sockets);
        io_uring_prep_recv(sqe, sockets[0], memory, 64, 0);
        return true;
    case IORING_OP_SEND_ZC:
        io_uring_prep_send_zc(sqe, datagrams(), memory, 64, 0, 0);
        return true;
    case IORING_OP_SENDMSG_ZC:
        io_uring_prep_sendmsg_zc(sqe, datagrams(), &message, 0);
        return true;
    case IORING_OP_TIMEOUT:
        io_uring_prep_timeout(sqe, &soon, 0, 0);
        return true;
    case IORING_OP_LINK_TIMEOUT:
        io_uring_prep_link_timeout(sqe, &soon, 0);
        return true;
    case IORING_OP_TIMEOUT_REMOVE:
        io_uring_prep_timeout_remove(sqe, 0x99, 0);
        return true;
    case IORING_OP_ASYNC_CANCEL:
        io_uring_prep_cancel64(sqe, 0x99, 0);
        return true;
    case IORING_OP_ACCEPT: {
        int fd = listener(&address, &len);

        MUST(connect(opened(socket(AF_UNIX, SOCK_STREAM, 0)), (void *) &address, len) == 0);
        io_uring_prep_accept(sqe, fd, NULL, NULL, 0);
        return true;
    }
    case IORING_OP_CONNECT:
        listener(&address, &len);
        io_uring_prep_connect(sqe, opened(socket(AF_UNIX, SOCK_STREAM, 0)), (void *) &address, len);
        return true;
    case IORING_OP_BIND:
        memset(&address, 0, sizeof(address));
        address.sun_family = AF_UNIX;
        io_uring_prep_bind(sqe, opened(socket(AF_UNIX, SOCK_STREAM, 0)), (void *) &address, sizeof(address.sun_family));
        return true;
    case IORING_OP_LISTEN:
        io_uring_prep_listen(sqe, listener(&address, &len), 4);
        return true;
    case IORING_OP_SOCKET:
        io_uring_prep_socket(sqe, AF_UNIX, SOCK_STREAM, 0, 0);
        return true;
    case IORING_OP_SHUTDOWN:
        socket_pair(sockets);
        io_uring_prep_shutdown(sqe, sockets[0], SHUT_RDWR);
        return true;
    case IORING_OP_FALLOCATE:
        io_uring_prep_fallocate(sqe, file, 0, 0, 64);
        return true;
    case IORING_OP_FTRUNCATE:
        io_uring_prep_ftruncate(sqe, file, SIZE);
        return true;
    case IORING_OP_OPENAT:
        io_uring_prep_openat(sqe, AT_FDCWD, ".", O_RDONLY, 0);
        return true;
    case IORING_OP_OPENAT2:
        io_uring_prep_openat2(sqe, AT_FDCWD, ".", &how);
        return true;
    case IORING_OP_CLOSE:
        io_uring_prep_close(sqe, opened(dup(file)));
        return true;
    case IORING_OP_FILES_UPDATE:
        descriptor = -1;
        io_uring_prep_files_update(sqe, &descriptor, 1, 3);
        return true;
    case IORING_OP_FIXED_FD_INSTALL:
        io_uring_prep_fixed_fd_install(sqe, 0, 0);
        return true;
    case IORING_OP_STATX:
        io_uring_prep_statx(sqe, AT_FDCWD, ".", 0, STATX_SIZE, &found);
        return true;
    case IORING_OP_FADVISE:
        io_uring_prep_fadvise(sqe, file, 0, 64, POSIX_FADV_NORMAL);
        return true;
    case IORING_OP_MADVISE:
        io_uring_prep_madvise(sqe, more, SIZE, MADV_NORMAL);
        return true;
    case IORING_OP_EPOLL_CTL:
        socket_pair(sockets);
        io_uring_prep_epoll_ctl(sqe, opened(epoll_create1(0)), sockets[0], EPOLL_CTL_ADD, &event);
        return true;
    case IORING_OP_EPOLL_WAIT: {
        int fd = opened(epoll_create1(0));

        socket_pair(sockets);
        MUST(epoll_ctl(fd, EPOLL_CTL_ADD, sockets[0], &event) == 0);
        io_uring_prep_epoll_wait(sqe, fd, (void *) more, 1, 0);
        return true;
    }
    case IORING_OP_SPLICE:
        full_pipe(ends);
        full_pipe(more_ends);
        io_uring_prep_splice(sqe, ends[0], -1, more_ends[1], -1, 64, 0);
        return true;
    case IORING_OP_TEE:
        full_pipe(ends);
        full_pipe(more_ends);
        io_uring_prep_tee(sqe, ends[0], more_ends[1], 64, 0);
        return true;
    case IORING_OP_PIPE:
        io_uring_prep_pipe(sqe, ends, 0);
        return true;
    case IORING_OP_PROVIDE_BUFFERS:
        io_uring_prep_provide_buffers(sqe, more, 64, 1, GROUP + 1, 0);
        return true;
    case IORING_OP_REMOVE_BUFFERS:
        io_uring_prep_remove_buffers(sqe, 1, GROUP + 2);
        return true;
    case IORING_OP_RENAMEAT:
        io_uring_prep_renameat(sqe, AT_FDCWD, "is-not-there", AT_FDCWD, "nor-this", 0);
        return true;
    case IORING_OP_UNLINKAT:
        io_uring_prep_unlinkat(sqe, AT_FDCWD, "is-not-there", 0);
        return true;
    case IORING_OP_MKDIRAT:
        io_uring_prep_mkdirat(sqe, AT_FDCWD, "directory", 0700);
        return true;
    case IORING_OP_SYMLINKAT:
        io_uring_prep_symlinkat(sqe, "anything", AT_FDCWD, "directory");
        return true;
    case IORING_OP_LINKAT:
        io_uring_prep_linkat(sqe, AT_FDCWD, "is-not-there", AT_FDCWD, "nor-this", 0);
        return true;
    case IORING_OP_MSG_RING:
        io_uring_prep_msg_ring(sqe, other.ring_fd, 0, 0, 0);
        return true;
    case IORING_OP_FSETXATTR:
        io_uring_prep_fsetxattr(sqe, file, "user.name", "value", 0, 5);
        return true;
    case IORING_OP_SETXATTR:
        io_uring_prep_setxattr(sqe, "user.name", "value", "directory", 0, 5);
        return true;
    case IORING_OP_FGETXATTR:
        io_uring_prep_fgetxattr(sqe, file, "user.other", more, 5);
        return true;
    case IORING_OP_GETXATTR:
        io_uring_prep_getxattr(sqe, "user.other", more, "directory", 5);
        return true;
    case IORING_OP_URING_CMD:
        io_uring_prep_cmd_sock(sqe, SOCKET_URING_OP_SIOCINQ, datagrams(), 0, 0, NULL, 0);
        return true;
    case IORING_OP_WAITID:
        io_uring_prep_waitid(sqe, P_ALL, 0, &info, WEXITED | WNOHANG, 0);
        return true;
    case IORING_OP_FUTEX_WAIT:
        io_uring_prep_futex_wait(sqe, &word, 1, FUTEX_BITSET_MATCH_ANY, FUTEX2_SIZE_U32, 0);
        return true;
    case IORING_OP_FUTEX_WAKE:
        io_uring_prep_futex_wake(sqe, &word, 1, FUTEX_BITSET_MATCH_ANY, FUTEX2_SIZE_U32, 0);
        return true;
    case IORING_OP_FUTEX_WAITV:
        io_uring_prep_futex_waitv(sqe, &waiter, 1, 0);
        return true;
    /* It needs a network card with queues of its own. */
    case IORING_OP_RECV_ZC:
    /* Newer than the kernels that this has been tried on. */
    case IORING_OP_NOP128:
    case IORING_OP_URING_CMD128:
    case IORING_OP_LAST:
        break;
    }
    return false;
}
