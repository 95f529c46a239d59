//! Finding the parts of a message that a multishot recvmsg left in a provided buffer.
//!
//! The buffer holds a `struct io_uring_recvmsg_out`, then `msg_namelen` bytes for the address and `msg_controllen`
//! bytes for control messages, as the request's message said, whether they were used or not; the payload is what
//! follows.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use crate::abi::net::io_uring_recvmsg_out;
use crate::abi::types::*;

/// Where the control messages begin.
///
/// # Safety
///
/// `msgh` points to a message.
#[inline]
unsafe fn control(o: *mut io_uring_recvmsg_out, msgh: *const msghdr) -> *mut u8 {
    // SAFETY: the caller vouches for `msgh`. No pointer is followed.
    unsafe {
        o.wrapping_add(1)
            .cast::<u8>()
            .wrapping_add((*msgh).msg_namelen as usize)
    }
}

/// Bytes from a control message to the next one.
///
/// # Safety
///
/// `cmsg` points to a control message.
#[inline]
unsafe fn step(cmsg: *const cmsghdr) -> usize {
    // SAFETY: the caller vouches for `cmsg`.
    unsafe { (*cmsg).cmsg_len.wrapping_add(size_of::<usize>() - 1) & !(size_of::<usize>() - 1) }
}

/// Bytes that are left for the payload in a buffer of `buf_len`, or none if header, address and control messages do not
/// fit.
///
/// # Safety
///
/// `msgh` points to a message.
#[inline]
unsafe fn payload_room(buf_len: c_int, msgh: *const msghdr) -> Option<c_uint> {
    // SAFETY: the caller vouches for `msgh`.
    let (name, control) = unsafe { ((*msgh).msg_namelen, (*msgh).msg_controllen) };
    let room = c_uint::try_from(buf_len).ok()?;
    let room = room.checked_sub(size_of::<io_uring_recvmsg_out>() as c_uint)?;
    room.checked_sub(name)?
        .checked_sub(c_uint::try_from(control).ok()?)
}

/// The header of a message that a multishot request received, or NULL if the buffer is too short.
///
/// Call it for each completion of a request of io_uring_prep_recvmsg_multishot(). `buf_len` is `res` of the CQE, `msgh`
/// the message that the request was prepared with.
///
/// # Return value
///
/// The header at the start of `buf`, or NULL if `buf_len` is too small for header, address and control messages.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_prep_recvmsg_multishot(), io_uring_recvmsg_name(), io_uring_recvmsg_payload(),
/// io_uring_recvmsg_cmsg_firsthdr().
///
/// # Safety
///
/// `msgh` points to a message.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_recvmsg_validate(
    buf: *mut c_void,
    buf_len: c_int,
    msgh: *mut msghdr,
) -> *mut io_uring_recvmsg_out {
    // SAFETY: the caller vouches for `msgh`.
    match unsafe { payload_room(buf_len, msgh) } {
        Some(_) => buf.cast(),
        None => ptr::null_mut(),
    }
}

/// The sender's address of a received message.
///
/// Its length is `namelen` of the header; if that is more than `msg_namelen` of the message, the address was cut off.
///
/// # Return value
///
/// A pointer into the buffer.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_recvmsg_validate().
///
/// # Safety
///
/// `o` points to a header that the kernel wrote at the start of a buffer, with the buffer after it.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_recvmsg_name(o: *mut io_uring_recvmsg_out) -> *mut c_void {
    // SAFETY: the address begins where the header ends, in the same buffer.
    unsafe { o.add(1).cast() }
}

/// The first control message of a received message, or NULL if there is none.
///
/// The `CMSG_*` macros do not fit, since address and control messages lie in the buffer and not where the message says.
///
/// # Return value
///
/// A pointer into the buffer, or NULL if there is no control message.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_recvmsg_cmsg_nexthdr(), io_uring_recvmsg_validate(), cmsg(3).
///
/// # Safety
///
/// `o` points to a header that the kernel wrote at the start of a buffer, with the buffer after it; `msgh` is the
/// message that the request was prepared with.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_recvmsg_cmsg_firsthdr(
    o: *mut io_uring_recvmsg_out,
    msgh: *mut msghdr,
) -> *mut cmsghdr {
    // SAFETY: the control messages begin where the room for the address ends, in the same buffer.
    unsafe {
        if ((*o).controllen as usize) < size_of::<cmsghdr>() {
            return ptr::null_mut();
        }
        control(o, msgh).cast()
    }
}

/// The control message after `cmsg`, or NULL if that is the last one.
///
/// # Return value
///
/// A pointer into the buffer, or NULL if `cmsg` is the last one, or what follows does not fit.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_recvmsg_cmsg_firsthdr(), cmsg(3).
///
/// # Safety
///
/// `o` points to a header that the kernel wrote at the start of a buffer, with the buffer after it; `msgh` is the
/// message that the request was prepared with; `cmsg` is a control message in that buffer.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_recvmsg_cmsg_nexthdr(
    o: *mut io_uring_recvmsg_out,
    msgh: *mut msghdr,
    cmsg: *mut cmsghdr,
) -> *mut cmsghdr {
    // SAFETY: the control messages fill the first `controllen` bytes of their room, and `cmsg` is one of them. Pointers
    // are made without regard to the end and compared with it before they are followed.
    unsafe {
        let end = control(o, msgh).wrapping_add((*o).controllen as usize);
        if (*cmsg).cmsg_len < size_of::<cmsghdr>() {
            return ptr::null_mut();
        }
        let next = cmsg.cast::<u8>().wrapping_add(step(cmsg));
        if next.wrapping_add(size_of::<cmsghdr>()) > end {
            return ptr::null_mut();
        }
        let next = next.cast::<cmsghdr>();
        if next.cast::<u8>().wrapping_add(step(next)) > end {
            return ptr::null_mut();
        }
        next
    }
}

/// The payload of a received message.
///
/// # Return value
///
/// A pointer into the buffer.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_recvmsg_payload_length(), io_uring_recvmsg_validate().
///
/// # Safety
///
/// `o` points to a header that the kernel wrote at the start of a buffer, with the buffer after it; `msgh` is the
/// message that the request was prepared with.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_recvmsg_payload(
    o: *mut io_uring_recvmsg_out,
    msgh: *mut msghdr,
) -> *mut c_void {
    // SAFETY: the payload begins where the room for control messages ends, in the same buffer.
    unsafe { control(o, msgh).wrapping_add((*msgh).msg_controllen).cast() }
}

/// The number of bytes of a received message's payload.
///
/// `buf_len` is `res` of the CQE. `payloadlen` of the header is the length that the message had; it is greater if the
/// message was cut off.
///
/// # Return value
///
/// The number of bytes in the buffer; 0 if it is too short to have any.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_recvmsg_payload(), io_uring_recvmsg_validate().
///
/// # Safety
///
/// `msgh` points to the message that the request was prepared with.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_recvmsg_payload_length(
    _o: *mut io_uring_recvmsg_out,
    buf_len: c_int,
    msgh: *mut msghdr,
) -> c_uint {
    // SAFETY: the caller vouches for `msgh`.
    unsafe { payload_room(buf_len, msgh) }.unwrap_or(0)
}
