//! Restrictions of a ring.

use uring_core::abi::io_uring_sqe;

/// What a ring may be asked for.
#[derive(Default)]
pub struct Restrictions {
    pub registered: bool,
    /// They hold from the moment that the ring is enabled.
    pub active: bool,
    pub register_ops: u64,
    pub request_ops: u128,
    pub flags_allowed: u8,
    pub flags_required: u8,
}

impl Restrictions {
    pub fn allows_request(&self, sqe: &io_uring_sqe) -> bool {
        let flags = sqe.flags;
        self.request_ops.checked_shr(sqe.opcode.into()).unwrap_or(0) & 1 != 0
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
