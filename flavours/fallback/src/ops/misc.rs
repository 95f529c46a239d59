//! Requests on rings and descriptors that do not wait.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use super::common::unused;
use crate::batch::Batch;
use crate::memory::Completion;
use crate::op::{Outcome, res};
use crate::register::args::{array, errno};
use crate::register::files;
use crate::request::How;
use crate::request::{Class, Place, Req};
use crate::ring::Ring;
use crate::sys::{self, sys};
use crate::{edges, life, table};

/// Flags of a nop in Linux 6.18 whose effects the emulation has.
const NOP_FILE: u32 = 1 << 1;
const NOP_FIXED_FILE: u32 = 1 << 2;
const NOP_FIXED_BUFFER: u32 = 1 << 3;
const NOP_TASK_WORK: u32 = 1 << 4;

/// Whether a no-op's completion has a second half.
pub fn check_nop(ring: &Ring, req: &Req) -> Result<(), c_int> {
    let known = IORING_NOP_INJECT_RESULT
        | NOP_FILE
        | NOP_FIXED_FILE
        | NOP_FIXED_BUFFER
        | NOP_TASK_WORK
        | IORING_NOP_CQE32;
    let has_room = ring.flags & (IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED) != 0;
    if req.op_flags() & !known != 0 || req.is_wide_nop() && !has_room {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn nop(ring: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let flags = req.op_flags();
    if req.has(IOSQE_ASYNC) && how == How::Try {
        return Outcome::Park(Place::Worker(Class::Bounded));
    }
    if flags & NOP_FILE != 0 {
        let missing = if flags & NOP_FIXED_FILE != 0 {
            ring.fixed_file(req.sqe.fd).is_none()
        } else {
            sys::open_flags(req.sqe.fd) < 0
        };
        if missing {
            return Outcome::Done(-libc::EBADF, 0);
        }
    }
    if flags & NOP_FIXED_BUFFER != 0 {
        let state = ring.state.lock();
        let there = state
            .buffers
            .as_ref()
            .and_then(|all| all.get(req.buf_index() as usize))
            .is_some_and(Option::is_some);
        if !there {
            return Outcome::Done(-libc::EFAULT, 0);
        }
    }
    Outcome::Done(
        if flags & IORING_NOP_INJECT_RESULT != 0 {
            req.sqe.len as c_int
        } else {
            0
        },
        0,
    )
}

pub fn check_close(_: &Ring, req: &Req) -> Result<(), c_int> {
    let addr = req.address::<u8>().addr() as u64;
    unused(&[
        req.offset(),
        addr,
        req.sqe.len.into(),
        req.op_flags().into(),
        req.buf_index().into(),
    ])?;
    if req.has(IOSQE_FIXED_FILE) {
        return Err(-libc::EBADF);
    }
    if req.file_index() != 0 && req.sqe.fd != 0 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn close(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    let slot = req.file_index();
    if slot != 0 {
        return Outcome::Done(files::clear(ring, slot - 1), 0);
    }
    let fd = req.sqe.fd;
    if table::is_ring(fd) {
        // The kernel refuses to close a ring by a request.
        return Outcome::Done(-libc::EBADF, 0);
    }
    // Only a thread of the program's that submits waits for them itself. Others may have to run what it would wait for.
    if how != How::Block && !batch.within_enter && life::is_in_use(fd) {
        return Outcome::Park(Place::Worker(Class::Unbounded));
    }
    life::before_close(fd, fd);
    Outcome::Done(sys::close(fd), 0)
}

pub fn check_files_update(_: &Ring, req: &Req) -> Result<(), c_int> {
    if req.has(IOSQE_FIXED_FILE) || req.has(IOSQE_BUFFER_SELECT) {
        return Err(-libc::EINVAL);
    }
    unused(&[req.op_flags().into(), req.file_index().into()])?;
    if req.sqe.len == 0 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn files_update(ring: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let at: *mut c_int = req.address();
    let (offset, nr) = (req.offset() as u32, req.sqe.len);
    if offset != IORING_FILE_INDEX_ALLOC {
        // SAFETY: the program vouches for an array of so many descriptors until the request completes.
        let done = unsafe { files::update(ring, offset, at, std::ptr::null(), nr) };
        return Outcome::Done(errno(done), 0);
    }
    // SAFETY: as above.
    let mut fds = match unsafe { array(at.cast_const(), nr) } {
        Ok(fds) => fds,
        Err(error) => return Outcome::Done(error, 0),
    };
    let done = files::install_all(ring, &mut fds);
    for (index, slot) in fds
        .iter()
        .take(usize::try_from(done).unwrap_or(0))
        .enumerate()
    {
        // SAFETY: as above.
        unsafe { at.add(index).write_unaligned(*slot) };
    }
    Outcome::Done(done, 0)
}

pub fn check_epoll_ctl(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into(), req.file_index().into()])?;
    if req.sqe.len == libc::EPOLL_CTL_DEL as u32 {
        return Ok(());
    }
    sys::not_null(req.address::<u8>())
}

pub fn copy_epoll_ctl(req: &mut Req) -> Result<(), c_int> {
    let at: *mut u8 = req.address();
    if !at.is_null() {
        // SAFETY: the program vouches for an event.
        let event =
            unsafe { std::slice::from_raw_parts(at, size_of::<libc::epoll_event>()) }.to_vec();
        req.stable().bytes = event;
    }
    Ok(())
}

pub fn epoll_ctl(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (set, op, fd) = (req.sqe.fd, req.sqe.len, req.offset() as c_int);
    let mut event: *const u8 = req.address();
    if let Some(stable) = req
        .stable
        .as_ref()
        .filter(|stable| !stable.bytes.is_empty())
    {
        event = stable.bytes.as_ptr();
    }
    if !event.is_null() {
        // SAFETY: the program vouches for an event, or it is the copy of one. It begins with the bits.
        let events = unsafe { event.cast::<u32>().read_unaligned() };
        edges::before_control(op as c_int, fd, events);
    }
    // SAFETY: the kernel reads the event, which is there.
    Outcome::Done(res(unsafe { sys!(SYS_epoll_ctl, set, op, fd, event) }), 0)
}

pub fn check_epoll_wait(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.offset(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])
}

/// An epoll set can be polled itself.
pub fn epoll_wait(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (fd, events, most) = (req.fd(), req.address::<u8>(), req.sqe.len as c_int);
    edges::before_look(fd);
    // SAFETY: the program vouches for room for so many events. The signal mask stays as it is.
    match unsafe { sys!(SYS_epoll_pwait, fd, events, most, 0, 0, 8) } {
        0 => Outcome::Park(Place::Poll(libc::EPOLLIN as u32)),
        ret => Outcome::Done(res(ret), 0),
    }
}

pub fn check_install(_: &Ring, req: &Req) -> Result<(), c_int> {
    let addr = req.address::<u8>().addr() as u64;
    unused(&[
        req.offset(),
        addr,
        req.sqe.len.into(),
        req.buf_index().into(),
        req.file_index().into(),
        req.addr3(),
    ])?;
    if !req.has(IOSQE_FIXED_FILE) {
        return Err(-libc::EBADF);
    }
    if req.op_flags() & !IORING_FIXED_FD_NO_CLOEXEC != 0 {
        Err(-libc::EINVAL)
    } else if req.sqe.personality != 0 {
        // A descriptor is not made with rights that are lent.
        Err(-libc::EPERM)
    } else {
        Ok(())
    }
}

pub fn install(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let keep = req.op_flags() & IORING_FIXED_FD_NO_CLOEXEC != 0;
    let command = if keep {
        libc::F_DUPFD
    } else {
        libc::F_DUPFD_CLOEXEC
    };
    // SAFETY: no memory is named.
    Outcome::Done(res(unsafe { sys!(SYS_fcntl, req.fd(), command, 0) }), 0)
}

pub fn check_pipe(_: &Ring, req: &Req) -> Result<(), c_int> {
    const FLAGS: c_int = libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_DIRECT | libc::O_EXCL;
    unused(&[
        req.sqe.fd as u64,
        req.offset(),
        req.addr3(),
        (req.op_flags() & !(FLAGS as u32)).into(),
    ])
}

pub fn pipe(ring: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let out: *mut c_int = req.address();
    if let Err(error) = sys::not_null(out) {
        return Outcome::Done(error, 0);
    }
    let slot = req.file_index();
    if slot != 0 && req.op_flags() & libc::O_CLOEXEC as u32 != 0 {
        return Outcome::Done(-libc::EINVAL, 0);
    }
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two numbers.
    let ret = unsafe { sys!(SYS_pipe2, ends.as_mut_ptr(), req.op_flags()) };
    if ret < 0 {
        return Outcome::Done(res(ret), 0);
    }
    if slot != 0 {
        let slots = match slot {
            IORING_FILE_INDEX_ALLOC => [None, None],
            slot => [Some(slot - 1), Some(slot)],
        };
        let [read, write] = ends;
        let first = files::install_owned(ring, read, slots[0]);
        if first < 0 {
            sys::close(write);
            return Outcome::Done(first, 0);
        }
        let second = files::install_owned(ring, write, slots[1]);
        if second < 0 {
            // The first end goes again.
            files::clear(ring, slots[0].unwrap_or(first as u32));
            return Outcome::Done(second, 0);
        }
        ends = [(first, slots[0]), (second, slots[1])]
            .map(|(chosen, slot)| slot.map_or(chosen, |slot| slot as c_int));
    }
    // SAFETY: the program vouches for room for two numbers.
    unsafe { out.cast::<[c_int; 2]>().write(ends) };
    Outcome::Done(0, 0)
}

pub fn check_msg_ring(_: &Ring, req: &Req) -> Result<(), c_int> {
    check_message(req)
}

fn check_message(req: &Req) -> Result<(), c_int> {
    let known = IORING_MSG_RING_CQE_SKIP | IORING_MSG_RING_FLAGS_PASS;
    unused(&[
        req.buf_index().into(),
        req.sqe.personality.into(),
        (req.op_flags() & !known).into(),
    ])
}

pub fn msg_ring(ring: &Arc<Ring>, req: &mut Req, _: How, batch: &mut Batch) -> Outcome {
    // Rings are no registered files.
    let found = req.file.is_none().then(|| table::find(req.sqe.fd));
    let Some(target) = found.flatten() else {
        let error = not_a_ring(req.fd());
        return Outcome::Done(error, 0);
    };
    batch.post(ring);
    let result = send(ring, &target, req);
    target.post_released();
    Outcome::Done(result, 0)
}

/// The refusal of a descriptor that is none, or none of a ring.
fn not_a_ring(fd: c_int) -> c_int {
    match sys::open_flags(fd) {
        error @ ..0 => error,
        _ => -libc::EBADFD,
    }
}

/// `IORING_REGISTER_SEND_MSG_RING`: a message from no ring. `None`: the target is none that is emulated, but
/// there can be others.
///
/// # Safety
///
/// `arg` must be an SQE, or null.
pub unsafe fn send_without_ring(
    arg: *const io_uring_sqe,
    nr: u32,
    emulates: impl FnOnce() -> bool,
) -> Option<c_int> {
    if arg.is_null() || nr != 1 {
        return None;
    }
    // SAFETY: the caller vouches for an SQE.
    let req = Req::new(unsafe { arg.read_unaligned() });
    if req.sqe.flags != 0 || !req.is(IORING_OP_MSG_RING) || check_message(&req).is_err() {
        return Some(-libc::EINVAL);
    }
    if req.address::<u8>().addr() as u32 != IORING_MSG_DATA as u32 {
        return Some(-libc::EINVAL);
    }
    let Some(target) = table::find(req.sqe.fd) else {
        return emulates().then(|| not_a_ring(req.sqe.fd));
    };
    // The ring that sends matters for descriptors only.
    Some(send(&target, &target, &req))
}

fn send(ring: &Arc<Ring>, target: &Arc<Ring>, req: &Req) -> c_int {
    let flags = req.op_flags();
    let command = req.address::<u8>().addr() as u32;
    // Acquire: pairs with the store where the ring is enabled.
    if target.disabled.load(Ordering::Acquire) {
        return -libc::EBADFD;
    }
    if command == IORING_MSG_DATA as u32 {
        let passed = flags & IORING_MSG_RING_FLAGS_PASS != 0;
        if req.addr3() as u32 != 0
            || flags & IORING_MSG_RING_CQE_SKIP != 0
            || (!passed && req.file_index() != 0)
        {
            return -libc::EINVAL;
        }
        let flags = if passed { req.file_index() } else { 0 };
        let completion = Completion {
            user_data: req.offset(),
            res: req.sqe.len as c_int,
            flags,
            ..Completion::default()
        };
        target.post_alone(completion, true);
        return 0;
    }
    if command != IORING_MSG_SEND_FD as u32 || req.sqe.len != 0 {
        return -libc::EINVAL;
    }
    if Arc::ptr_eq(ring, target) {
        return -libc::EINVAL;
    }
    let Some(file) = ring.fixed_file(req.addr3() as c_int) else {
        return -libc::EBADF;
    };
    let copy = sys::duplicate(file.fd, sys::APART);
    if copy < 0 {
        return copy;
    }
    let slot = req.file_index();
    let first = if slot == IORING_FILE_INDEX_ALLOC {
        None
    } else {
        slot.checked_sub(1)
    };
    if slot == 0 {
        sys::close(copy);
        return -libc::EINVAL;
    }
    let installed = files::install_owned(target, copy, first);
    if installed >= 0 && flags & IORING_MSG_RING_CQE_SKIP == 0 {
        let completion = Completion {
            user_data: req.offset(),
            res: installed,
            ..Completion::default()
        };
        target.post_alone(completion, true);
    }
    installed
}
