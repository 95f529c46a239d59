/*
 * Requests are compared as they are prepared. What is then submitted are requests that complete at once or when the
 * sequence makes them: the others, which worker threads of the kernel finish in their own time, become no-ops.
 */
#include <string.h>

#include "fuzz.h"

static bool is_world_file(const struct io_uring_sqe *sqe)
{
    return sqe->flags & IOSQE_FIXED_FILE || (sqe->fd >= FIRST_FILE && sqe->fd <= NULL_FILE) || sqe->fd < 0;
}

/* The kernel may read and write there: it is the sequence's, or nothing is there. */
static bool is_buffer(uint64_t address, uint64_t length)
{
    return (in_data(address, length) && length <= 4096) || (address == UNMAPPED && length <= 4096);
}

static bool is_array(uint64_t address, uint64_t count, const void *array, size_t size, size_t limit)
{
    uint64_t start = (uintptr_t) array;

    return count <= limit && address >= start && address <= start + size * (limit - count) &&
           (address - start) % size == 0;
}

static bool is_long_time(uint64_t address)
{
    return address >= (uintptr_t) &w->time[FIRST_LONG_TIME] && address <= (uintptr_t) &w->time[NR_TIMES - 1];
}

static bool may_close(int fd)
{
    for (unsigned i = 0; i < NR_RINGS; i++)
        if (w->live[i] && w->ring[i].ring_fd == fd)
            return false;
    return fd != w->setup_fd && fd < FD_LIMIT - 1 && (fd >= FIRST_FREE || (fd > 2 && fd < FIRST_FILE));
}

/* Messages to polled rings take a worker thread, and those to a ring with a submission thread wake that. */
static bool takes_messages(int fd)
{
    for (unsigned i = 0; i < NR_RINGS; i++)
        if (w->live[i] && w->ring[i].ring_fd == fd)
            return !(w->ring[i].flags & (IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL));
    return fd == NULL_FILE || fd == -1;
}

static bool is_timely(const struct io_uring_sqe *sqe)
{
    switch (sqe->opcode) {
    case IORING_OP_NOP:
    case IORING_OP_POLL_REMOVE:
    case IORING_OP_ASYNC_CANCEL:
    case IORING_OP_REMOVE_BUFFERS:
        return true;
    case IORING_OP_POLL_ADD:
        return sqe->flags & IOSQE_FIXED_FILE || sqe->fd <= LISTENER;
    case IORING_OP_TIMEOUT:
    case IORING_OP_LINK_TIMEOUT:
        return is_long_time(sqe->addr);
    case IORING_OP_TIMEOUT_REMOVE:
        return !(sqe->timeout_flags & IORING_TIMEOUT_UPDATE_MASK) || is_long_time(sqe->addr2);
    case IORING_OP_WRITE:
    case IORING_OP_WRITE_FIXED:
        /* The kernel writes to these in worker threads. */
        return is_world_file(sqe) && sqe->fd != EVENTFD && is_buffer(sqe->addr, sqe->len);
    case IORING_OP_READ:
    case IORING_OP_READ_FIXED:
    case IORING_OP_SEND:
    case IORING_OP_RECV:
        return is_world_file(sqe) && is_buffer(sqe->addr, sqe->len);
    case IORING_OP_READV:
    case IORING_OP_WRITEV:
        return is_world_file(sqe) && sqe->fd != EVENTFD &&
               is_array(sqe->addr, sqe->len, w->iovec, sizeof(w->iovec[0]), NR_IOVECS);
    case IORING_OP_SENDMSG:
    case IORING_OP_RECVMSG:
        return is_world_file(sqe) && is_array(sqe->addr, 1, w->msg, sizeof(w->msg[0]), 2);
    case IORING_OP_ACCEPT:
        return sqe->fd == LISTENER && sqe->addr == 0;
    case IORING_OP_SOCKET:
        return sqe->fd == AF_UNIX;
    case IORING_OP_CLOSE:
        return sqe->file_index || may_close(sqe->fd);
    case IORING_OP_MSG_RING:
        return takes_messages(sqe->fd);
    case IORING_OP_PROVIDE_BUFFERS:
        return sqe->fd > 0 && sqe->fd <= 64 && sqe->len <= 64 && in_data(sqe->addr, (uint64_t) sqe->fd * sqe->len);
    case IORING_OP_FILES_UPDATE:
        return is_array(sqe->addr, sqe->len, w->ints, sizeof(w->ints[0]), 8);
    case IORING_OP_PIPE:
        return is_array(sqe->addr, 2, w->ints, sizeof(w->ints[0]), 8);
    case IORING_OP_EPOLL_CTL:
        return sqe->fd == EPOLL && (int) sqe->off >= FIRST_FILE && (int) sqe->off <= NULL_FILE &&
               is_buffer(sqe->addr, 12);
    case IORING_OP_FIXED_FD_INSTALL:
        return true;
    case IORING_OP_FUTEX_WAKE:
        return in_data(sqe->addr, 4);
    default:
        return false;
    }
}

/* What wakes a request wakes a submission thread, which then completes it in its own time: none that wait for files. */
static bool waits_for_no_file(const struct io_uring_sqe *sqe)
{
    static const unsigned char operations[] = {
        IORING_OP_NOP, IORING_OP_TIMEOUT, IORING_OP_TIMEOUT_REMOVE, IORING_OP_LINK_TIMEOUT, IORING_OP_ASYNC_CANCEL,
        IORING_OP_PROVIDE_BUFFERS, IORING_OP_REMOVE_BUFFERS, IORING_OP_FILES_UPDATE, IORING_OP_SOCKET, IORING_OP_CLOSE,
    };

    return memchr(operations, sqe->opcode, sizeof(operations));
}

static void tame(struct io_uring_sqe *sqe, const struct io_uring *ring)
{
    bool big = ring->flags & IORING_SETUP_SQE128;

    /* Both send a request to a worker thread. */
    sqe->flags &= (__u8) ~(IOSQE_ASYNC | IOSQE_IO_DRAIN);
    /* On kernels without arguments to waits this number is the library's, and the ring may become one of such. */
    if (sqe->user_data == LIBURING_UDATA_TIMEOUT)
        sqe->user_data = 0;
    if (!is_timely(sqe) || (ring->flags & IORING_SETUP_SQPOLL && !waits_for_no_file(sqe))) {
        uint64_t user_data = sqe->user_data;
        __u8 flags = sqe->flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK | IOSQE_CQE_SKIP_SUCCESS);

        memset(sqe, 0, sizeof(*sqe) << big);
        sqe->user_data = user_data;
        sqe->flags = flags;
    }
}

void tame_pending(void)
{
    for (unsigned i = 0; i < NR_RINGS; i++) {
        const struct io_uring *ring = &w->ring[i];
        unsigned shift = ring->flags & IORING_SETUP_SQE128 ? 1 : 0;

        if (!w->live[i])
            continue;
        for (unsigned at = *ring->sq.ktail; at != ring->sq.sqe_tail; at++) {
            struct io_uring_sqe *sqe = &ring->sq.sqes[(at & ring->sq.ring_mask) << shift];

            tame(sqe, ring);
            /* A chain that its submission does not end goes to a worker thread. */
            if (at + 1 == ring->sq.sqe_tail || ring->flags & IORING_SETUP_SQPOLL)
                sqe->flags &= (__u8) ~(IOSQE_IO_LINK | IOSQE_IO_HARDLINK);
        }
    }
}
