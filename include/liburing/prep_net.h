/* Hand-written. Requests on sockets. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_NET_H
#define LIBURING_PREP_NET_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares to make a socket, as socket(2) does. */
IOURINGINLINE void io_uring_prep_socket(struct io_uring_sqe *sqe, int domain, int type, int protocol,
                                        unsigned int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SOCKET, domain, (__u64) type, 0, (__u32) protocol, flags);
}

/* Prepares to make a socket straight in the registered files. */
IOURINGINLINE void io_uring_prep_socket_direct(struct io_uring_sqe *sqe, int domain, int type, int protocol,
                                               unsigned file_index, unsigned int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_socket(sqe, domain, type, protocol, flags);
    _io_uring_set_direct(sqe, file_index);
}

/* Prepares to make a socket in a free slot of the registered files. */
IOURINGINLINE void io_uring_prep_socket_direct_alloc(struct io_uring_sqe *sqe, int domain, int type, int protocol,
                                                     unsigned int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_socket_direct(sqe, domain, type, protocol, IORING_FILE_INDEX_ALLOC, flags);
}

/* Prepares to give a socket an address, as bind(2) does. */
IOURINGINLINE void io_uring_prep_bind(struct io_uring_sqe *sqe, int fd, const struct sockaddr *addr,
                                      socklen_t addrlen) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_BIND, fd, addrlen, uring_ptr_to_u64(addr), 0);
}

/* Prepares to make a socket accept connections, as listen(2) does. */
IOURINGINLINE void io_uring_prep_listen(struct io_uring_sqe *sqe, int fd, int backlog) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_LISTEN, fd, 0, 0, (__u32) backlog);
}

/* Prepares to connect a socket, as connect(2) does. */
IOURINGINLINE void io_uring_prep_connect(struct io_uring_sqe *sqe, int fd, const struct sockaddr *addr,
                                         socklen_t addrlen) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_CONNECT, fd, addrlen, uring_ptr_to_u64(addr), 0);
}

/* Prepares to end one or both directions of a connection, as shutdown(2) does. */
IOURINGINLINE void io_uring_prep_shutdown(struct io_uring_sqe *sqe, int fd, int how) LIBURING_NOEXCEPT
{
    _io_uring_prep(sqe, IORING_OP_SHUTDOWN, fd, 0, 0, (__u32) how);
}

/* Prepares to accept a connection, as accept4(2) does. */
IOURINGINLINE void io_uring_prep_accept(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr, socklen_t *addrlen,
                                        int flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_ACCEPT, fd, uring_ptr_to_u64(addrlen), uring_ptr_to_u64(addr), 0,
                         (__u32) flags);
}

/* Prepares to accept a connection straight into the registered files. */
IOURINGINLINE void io_uring_prep_accept_direct(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr,
                                               socklen_t *addrlen, int flags, unsigned int file_index)
    LIBURING_NOEXCEPT
{
    io_uring_prep_accept(sqe, fd, addr, addrlen, flags);
    _io_uring_set_direct(sqe, file_index);
}

/* Prepares to accept connections again and again, each with a CQE of its own. */
IOURINGINLINE void io_uring_prep_multishot_accept(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr,
                                                  socklen_t *addrlen, int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_accept(sqe, fd, addr, addrlen, flags);
    sqe->ioprio |= IORING_ACCEPT_MULTISHOT;
}

/* Prepares to accept connections again and again, into free slots of the registered files. */
IOURINGINLINE void io_uring_prep_multishot_accept_direct(struct io_uring_sqe *sqe, int fd, struct sockaddr *addr,
                                                         socklen_t *addrlen, int flags) LIBURING_NOEXCEPT
{
    io_uring_prep_multishot_accept(sqe, fd, addr, addrlen, flags);
    sqe->file_index = IORING_FILE_INDEX_ALLOC;
}

/* Prepares to send, as send(2) does. */
IOURINGINLINE void io_uring_prep_send(struct io_uring_sqe *sqe, int sockfd, const void *buf, size_t len, int flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SEND, sockfd, 0, uring_ptr_to_u64(buf), _io_uring_transfer_len(len),
                         (__u32) flags);
}

/* Prepares to send several provided buffers at once. */
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

/* Prepares to send to an address, as sendto(2) does. */
IOURINGINLINE void io_uring_prep_sendto(struct io_uring_sqe *sqe, int sockfd, const void *buf, size_t len, int flags,
                                        const struct sockaddr *addr, socklen_t addrlen) LIBURING_NOEXCEPT
{
    io_uring_prep_send(sqe, sockfd, buf, len, flags);
    io_uring_prep_send_set_addr(sqe, addr, (__u16) addrlen);
}

/* Prepares to send without copying the data. */
IOURINGINLINE void io_uring_prep_send_zc(struct io_uring_sqe *sqe, int sockfd, const void *buf, size_t len, int flags,
                                         unsigned zc_flags) LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SEND_ZC, sockfd, 0, uring_ptr_to_u64(buf), _io_uring_transfer_len(len),
                         (__u32) flags);
    sqe->ioprio = (__u16) zc_flags;
}

/* Prepares to send from registered buffer buf_index without copying the data. */
IOURINGINLINE void io_uring_prep_send_zc_fixed(struct io_uring_sqe *sqe, int sockfd, const void *buf, size_t len,
                                               int flags, unsigned zc_flags, unsigned buf_index) LIBURING_NOEXCEPT
{
    io_uring_prep_send_zc(sqe, sockfd, buf, len, flags, zc_flags | IORING_RECVSEND_FIXED_BUF);
    sqe->buf_index = (__u16) buf_index;
}

/* Prepares to send a message, as sendmsg(2) does. */
IOURINGINLINE void io_uring_prep_sendmsg(struct io_uring_sqe *sqe, int fd, const struct msghdr *msg, unsigned flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SENDMSG, fd, 0, uring_ptr_to_u64(msg), 1, flags);
}

/* Prepares to send a message without copying the data. */
IOURINGINLINE void io_uring_prep_sendmsg_zc(struct io_uring_sqe *sqe, int fd, const struct msghdr *msg, unsigned flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_SENDMSG_ZC, fd, 0, uring_ptr_to_u64(msg), 1, flags);
}

/* Prepares to send a message from registered buffer buf_index without copying the data. */
IOURINGINLINE void io_uring_prep_sendmsg_zc_fixed(struct io_uring_sqe *sqe, int fd, const struct msghdr *msg,
                                                  unsigned flags, unsigned buf_index) LIBURING_NOEXCEPT
{
    io_uring_prep_sendmsg_zc(sqe, fd, msg, flags);
    sqe->ioprio |= IORING_RECVSEND_FIXED_BUF;
    sqe->buf_index = (__u16) buf_index;
}

/* Prepares to receive, as recv(2) does. */
IOURINGINLINE void io_uring_prep_recv(struct io_uring_sqe *sqe, int sockfd, void *buf, size_t len, int flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_RECV, sockfd, 0, uring_ptr_to_u64(buf), _io_uring_transfer_len(len),
                         (__u32) flags);
}

/* Prepares to receive again and again, each time into a provided buffer. */
IOURINGINLINE void io_uring_prep_recv_multishot(struct io_uring_sqe *sqe, int sockfd, void *buf, size_t len, int flags)
    LIBURING_NOEXCEPT
{
    io_uring_prep_recv(sqe, sockfd, buf, len, flags);
    sqe->ioprio |= IORING_RECV_MULTISHOT;
}

/* Prepares to receive a message, as recvmsg(2) does. */
IOURINGINLINE void io_uring_prep_recvmsg(struct io_uring_sqe *sqe, int fd, struct msghdr *msg, unsigned flags)
    LIBURING_NOEXCEPT
{
    _io_uring_prep_flags(sqe, IORING_OP_RECVMSG, fd, 0, uring_ptr_to_u64(msg), 1, flags);
}

/* Prepares to receive messages again and again, each into a provided buffer. */
IOURINGINLINE void io_uring_prep_recvmsg_multishot(struct io_uring_sqe *sqe, int fd, struct msghdr *msg,
                                                   unsigned flags) LIBURING_NOEXCEPT
{
    io_uring_prep_recvmsg(sqe, fd, msg, flags);
    sqe->ioprio |= IORING_RECV_MULTISHOT;
}

#endif
