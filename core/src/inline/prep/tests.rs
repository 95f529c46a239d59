//! What random comparison with the C functions does not show: that memory is neither read nor passed by.

use core::mem::MaybeUninit;
use core::ptr;

use super::recvmsg::*;
use super::*;
use crate::abi::net::io_uring_recvmsg_out;
use crate::abi::types::{cmsghdr, msghdr};

/// A helper writes into an SQE whose memory holds anything, and reads nothing of it.
#[test]
fn an_sqe_is_filled_without_being_read() {
    let mut sqe = MaybeUninit::<io_uring_sqe>::uninit();
    let buffer = [0u8; 8];
    // SAFETY: the SQE is ours, and only fields that were written are read.
    unsafe {
        let at = sqe.as_mut_ptr();
        rw::io_uring_prep_write(at, 5, buffer.as_ptr().cast(), 8, 4096);
        assert_eq!(((*at).fd, (*at).len, (*at).__anon1.off), (5, 8, 4096));
        assert_eq!((*at).__anon2.addr, buffer.as_ptr().addr() as u64);
        open::io_uring_prep_openat_direct(at, -100, c"name".as_ptr(), 0, 0, 3);
        assert_eq!((*at).__anon5.file_index, 4);
        open::io_uring_prep_openat_direct(
            at,
            -100,
            c"name".as_ptr(),
            0,
            0,
            IORING_FILE_INDEX_ALLOC,
        );
        assert_eq!((*at).__anon5.file_index, IORING_FILE_INDEX_ALLOC);
        open::io_uring_prep_close_direct(at, 3);
        assert_eq!(((*at).fd, (*at).__anon5.file_index), (0, 4));
        sqe::io_uring_sqe_set_data(at, buffer.as_ptr().cast_mut().cast());
        assert_eq!((*at).user_data, buffer.as_ptr().addr() as u64);
    }
}

/// A buffer as the kernel fills it, aligned for what lies in it.
#[repr(C)]
struct Received {
    out: io_uring_recvmsg_out,
    name: [u8; 16],
    first: cmsghdr,
    first_data: [u32; 2],
    second: cmsghdr,
    second_data: [u32; 2],
    payload: [u8; 5],
}

const CONTROL: usize = 2 * (size_of::<cmsghdr>() + 8);

fn cmsg(len: usize) -> cmsghdr {
    cmsghdr {
        cmsg_len: len,
        cmsg_level: 1,
        cmsg_type: 2,
    }
}

#[test]
fn the_parts_of_a_message_are_found() {
    let head = size_of::<cmsghdr>();
    let mut msg = msghdr {
        msg_name: ptr::null_mut(),
        msg_namelen: 16,
        msg_iov: ptr::null_mut(),
        msg_iovlen: 0,
        msg_control: ptr::null_mut(),
        msg_controllen: CONTROL,
        msg_flags: 0,
    };
    let mut received = Received {
        out: io_uring_recvmsg_out {
            namelen: 16,
            controllen: CONTROL as u32,
            payloadlen: 5,
            flags: 0,
        },
        name: [1; 16],
        first: cmsg(head + 4),
        first_data: [3, 0],
        second: cmsg(head + 8),
        second_data: [4, 4],
        payload: *b"hello",
    };
    let start: *mut Received = &raw mut received;
    let (msg, len) = (
        &raw mut msg,
        (size_of::<io_uring_recvmsg_out>() + 16 + CONTROL + 5) as i32,
    );
    // SAFETY: the buffer is laid out as the message says, and both are ours.
    unsafe {
        let out = io_uring_recvmsg_validate(start.cast(), len, msg);
        assert_eq!(out, start.cast());
        assert_eq!(io_uring_recvmsg_name(out), (&raw mut (*start).name).cast());
        let first = io_uring_recvmsg_cmsg_firsthdr(out, msg);
        assert_eq!(first, &raw mut (*start).first);
        let second = io_uring_recvmsg_cmsg_nexthdr(out, msg, first);
        assert_eq!(second, &raw mut (*start).second);
        assert!(io_uring_recvmsg_cmsg_nexthdr(out, msg, second).is_null());
        assert_eq!(
            io_uring_recvmsg_payload(out, msg),
            (&raw mut (*start).payload).cast()
        );
        assert_eq!(io_uring_recvmsg_payload_length(out, len, msg), 5);

        // The second message claims more than there is.
        (*start).second.cmsg_len = head + 9;
        assert!(io_uring_recvmsg_cmsg_nexthdr(out, msg, first).is_null());
        // There is none.
        (*start).out.controllen = 15;
        assert!(io_uring_recvmsg_cmsg_firsthdr(out, msg).is_null());
        // The buffer ends before, at and after the payload's start.
        for (short, payload) in [(6, None), (5, Some(0)), (4, Some(1))] {
            let valid = !io_uring_recvmsg_validate(start.cast(), len - short, msg).is_null();
            assert_eq!(valid, payload.is_some());
            assert_eq!(
                io_uring_recvmsg_payload_length(out, len - short, msg),
                payload.unwrap_or(0)
            );
        }
        assert!(io_uring_recvmsg_validate(start.cast(), -1, msg).is_null());
    }
}
