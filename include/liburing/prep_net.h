/* Hand-written. Requests on sockets. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_NET_H
#define LIBURING_PREP_NET_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Makes a socket, as socket() does. */
IOURINGINLINE void io_uring_prep_socket(struct io_uring_sqe *sqe, int domain, int type, int protocol,
                                        unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SOCKET, domain, (__u64) type, 0, (__u32) protocol, flags);
}

/* Makes a socket in slot file_index of the registered files, or a free one with IORING_FILE_INDEX_ALLOC. */
IOURINGINLINE void io_uring_prep_socket_direct(struct io_uring_sqe *sqe, int domain, int type, int protocol,
                                               unsigned file_index, unsigned int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_socket(sqe, domain, type, protocol, flags);
    _io_uring_set_direct(sqe, file_index);
}

/* Makes a socket in a free slot of the registered files. */
IOURINGINLINE void io_uring_prep_socket_direct_alloc(struct io_uring_sqe *sqe, int domain, int type, int protocol,
                                                     unsigned int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_socket_direct(sqe, domain, type, protocol, IORING_FILE_INDEX_ALLOC, flags);
}

/* Gives a socket an address, as bind() does. */
IOURINGINLINE void io_uring_prep_bind(struct io_uring_sqe *sqe, int fd, const struct sockaddr *addr,
                                      socklen_t addrlen) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_BIND, fd, addrlen, uring_ptr_to_u64(addr), 0);
}

/* Makes a socket accept connections, as listen() does. */
IOURINGINLINE void io_uring_prep_listen(struct io_uring_sqe *sqe, int fd, int backlog) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_LISTEN, fd, 0, 0, (__u32) backlog);
}

/* Connects a socket, as connect() does. */
IOURINGINLINE void io_uring_prep_connect(struct io_uring_sqe *sqe, int fd, const struct sockaddr *addr,
                                         socklen_t addrlen) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_CONNECT, fd, addrlen, uring_ptr_to_u64(addr), 0);
}

/* Ends one or both directions of a connection, as shutdown() does. */
IOURINGINLINE void io_uring_prep_shutdown(struct io_uring_sqe *sqe, int fd, int how) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_SHUTDOWN, fd, 0, 0, (__u32) how);
}

/* Accepts a connection, as accept4() does. */
IOURINGINLINE void io_uring_prep_accept(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr, socklen_t *addrlen,
                                        int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_ACCEPT, fd, uring_ptr_to_u64(addrlen), uring_ptr_to_u64(addr), 0,
                         (__u32) flags);
}

/* The same into slot file_index of the registered files, or a free one with IORING_FILE_INDEX_ALLOC. */
IOURINGINLINE void io_uring_prep_accept_direct(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr,
                                               socklen_t *addrlen, int flags, unsigned int file_index)
    LIBURING_NOEXCEPT
{
    io_uring_prep_accept(sqe, fd, addr, addrlen, flags);
    _io_uring_set_direct(sqe, file_index);
}

/* Accepts connections again and again, each with a CQE of its own. */
IOURINGINLINE void io_uring_prep_multishot_accept(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr,
                                                  socklen_t *addrlen, int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_accept(sqe, fd, addr, addrlen, flags);
    sqe->ioprio |= IORING_ACCEPT_MULTISHOT;
}

/* The same into free slots of the registered files. */
IOURINGINLINE void io_uring_prep_multishot_accept_direct(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr,
                                                         socklen_t *addrlen, int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_multishot_accept(sqe, fd, addr, addrlen, flags);
    sqe->file_index = IORING_FILE_INDEX_ALLOC;
}

/* Sends, as send() does. */
IOURINGINLINE void io_uring_prep_send(struct io_uring_sqe *sqe, int sockfd, const void *buf, size_t len, int flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SEND, sockfd, 0, uring_ptr_to_u64(buf), (__u32) len, (__u32) flags);
}

/* Sends as many provided buffers as hold len bytes, or all that are there if len is 0. The caller sets the group. */
IOURINGINLINE void io_uring_prep_send_bundle(struct io_uring_sqe *sqe, int sockfd, size_t len, int flags)
    LIBURING_NOEXCEPT
{
    io_uring_prep_send(sqe, sockfd, NULL, len, flags);
    sqe->ioprio |= IORING_RECVSEND_BUNDLE;
}

/* Gives a send request a destination. */
IOURINGINLINE void io_uring_prep_send_set_addr(struct io_uring_sqe *sqe, const struct sockaddr *dest_addr,
                                               __u16 addr_len) LIBURING_NOEXCEPT
{
    sqe->addr_len = addr_len;
    sqe->addr2 = uring_ptr_to_u64(dest_addr);
}

/* Sends to an address, as sendto() does. */
IOURINGINLINE void io_uring_prep_sendto(struct io_uring_sqe *sqe, int sockfd, const void *buf, size_t len, int flags,
                                        const struct sockaddr *addr, socklen_t addrlen) LIBURING_NOEXCEPT
{
    io_uring_prep_send(sqe, sockfd, buf, len, flags);
    io_uring_prep_send_set_addr(sqe, addr, (__u16) addrlen);
}

/* Sends without copying. A second CQE, with IORING_CQE_F_NOTIF, says when buf may be used again. */
IOURINGINLINE void io_uring_prep_send_zc(struct io_uring_sqe *sqe, int sockfd, const void *buf, size_t len, int flags,
                                         unsigned zc_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SEND_ZC, sockfd, 0, uring_ptr_to_u64(buf), (__u32) len, (__u32) flags);
    sqe->ioprio = (__u16) zc_flags;
}

/* The same from a part of registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_send_zc_fixed(struct io_uring_sqe *sqe, int sockfd, const void *buf, size_t len,
                                               int flags, unsigned zc_flags, unsigned buf_index) LIBURING_NOEXCEPT
{
    io_uring_prep_send_zc(sqe, sockfd, buf, len, flags, zc_flags | IORING_RECVSEND_FIXED_BUF);
    sqe->buf_index = (__u16) buf_index;
}

/* Sends a message, as sendmsg() does. */
IOURINGINLINE void io_uring_prep_sendmsg(struct io_uring_sqe *sqe, int fd, const struct msghdr *msg, unsigned flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SENDMSG, fd, 0, uring_ptr_to_u64(msg), 1, flags);
}

/* The same without copying; see io_uring_prep_send_zc(). */
IOURINGINLINE void io_uring_prep_sendmsg_zc(struct io_uring_sqe *sqe, int fd, const struct msghdr *msg, unsigned flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SENDMSG_ZC, fd, 0, uring_ptr_to_u64(msg), 1, flags);
}

/* The same from parts of registered buffer buf_index. */
IOURINGINLINE void io_uring_prep_sendmsg_zc_fixed(struct io_uring_sqe *sqe, int fd, const struct msghdr *msg,
                                                  unsigned flags, unsigned buf_index) LIBURING_NOEXCEPT
{
    io_uring_prep_sendmsg_zc(sqe, fd, msg, flags);
    sqe->ioprio |= IORING_RECVSEND_FIXED_BUF;
    sqe->buf_index = (__u16) buf_index;
}

/* Receives, as recv() does. */
IOURINGINLINE void io_uring_prep_recv(struct io_uring_sqe *sqe, int sockfd, void *buf, size_t len, int flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_RECV, sockfd, 0, uring_ptr_to_u64(buf), (__u32) len, (__u32) flags);
}

/* Receives again and again, each time into a provided buffer. The caller sets the group and IOSQE_BUFFER_SELECT. */
IOURINGINLINE void io_uring_prep_recv_multishot(struct io_uring_sqe *sqe, int sockfd, void *buf, size_t len, int flags)
    LIBURING_NOEXCEPT
{
    io_uring_prep_recv(sqe, sockfd, buf, len, flags);
    sqe->ioprio |= IORING_RECV_MULTISHOT;
}

/* Receives a message, as recvmsg() does. */
IOURINGINLINE void io_uring_prep_recvmsg(struct io_uring_sqe *sqe, int fd, struct msghdr *msg, unsigned flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_RECVMSG, fd, 0, uring_ptr_to_u64(msg), 1, flags);
}

/* Receives messages again and again; the io_uring_recvmsg_* functions find their parts in the provided buffers. */
IOURINGINLINE void io_uring_prep_recvmsg_multishot(struct io_uring_sqe *sqe, int fd, struct msghdr *msg,
                                                   unsigned flags) LIBURING_NOEXCEPT
{
    io_uring_prep_recvmsg(sqe, fd, msg, flags);
    sqe->ioprio |= IORING_RECV_MULTISHOT;
}

#endif
