/* Hand-written. Commands that a file's driver understands, and those of sockets and block devices. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_PREP_CMD_H
#define LIBURING_PREP_CMD_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Prepares a command with an opcode of the caller's: the fields that all commands share. */
IOURINGINLINE void __io_uring_prep_uring_cmd(struct io_uring_sqe *sqe, int op, __u32 cmd_op, int fd) LIBURING_NOEXCEPT
{
    /* Half the offset's field is the command. Zeros side by side become one store. */
    sqe->cmd_op = cmd_op;
    sqe->len = sqe->__pad1 = 0;
    sqe->addr = 0;
    sqe->fd = fd;
    sqe->opcode = (__u8) op;
}

/* Prepares command cmd_op for the driver of a file. */
IOURINGINLINE void io_uring_prep_uring_cmd(struct io_uring_sqe *sqe, int cmd_op, int fd) LIBURING_NOEXCEPT
{
    __io_uring_prep_uring_cmd(sqe, IORING_OP_URING_CMD, (__u32) cmd_op, fd);
}

/* Prepares command cmd_op for the driver of a file, in an SQE of 128 bytes. */
IOURINGINLINE void io_uring_prep_uring_cmd128(struct io_uring_sqe *sqe, int cmd_op, int fd) LIBURING_NOEXCEPT
{
    __io_uring_prep_uring_cmd(sqe, IORING_OP_URING_CMD128, (__u32) cmd_op, fd);
}

/* Prepares a command for a socket, such as to read or set an option. */
IOURINGINLINE void io_uring_prep_cmd_sock(struct io_uring_sqe *sqe, int cmd_op, int fd, int level, int optname,
                                          void *optval, int optlen) LIBURING_NOEXCEPT
{
    io_uring_prep_uring_cmd(sqe, cmd_op, fd);
    sqe->level = (__u32) level;
    sqe->optname = (__u32) optname;
    sqe->optlen = (__u32) optlen;
    sqe->optval = uring_ptr_to_u64(optval);
}

/* Prepares to ask for the address of a socket, or of its peer. */
IOURINGINLINE void io_uring_prep_cmd_getsockname(struct io_uring_sqe *sqe, int fd, struct sockaddr *sockaddr,
                                                 socklen_t *sockaddr_len, int peer) LIBURING_NOEXCEPT
{
    io_uring_prep_uring_cmd(sqe, SOCKET_URING_OP_GETSOCKNAME, fd);
    sqe->addr = uring_ptr_to_u64(sockaddr);
    sqe->optlen = (__u32) peer;
    sqe->addr3 = uring_ptr_to_u64(sockaddr_len);
}

/* Prepares to discard a part of a block device. */
IOURINGINLINE void io_uring_prep_cmd_discard(struct io_uring_sqe *sqe, int fd, uint64_t offset, uint64_t nbytes)
    LIBURING_NOEXCEPT
{
    io_uring_prep_uring_cmd(sqe, BLOCK_URING_CMD_DISCARD, fd);
    sqe->addr = offset;
    sqe->addr3 = nbytes;
}

#if !IO_URING_CHECK_VERSION(2, 16)
/* Newer than 7.2. */
#ifndef BLOCK_URING_CMD_ZONE_RESET_ALL
#define BLOCK_URING_CMD_ZONE_RESET_ALL _IO(0x12, 1)
#endif

/* Prepares to reset all zones of a zoned block device. */
IOURINGINLINE void io_uring_prep_cmd_zone_reset_all(struct io_uring_sqe *sqe, int fd) LIBURING_NOEXCEPT
{
    io_uring_prep_uring_cmd(sqe, BLOCK_URING_CMD_ZONE_RESET_ALL, fd);
}
#endif

#endif
