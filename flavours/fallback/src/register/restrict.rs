//! Restrictions of a ring.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use uring_core::abi::*;

use super::array;
use crate::request::Req;
use crate::ring::Ring;

/// What a ring may be asked for.
#[derive(Default)]
pub struct Restrictions {
    registered: bool,
    /// They hold from the moment that the ring is enabled.
    pub active: bool,
    register_ops: u64,
    request_ops: u128,
    flags_allowed: u8,
    flags_required: u8,
}

impl Restrictions {
    pub fn allows_request(&self, req: &Req) -> bool {
        let flags = req.sqe.flags;
        self.request_ops
            .checked_shr(req.sqe.opcode.into())
            .unwrap_or(0)
            & 1
            != 0
            && flags & self.flags_required == self.flags_required
            && flags & !(self.flags_allowed | self.flags_required) == 0
    }

    pub fn allows_register(&self, opcode: u32) -> bool {
        self.register_ops.checked_shr(opcode).unwrap_or(0) & 1 != 0
    }

    /// The ring is enabled.
    pub fn enable(&mut self) {
        self.active = self.registered;
    }
}

pub unsafe fn register(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    let mut state = ring.state.lock();
    if !state.disabled {
        return -libc::EBADFD;
    }
    if state.restrictions.registered {
        return -libc::EBUSY;
    }
    if arg.is_null() || nr > 256 {
        return -libc::EINVAL;
    }
    // SAFETY: an array of restrictions, says the caller.
    let given = match unsafe { array(arg.cast::<io_uring_restriction>(), nr) } {
        Ok(given) => given,
        Err(error) => return error,
    };
    let mut new = Restrictions {
        registered: true,
        ..Restrictions::default()
    };
    for one in given {
        // SAFETY: all readings of the union are the same byte.
        let value = unsafe { one.__anon1.sqe_op };
        match u32::from(one.opcode) {
            op if op == IORING_RESTRICTION_REGISTER_OP as u32 => {
                if u32::from(value) >= IORING_REGISTER_LAST as u32 {
                    return -libc::EINVAL;
                }
                new.register_ops |= 1 << value;
            }
            op if op == IORING_RESTRICTION_SQE_OP as u32 => {
                if u32::from(value) >= IORING_OP_LAST as u32 {
                    return -libc::EINVAL;
                }
                new.request_ops |= 1 << value;
            }
            op if op == IORING_RESTRICTION_SQE_FLAGS_ALLOWED as u32 => new.flags_allowed = value,
            op if op == IORING_RESTRICTION_SQE_FLAGS_REQUIRED as u32 => new.flags_required = value,
            _ => return -libc::EINVAL,
        }
    }
    state.restrictions = new;
    0
}
