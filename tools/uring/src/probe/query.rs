//! What the kernel says of itself: `IORING_REGISTER_QUERY`, since 6.18.

use uring_core::abi::{IO_URING_QUERY_OPCODES, io_uring_query_hdr, io_uring_query_opcode};
use uring_core::kernel::Native;
use uring_core::register::query;

use crate::tables::{Group, Name};

/// Its answer about opcodes and flags; `None` where it cannot be asked.
pub fn ask() -> Option<io_uring_query_opcode> {
    let mut answer = io_uring_query_opcode::default();
    let mut header = io_uring_query_hdr {
        query_data: (&raw mut answer).expose_provenance() as u64,
        query_op: IO_URING_QUERY_OPCODES as u32,
        size: size_of::<io_uring_query_opcode>() as u32,
        ..io_uring_query_hdr::default()
    };
    // SAFETY: the chain has one query, which names memory of the size that it says.
    let asked = unsafe { query::query::<Native>(&raw mut header) };
    (!asked.is_err() && header.result == 0).then_some(answer)
}

/// Whether it has a name, by its own account.
pub fn has(answer: &io_uring_query_opcode, group: Group, name: &Name) -> Option<bool> {
    let bits = match group {
        Group::Op => return Some(name.value < u64::from(answer.nr_request_opcodes)),
        Group::Register => return Some(name.value < u64::from(answer.nr_register_opcodes)),
        _ => bits(answer, group)?,
    };
    Some(bits & name.value != 0)
}

/// The word that holds the flags of a group.
pub fn bits(answer: &io_uring_query_opcode, group: Group) -> Option<u64> {
    match group {
        Group::Setup => Some(answer.ring_setup_flags),
        Group::Feature => Some(answer.feature_flags),
        Group::Enter => Some(answer.enter_flags),
        Group::Sqe => Some(answer.sqe_flags),
        _ => None,
    }
}
