//! SIGSYS is the library's while the filter is in force. What the program does with the signal is kept apart: its handler
//! gets those that are not the library's, and the signal is never blocked, since a call that is stopped then would end
//! the process.
//!
//! These functions replace libc's. Until the signal is taken they only call what they replace.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a block without a comment forwards what its caller promises under Safety"
)]

use std::ffi::{c_int, c_void};
use std::mem::zeroed;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use libc::{SIG_DFL, SIG_IGN, sighandler_t, siginfo_t, sigset_t};

use crate::next::{missing, next, set_errno};
use crate::process::{self, Whose};
use crate::sys::sys;

type Action = libc::sigaction;
type Sigaction = unsafe extern "C" fn(c_int, *const Action, *mut Action) -> c_int;
pub type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The program's action, in words of their own: a handler may read it at any instruction. A signal that comes in the
/// midst of a change may find parts of both, as it may find either.
static HANDLER: AtomicUsize = AtomicUsize::new(SIG_DFL);
static FLAGS: AtomicUsize = AtomicUsize::new(0);
/// The kernel's part of the mask.
static MASK: AtomicU64 = AtomicU64::new(0);

/// The kernel's part of a signal set.
unsafe fn word(set: *const sigset_t) -> u64 {
    unsafe { set.cast::<u64>().read() }
}

/// What libc's `sigaction` does.
unsafe fn real_sigaction(signal: c_int, new: *const Action, old: *mut Action) -> c_int {
    match next!(c"sigaction" => Sigaction) {
        Some(next) => unsafe { next(signal, new, old) },
        None => missing(),
    }
}

/// The program has an action for the signal. In a child of `vfork` it is forgotten: until it executes a program the signal
/// is the library's, and the memory is the parent's.
fn choose(action: &Action) {
    if !matches!(process::whose(), Whose::Borrowed) {
        remember(action);
    }
}

fn remember(action: &Action) {
    // SAFETY: a set of the kernel's eight bytes at least.
    MASK.store(
        unsafe { word(&raw const action.sa_mask) },
        Ordering::Relaxed,
    );
    FLAGS.store(action.sa_flags as usize, Ordering::Relaxed);
    HANDLER.store(action.sa_sigaction, Ordering::Relaxed);
}

fn remembered() -> Action {
    // SAFETY: a structure of numbers and addresses, for which zero bytes are a value.
    let mut action: Action = unsafe { zeroed() };
    action.sa_sigaction = HANDLER.load(Ordering::Relaxed);
    action.sa_flags = FLAGS.load(Ordering::Relaxed) as c_int;
    // SAFETY: as in `remember`.
    unsafe {
        (&raw mut action.sa_mask)
            .cast::<u64>()
            .write(MASK.load(Ordering::Relaxed))
    };
    action
}

/// Takes the signal from the program. Returns what it did with it. `Err`: an error number.
///
/// No alternate stack: those are small, and made for handlers that need less than a call of this library does. Other
/// signals may interrupt it as they may interrupt a system call, and so may this one: their handlers may make stopped
/// calls, too.
pub fn take(handler: Handler) -> Result<Action, c_int> {
    // SAFETY: structures of numbers and addresses, for which zero bytes are a value, and a handler that stays.
    unsafe {
        let (mut new, mut before): (Action, Action) = (zeroed(), zeroed());
        new.sa_sigaction = handler as *const c_void as sighandler_t;
        new.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_RESTART;
        if real_sigaction(libc::SIGSYS, &raw const new, &raw mut before) != 0 {
            return Err(*libc::__errno_location());
        }
        // Whoever executed this program may have blocked it.
        let this = 1u64 << (libc::SIGSYS - 1);
        sys!(SYS_rt_sigprocmask, libc::SIG_UNBLOCK, &raw const this, 0, 8);
        remember(&before);
        TAKEN.store(true, Ordering::SeqCst);
        Ok(before)
    }
}

/// Gives the signal back to the program.
pub fn give_back(before: &Action) {
    TAKEN.store(false, Ordering::SeqCst);
    // SAFETY: an action that was in force.
    unsafe { real_sigaction(libc::SIGSYS, before, ptr::null_mut()) };
}

fn is_taken() -> bool {
    // Relaxed: it is taken when the library is loaded.
    TAKEN.load(Ordering::Relaxed)
}

/// A signal that is not the library's: the program's.
pub fn pass_on(signal: c_int, from_filter: bool, info: *mut siginfo_t, context: *mut c_void) {
    let action = remembered();
    match action.sa_sigaction {
        // Nobody can ignore that a filter stops a call.
        SIG_IGN if !from_filter => {}
        SIG_DFL | SIG_IGN => {
            // SAFETY: the action that the kernel would have taken, and the signal for this thread.
            unsafe {
                let default: Action = zeroed();
                real_sigaction(signal, &raw const default, ptr::null_mut());
                sys!(SYS_tgkill, sys!(SYS_getpid), sys!(SYS_gettid), signal);
            }
        }
        handler => {
            if action.sa_flags & libc::SA_RESETHAND != 0 {
                HANDLER.store(SIG_DFL, Ordering::Relaxed);
            }
            let mask = MASK.load(Ordering::Relaxed) & !(1 << (signal - 1));
            // SAFETY: a set of the kernel's eight bytes; that this handler returns ends it. The program's handler gets
            // what the kernel passes: one that wants the number alone leaves the rest.
            unsafe {
                sys!(SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const mask, 0, 8);
                let handler = ptr::with_exposed_provenance::<c_void>(handler);
                std::mem::transmute::<*const c_void, Handler>(handler)(signal, info, context);
            }
        }
    }
}

/// A set without SIGSYS.
unsafe fn without(set: *const sigset_t) -> sigset_t {
    unsafe {
        let mut copy = *set;
        libc::sigdelset(&raw mut copy, libc::SIGSYS);
        copy
    }
}

/// `sigaction`.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigaction(signal: c_int, new: *const Action, old: *mut Action) -> c_int {
    if !is_taken() || (new.is_null() && signal != libc::SIGSYS) {
        return unsafe { real_sigaction(signal, new, old) };
    }
    if signal != libc::SIGSYS {
        // A handler that blocks it may make stopped calls.
        let mut open = unsafe { *new };
        open.sa_mask = unsafe { without(&raw const open.sa_mask) };
        return unsafe { real_sigaction(signal, &raw const open, old) };
    }
    let before = remembered();
    // The new one is read first: both may be one structure.
    if !new.is_null() {
        choose(unsafe { &*new });
    }
    if !old.is_null() {
        unsafe { old.write(before) };
    }
    0
}

/// `signal`.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
    type Signal = unsafe extern "C" fn(c_int, sighandler_t) -> sighandler_t;
    if is_taken() && signal == libc::SIGSYS {
        // SAFETY: a structure of numbers and addresses, for which zero bytes are a value.
        let mut new: Action = unsafe { zeroed() };
        new.sa_sigaction = handler;
        new.sa_flags = libc::SA_RESTART;
        let before = remembered();
        choose(&new);
        return before.sa_sigaction;
    }
    match next!(c"signal" => Signal) {
        Some(next) => unsafe { next(signal, handler) },
        None => {
            set_errno(libc::ENOSYS);
            libc::SIG_ERR
        }
    }
}

type Masks = unsafe extern "C" fn(c_int, *const sigset_t, *mut sigset_t) -> c_int;

/// Calls a function that changes the mask, with a set that leaves SIGSYS open.
unsafe fn change_mask(next: Masks, how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int {
    if set.is_null() || how == libc::SIG_UNBLOCK || !is_taken() {
        return unsafe { next(how, set, old) };
    }
    let open = unsafe { without(set) };
    unsafe { next(how, &raw const open, old) }
}

/// `sigprocmask`.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigprocmask(
    how: c_int,
    set: *const sigset_t,
    old: *mut sigset_t,
) -> c_int {
    match next!(c"sigprocmask" => Masks) {
        Some(next) => unsafe { change_mask(next, how, set, old) },
        None => missing(),
    }
}

/// `pthread_sigmask`, which returns the error number.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_sigmask(
    how: c_int,
    set: *const sigset_t,
    old: *mut sigset_t,
) -> c_int {
    match next!(c"pthread_sigmask" => Masks) {
        Some(next) => unsafe { change_mask(next, how, set, old) },
        None => libc::ENOSYS,
    }
}
