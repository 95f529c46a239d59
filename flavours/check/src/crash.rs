//! A program that ends because it did not look whether it got an SQE.
//!
//! If the program has no handler for `SIGSEGV` when it sets a ring up, there is one here. It says what it knows, and gives
//! the signal back: the program ends as it would have ended.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

use uring_core::abi::io_uring_sqe;

use crate::notes::report;
use crate::place::Place;
use crate::process;
use crate::proxy::used;
use crate::report::Report;
use crate::rules::Rule;
use crate::state;

/// Begins to look, once.
pub fn watch() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    // Relaxed: nobody waits for it. A fork in the middle of it leaves a child without the handler.
    if !BEGUN.swap(true, Ordering::Relaxed) {
        // SAFETY: structures of numbers and pointers, for which zeros are a value; the handler stays where it is.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGSEGV, std::ptr::null(), &raw mut action) != 0
                || action.sa_sigaction != libc::SIG_DFL
            {
                return;
            }
            action.sa_sigaction = handler();
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND;
            libc::sigaction(libc::SIGSEGV, &raw const action, std::ptr::null_mut());
        }
    }
}

/// The handler, as the C library takes it.
pub fn handler() -> usize {
    let function: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_fault;
    function as usize
}

/// Whether any signal has a handler.
pub fn handles_signals() -> bool {
    (1..=libc::SIGRTMAX()).any(|signal| {
        // SAFETY: a structure of numbers and pointers, which libc fills in; nothing is set.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0
                && ![libc::SIG_DFL, libc::SIG_IGN, handler()].contains(&action.sa_sigaction)
        }
    })
}

/// The signal's action is the default again. Back in the program, the same access faults again and ends it.
extern "C" fn on_fault(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel gives both to a handler that asks for them.
    let (address, at) = unsafe { ((*info).si_addr().addr(), instruction(context)) };
    // SAFETY: as above.
    let values = unsafe { registers(&context) };
    let place = Place {
        return_address: at,
        frame: 0,
    };
    state::with(|state| {
        if used::in_registers(state, values, place) || address >= size_of::<io_uring_sqe>() {
            return;
        }
        let generation = process::generation();
        let full = state
            .rings
            .values()
            .find(|ring| ring.generation == generation && !ring.raced && ring.sq_is_full());
        let Some(ring) = full else { return };
        let what = format!(
            "an SQE at address 0 is written to: the SQ of {} has all of its {} SQEs taken, and io_uring_get_sqe() returns NULL then",
            ring.named(),
            ring.sq.entries
        );
        report(
            &mut state.notes,
            &Report {
                rule: Rule::NoSqe,
                what,
                request: None,
                place,
                doing: "written",
            },
        );
    });
}

/// The address behind the start of the instruction that faulted, or 0.
///
/// # Safety
///
/// `context` is what the kernel gave to a handler.
unsafe fn instruction(context: *mut c_void) -> usize {
    let context = context.cast::<libc::ucontext_t>();
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    // SAFETY: the caller vouches for it.
    return unsafe { (*context).uc_mcontext.gregs[libc::REG_RIP as usize] } as usize + 1;
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller vouches for it.
    return unsafe { (*context).uc_mcontext.pc } as usize + 1;
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = context;
        0
    }
}

/// The values of the registers for numbers and addresses, at the instruction that faulted.
///
/// # Safety
///
/// As for [`instruction`].
unsafe fn registers(context: &*mut c_void) -> &[u64] {
    let context = context.cast::<libc::ucontext_t>();
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    // SAFETY: the caller vouches for it. The first 16 are these, numbers of 64 bits.
    return unsafe {
        std::slice::from_raw_parts((&raw const (*context).uc_mcontext.gregs).cast(), 16)
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller vouches for it.
    return unsafe { &(*context).uc_mcontext.regs };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = context;
        &[]
    }
}
