/*
 * Prints, as rows of Rust source, what the running kernel refuses of each opcode: a request that it takes is submitted
 * again and again, each time with one field or flag more, and its result compared. Files are made in the current folder.
 *
 * usage: refusals < names of the opcodes, in their order
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(condition)                                                              \
    do {                                                                             \
        if (!(condition)) {                                                          \
            fprintf(stderr, "refusals: line %d: want %s (errno %d)\n", __LINE__, #condition, errno); \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

/* As helpers.py numbers them. */
enum field { OFF, ADDR, LEN, OP_FLAGS, IOPRIO, BUFFER, FILE_INDEX, ADDR3, FIELDS };

/* More than a request of another kind: no completion came. */
#define NOTHING (1 << 30)
#define MINE 0x11
#define GROUP 7
#define SIZE 4096
#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 2
#endif

static struct io_uring ring, other;
static struct io_uring_buf_ring *buffers;
static unsigned set_up_flags;
static bool open_already, in_flight;
/* Descriptors from here on are closed after each request. */
static int first_own;
static char *memory, *more;
static int file;

/* A descriptor, which must be one. */
static int opened(int fd)
{
    MUST(fd >= 0);
    return fd;
}

/* A page behind which there is nothing: lengths are tried, too. */
static char *page(void)
{
    char *at = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    MUST(at != MAP_FAILED && mprotect(at + SIZE, SIZE, PROT_NONE) == 0);
    return at;
}

static void open_ring(unsigned flags)
{
    struct iovec vector = { memory, SIZE };
    int failed, fds[8] = { file, -1, -1, -1, -1, -1, -1, -1 };

    if (open_already) {
        io_uring_free_buf_ring(&ring, buffers, 8, GROUP);
        io_uring_queue_exit(&ring);
    }
    MUST(io_uring_queue_init(8, &ring, flags) == 0);
    MUST(io_uring_register_buffers(&ring, &vector, 1) == 0);
    MUST(io_uring_register_files(&ring, fds, 8) == 0);
    buffers = io_uring_setup_buf_ring(&ring, 8, GROUP, 0, &failed);
    MUST(buffers != NULL);
    set_up_flags = flags;
    open_already = true;
    in_flight = false;
    first_own = dup(file);
    close(first_own);
}

static void nothing_left(void)
{
    close_range(first_own, ~0U, 0);
    /* What is still in flight goes with its ring. */
    if (in_flight)
        open_ring(set_up_flags);
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

/* Another form of the opcode's requests, which takes other fields. Returns whether there is one. */
static bool another(unsigned op, struct io_uring_sqe *sqe)
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

/* Makes a request that the kernel takes. Returns whether there is one for this opcode. */
static bool valid(unsigned op, struct io_uring_sqe *sqe)
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

static void put(struct io_uring_sqe *sqe, enum field field, uint64_t value)
{
    switch (field) {
    case OFF:
        sqe->off = value;
        break;
    case ADDR:
        sqe->addr = value;
        break;
    case LEN:
        sqe->len = value;
        break;
    case OP_FLAGS:
        sqe->rw_flags = value;
        break;
    case IOPRIO:
        sqe->ioprio = value;
        break;
    case BUFFER:
        sqe->buf_index = value;
        break;
    case FILE_INDEX:
        sqe->file_index = value;
        break;
    case ADDR3:
        sqe->addr3 = value;
        break;
    default:
        MUST(!"a field");
    }
}

/* The result of the request with MINE, or NOTHING. */
static int result(void)
{
    struct io_uring_cqe *cqe;
    struct timespec before, now;
    bool stays = false;
    int res = NOTHING;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    do {
        io_uring_get_events(&ring);
        while (io_uring_peek_cqe(&ring, &cqe) == 0) {
            if (cqe->user_data == MINE && !(cqe->flags & IORING_CQE_F_NOTIF)) {
                res = cqe->res;
                stays = cqe->flags & IORING_CQE_F_MORE;
            }
            io_uring_cqe_seen(&ring, cqe);
        }
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (res == NOTHING && (now.tv_sec - before.tv_sec) * 1000 + (now.tv_nsec - before.tv_nsec) / 1000000 < 100);
    in_flight = res == NOTHING || stays;
    return res;
}

enum form { FIRST, SECOND };

/* The result of a request of this opcode with a value in one field, unless that is FIELDS, and with these flags. */
static int formed(enum form form, unsigned op, enum field field, uint64_t value, unsigned flags)
{
    struct io_uring_sqe request, *sqe;
    int res;

    memset(&request, 0, sizeof(request));
    if (form == FIRST)
        MUST(valid(op, &request));
    else if (!another(op, &request))
        return -EINVAL;
    if (field != FIELDS)
        put(&request, field, value);
    request.flags |= flags;
    request.user_data = MINE;
    if (op == IORING_OP_LINK_TIMEOUT) {
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_nop(sqe);
        sqe->flags |= IOSQE_IO_LINK;
        sqe->user_data = 0;
    }
    sqe = io_uring_get_sqe(&ring);
    MUST(sqe != NULL);
    *sqe = request;
    MUST(io_uring_submit(&ring) >= 1);
    res = result();
    io_uring_cq_advance(&other, io_uring_cq_ready(&other));
    nothing_left();
    return res;
}

static int with(unsigned op, enum field field, uint64_t value, unsigned flags)
{
    return formed(FIRST, op, field, value, flags);
}

static unsigned width(enum field field)
{
    switch (field) {
    case IOPRIO:
    case BUFFER:
        return 16;
    case OFF:
    case ADDR:
    case ADDR3:
        return 64;
    default:
        return 32;
    }
}

/* What a field's value does: nothing, or whatever is in its lower half is refused, or something. */
enum effect { IGNORED, REFUSED, HEEDED };

static enum effect effect(unsigned op, enum field field, int usual)
{
    const uint64_t values[] = { (uintptr_t) more, 3, 0x180, 0x7fff, 0x80808080, ~0ULL };
    unsigned bits = width(field), same = 0, refused = 0, cut_off = 0, all = bits + sizeof(values) / sizeof(values[0]);

    for (unsigned i = 0; i < all; i++) {
        uint64_t value = i < bits ? 1ULL << i : values[i - bits];
        int res = with(op, field, value, 0);

        refused += res == -EINVAL;
        same += res == usual;
        /* Of some fields the kernel takes the lower half. */
        cut_off += res == usual && !(uint32_t) value;
    }
    return same == all ? IGNORED : refused + cut_off == all ? REFUSED : HEEDED;
}

/* Whether bits of a field are refused in each form of the opcode. */
static bool refuses(unsigned op, enum field field, uint64_t bits)
{
    int selected = with(op, field, bits, IOSQE_BUFFER_SELECT);

    return with(op, field, bits, 0) == -EINVAL && (selected == -EINVAL || selected == -EOPNOTSUPP)
        && formed(SECOND, op, field, bits, 0) == -EINVAL;
}

/* The bits that the kernel refuses there, alone and with any other. */
static uint32_t refused_bits(unsigned op, enum field field)
{
    unsigned bits = width(field);
    uint32_t refused = 0;

    for (unsigned bit = 0; bit < bits; bit++) {
        bool always = true;

        for (unsigned second = 0; always && second < bits; second++)
            always = refuses(op, field, 1ULL << bit | 1ULL << second);
        refused |= always ? 1U << bit : 0;
    }
    return refused;
}

/* Flags that the files, sockets and memory of a request decide on, not the opcode; and numbers, which are no flags. */
static bool decided_elsewhere(unsigned op)
{
    switch (op) {
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
    case IORING_OP_SEND_ZC:
    case IORING_OP_SENDMSG_ZC:
    case IORING_OP_RECV:
    case IORING_OP_RECVMSG:
    case IORING_OP_FADVISE:
    case IORING_OP_MADVISE:
        return true;
    default:
        return false;
    }
}

/* Flags of any SQE that are refused. */
static unsigned refused_flags(unsigned op, int usual)
{
    static const unsigned flags[] = { IOSQE_FIXED_FILE, IOSQE_BUFFER_SELECT, IOSQE_CQE_SKIP_SUCCESS };
    unsigned refused = 0;

    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        int res = with(op, FIELDS, 0, flags[i]);

        if (res != usual && (res == -EINVAL || res == -EBADF || res == -EOPNOTSUPP))
            refused |= flags[i];
    }
    return refused;
}

static void print_bits(unsigned fields)
{
    printf("0b");
    for (unsigned field = FIELDS; field-- > 0;)
        putchar('0' + (fields >> field & 1));
}

int main(void)
{
    char name[64];

    memory = page();
    more = page();
    signal(SIGXFSZ, SIG_IGN);
    MUST(setrlimit(RLIMIT_FSIZE, &(struct rlimit) { 1 << 20, 1 << 20 }) == 0);
    MUST(mkdir("directory", 0700) == 0);
    file = open("file", O_RDWR | O_CREAT, 0600);
    MUST(file >= 0 && write(file, memory, SIZE) == SIZE);
    MUST(io_uring_queue_init(256, &other, 0) == 0);
    for (unsigned op = 0; op < IORING_OP_LAST; op++) {
        unsigned fields = 0, heeded = 0, flags, op_flags = 0, ioprio, len = 0;
        struct io_uring_sqe probe;
        bool iopoll;
        int usual;

        MUST(scanf("%63s", name) == 1);
        memset(&probe, 0, sizeof(probe));
        open_ring(0);
        if (!valid(op, &probe)) {
            nothing_left();
            printf("    (%s, None),\n", name);
            continue;
        }
        nothing_left();
        usual = with(op, FIELDS, 0, 0);
        if (usual == -EINVAL || usual == NOTHING) {
            fprintf(stderr, "refusals: %s: the kernel does not take the request: %d\n", name, usual);
            return 1;
        }
        for (enum field field = 0; field < FIELDS; field++) {
            enum effect what = effect(op, field, usual);

            fields |= (what == REFUSED) << field;
            heeded |= (what == HEEDED) << field;
        }
        if (!decided_elsewhere(op))
            op_flags = refused_bits(op, OP_FLAGS);
        ioprio = refused_bits(op, IOPRIO);
        if (op == IORING_OP_POLL_ADD || op == IORING_OP_POLL_REMOVE)
            len = refused_bits(op, LEN);
        flags = refused_flags(op, usual);
        open_ring(IORING_SETUP_IOPOLL);
        iopoll = with(op, FIELDS, 0, 0) == -EINVAL;
        printf("    (%s, Some(Refuses { fields: ", name);
        print_bits(fields);
        printf(", heeded: ");
        print_bits(heeded);
        printf(", op_flags: %#x, ioprio: %#x, len: %#x, flags: %#x, iopoll: %s })),\n", op_flags, ioprio, len, flags,
               iopoll ? "true" : "false");
    }
    return 0;
}
