//! Queries, which tell what is served here, not what a kernel might.

use std::ffi::{c_int, c_void};

use uring_core::abi::*;

use super::args::{at, one};
use crate::{make, ops, submit, sys};

/// The most queries in a chain.
const MOST: u32 = 1000;
const LONGEST: u32 = 4096;

/// # Safety
///
/// `arg` must be a chain of queries.
pub unsafe fn query(arg: *mut c_void, nr: u32) -> c_int {
    if nr != 0 {
        return -libc::EINVAL;
    }
    let mut header: *mut io_uring_query_hdr = arg.cast();
    let mut count = 0;
    while !header.is_null() {
        if count == MOST {
            return -libc::ERANGE;
        }
        count += 1;
        // SAFETY: as above.
        unsafe {
            let mut given = match one::<io_uring_query_hdr>(header.cast()) {
                Ok(given) => given,
                Err(error) => return error,
            };
            given.result = match answer(&mut given) {
                Ok(()) => 0,
                // The memory for the answer is not there.
                Err(error) if error == -libc::EFAULT => return error,
                Err(error) => error,
            };
            header.write_unaligned(given);
            header = at(given.next_entry);
        }
    }
    0
}

/// # Safety
///
/// The query must name memory for its answer.
unsafe fn answer(given: &mut io_uring_query_hdr) -> Result<(), c_int> {
    let room = given.size;
    if given.query_op != IO_URING_QUERY_OPCODES as u32 {
        given.size = 0;
        return Err(-libc::EOPNOTSUPP);
    }
    if given.result != 0 || given.__resv != [0; 3] || room == 0 || given.query_data == 0 {
        return Err(-libc::EINVAL);
    }
    if room > LONGEST {
        return Err(-libc::E2BIG);
    }
    if !sys::is_mapped(given.query_data as usize, room as usize) {
        return Err(-libc::EFAULT);
    }
    let told = io_uring_query_opcode {
        nr_request_opcodes: u32::from(ops::last_served()) + 1,
        nr_register_opcodes: IORING_REGISTER_QUERY as u32 + 1,
        feature_flags: make::FEATURES.into(),
        ring_setup_flags: make::SETUP_FLAGS.into(),
        enter_flags: submit::ENTER_FLAGS.into(),
        sqe_flags: submit::SQE_FLAGS.into(),
        nr_query_opcodes: 1,
        __pad: 0,
    };
    let length = (room as usize).min(size_of_val(&told));
    let out: *mut u8 = at(given.query_data);
    // SAFETY: room for so many bytes, says the program.
    unsafe { out.copy_from_nonoverlapping((&raw const told).cast(), length) };
    given.size = length as u32;
    Ok(())
}
