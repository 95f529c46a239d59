//! The handler of SIGSYS.

use std::ffi::{c_int, c_uint, c_void};
use std::sync::atomic::{AtomicU8, Ordering};

use uring_core::abi::io_uring_params;

use super::registers::Registers;
use super::{action, filter, unseen};
use crate::next::set_errno;
use crate::sys::sys;
use crate::{real, serve};

/// What the kernel says of a call that a filter has stopped: `siginfo_t` with its part for SIGSYS.
#[repr(C)]
struct Info {
    signal: c_int,
    tag: c_int,
    code: c_int,
    padding: c_int,
    instruction: usize,
    number: c_int,
    architecture: c_uint,
}

/// `si_code` of a signal from a filter.
const SYS_SECCOMP: c_int = 1;

/// Whether a filter like this one is in force: what the call that is made to find out came to.
static ASKED: AtomicU8 = AtomicU8::new(NO);
const NO: u8 = 0;
const ASKING: u8 = 1;
const YES: u8 = 2;

/// Whether this process has the filter already, from the one that executed it.
pub fn is_filtered() -> bool {
    ASKED.store(ASKING, Ordering::Relaxed);
    // SAFETY: no such descriptor, so nothing happens, with or without a filter.
    unsafe { sys!(SYS_io_uring_enter, -1isize, 0, 0, 0, 0, 0) };
    ASKED.swap(NO, Ordering::Relaxed) == YES
}

/// Serves the call that the filter has stopped. Others' signals go to whom the program has for them.
pub extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: this thread's errno; the program has its value behind an instruction that does not touch it.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: the kernel passes both to a handler with SA_SIGINFO. `Info` is a part of what `info` points to.
    let (stopped, registers) = unsafe { (&*info.cast::<Info>(), Registers::new(context.cast())) };
    match answer(stopped, &registers) {
        Some(result) => registers.set_result(result),
        None => action::pass_on(signal, stopped.code == SYS_SECCOMP, info, context),
    }
    set_errno(errno);
}

fn answer(stopped: &Info, registers: &Registers) -> Option<isize> {
    if stopped.code != SYS_SECCOMP {
        return None;
    }
    let args = registers.arguments();
    // Relaxed: the thread's own store.
    if ASKED.load(Ordering::Relaxed) == ASKING {
        if stopped.tag == filter::TAG {
            ASKED.store(YES, Ordering::Relaxed);
        }
        return Some(-libc::EPERM as isize);
    }
    let number = stopped.number;
    let is_ours = (libc::SYS_io_uring_setup..=libc::SYS_io_uring_register).contains(&number.into());
    // The library asks the kernel, and another filter stops that.
    if is_ours && real::is_marked(args[0]) {
        return Some(-libc::EPERM as isize);
    }
    (stopped.tag == filter::TAG).then(|| serve_stopped(number, args))
}

fn serve_stopped(number: c_int, args: [usize; 6]) -> isize {
    if libc::SYS_munmap == number.into() {
        // SAFETY: what the program asked for.
        let ret = unsafe { unseen::unmap(args[0], args[1]) };
        if ret == 0 {
            unseen::unmapped(args[0], args[1]);
        }
        return ret;
    }
    // SAFETY: the arguments are those that the program has for the kernel.
    let Some(ret) = (unsafe { serve::call(number, args) }) else {
        return -libc::ENOSYS as isize;
    };
    match number.into() {
        libc::SYS_mmap => unseen::mapped(args[4] as c_int, args[5] as u64, ret, args[1]),
        libc::SYS_io_uring_setup => {
            let params = std::ptr::with_exposed_provenance::<io_uring_params>(args[1]);
            // SAFETY: the parameters of this set-up.
            unsafe { unseen::set_up(ret, params) }
        }
        _ => ret,
    }
}
