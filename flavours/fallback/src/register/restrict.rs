//! Restricting a ring.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use super::args::array;
use crate::resources::restrictions::Restrictions;
use crate::ring::Ring;

pub unsafe fn register(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    let mut state = ring.state.lock();
    // Relaxed: it changes under the state.
    if !ring.disabled.load(Ordering::Relaxed) {
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
