/* Rows of the request helpers, one of each family. */
#include "steps-rows.h"

#include <fcntl.h>
#include <liburing.h>
#include <sys/socket.h>
#include <sys/uio.h>

ROW void prep_nop(struct io_uring_sqe *sqe) { io_uring_prep_nop(sqe); }
ROW void prep_read(struct io_uring_sqe *sqe, int fd, void *buf, unsigned len, __u64 off)
{
    io_uring_prep_read(sqe, fd, buf, len, off);
}
ROW void prep_write_fixed(struct io_uring_sqe *sqe, int fd, void *buf, unsigned len, __u64 off, int index)
{
    io_uring_prep_write_fixed(sqe, fd, buf, len, off, index);
}
ROW void prep_readv2(struct io_uring_sqe *sqe, int fd, const struct iovec *iov, unsigned nr, __u64 off, int flags)
{
    io_uring_prep_readv2(sqe, fd, iov, nr, off, flags);
}
ROW void prep_fsync(struct io_uring_sqe *sqe, int fd, unsigned flags) { io_uring_prep_fsync(sqe, fd, flags); }
ROW void prep_openat(struct io_uring_sqe *sqe, int fd, const char *path, int flags, mode_t mode)
{
    io_uring_prep_openat(sqe, fd, path, flags, mode);
}
ROW void prep_openat_direct(struct io_uring_sqe *sqe, int fd, const char *path, int flags, mode_t mode, unsigned slot)
{
    io_uring_prep_openat_direct(sqe, fd, path, flags, mode, slot);
}
ROW void prep_close_direct(struct io_uring_sqe *sqe, unsigned slot) { io_uring_prep_close_direct(sqe, slot); }
ROW void prep_accept_direct(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr, socklen_t *len, int flags,
                            unsigned slot)
{
    io_uring_prep_accept_direct(sqe, fd, addr, len, flags, slot);
}
ROW void prep_recv_multishot(struct io_uring_sqe *sqe, int fd, void *buf, size_t len, int flags)
{
    io_uring_prep_recv_multishot(sqe, fd, buf, len, flags);
}
ROW void prep_send_zc(struct io_uring_sqe *sqe, int fd, const void *buf, size_t len, int flags, unsigned zc)
{
    io_uring_prep_send_zc(sqe, fd, buf, len, flags, zc);
}
ROW void prep_socket(struct io_uring_sqe *sqe, int domain, int type, int protocol, unsigned flags)
{
    io_uring_prep_socket(sqe, domain, type, protocol, flags);
}
ROW void prep_poll_add(struct io_uring_sqe *sqe, int fd, unsigned mask) { io_uring_prep_poll_add(sqe, fd, mask); }
ROW void prep_timeout(struct io_uring_sqe *sqe, struct __kernel_timespec *ts, unsigned count, unsigned flags)
{
    io_uring_prep_timeout(sqe, ts, count, flags);
}
ROW void prep_cancel64(struct io_uring_sqe *sqe, __u64 data, int flags) { io_uring_prep_cancel64(sqe, data, flags); }
ROW void prep_provide_buffers(struct io_uring_sqe *sqe, void *addr, int len, int nr, int group, int id)
{
    io_uring_prep_provide_buffers(sqe, addr, len, nr, group, id);
}
ROW void prep_msg_ring(struct io_uring_sqe *sqe, int fd, unsigned len, __u64 data, unsigned flags)
{
    io_uring_prep_msg_ring(sqe, fd, len, data, flags);
}
ROW void prep_futex_wait(struct io_uring_sqe *sqe, const uint32_t *futex, uint64_t val, uint64_t mask, uint32_t kind,
                         unsigned flags)
{
    io_uring_prep_futex_wait(sqe, futex, val, mask, kind, flags);
}
ROW void prep_cmd_sock(struct io_uring_sqe *sqe, int op, int fd, int level, int name, void *value)
{
    io_uring_prep_cmd_sock(sqe, op, fd, level, name, value, 4);
}

void count_preps(void)
{
    static struct io_uring_sqe sqes[2];
    struct io_uring_sqe *sqe = sqes;
    struct __kernel_timespec ts = {.tv_sec = 1};
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    static uint32_t futex;
    char buffer[64];
    struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};

    COUNT("prep_nop", prep_nop(sqe));
    COUNT("prep_read", prep_read(sqe, 3, buffer, 64, 4096));
    COUNT("prep_write_fixed", prep_write_fixed(sqe, 3, buffer, 64, 4096, 1));
    COUNT("prep_readv2", prep_readv2(sqe, 3, &iov, 1, 4096, 1));
    COUNT("prep_fsync", prep_fsync(sqe, 3, 1));
    COUNT("prep_openat", prep_openat(sqe, 3, "x", O_RDONLY, 0));
    COUNT("prep_openat_direct", prep_openat_direct(sqe, 3, "x", O_RDONLY, 0, 1));
    COUNT("prep_close_direct", prep_close_direct(sqe, 1));
    COUNT("prep_accept_direct", prep_accept_direct(sqe, 3, (struct sockaddr *) &addr, &len, 0, 1));
    COUNT("prep_recv_multishot", prep_recv_multishot(sqe, 3, buffer, 64, 0));
    COUNT("prep_send_zc", prep_send_zc(sqe, 3, buffer, 64, 0, 0));
    COUNT("prep_socket", prep_socket(sqe, AF_INET, SOCK_STREAM, 0, 0));
    COUNT("prep_poll_add", prep_poll_add(sqe, 3, 1));
    COUNT("prep_timeout", prep_timeout(sqe, &ts, 1, 0));
    COUNT("prep_cancel64", prep_cancel64(sqe, 7, 0));
    COUNT("prep_provide_buffers", prep_provide_buffers(sqe, buffer, 64, 1, 0, 0));
    COUNT("prep_msg_ring", prep_msg_ring(sqe, 3, 1, 2, 0));
    COUNT("prep_futex_wait", prep_futex_wait(sqe, &futex, 1, 2, 2, 0));
    COUNT("prep_cmd_sock", prep_cmd_sock(sqe, SOCKET_URING_OP_GETSOCKOPT, 3, 1, 2, buffer));
}
