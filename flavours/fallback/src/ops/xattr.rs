//! Extended attributes. They run in the calling thread, as what names paths does: whether a file's attributes may be
//! changed depends on the thread's credentials, also where the file is open already.

use std::ffi::{c_char, c_int};
use std::sync::Arc;

use uring_core::abi::*;

use super::common::unused;
use super::path::{check_path, copy_path, may_run};
use crate::batch::Batch;
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::Req;
use crate::ring::Ring;
use crate::sys::{self, sys};

const FLAGS: u32 = (libc::XATTR_CREATE | libc::XATTR_REPLACE) as u32;
/// The longest value (`XATTR_SIZE_MAX`).
const LONGEST: usize = 65536;
/// The longest name (`XATTR_NAME_MAX`).
const LONGEST_NAME: usize = 255;

fn names_path(req: &Req) -> bool {
    [IORING_OP_SETXATTR, IORING_OP_GETXATTR]
        .iter()
        .any(|op| req.sqe.opcode == *op as u8)
}

fn path(req: &Req) -> *const c_char {
    std::ptr::with_exposed_provenance(req.addr3() as usize)
}

/// The refusals of the name, and of the path where there is one. Between them comes what else there is to check.
fn check(req: &Req, then: impl FnOnce() -> Result<(), c_int>) -> Result<(), c_int> {
    if names_path(req) && req.has(IOSQE_FIXED_FILE) {
        return Err(-libc::EBADF);
    }
    let name: *const c_char = req.address();
    if !sys::is_mapped(name.addr(), 1) {
        return Err(-libc::EFAULT);
    }
    // SAFETY: there is memory, and the program vouches for a string with its end.
    if !(1..=LONGEST_NAME).contains(&unsafe { libc::strnlen(name, LONGEST_NAME + 1) }) {
        return Err(-libc::ERANGE);
    }
    then()?;
    if names_path(req) {
        check_path(path(req), false)
    } else {
        Ok(())
    }
}

pub fn check_set(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[(req.op_flags() & !FLAGS).into()])?;
    check(req, || match req.sqe.len as usize {
        0 => Ok(()),
        length if length > LONGEST => Err(-libc::E2BIG),
        length if sys::is_mapped(req.address2::<u8>().addr(), length) => Ok(()),
        _ => Err(-libc::EFAULT),
    })
}

pub fn check_get(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.op_flags().into()])?;
    check(req, || Ok(()))
}

pub fn copy_get(req: &mut Req) -> Result<(), c_int> {
    let name = copy_path(req.address());
    let file = if names_path(req) {
        copy_path(path(req))
    } else {
        None
    };
    req.stable().paths = [name, file];
    Ok(())
}

pub fn copy_set(req: &mut Req) -> Result<(), c_int> {
    copy_get(req)?;
    let (value, length) = (req.address2::<u8>(), req.sqe.len as usize);
    if length != 0 {
        // SAFETY: the program vouches for a value of this length.
        req.stable().bytes = unsafe { std::slice::from_raw_parts(value, length) }.to_vec();
    }
    Ok(())
}

/// What the request names, copied or where the program has it: the name, the path and the value.
fn named(req: &Req) -> (*const c_char, *const c_char, *mut u8) {
    let given = (
        req.address::<c_char>().cast_const(),
        path(req),
        req.address2(),
    );
    let Some(stable) = &req.stable else {
        return given;
    };
    let [name, file] = &stable.paths;
    (
        name.as_ref().map_or(given.0, |copy| copy.as_ptr()),
        file.as_ref().map_or(given.1, |copy| copy.as_ptr()),
        if stable.bytes.is_empty() {
            given.2
        } else {
            stable.bytes.as_ptr().cast_mut()
        },
    )
}

fn in_caller(req: &Req, call: impl FnOnce() -> isize) -> Outcome {
    if may_run(req) {
        Outcome::Done(res(call()), 0)
    } else {
        Outcome::HandBack
    }
}

pub fn set(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (name, path, value) = named(req);
    let (length, flags) = (req.sqe.len, req.op_flags());
    // SAFETY: strings with their ends and a value of this length, by the program or copied.
    in_caller(req, || unsafe {
        sys!(SYS_setxattr, path, name, value, length, flags)
    })
}

pub fn fset(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (name, _, value) = named(req);
    let (fd, length, flags) = (req.fd(), req.sqe.len, req.op_flags());
    // SAFETY: as in `set`.
    in_caller(req, || unsafe {
        sys!(SYS_fsetxattr, fd, name, value, length, flags)
    })
}

pub fn get(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (name, path, _) = named(req);
    let (room, length) = (req.address2::<u8>(), req.sqe.len);
    // SAFETY: strings with their ends; the program vouches for the room until the request completes.
    in_caller(req, || unsafe {
        sys!(SYS_getxattr, path, name, room, length)
    })
}

pub fn fget(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (name, _, _) = named(req);
    let (fd, room, length) = (req.fd(), req.address2::<u8>(), req.sqe.len);
    // SAFETY: as in `get`.
    in_caller(req, || unsafe {
        sys!(SYS_fgetxattr, fd, name, room, length)
    })
}
