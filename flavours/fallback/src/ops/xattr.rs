//! Extended attributes. They run in the calling thread, as what names paths does: whether a file's attributes may be
//! changed depends on the thread's credentials, also where the file is open already.

use std::ffi::{c_char, c_int};
use std::sync::Arc;

use uring_core::abi::*;

use super::common::{had_file, unused};
use super::path::{copy_path, is_of_call, may_run};
use crate::batch::Batch;
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::Req;
use crate::ring::Ring;
use crate::sys::sys;

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

fn check(req: &Req) -> Result<(), c_int> {
    if !names_path(req) {
        return Ok(());
    }
    if req.has(IOSQE_FIXED_FILE) {
        return Err(-libc::EBADF);
    }
    if path(req).is_null() {
        Err(-libc::EFAULT)
    } else {
        Ok(())
    }
}

pub fn check_set(_: &Ring, req: &Req) -> Result<(), c_int> {
    check(req)?;
    if req.op_flags() & !FLAGS != 0 {
        return Err(-libc::EINVAL);
    }
    if req.sqe.len as usize > LONGEST {
        return Err(-libc::E2BIG);
    }
    if req.address::<u8>().is_null() || (req.offset() == 0 && req.sqe.len != 0) {
        Err(-libc::EFAULT)
    } else {
        Ok(())
    }
}

pub fn check_get(_: &Ring, req: &Req) -> Result<(), c_int> {
    check(req)?;
    unused(&[req.op_flags().into()])?;
    if req.address::<u8>().is_null() {
        Err(-libc::EFAULT)
    } else {
        Ok(())
    }
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

/// Whether a request's call had a file and a name to work on: else the request failed before.
#[cold]
pub fn had_names(req: &Req, error: c_int) -> bool {
    let (name, path, _) = named(req);
    // SAFETY: the program vouches for a string with its end.
    let length = || unsafe { libc::strnlen(name, LONGEST_NAME + 1) };
    (error != -libc::ERANGE || (1..=LONGEST_NAME).contains(&length()))
        && if names_path(req) {
            is_of_call(path, error, false)
        } else {
            had_file(req, error)
        }
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
