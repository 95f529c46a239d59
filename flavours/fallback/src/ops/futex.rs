//! Waiting on futexes, and waking who waits.

use std::ffi::c_int;
use std::sync::Arc;

use super::common::unused;
use crate::batch::Batch;
use crate::op::{self, Outcome};
use crate::request::{How, Place, Req};
use crate::ring::Ring;
use crate::word::{MATCH_ANY, Word};
use crate::{futex, sys};

/// The most words that the kernel takes.
const MOST: u32 = 128;

/// The only word of a request to wait or to wake.
fn word(req: &Req) -> Result<Word, c_int> {
    unused(&[
        req.sqe.len.into(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])?;
    let address = req.address::<u8>().addr() as u64;
    Word::new(address, req.offset(), req.sqe.fd as u32, req.addr3())
}

pub fn check_one(_: &Ring, req: &Req) -> Result<(), c_int> {
    word(req).map(drop)
}

pub fn wake(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let word = match word(req) {
        Ok(word) => word,
        Err(error) => return Outcome::Done(error, 0),
    };
    if word.expected == 0 && word.mask != 0 {
        // `futex(2)` would wake one.
        return Outcome::Done(word.check_address().err().unwrap_or(0), 0);
    }
    Outcome::Done(futex::wake(&word, word.expected as c_int), 0)
}

pub fn copy_one(req: &mut Req) -> Result<(), c_int> {
    let word = word(req)?;
    req.stable().words = vec![word];
    Ok(())
}

pub fn check_several(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.sqe.fd as u32 as u64,
        req.offset(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
        req.addr3(),
    ])?;
    if !futex::has_several() || req.sqe.len == 0 || req.sqe.len > MOST {
        return Err(-libc::EINVAL);
    }
    words(req).map(drop)
}

/// The words of a request that names several.
fn words(req: &Req) -> Result<Vec<Word>, c_int> {
    const SIZE: usize = 24;
    let count = req.sqe.len as usize;
    let at = req.address::<u8>();
    if !sys::is_mapped(at.addr(), count * SIZE) {
        return Err(-libc::EFAULT);
    }
    if count > futex::MOST {
        return Err(-libc::EINVAL);
    }
    // SAFETY: there is memory of this size, which the program fills in before it submits.
    let bytes = unsafe { std::slice::from_raw_parts(at, count * SIZE) };
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |n, byte| n << 8 | u64::from(*byte))
    };
    bytes
        .chunks_exact(SIZE)
        .map(|entry| {
            let (expected, entry) = entry.split_at(8);
            let (address, entry) = entry.split_at(8);
            let (flags, reserved) = entry.split_at(4);
            if number(reserved) != 0 {
                return Err(-libc::EINVAL);
            }
            Word::new(
                number(address),
                number(expected),
                number(flags) as u32,
                MATCH_ANY.into(),
            )
        })
        .collect()
}

pub fn copy_several(req: &mut Req) -> Result<(), c_int> {
    let words = words(req)?;
    req.stable().words = words;
    Ok(())
}

pub fn wait(_: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    if how == How::Block {
        // No thread can be made, and nobody else can wait.
        return Outcome::Done(-libc::ENOMEM, 0);
    }
    if let Err(error) = op::stabilize(req) {
        return Outcome::Done(error, 0);
    }
    let words = req.stable.as_ref().map_or(&[][..], |stable| &stable.words);
    for word in words {
        if word.mask == 0 {
            return Outcome::Done(-libc::EINVAL, 0);
        }
        if let Err(error) = word.check_address() {
            return Outcome::Done(error, 0);
        }
        if word.value() != word.expected {
            return Outcome::Done(-libc::EAGAIN, 0);
        }
    }
    Outcome::Park(Place::Futex)
}
