//! Which thread makes a call, and at which frame of its stack.

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU32, Ordering};

use uring_core::errno::Result;
use uring_core::kernel::{Kernel, Native};

use crate::sys::{memory, process};

// What a thread knows about itself: its process in the upper half, its own id in the lower one. Zero in a new thread.
// In assembly, because stable Rust has no thread-local variables that are reached without a function.
global_asm!(
    ".pushsection .tbss.liburing_2019_thread, \"awT\", @nobits",
    ".balign 8",
    ".globl liburing_2019_thread",
    ".hidden liburing_2019_thread",
    ".type liburing_2019_thread, @object",
    ".size liburing_2019_thread, 8",
    "liburing_2019_thread: .zero 8",
    ".popsection",
);

/// Memory that is cleared in a child of fork(2), so that the child does not take its parent's id for its own.
#[repr(C, align(4096))]
struct Cleared {
    /// This process's id, once it was asked for.
    process: AtomicU32,
}

static CLEARED: Cleared = Cleared {
    process: AtomicU32::new(0),
};

/// Makes [`thread`] right in children as well. Called before there is a ring.
pub fn prepare() -> Result<()> {
    if process() == 0 {
        memory::clear_in_children((&raw const CLEARED).addr(), size_of::<Cleared>())?;
        CLEARED
            .process
            .store(process::id() as u32, Ordering::Relaxed);
    }
    Ok(())
}

/// A number that stays the same in a process, and differs from its children's.
#[inline(always)]
pub fn process() -> u32 {
    // Relaxed: nothing is read on the strength of the id.
    CLEARED.process.load(Ordering::Relaxed)
}

/// The calling thread's id. No other thread in its PID namespace has the same.
#[inline(always)]
pub fn thread() -> u32 {
    let known: u64;
    // SAFETY: the word is thread-local. Every thread of a program with a C library has thread-local storage.
    unsafe {
        asm!(
            "mov {word}, [rip + liburing_2019_thread@GOTTPOFF]",
            "mov {word}, fs:[{word}]",
            word = out(reg) known,
            options(nostack, preserves_flags, readonly),
        );
    }
    let process = process();
    if process == 0 || (known >> 32) as u32 != process {
        return look_up();
    }
    known as u32
}

#[cold]
#[inline(never)]
fn look_up() -> u32 {
    let (process, thread) = (process::id() as u32, Native::thread_id());
    match self::process() {
        // A child of fork(2).
        0 => CLEARED.process.store(process, Ordering::Relaxed),
        known if known == process => {}
        // A child of vfork(2), which uses its parent's memory.
        _ => return thread,
    }
    // SAFETY: as in `thread`. A signal handler writes the same value.
    unsafe {
        asm!(
            "mov {place}, [rip + liburing_2019_thread@GOTTPOFF]",
            "mov fs:[{place}], {word}",
            place = out(reg) _,
            word = in(reg) u64::from(process) << 32 | u64::from(thread),
            options(nostack, preserves_flags),
        );
    }
    thread
}

/// The stack pointer, in units of 16 bytes.
#[inline(always)]
pub fn frame() -> u32 {
    let stack: u64;
    // SAFETY: reads a register, and changes nothing.
    unsafe { asm!("mov {}, rsp", out(reg) stack, options(nomem, nostack, preserves_flags)) };
    (stack >> 4) as u32
}

/// Whether code at frame `now` may be a signal handler that has interrupted a call at frame `then` on the same thread.
/// If not, that call was left by longjmp.
pub fn may_have_interrupted(now: u32, then: u32) -> bool {
    // The kernel puts more than this on the stack before it starts a handler.
    const SIGNAL_FRAME: u32 = 1024 / 16;
    // Beyond this distance it may be another stack.
    const NEAR: u32 = (64 << 10) / 16;
    let above = now.wrapping_sub(then).wrapping_add(SIGNAL_FRAME);
    above >= NEAR || process::is_on_signal_stack()
}
