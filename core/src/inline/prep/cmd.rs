//! Commands that a file's driver understands, and those of sockets and block devices.

use core::ffi::{c_int, c_void};

use super::{address, set_addr3};
use crate::abi::net::SOCKET_URING_OP_GETSOCKNAME;
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Writes the fields that all commands share.
///
/// # Safety
///
/// `sqe` points to an SQE that no one else uses.
#[inline]
unsafe fn prep_command(sqe: *mut io_uring_sqe, op: io_uring_op, cmd_op: u32, fd: c_int) {
    // The field beside the command is 0 then, in either byte order.
    let off = if cfg!(target_endian = "big") {
        u64::from(cmd_op) << 32
    } else {
        u64::from(cmd_op)
    };
    // SAFETY: the caller vouches for `sqe`.
    unsafe { super::fill(sqe, op, fd, off, 0, 0) }
}

/// Prepares a command with an opcode of the caller's: the fields that all commands share.
///
/// io_uring_prep_uring_cmd() and io_uring_prep_uring_cmd128() are made of this.
///
/// # Return value
///
/// None. In `res` of the CQE: what the driver says, or a negative errno.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_uring_cmd(), io_uring_prep_uring_cmd128().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn __io_uring_prep_uring_cmd(
    sqe: *mut io_uring_sqe,
    op: c_int,
    cmd_op: __u32,
    fd: c_int,
) {
    // SAFETY: `sqe` is the caller's SQE. The opcode is any number, so it is not passed on as one of the known ones.
    unsafe {
        prep_command(sqe, IORING_OP_URING_CMD, cmd_op, fd);
        (*sqe).opcode = op as u8;
    }
}

/// Prepares command `cmd_op` for the driver of a file.
///
/// What `cmd_op` means is the driver's matter: NVMe character devices, ublk, FUSE and sockets have commands. Its own
/// data follow in `cmd` of the SQE, 16 bytes of it, or 80 in an SQE of 128 bytes; fill them in afterwards. For a
/// registered buffer set `uring_cmd_flags` to `IORING_URING_CMD_FIXED` and `buf_index`.
///
/// # Return value
///
/// None. In `res` of the CQE: what the driver says, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EOPNOTSUPP`: the file has no commands, or not this one.
/// * `-EINVAL`: the command needs an SQE of 128 bytes, or its fields make no sense to the driver.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_uring_cmd128(), io_uring_prep_cmd_sock(), io_uring_prep_cmd_discard().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. What the command names stays valid until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_uring_cmd(sqe: *mut io_uring_sqe, cmd_op: c_int, fd: c_int) {
    unsafe { prep_command(sqe, IORING_OP_URING_CMD, cmd_op as u32, fd) }
}

/// Prepares command `cmd_op` for the driver of a file, in an SQE of 128 bytes.
///
/// As io_uring_prep_uring_cmd(). The SQE comes from io_uring_get_sqe128(), and `cmd` in it has 80 bytes.
///
/// # Return value
///
/// None. In `res` of the CQE: what the driver says, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EOPNOTSUPP`: the file has no commands, or not this one.
/// * `-EINVAL`: the ring has neither `IORING_SETUP_SQE128` nor `IORING_SETUP_SQE_MIXED`, or the fields make no sense to
///   the driver.
///
/// # Kernel
///
/// 6.19.
///
/// # See also
///
/// io_uring_prep_uring_cmd(), io_uring_get_sqe128().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. It has 128 bytes. What the command names stays valid until the
/// request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_uring_cmd128(
    sqe: *mut io_uring_sqe,
    cmd_op: c_int,
    fd: c_int,
) {
    unsafe { prep_command(sqe, IORING_OP_URING_CMD128, cmd_op as u32, fd) }
}

/// Prepares a command for a socket, such as to read or set an option.
///
/// `cmd_op` is one of:
///
/// * `SOCKET_URING_OP_SIOCINQ`, `SOCKET_URING_OP_SIOCOUTQ`: how many bytes wait to be received, or to be sent (Linux
///   6.5). The other arguments are 0.
/// * `SOCKET_URING_OP_GETSOCKOPT`: reads option `optname` of `level` into `optval`, `optlen` bytes long; levels other
///   than `SOL_SOCKET` are refused (6.7).
/// * `SOCKET_URING_OP_SETSOCKOPT`: sets an option (6.7).
/// * `SOCKET_URING_OP_TX_TIMESTAMP`: reports when packets were sent (6.17).
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes, or of the option's value that was read; 0 after setting an option;
/// or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EOPNOTSUPP`: the file is no socket, or the kernel lacks the command.
/// * Those of `getsockopt(2)` and `setsockopt(2)`.
///
/// # Kernel
///
/// 6.5.
///
/// # See also
///
/// io_uring_prep_cmd_getsockname(), io_uring_prep_uring_cmd().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The option's value stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_cmd_sock(
    sqe: *mut io_uring_sqe,
    cmd_op: c_int,
    fd: c_int,
    level: c_int,
    optname: c_int,
    optval: *mut c_void,
    optlen: c_int,
) {
    unsafe {
        io_uring_prep_uring_cmd(sqe, cmd_op, fd);
        (*sqe).__anon2.__anon1.level = level as u32;
        (*sqe).__anon2.__anon1.optname = optname as u32;
        (*sqe).__anon5.optlen = optlen as u32;
        (*sqe).__anon6.optval = address(optval);
    }
}

/// Prepares to ask for the address of a socket, or of its peer.
///
/// As `getsockname(2)` does, or with `peer` 1 as `getpeername(2)` does.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EOPNOTSUPP`: the file is no socket, or the kernel lacks the command.
/// * `-EINVAL`: `peer` is neither 0 nor 1.
/// * Those of `getsockname(2)` and `getpeername(2)`.
///
/// # Kernel
///
/// 6.19.
///
/// # See also
///
/// io_uring_prep_cmd_sock().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. Address and length stay valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_cmd_getsockname(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    sockaddr: *mut sockaddr,
    sockaddr_len: *mut socklen_t,
    peer: c_int,
) {
    unsafe {
        io_uring_prep_uring_cmd(sqe, SOCKET_URING_OP_GETSOCKNAME as c_int, fd);
        (*sqe).__anon2.addr = address(sockaddr);
        (*sqe).__anon5.optlen = peer as u32;
        set_addr3(sqe, address(sockaddr_len));
    }
}

/// Prepares to discard a part of a block device.
///
/// As the ioctl `BLKDISCARD` does, but without waiting. `offset` and `nbytes` are in bytes, multiples of the sector
/// size. What was there is lost.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EINVAL`: the range is not aligned or beyond the end, or a field is not 0.
/// * `-EOPNOTSUPP`: the device cannot discard, or the kernel lacks the command.
/// * `-EPERM`: the file is not open for writing, or the device is read-only.
///
/// # Kernel
///
/// 6.12.
///
/// # See also
///
/// io_uring_prep_uring_cmd().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_cmd_discard(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    offset: u64,
    nbytes: u64,
) {
    unsafe {
        io_uring_prep_uring_cmd(sqe, BLOCK_URING_CMD_DISCARD as c_int, fd);
        (*sqe).__anon2.addr = offset;
        set_addr3(sqe, nbytes);
    }
}

/// Prepares to reset all zones of a zoned block device.
///
/// As the ioctl `BLKRESETZONE` over the whole device does, but without waiting: each zone that is written in sequence is
/// empty afterwards. What was there is lost. The request does not wait for others on the device, and drops what the page
/// cache has of it only as far as it can: let the others complete first.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EINVAL`: a field is not 0, or the kernel lacks the command.
/// * `-EOPNOTSUPP`: the device has no zones, or the kernel lacks the command.
/// * `-EPERM`: the file is not open for writing, or the device is read-only.
///
/// # Kernel
///
/// Newer than 7.2.
///
/// # See also
///
/// io_uring_prep_uring_cmd(), io_uring_prep_cmd_discard().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg(release_2_16)]
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_cmd_zone_reset_all(sqe: *mut io_uring_sqe, fd: c_int) {
    unsafe { io_uring_prep_uring_cmd(sqe, BLOCK_URING_CMD_ZONE_RESET_ALL as c_int, fd) }
}
