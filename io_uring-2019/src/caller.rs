//! Who makes a call: which thread, and from where on its stack.

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU32, Ordering};

use uring_core::errno::Result;

use crate::sys::{memory, process};

// What the thread found out about itself: its process in the upper half, its own id in the lower one. Zero in a new
// thread. Assembly, as thread-local variables that need no function to find them cannot be had in stable Rust.
global_asm!(
    ".pushsection .tbss.liburing_seed_thread, \"awT\", @nobits",
    ".balign 8",
    ".globl liburing_seed_thread",
    ".hidden liburing_seed_thread",
    ".type liburing_seed_thread, @object",
    ".size liburing_seed_thread, 8",
    "liburing_seed_thread: .zero 8",
    ".popsection",
);

/// Memory that a child of fork(2) finds cleared, so that it does not take its parent's thread for its own.
#[repr(C, align(4096))]
struct Cleared {
    /// This process, once it has been asked.
    process: AtomicU32,
}

static CLEARED: Cleared = Cleared {
    process: AtomicU32::new(0),
};

/// Makes sure that [`thread`] is right in children as well. Called before there is a ring.
pub fn prepare() -> Result<()> {
    if process() == 0 {
        memory::clear_in_children((&raw const CLEARED).addr(), size_of::<Cleared>())?;
        CLEARED
            .process
            .store(process::id() as u32, Ordering::Relaxed);
    }
    Ok(())
}

/// What is the same for the whole life of a process, and not so in its children.
#[inline(always)]
pub fn process() -> u32 {
    // Relaxed: it stands for nothing else.
    CLEARED.process.load(Ordering::Relaxed)
}

/// The calling thread's id, which no other thread of its PID namespace has.
#[inline(always)]
pub fn thread() -> u32 {
    let known: u64;
    // SAFETY: a word of this thread's own storage, which every thread of a program with a C library has.
    unsafe {
        asm!(
            "mov {word}, [rip + liburing_seed_thread@GOTTPOFF]",
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
    let (process, thread) = (process::id() as u32, process::thread_id());
    match self::process() {
        // A child.
        0 => CLEARED.process.store(process, Ordering::Relaxed),
        known if known == process => {}
        // A child that borrows its parent's memory, as vfork(2) makes it.
        _ => return thread,
    }
    // SAFETY: as in `thread`. A signal's handler writes the same.
    unsafe {
        asm!(
            "mov {place}, [rip + liburing_seed_thread@GOTTPOFF]",
            "mov fs:[{place}], {word}",
            place = out(reg) _,
            word = in(reg) u64::from(process) << 32 | u64::from(thread),
            options(nostack, preserves_flags),
        );
    }
    thread
}

/// How deep the stack is, in units of 16 bytes.
#[inline(always)]
pub fn frame() -> u32 {
    let stack: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) stack, options(nomem, nostack, preserves_flags)) };
    (stack >> 4) as u32
}

/// Whether what runs at frame `now` may be a signal's handler that has interrupted a call made at frame `then` by the
/// same thread. If not, that call was left with longjmp.
pub fn may_have_interrupted(now: u32, then: u32) -> bool {
    // What the kernel puts on the stack before a handler is larger than that.
    const SIGNAL_FRAME: u32 = 1024 / 16;
    // Further up it may be another stack.
    const NEAR: u32 = (64 << 10) / 16;
    let above = now.wrapping_sub(then).wrapping_add(SIGNAL_FRAME);
    above >= NEAR || process::is_on_signal_stack()
}
