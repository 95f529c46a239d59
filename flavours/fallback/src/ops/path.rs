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

/// Whether the thread's credentials decide about the request.
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
    if !how.is_null() {
        // SAFETY: the program vouches for a structure of `len` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(how, req.sqe.len as usize) }.to_vec();
        req.stable().bytes = bytes;
    }
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

/// Whether this is the error of a call, and not of a path that a request could not be taken with.
#[cold]
pub fn is_of_call(path: *const c_char, error: c_int, may_be_empty: bool) -> bool {
    // SAFETY: the program vouches for a string with its end.
    let length = || unsafe { libc::strnlen(path, libc::PATH_MAX as usize) };
    match -error {
        libc::EFAULT => !path.is_null(),
        libc::ENOENT => may_be_empty || length() != 0,
        libc::ENAMETOOLONG => length() < libc::PATH_MAX as usize,
        _ => true,
    }
}

/// Whether a request's call had paths to work on: else the request failed before.
pub fn had_paths(req: &Req, error: c_int) -> bool {
    let is = |opcode: io_uring_op| req.sqe.opcode == opcode as u8;
    let empty = (is(IORING_OP_STATX) || is(IORING_OP_LINKAT))
        && req.op_flags() & libc::AT_EMPTY_PATH as u32 != 0;
    let two = is(IORING_OP_RENAMEAT) || is(IORING_OP_SYMLINKAT) || is(IORING_OP_LINKAT);
    let [first, second] = paths(req);
    is_of_call(first, error, empty) && (!two || is_of_call(second, error, false))
}

fn no_fixed(req: &Req) -> Result<(), c_int> {
    if req.has(IOSQE_FIXED_FILE) {
        Err(-libc::EBADF)
    } else {
        Ok(())
    }
}

pub fn check_open(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into()])?;
    no_fixed(req)?;
    let is_two = req.sqe.opcode == IORING_OP_OPENAT2 as u8;
    if is_two && (req.sqe.len as usize) < size_of::<open_how>() {
        return Err(-libc::EINVAL);
    }
    // A registered file has no descriptor that a new program could inherit.
    if !is_two && req.file_index() != 0 && req.op_flags() & libc::O_CLOEXEC as u32 != 0 {
        return Err(-libc::EINVAL);
    }
    Ok(())
}

pub fn check_statx(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into(), req.file_index().into()])?;
    no_fixed(req)
}

pub fn check_unlink(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.offset(),
        req.sqe.len.into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])?;
    no_fixed(req)?;
    if req.op_flags() & !(libc::AT_REMOVEDIR as u32) != 0 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn check_two(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into(), req.file_index().into()])?;
    no_fixed(req)
}

pub fn check_mkdir(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.offset(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])?;
    no_fixed(req)
}

pub fn check_symlink(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.sqe.len.into(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])?;
    no_fixed(req)
}

/// Runs a call on paths where its credentials are right.
fn in_caller(req: &Req, call: impl FnOnce([*const c_char; 2]) -> isize) -> Outcome {
    if !may_run(req) {
        return Outcome::HandBack;
    }
    let paths = paths(req);
    if paths[0].is_null() {
        return Outcome::Done(-libc::EFAULT, 0);
    }
    Outcome::Done(res(call(paths)), 0)
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
fn open(
    ring: &Arc<Ring>,
    req: &Req,
    who: How,
    mut how: open_how,
    size: usize,
    whole: Option<*const u8>,
) -> Outcome {
    let slot = req.file_index();
    let dir = req.sqe.fd;
    let asked = how.flags as c_int;
    // Without O_TRUNC and the like a first attempt leaves no traces that a second would not.
    let plain = asked & (libc::O_TRUNC | libc::O_CREAT | libc::O_TMPFILE | libc::O_PATH) == 0;
    let tries = whole.is_none() && plain && !req.has(IOSQE_ASYNC) && who != How::Block;
    // One that a worker has handed back is for this thread, as is one that a personality lends its rights to.
    if !tries && who != How::Block && req.id == 0 && req.personality.is_none() && may_run(req) {
        let path = paths(req)[0];
        if asked & (libc::O_NONBLOCK | libc::O_PATH) == 0 && !path.is_null() && is_fifo(dir, path) {
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
        // SAFETY: as above; what the program gave as a whole is as long as it says.
        unsafe {
            match whole {
                Some(whole) => sys!(SYS_openat2, dir, path, whole, size),
                None => sys!(SYS_openat, dir, path, how.flags, how.mode),
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
    open(ring, req, who, how, size_of::<open_how>(), None)
}

pub fn openat2(ring: &Arc<Ring>, req: &mut Req, who: How, _: &mut Batch) -> Outcome {
    let mut how: *const u8 = req.address2();
    if let Some(stable) = req
        .stable
        .as_ref()
        .filter(|stable| !stable.bytes.is_empty())
    {
        how = stable.bytes.as_ptr();
    }
    if !sys::is_mapped(how.addr(), size_of::<open_how>()) {
        return Outcome::Done(-libc::EFAULT, 0);
    }
    // SAFETY: there is memory, and the program vouches for a structure of `len` bytes, which are enough.
    let read = unsafe { how.cast::<open_how>().read_unaligned() };
    open(ring, req, who, read, req.sqe.len as usize, Some(how))
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
