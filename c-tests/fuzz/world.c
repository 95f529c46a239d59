/* The world: memory at a fixed address, open files with fixed numbers, and what sequences do to them by themselves. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"

static void check(bool good, const char *what)
{
    if (!good) {
        perror(what);
        exit(2);
    }
}

static void place(int fd, int at)
{
    check(fd >= 0 && dup2(fd, at) == at, "a file of the world");
    close(fd);
}

static void make_files(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct rlimit limit = {FD_LIMIT, FD_HARD_LIMIT};
    int pair[2];

    syscall(SYS_close_range, 3, FD_LIMIT - 2, 0);
    check(pipe(pair) == 0, "pipe");
    place(pair[0], PIPE_READ);
    place(pair[1], PIPE_WRITE);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    place(pair[0], SOCKET_A);
    place(pair[1], SOCKET_B);
    place(eventfd(0, 0), EVENTFD);
    place(open("/dev/zero", O_RDWR), ZERO_FILE);
    place(open("/dev/null", O_RDWR), NULL_FILE);
    place(epoll_create1(0), EPOLL);
    place(socket(AF_UNIX, SOCK_STREAM, 0), LISTENER);
    /* An address that the kernel chooses, in no directory. */
    check(bind(LISTENER, (struct sockaddr *) &address, sizeof(address.sun_family)) == 0, "bind");
    check(listen(LISTENER, 4) == 0, "listen");
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

static void make_arguments(void)
{
    static const struct __kernel_timespec times[NR_TIMES] = {
        {0, 0}, {0, 1}, {-1, 0}, {1000000000, 0}, {1000000000, 999999999}, {2000000000, 0},
    };

    memcpy(w->time, times, sizeof(times));
    sigaddset((sigset_t *) &w->sigset[1], 10);
    for (unsigned i = 0; i < 2; i++) {
        w->enter_arg[i].sigmask = i ? (uintptr_t) &w->sigset[0] : 0;
        w->enter_arg[i].sigmask_sz = 8;
        w->enter_arg[i].min_wait_usec = i * 10;
        w->enter_arg[i].ts = (uintptr_t) &w->time[i * FIRST_LONG_TIME];
        w->msg[i].msg_iov = &w->iovec[i];
        w->msg[i].msg_iovlen = i + 1;
        snprintf(w->path[i], sizeof(w->path[i]), "name-%u", i);
    }
    for (unsigned i = 0; i < NR_IOVECS; i++) {
        w->iovec[i].iov_base = (char *) w->data + 256 * i;
        w->iovec[i].iov_len = i == 5 ? 0 : 32u << (i & 3);
        w->files[i] = i == 4 ? NULL_FILE : i == 6 ? -1 : i == 7 ? 999 : FIRST_FILE + (int) i;
        w->tags[i] = i & 1 ? 0x7a90000 + i : 0;
        w->counts[i] = i;
    }
    w->iovec[7].iov_base = (void *) UNMAPPED;
    for (unsigned i = 0; i < 4; i++) {
        w->restriction[i].opcode = (__u16) i;
        w->restriction[i].register_op = (__u8) (i * 3);
    }
    for (unsigned i = 0; i < 2; i++) {
        w->buf_reg[i].ring_addr = (uintptr_t) w->mem[1];
        w->buf_reg[i].ring_entries = 8;
        w->buf_reg[i].bgid = (__u16) i;
        w->sync_cancel[i].timeout.tv_sec = i ? 0 : -1;
        w->sync_cancel[i].timeout.tv_nsec = i ? 1 : -1;
    }
    /* Messages with lengths, structures with small numbers. */
    for (unsigned i = 0; i < DATA_SIZE / 8; i++)
        w->data[i] = i % 7 == 0 ? i % 5 : i % 3 == 0 ? 0x0000001800000008ull * (i % 4) : 0;
    w->region.region_uptr = (uintptr_t) &w->region_desc;
    w->region_desc.user_addr = (uintptr_t) w->waits;
    w->region_desc.size = sizeof(w->waits);
    w->region_desc.flags = 1;
    for (unsigned i = 0; i < 4; i++) {
        struct io_uring_reg_wait *wait = (struct io_uring_reg_wait *) (void *) w->waits + i;

        wait->ts = w->time[i & 1 ? 1 : FIRST_LONG_TIME];
        wait->flags = i == 3 ? 0 : 1;
    }
    w->setup_fd = w->iter_ring = w->sqe_ring = w->cqe_ring = -1;
    w->next_user_data = 0x100;
}

void world_make(void)
{
    void *at = mmap(w, sizeof(*w), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    check(at == w, "mmap");
    make_files();
    make_arguments();
}

bool in_data(uint64_t address, uint64_t length)
{
    uint64_t start = (uintptr_t) w->data;

    return address >= start && length <= DATA_SIZE && address - start <= DATA_SIZE - length;
}

int ring_of(const void *ring)
{
    for (int i = 0; i < NR_RINGS; i++)
        if (ring == &w->ring[i])
            return i;
    return -1;
}

void own_set_params(struct io_uring_params *p, unsigned setup_flags, unsigned cq_entries, unsigned sq_entries)
{
    memset(p, 0, sizeof(*p));
    p->flags = setup_flags;
    p->cq_entries = cq_entries;
    p->sq_entries = sq_entries;
    if (setup_flags & IORING_SETUP_SQPOLL) {
        p->sq_thread_idle = 1;
        /* After each call its thread is waited for, so it must run. */
        p->flags &= ~IORING_SETUP_R_DISABLED;
    }
    if (setup_flags & IORING_SETUP_ATTACH_WQ)
        p->wq_fd = (unsigned) w->ring[0].ring_fd;
}

void own_set_buf_reg(struct io_uring_buf_reg *reg, unsigned ring_entries, int bgid)
{
    memset(reg, 0, sizeof(*reg));
    reg->ring_addr = (uintptr_t) w->mem[1];
    reg->ring_entries = ring_entries;
    reg->bgid = (__u16) bgid;
}

void own_set_sync_cancel(struct io_uring_sync_cancel_reg *reg, uint64_t user_data, int fd, unsigned flags)
{
    if (reg < w->sync_cancel || reg >= w->sync_cancel + 2)
        return;
    memset(reg, 0, sizeof(*reg));
    reg->addr = user_data;
    reg->fd = fd;
    reg->flags = flags & 0xf;
    reg->timeout.tv_sec = reg->timeout.tv_nsec = -1;
}

void own_set_restrictions(struct io_uring_restriction *res, unsigned off, unsigned nr)
{
    for (unsigned i = 0; res >= w->restriction && res + i < w->restriction + 4; i++) {
        memset(&res[i], 0, sizeof(res[i]));
        res[i].opcode = (__u16) ((off + i) & 3);
        res[i].register_op = (__u8) (nr + i);
    }
}

void own_set_region(struct io_uring_mem_region_reg *reg, unsigned flags)
{
    reg->flags = flags & 1;
    w->region_desc.id = 0;
    w->region_desc.mmap_offset = 0;
}

void own_hide_features(struct io_uring *ring)
{
    /* Room for a timeout request would depend on the submission thread. */
    if (!(ring->flags & IORING_SETUP_SQPOLL))
        ring->features &= ~(IORING_FEAT_EXT_ARG | IORING_FEAT_MIN_TIMEOUT | IORING_FEAT_NO_IOWAIT);
}

static bool ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    return fd >= FIRST_FILE && fd <= EVENTFD && poll(&p, 1, 0) == 1 && p.revents & events;
}

void own_write(int fd, unsigned len)
{
    uint64_t bytes[16] = {1};

    if (!ready(fd, POLLOUT))
        return;
    len = fd == EVENTFD ? 8 : 1 + len % sizeof(bytes);
    if (fd == SOCKET_A || fd == SOCKET_B)
        (void) !send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    else
        (void) !write(fd, bytes, len);
}

void own_read(int fd, unsigned len)
{
    if (ready(fd, POLLIN) && in_data((uintptr_t) w->data, len))
        (void) !read(fd, w->data, fd == EVENTFD ? 8 : len);
}

void own_close(int fd)
{
    for (unsigned i = 0; i < NR_RINGS; i++)
        if (w->live[i] && w->ring[i].ring_fd == fd)
            return;
    if (fd > 2 && fd < FD_LIMIT - 1 && (fd < FIRST_FILE || fd >= FIRST_FREE))
        close(fd);
}
