//! Opcodes of requests.

/// Opcodes of requests, for `opcode` of an SQE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_uring_op {
    /// Do nothing and complete. Since 5.1.
    IORING_OP_NOP = 0,
    /// `preadv2(2)`. Since 5.1.
    IORING_OP_READV = 1,
    /// `pwritev2(2)`. Since 5.1.
    IORING_OP_WRITEV = 2,
    /// `fsync(2)`, `fdatasync(2)`. Since 5.1.
    IORING_OP_FSYNC = 3,
    /// Read into a registered buffer. Since 5.1.
    IORING_OP_READ_FIXED = 4,
    /// Write from a registered buffer. Since 5.1.
    IORING_OP_WRITE_FIXED = 5,
    /// Wait until a file is ready. Since 5.1.
    IORING_OP_POLL_ADD = 6,
    /// Remove or change a poll request. Since 5.1.
    IORING_OP_POLL_REMOVE = 7,
    /// `sync_file_range(2)`. Since 5.2.
    IORING_OP_SYNC_FILE_RANGE = 8,
    /// `sendmsg(2)`. Since 5.3.
    IORING_OP_SENDMSG = 9,
    /// `recvmsg(2)`. Since 5.3.
    IORING_OP_RECVMSG = 10,
    /// Complete after a time or a number of completions. Since 5.4.
    IORING_OP_TIMEOUT = 11,
    /// Remove or change a timeout. Since 5.5.
    IORING_OP_TIMEOUT_REMOVE = 12,
    /// `accept4(2)`. Since 5.5.
    IORING_OP_ACCEPT = 13,
    /// Cancel requests. Since 5.5.
    IORING_OP_ASYNC_CANCEL = 14,
    /// Cancel the request linked before this one when it takes too long. Since 5.5.
    IORING_OP_LINK_TIMEOUT = 15,
    /// `connect(2)`. Since 5.5.
    IORING_OP_CONNECT = 16,
    /// `fallocate(2)`. Since 5.6.
    IORING_OP_FALLOCATE = 17,
    /// `openat(2)`. Since 5.6.
    IORING_OP_OPENAT = 18,
    /// `close(2)`, also of a file-table slot. Since 5.6.
    IORING_OP_CLOSE = 19,
    /// Change slots of the file table. Since 5.6.
    IORING_OP_FILES_UPDATE = 20,
    /// `statx(2)`. Since 5.6.
    IORING_OP_STATX = 21,
    /// `pread(2)`. Since 5.6.
    IORING_OP_READ = 22,
    /// `pwrite(2)`. Since 5.6.
    IORING_OP_WRITE = 23,
    /// `posix_fadvise(2)`. Since 5.6.
    IORING_OP_FADVISE = 24,
    /// `madvise(2)`. Since 5.6.
    IORING_OP_MADVISE = 25,
    /// `send(2)`, `sendto(2)`. Since 5.6.
    IORING_OP_SEND = 26,
    /// `recv(2)`. Since 5.6.
    IORING_OP_RECV = 27,
    /// `openat2(2)`. Since 5.6.
    IORING_OP_OPENAT2 = 28,
    /// `epoll_ctl(2)`. Since 5.6.
    IORING_OP_EPOLL_CTL = 29,
    /// `splice(2)`. Since 5.7.
    IORING_OP_SPLICE = 30,
    /// Hand buffers to the kernel, for `IOSQE_BUFFER_SELECT`. Since 5.7.
    IORING_OP_PROVIDE_BUFFERS = 31,
    /// Take provided buffers back. Since 5.7.
    IORING_OP_REMOVE_BUFFERS = 32,
    /// `tee(2)`. Since 5.8.
    IORING_OP_TEE = 33,
    /// `shutdown(2)`. Since 5.11.
    IORING_OP_SHUTDOWN = 34,
    /// `renameat2(2)`. Since 5.11.
    IORING_OP_RENAMEAT = 35,
    /// `unlinkat(2)`. Since 5.11.
    IORING_OP_UNLINKAT = 36,
    /// `mkdirat(2)`. Since 5.15.
    IORING_OP_MKDIRAT = 37,
    /// `symlinkat(2)`. Since 5.15.
    IORING_OP_SYMLINKAT = 38,
    /// `linkat(2)`. Since 5.15.
    IORING_OP_LINKAT = 39,
    /// Post a CQE, or a file, to another ring. Since 5.18.
    IORING_OP_MSG_RING = 40,
    /// `fsetxattr(2)`. Since 5.19.
    IORING_OP_FSETXATTR = 41,
    /// `setxattr(2)`. Since 5.19.
    IORING_OP_SETXATTR = 42,
    /// `fgetxattr(2)`. Since 5.19.
    IORING_OP_FGETXATTR = 43,
    /// `getxattr(2)`. Since 5.19.
    IORING_OP_GETXATTR = 44,
    /// `socket(2)`. Since 5.19.
    IORING_OP_SOCKET = 45,
    /// A command that the file's driver defines. Since 5.19.
    IORING_OP_URING_CMD = 46,
    /// `send(2)`, `sendto(2)` without copying; a second CQE tells when the memory is free again. Since 6.0.
    IORING_OP_SEND_ZC = 47,
    /// `sendmsg(2)` without copying; a second CQE tells when the memory is free again. Since 6.1.
    IORING_OP_SENDMSG_ZC = 48,
    /// Read into provided buffers each time there is data. Since 6.7.
    IORING_OP_READ_MULTISHOT = 49,
    /// `waitid(2)`. Since 6.7.
    IORING_OP_WAITID = 50,
    /// Wait on a futex, as `futex(2)` does. Since 6.7.
    IORING_OP_FUTEX_WAIT = 51,
    /// Wake waiters of a futex, as `futex(2)` does. Since 6.7.
    IORING_OP_FUTEX_WAKE = 52,
    /// `futex_waitv(2)`. Since 6.7.
    IORING_OP_FUTEX_WAITV = 53,
    /// Make an ordinary descriptor of a file-table slot. Since 6.8.
    IORING_OP_FIXED_FD_INSTALL = 54,
    /// `ftruncate(2)`. Since 6.9.
    IORING_OP_FTRUNCATE = 55,
    /// `bind(2)`. Since 6.11.
    IORING_OP_BIND = 56,
    /// `listen(2)`. Since 6.11.
    IORING_OP_LISTEN = 57,
    /// Receive without copying, from a registered network queue. Since 6.15.
    IORING_OP_RECV_ZC = 58,
    /// `epoll_wait(2)`. Since 6.15.
    IORING_OP_EPOLL_WAIT = 59,
    /// Read into parts of a registered buffer. Since 6.15.
    IORING_OP_READV_FIXED = 60,
    /// Write from parts of a registered buffer. Since 6.15.
    IORING_OP_WRITEV_FIXED = 61,
    /// `pipe2(2)`. Since 6.16.
    IORING_OP_PIPE = 62,
    /// `IORING_OP_NOP` in a 128-byte SQE. Since 6.19.
    IORING_OP_NOP128 = 63,
    /// `IORING_OP_URING_CMD` in a 128-byte SQE. Since 6.19.
    IORING_OP_URING_CMD128 = 64,
    /// One more than the highest opcode known here.
    IORING_OP_LAST = 65,
}
pub use io_uring_op::*;
