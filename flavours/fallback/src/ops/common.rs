//! What requests of several topics share.

use std::ffi::c_int;

use uring_core::abi::IORING_RECVSEND_BUNDLE;

use crate::request::Req;

pub const IN: u32 = (libc::EPOLLIN | libc::EPOLLRDHUP) as u32;
pub const OUT: u32 = libc::EPOLLOUT as u32;
/// How often a multishot request completes before others have their turn.
pub const IN_A_ROW: u32 = 32;

/// The same refusal for all fields that the opcode has no use for.
pub fn unused(fields: &[u64]) -> Result<(), c_int> {
    if fields.iter().all(|field| *field == 0) {
        Ok(())
    } else {
        Err(-libc::EINVAL)
    }
}

/// The flags that a request on a socket has in `ioprio`.
pub fn flags(req: &Req) -> u32 {
    req.sqe.ioprio.into()
}

/// Whether a request takes as many buffers as there are.
pub fn is_bundle(req: &Req) -> bool {
    flags(req) & IORING_RECVSEND_BUNDLE != 0
}
