//! The kernel that the exported functions run on: the real one, or the emulation where that refuses io_uring.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a block without a comment forwards what its caller promises under Safety"
)]

use std::ffi::{c_int, c_uint, c_void};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;
use uring_core::errno::{Errno, Result, Ret};
use uring_core::kernel::{Kernel, Limit, MADV_DONTFORK, Native};

use crate::inside::Inside;
use crate::mode::{self, Mode};
use crate::ops::misc;
use crate::ring::Ring;
use crate::wait::{self, Limits};
use crate::{
    due, entered, gather, lead, life, make, poller, real, register, run, submit, sys, table,
};

/// The kernel, or what stands in for it.
pub struct User;

/// Whether the kernel refuses io_uring altogether, and not just these arguments.
fn refuses(error: Errno) -> bool {
    match error {
        Errno::ENOSYS => true,
        Errno::EINVAL
        | Errno::EFAULT
        | Errno::ENOMEM
        | Errno::EMFILE
        | Errno::ENFILE
        | Errno::EBUSY => false,
        Errno::EBADF | Errno::EOVERFLOW | Errno::EEXIST | Errno::EAGAIN | Errno::EINTR => false,
        // -EPERM has other causes, too, such as IORING_SETUP_SQPOLL before Linux 5.11. So ask for a plain ring.
        _ => plain_ring().is_err_and(|again| again == error),
    }
}

/// Asks the kernel for the smallest ring.
fn plain_ring() -> Result<()> {
    let mut plain = io_uring_params::default();
    // SAFETY: parameters of our own that name no memory.
    let fd = unsafe { real::setup(1, &raw mut plain) }.check()?;
    sys::close(fd);
    Ok(())
}

/// Whether rings are emulated in this process, as far as can be told before the first.
pub fn will_emulate() -> bool {
    match mode::mode() {
        Mode::Always => true,
        Mode::Never => false,
        Mode::Auto => plain_ring().is_err_and(refuses),
    }
}

/// The emulated ring that a call names, by descriptor or by registered index.
fn ring_of(fd: c_int, registered: bool) -> Option<std::result::Result<(Arc<Ring>, Inside), Errno>> {
    let ours = if registered {
        table::is_index(fd as u32)
    } else {
        table::is_ring(fd)
    };
    if !ours {
        return None;
    }
    let Some(inside) = Inside::begin() else {
        return Some(Err(Errno::EBUSY));
    };
    if registered {
        let found = table::registered(fd as u32).ok_or(Errno::EINVAL);
        return Some(found.map(|ring| (ring, inside)));
    }
    table::find(fd).map(|ring| Ok((ring, inside)))
}

impl Kernel for User {
    unsafe fn setup(entries: c_uint, params: *mut io_uring_params) -> Ret {
        let mode = mode::mode();
        let mut refusal = None;
        if mode != Mode::Always {
            let real = unsafe { real::setup(entries, params) };
            match real.check() {
                Err(error) if mode == Mode::Auto && refuses(error) => {
                    refusal = Some(-error.as_ret())
                }
                _ => return real,
            }
        }
        if params.is_null() {
            return Errno::EFAULT.into();
        }
        let Some(_inside) = Inside::begin() else {
            return Errno::EBUSY.into();
        };
        // SAFETY: the caller vouches for `params` and the memory that it names.
        let made = unsafe { make::make(entries, &mut *params) };
        if made.is_ok() {
            mode::say(refusal);
        }
        Ret::from_c(made.unwrap_or_else(|error| error))
    }

    unsafe fn enter(
        fd: c_int,
        to_submit: c_uint,
        min_complete: c_uint,
        flags: c_uint,
        arg: *const c_void,
        size: usize,
    ) -> Ret {
        let (ring, _inside) = match ring_of(fd, flags & IORING_ENTER_REGISTERED_RING != 0) {
            Some(Ok(found)) => found,
            Some(Err(error)) => return error.into(),
            None => {
                return foreign(
                    unsafe { real::enter(fd, to_submit, min_complete, flags, arg, size) },
                    fd,
                );
            }
        };
        ring.inside.fetch_add(1, Ordering::SeqCst);
        // SAFETY: passed on to the caller.
        let ret = unsafe { enter(&ring, to_submit, min_complete, flags, arg, size) };
        gather::tell_polls(&ring);
        make::left(&ring);
        Ret::from_c(ret)
    }

    unsafe fn register(fd: c_int, opcode: c_uint, arg: *const c_void, nr_args: c_uint) -> Ret {
        let registered = IORING_REGISTER_USE_REGISTERED_RING as c_uint;
        let (ring, _inside) = match ring_of(fd, opcode & registered != 0) {
            Some(Ok(found)) => found,
            Some(Err(error)) => return error.into(),
            None => {
                if fd == -1 && opcode == IORING_REGISTER_SEND_MSG_RING as c_uint {
                    // SAFETY: the opcode takes an SQE.
                    if let Some(ret) =
                        unsafe { misc::send_without_ring(arg.cast(), nr_args, will_emulate) }
                    {
                        return Ret::from_c(ret);
                    }
                }
                return unsafe { without_ring(fd, opcode, arg, nr_args) };
            }
        };
        let ret = Ret::from_c(unsafe {
            register::register(&ring, opcode & !registered, arg.cast_mut(), nr_args)
        });
        run::settle(&ring);
        ret
    }

    unsafe fn mmap(
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: u64,
    ) -> Result<NonNull<c_void>> {
        let inside = Inside::begin();
        let found = (fd >= 0 && inside.is_some()).then(|| table::find(fd));
        let Some(ring) = found.flatten() else {
            return unsafe { real::map(len, prot, flags, fd, offset) };
        };
        let ret = register::groups::map(&ring, len, offset)
            .or_else(|| register::region::map(&ring, len, offset))
            .unwrap_or_else(|| ring.memory().map(len, offset));
        if (-4095..0).contains(&ret) {
            return Err(Errno::check(ret as c_int).err().unwrap_or(Errno::ENOMEM));
        }
        NonNull::new(std::ptr::with_exposed_provenance_mut(ret as usize)).ok_or(Errno::ENOMEM)
    }

    unsafe fn munmap(addr: *mut c_void, len: usize) -> Result<()> {
        unsafe { Native::munmap(addr, len) }
    }

    unsafe fn madvise(addr: *mut c_void, len: usize, advice: c_int) -> Result<()> {
        if advice == MADV_DONTFORK {
            life::keep_from_children(addr.addr());
        }
        unsafe { Native::madvise(addr, len, advice) }
    }

    fn close(fd: c_int) -> Result<()> {
        let Some(_inside) = Inside::begin() else {
            return Native::close(fd);
        };
        match table::remove(fd) {
            Some(ring) => Errno::check(make::closed(ring, true)).map(drop),
            None => Native::close(fd),
        }
    }

    fn page_size() -> usize {
        Native::page_size()
    }

    fn thread_id() -> c_uint {
        sys::thread() as c_uint
    }

    fn nofile_limit() -> Result<Limit> {
        Native::nofile_limit()
    }

    fn set_nofile_limit(limit: Limit) -> Result<()> {
        Native::set_nofile_limit(limit)
    }
}

/// `io_uring_register` on what is no emulated ring: the kernel's, or none.
///
/// # Safety
///
/// As for `Kernel::register`.
unsafe fn without_ring(fd: c_int, opcode: c_uint, arg: *const c_void, nr: c_uint) -> Ret {
    // The sysctl that refuses rings lets such calls pass, and what the kernel says or does is not about emulated rings.
    if fd == -1 && will_emulate() {
        return if opcode == IORING_REGISTER_QUERY as c_uint {
            Ret::from_c(unsafe { register::query::query(arg.cast_mut(), nr) })
        } else {
            Errno::EINVAL.into()
        };
    }
    foreign(unsafe { real::register(fd, opcode, arg, nr) }, fd)
}

/// What the kernel says of a descriptor that is no emulated ring. Where io_uring is refused there are none of its own.
fn foreign(answer: Ret, fd: c_int) -> Ret {
    match answer.check() {
        Err(error) if mode::is_active() && refuses(error) => if sys::open_flags(fd) < 0 {
            Errno::EBADF
        } else {
            Errno::EOPNOTSUPP
        }
        .into(),
        _ => answer,
    }
}

/// `io_uring_enter` on an emulated ring.
///
/// # Safety
///
/// `arg` must be what `flags` says it is.
unsafe fn enter(
    ring: &Arc<Ring>,
    to_submit: c_uint,
    min_complete: c_uint,
    flags: c_uint,
    arg: *const c_void,
    size: usize,
) -> c_int {
    if flags & !submit::ENTER_FLAGS != 0 {
        return -libc::EINVAL;
    }
    // Acquire: pairs with the store where the ring is enabled.
    if ring.disabled.load(Ordering::Acquire) {
        return -libc::EBADFD;
    }
    poller::attend(Some(0));
    entered::take_back(ring);
    let now = due::time();
    if let Some(now) = now {
        poller::look_if_due(now);
    }
    if min_complete != 0 {
        lead::about_to_wait(now);
    }
    let mut submitted = 0;
    if to_submit != 0 || ring.has(IORING_SETUP_SQPOLL) {
        // A kernel's thread would submit, whoever asks it to.
        let owner = ring.owner.load(Ordering::Relaxed);
        if owner != 0 && owner != sys::thread() && !ring.has(IORING_SETUP_SQPOLL) {
            return -libc::EEXIST;
        }
        let count = if ring.has(IORING_SETUP_SQPOLL) {
            u32::MAX
        } else {
            to_submit
        };
        submitted = submit::submit(ring, count);
        if ring.has(IORING_SETUP_SQPOLL) {
            submitted = to_submit as c_int;
        }
        if submitted as c_uint != to_submit {
            ring.quiet();
            return submitted;
        }
    }
    if flags & IORING_ENTER_GETEVENTS == 0 {
        ring.quiet();
        return submitted;
    }
    // Nobody else may wait either. A ring may get other memory while its owner does not.
    let owner = ring.owner.load(Ordering::Relaxed);
    if ring.has(IORING_SETUP_DEFER_TASKRUN) && owner != sys::thread() {
        return if submitted > 0 {
            submitted
        } else {
            -libc::EEXIST
        };
    }
    let waited = match unsafe { Limits::read(ring, flags, arg, size) } {
        Ok(limits) => wait::wait(ring, min_complete, limits),
        Err(error) => error,
    };
    ring.quiet();
    if submitted > 0 { submitted } else { waited }
}
