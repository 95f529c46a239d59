//! Requests that name paths. They run in the calling thread, with its credentials, directory and mask.
//!
//! In a chain their turn may come in another thread. There they run only if that thread has the same credentials as the
//! one that submitted them. Otherwise they are left to the next thread of the program that enters the ring.

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::Arc;

use uring_core::abi::*;

use super::common::unused;
use crate::batch::Batch;
use crate::credentials::Credentials;
use crate::op::{Outcome, res};
use crate::register::files;
use crate::request::{Class, How, Place, Req};
use crate::ring::Ring;
use crate::sys::{self, sys};

/// Whether this thread may run the request.
pub fn may_run(req: &Req) -> bool {
    let Some(submitter) = req
        .stable
        .as_ref()
        .and_then(|stable| stable.credentials.as_ref())
    else {
        // It has not left the thread that submits it.
        return true;
    };
    Credentials::own() == **submitter
}

pub fn copy_path(at: *const c_char) -> Option<CString> {
    // SAFETY: the program vouches for a string with its end.
    (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) }.to_owned())
}

pub fn copy_one(req: &mut Req) -> Result<(), c_int> {
    let path = copy_path(req.address());
    req.stable().paths = [path, None];
    Ok(())
}

pub fn copy_two(req: &mut Req) -> Result<(), c_int> {
    let paths = [copy_path(req.address()), copy_path(req.address2())];
    req.stable().paths = paths;
    Ok(())
}

pub fn copy_openat2(req: &mut Req) -> Result<(), c_int> {
    copy_one(req)?;
    let how: *mut u8 = req.address2();
    // SAFETY: the program vouches for a structure of `len` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(how, req.sqe.len as usize) }.to_vec();
    req.stable().bytes = bytes;
    Ok(())
}

/// The paths: the copies where there are some.
fn paths(req: &Req) -> [*const c_char; 2] {
    let given = [
        req.address::<c_char>().cast_const(),
        req.address2::<c_char>().cast_const(),
    ];
    match &req.stable {
        Some(stable) => {
            let [first, second] = &stable.paths;
            let or =
                |copy: &Option<CString>, given| copy.as_ref().map_or(given, |copy| copy.as_ptr());
            [or(first, given[0]), or(second, given[1])]
        }
        None => given,
    }
}

/// The refusals of a path.
pub fn check_path(path: *const c_char, may_be_empty: bool) -> Result<(), c_int> {
    if !sys::is_mapped(path.addr(), 1) {
        return Err(-libc::EFAULT);
    }
    // SAFETY: there is memory, and the program vouches for a string with its end.
    match unsafe { libc::strnlen(path, libc::PATH_MAX as usize) } {
        0 if !may_be_empty => Err(-libc::ENOENT),
        length if length >= libc::PATH_MAX as usize => Err(-libc::ENAMETOOLONG),
        _ => Ok(()),
    }
}

/// The refusals of a request's first path.
fn check_one(req: &Req, empty_flag: c_int) -> Result<(), c_int> {
    if req.has(IOSQE_FIXED_FILE) {
        return Err(-libc::EBADF);
    }
    check_path(req.address(), req.op_flags() & empty_flag as u32 != 0)
}

pub fn check_openat(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into()])?;
    check_one(req, 0)?;
    check_slot(req, req.op_flags().into())
}

/// A registered file has no descriptor that a new program could inherit.
fn check_slot(req: &Req, flags: u64) -> Result<(), c_int> {
    if req.file_index() != 0 && flags & libc::O_CLOEXEC as u64 != 0 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn check_openat2(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into()])?;
    let (how, size): (*const u8, _) = (req.address2(), req.sqe.len as usize);
    if size < size_of::<open_how>() {
        return Err(-libc::EINVAL);
    }
    if !sys::is_mapped(how.addr(), size) {
        return Err(-libc::EFAULT);
    }
    // SAFETY: there is memory, which the program fills in before it submits.
    let (read, rest) = unsafe {
        let rest = how.add(size_of::<open_how>());
        (
            how.cast::<open_how>().read_unaligned(),
            std::slice::from_raw_parts(rest, size - size_of::<open_how>()),
        )
    };
    if rest.iter().any(|byte| *byte != 0) {
        return Err(-libc::E2BIG);
    }
    check_one(req, 0)?;
    check_slot(req, read.flags)
}

pub fn check_statx(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into(), req.file_index().into()])?;
    check_one(req, libc::AT_EMPTY_PATH)
}

pub fn check_unlink(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.offset(),
        req.sqe.len.into(),
        req.buf_index().into(),
        req.file_index().into(),
        (req.op_flags() & !(libc::AT_REMOVEDIR as u32)).into(),
    ])?;
    check_one(req, 0)
}

fn check_two(req: &Req, empty_flag: c_int) -> Result<(), c_int> {
    unused(&[req.buf_index().into(), req.file_index().into()])?;
    check_one(req, empty_flag)?;
    check_path(req.address2(), false)
}

pub fn check_rename(_: &Ring, req: &Req) -> Result<(), c_int> {
    check_two(req, 0)
}

pub fn check_link(_: &Ring, req: &Req) -> Result<(), c_int> {
    check_two(req, libc::AT_EMPTY_PATH)
}

pub fn check_mkdir(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.offset(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])?;
    check_one(req, 0)
}

pub fn check_symlink(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.sqe.len.into(), req.op_flags().into()])?;
    check_two(req, 0)
}

/// Runs a call on paths where its credentials are right.
fn in_caller(req: &Req, call: impl FnOnce([*const c_char; 2]) -> isize) -> Outcome {
    if !may_run(req) {
        return Outcome::HandBack;
    }
    Outcome::Done(res(call(paths(req))), 0)
}

/// Whether a path leads to a FIFO.
fn is_fifo(dir: c_int, path: *const c_char) -> bool {
    // SAFETY: a structure of plain numbers, for which zero bytes are a value.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: a path with its end; the kernel writes `stat`, which on these architectures is laid out as its own structure.
    let ret = unsafe { sys!(SYS_newfstatat, dir, path, &raw mut stat, 0) };
    ret == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFIFO
}

/// Opens without waiting for the other end of a FIFO, as the kernel tries first. What it does not try so waits in a worker.
fn open(ring: &Arc<Ring>, req: &Req, who: How, mut how: open_how) -> Outcome {
    let slot = req.file_index();
    let dir = req.sqe.fd;
    let asked = how.flags as c_int;
    // Without O_TRUNC and the like a first attempt leaves no traces that a second would not.
    let plain = asked & (libc::O_TRUNC | libc::O_CREAT | libc::O_TMPFILE | libc::O_PATH) == 0;
    let is_two = req.is(IORING_OP_OPENAT2);
    let tries = !is_two && plain && !req.has(IOSQE_ASYNC) && who != How::Block;
    // One that a worker has handed back is for this thread, as is one that a personality lends its rights to.
    if !tries && who != How::Block && req.id == 0 && req.personality.is_none() && may_run(req) {
        let path = paths(req)[0];
        if asked & (libc::O_NONBLOCK | libc::O_PATH) == 0 && is_fifo(dir, path) {
            return Outcome::Park(Place::Worker(Class::Unbounded));
        }
    }
    let outcome = in_caller(req, |[path, _]| {
        if tries && asked & libc::O_NONBLOCK == 0 {
            how.flags |= libc::O_NONBLOCK as u64;
            // SAFETY: a path with its end and the structure, which the kernel reads.
            let fd = unsafe { sys!(SYS_openat, dir, path, how.flags, how.mode) };
            if fd >= 0 {
                // SAFETY: no memory is named. The flag was our own.
                unsafe {
                    sys!(
                        SYS_fcntl,
                        fd,
                        libc::F_SETFL,
                        sys::open_flags(fd as c_int) & !libc::O_NONBLOCK
                    )
                };
            }
            if fd != -libc::EAGAIN as isize {
                return fd;
            }
            how.flags = asked as u64;
        }
        // SAFETY: as above.
        unsafe {
            if is_two {
                sys!(
                    SYS_openat2,
                    dir,
                    path,
                    &raw const how,
                    size_of::<open_how>()
                )
            } else {
                sys!(SYS_openat, dir, path, how.flags, how.mode)
            }
        }
    });
    match outcome {
        Outcome::Done(fd, _) if fd >= 0 && slot != 0 => {
            let at = if slot == IORING_FILE_INDEX_ALLOC {
                None
            } else {
                Some(slot - 1)
            };
            Outcome::Done(files::install_owned(ring, fd, at), 0)
        }
        outcome => outcome,
    }
}

pub fn openat(ring: &Arc<Ring>, req: &mut Req, who: How, _: &mut Batch) -> Outcome {
    let mut flags = req.op_flags();
    if cfg!(target_pointer_width = "64") {
        flags |= libc::O_LARGEFILE as u32;
    }
    let how = open_how {
        flags: flags.into(),
        mode: req.sqe.len.into(),
        resolve: 0,
    };
    open(ring, req, who, how)
}

pub fn openat2(ring: &Arc<Ring>, req: &mut Req, who: How, _: &mut Batch) -> Outcome {
    let stable = req.stable.as_ref();
    let how = match stable.filter(|stable| !stable.bytes.is_empty()) {
        Some(stable) => stable.bytes.as_ptr(),
        None => req.address2(),
    };
    // SAFETY: the program vouches for a structure of `len` bytes, which are enough, or it is the copy.
    let how = unsafe { how.cast::<open_how>().read_unaligned() };
    open(ring, req, who, how)
}

pub fn statx(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (dir, flags, mask, out) = (
        req.sqe.fd,
        req.op_flags(),
        req.sqe.len,
        req.address2::<u8>(),
    );
    in_caller(req, |[path, _]| {
        // SAFETY: the program vouches for room for the answer.
        unsafe { sys!(SYS_statx, dir, path, flags, mask, out) }
    })
}

pub fn unlinkat(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (dir, flags) = (req.sqe.fd, req.op_flags());
    in_caller(req, |[path, _]| {
        // SAFETY: a path with its end.
        unsafe { sys!(SYS_unlinkat, dir, path, flags) }
    })
}

pub fn mkdirat(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (dir, mode) = (req.sqe.fd, req.sqe.len);
    in_caller(req, |[path, _]| {
        // SAFETY: a path with its end.
        unsafe { sys!(SYS_mkdirat, dir, path, mode) }
    })
}

pub fn renameat(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (from, to, flags) = (req.sqe.fd, req.sqe.len as c_int, req.op_flags());
    in_caller(req, |[old, new]| {
        // SAFETY: paths with their ends.
        unsafe { sys!(SYS_renameat2, from, old, to, new, flags) }
    })
}

pub fn linkat(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (from, to, flags) = (req.sqe.fd, req.sqe.len as c_int, req.op_flags());
    in_caller(req, |[old, new]| {
        // SAFETY: paths with their ends.
        unsafe { sys!(SYS_linkat, from, old, to, new, flags) }
    })
}

pub fn symlinkat(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let dir = req.sqe.fd;
    in_caller(req, |[target, path]| {
        // SAFETY: paths with their ends.
        unsafe { sys!(SYS_symlinkat, target, dir, path) }
    })
}
