//! Threads that run without a C library, by the kernel's `clone` alone.
//!
//! Such a thread has no thread-local storage and no `errno`, so no function of libc may run on it. In return the
//! library needs no libc, and the thread does not keep a program alive whose own threads have ended.

use core::arch::global_asm;
use core::ffi::{c_uint, c_void};
use core::sync::atomic::{AtomicU32, Ordering};

use uring_core::errno::{Errno, Result};
use uring_core::kernel::{Kernel, MAP_ANONYMOUS, MAP_PRIVATE, Native, PROT_READ_WRITE};

use crate::other_threads;
use crate::sys::call::nr;
use crate::sys::{process, time};

/// Size of a thread's stack in bytes. The code that runs there needs less than a page.
const STACK: usize = 64 * 1024;

/// What a thread unmaps when it ends: its stack, or nothing.
#[repr(C)]
pub struct Leftover {
    start: usize,
    len: usize,
}

impl Leftover {
    /// Another thread joins this one and unmaps its stack.
    pub const NOTHING: Leftover = Leftover { start: 0, len: 0 };

    /// No thread joins this one, so it unmaps its stack.
    pub fn stack(stack: *mut c_void) -> Leftover {
        Leftover {
            start: stack.expose_provenance(),
            len: STACK,
        }
    }
}

/// A thread's function.
pub type Entry = unsafe extern "C" fn(*mut c_void) -> Leftover;

unsafe extern "C" {
    fn liburing_2019_clone(
        flags: usize,
        stack_top: *mut c_void,
        entry: Entry,
        argument: *mut c_void,
        tid_word: *const AtomicU32,
    ) -> isize;
}

// clone(flags, stack, parent_tid, child_tid, tls). The child takes entry and argument from its stack. What entry
// returns (rax, rdx) is unmapped by instructions that need no stack.
global_asm!(
    ".pushsection .text.liburing_2019_clone, \"ax\", @progbits",
    ".globl liburing_2019_clone",
    ".hidden liburing_2019_clone",
    ".type liburing_2019_clone, @function",
    "liburing_2019_clone:",
    ".cfi_startproc",
    "sub rsi, 16",
    "mov [rsi], rdx",
    "mov [rsi + 8], rcx",
    "mov r10, r8",
    "xor edx, edx",
    "mov eax, {clone}",
    "syscall",
    "test rax, rax",
    "jz 2f",
    "ret",
    "2:",
    ".cfi_undefined rip",
    "xor ebp, ebp",
    "pop rax",
    "pop rdi",
    "call rax",
    "mov rdi, rax",
    "mov rsi, rdx",
    "test rdi, rdi",
    "jz 3f",
    "mov eax, {munmap}",
    "syscall",
    "3:",
    "xor edi, edi",
    "mov eax, {exit}",
    "syscall",
    "hlt",
    ".cfi_endproc",
    ".size liburing_2019_clone, . - liburing_2019_clone",
    ".popsection",
    clone = const nr::CLONE,
    munmap = const nr::MUNMAP,
    exit = const nr::EXIT,
);

const CLONE_VM: usize = 0x100;
const CLONE_FS: usize = 0x200;
const CLONE_FILES: usize = 0x400;
const CLONE_SIGHAND: usize = 0x800;
const CLONE_THREAD: usize = 0x10000;
const CLONE_SYSVSEM: usize = 0x40000;
const CLONE_CHILD_CLEARTID: usize = 0x200000;

/// Maps a stack for a thread.
pub fn stack() -> Result<*mut c_void> {
    // SAFETY: the kernel places the new mapping, so it replaces none.
    let area = unsafe { Native::mmap(STACK, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) }?;
    Ok(area.as_ptr())
}

/// Unmaps a stack.
///
/// # Safety
///
/// No thread runs on it.
pub unsafe fn unmap_stack(stack: *mut c_void) {
    // SAFETY: the caller promises that no thread uses the stack.
    let _ = unsafe { Native::munmap(stack, STACK) };
}

/// Starts a thread with all signals blocked, and returns its id. `tid_word` is not 0 until the thread has ended, then
/// 0.
///
/// # Safety
///
/// `stack` is from [`stack`] and has no thread on it. `argument` is what `entry` takes.
pub unsafe fn start(
    stack: *mut c_void,
    entry: Entry,
    argument: *mut c_void,
    tid_word: Option<&'static AtomicU32>,
) -> Result<c_uint> {
    let mut flags =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    if let Some(tid_word) = tid_word {
        // Set before the thread starts, so that `join` waits in any case.
        tid_word.store(c_uint::MAX, Ordering::Relaxed);
        flags |= CLONE_CHILD_CLEARTID;
    }
    // The program's handlers must not run on this thread.
    let signals = process::block_signals(u64::MAX);
    // SAFETY: the caller promises that the stack is free and the argument right. The top of the stack is page-aligned.
    // `tid_word` is never freed.
    let ret = unsafe {
        liburing_2019_clone(
            flags,
            stack.wrapping_byte_add(STACK),
            entry,
            argument,
            tid_word.map_or(core::ptr::null(), core::ptr::from_ref),
        )
    };
    process::block_signals(signals);
    Errno::check(ret as i32).map(|id| id as c_uint)
}

/// Waits until the thread `id`, started with `tid_word`, has ended.
pub fn join(tid_word: &AtomicU32, id: c_uint) {
    loop {
        // Acquire: what the thread did is visible.
        let there = tid_word.load(Ordering::Acquire);
        if there == 0 {
            break;
        }
        time::sleep_on(tid_word, there, 0);
    }
    // The thread runs no more, but the kernel still lists it for a moment.
    while other_threads::is_thread(id) {
        time::yield_cpu();
    }
}
