//! The functions that close descriptors.
//!
//! Each closes, and then closes the rings that became unreachable. Some functions of libc (`fclose`, say) close without
//! calling one of these. A later set-up makes up for them, see also `streams`.

use core::arch::global_asm;
use core::ffi::{c_int, c_long, c_uint, c_void};
use core::ptr;
use core::sync::atomic::Ordering;

use super::next::{direct_call, next};
use crate::pool;
use crate::sys::call::nr;
use crate::sys::changes;

/// Makes `call`, which may close `fd`, and closes the ring that `fd` led to if it became unreachable.
fn closing_fd(fd: c_int, call: impl FnOnce() -> c_int) -> c_int {
    let position = match pool::OPEN_RINGS.load(Ordering::Relaxed) {
        0 => None,
        _ => pool::position_of(fd),
    };
    let call = || changes::during(call);
    match position {
        None => call(),
        Some(position) => crate::closing::while_closing(position, call),
    }
}

// While there are no rings, `close` jumps to the next one. Signal handlers and threads that are being cancelled call
// it, and are not affected by this library then.
global_asm!(
    ".pushsection .text.close, \"ax\", @progbits",
    ".globl close",
    ".type close, @function",
    "close:",
    ".cfi_startproc",
    "cmp dword ptr [rip + {open}], 0",
    "jne {slow}",
    "mov rax, [rip + liburing_2019_next_close]",
    "test rax, rax",
    "jz {slow}",
    "jmp rax",
    ".cfi_endproc",
    ".size close, . - close",
    // The other names that glibc exports.
    ".globl __close",
    ".set __close, close",
    ".globl __dup2",
    ".set __dup2, {dup2}",
    // munmap(address, length): the first library unmaps the CQ ring by the address of its head. In 2019 the head was at
    // the start of the mapping. Here two words of the kernel's come before it.
    ".globl munmap",
    ".type munmap, @function",
    "munmap:",
    ".cfi_startproc",
    "test edi, 4095",
    "jnz {unaligned}",
    "mov rax, [rip + liburing_2019_next_munmap]",
    "test rax, rax",
    "jz {unaligned}",
    "jmp rax",
    ".cfi_endproc",
    ".size munmap, . - munmap",
    ".popsection",
    open = sym pool::OPEN_RINGS,
    dup2 = sym dup2,
    slow = sym close_slow,
    unaligned = sym munmap_slow,
);

extern "C" fn close_slow(fd: c_int) -> c_int {
    closing_fd(
        fd,
        || next!(liburing_2019_next_close: fn(fd: c_int), nr::CLOSE),
    )
}

extern "C" fn munmap_slow(address: *mut c_void, length: usize) -> c_int {
    let offset = crate::closing::cq_head_offset(address.addr(), length);
    // The length is that of the whole CQ ring.
    let address = address.wrapping_byte_sub(offset);
    next!(liburing_2019_next_munmap: fn(address: *mut c_void, length: usize), nr::MUNMAP)
}

/// Makes `new` a duplicate of `old`.
#[unsafe(no_mangle)]
extern "C" fn dup2(old: c_int, new: c_int) -> c_int {
    pool::note_duplicate(old);
    closing_fd(
        new,
        || next!(liburing_2019_next_dup2: fn(old: c_int, new: c_int), nr::DUP2),
    )
}

/// Makes `new` a duplicate of `old`.
#[unsafe(no_mangle)]
extern "C" fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
    pool::note_duplicate(old);
    closing_fd(
        new,
        || next!(liburing_2019_next_dup3: fn(old: c_int, new: c_int, flags: c_int), nr::DUP3),
    )
}

/// Closes a range of descriptors.
#[unsafe(no_mangle)]
extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    closing_range(first, last, flags, || {
        next!(
            liburing_2019_next_close_range: fn(first: c_uint, last: c_uint, flags: c_int),
            nr::CLOSE_RANGE
        )
    })
}

/// Makes `call`, which closes a range of descriptors, and closes the rings that became unreachable.
fn closing_range(first: c_uint, last: c_uint, flags: c_int, call: impl FnOnce() -> c_int) -> c_int {
    const CLOSE_RANGE_UNSHARE: c_int = 2;
    if flags & CLOSE_RANGE_UNSHARE != 0 {
        changes::go_unseen();
    }
    let ret = changes::during(call);
    crate::closing::close_rings_in(first..=last);
    ret
}

/// Closes all descriptors from one on.
#[unsafe(no_mangle)]
extern "C" fn closefrom(lowest: c_int) {
    let (first, last) = (lowest.max(0) as c_uint, c_uint::MAX);
    unsafe extern "C" {
        static liburing_2019_next_closefrom: Option<unsafe extern "C" fn(c_int)>;
    }
    closing_range(first, last, 0, || {
        // SAFETY: the word is written once, when the library is loaded, and is null or the function of that name.
        match unsafe { ptr::read_volatile(&raw const liburing_2019_next_closefrom) } {
            Some(function) => {
                // SAFETY: the program asked for this call with this argument.
                unsafe { function(lowest) };
                0
            }
            None => direct_call(nr::CLOSE_RANGE, [first as usize, last as usize, 0]),
        }
    });
}

/// As the function, for `syscall()`. These calls return an int.
pub extern "C" fn close_call(fd: c_int) -> c_long {
    c_long::from(closing_fd(fd, || direct_call(nr::CLOSE, [fd as usize])))
}

/// See [`close_call`].
pub extern "C" fn dup2_call(old: c_int, new: c_int) -> c_long {
    pool::note_duplicate(old);
    c_long::from(closing_fd(new, || {
        direct_call(nr::DUP2, [old as usize, new as usize])
    }))
}

/// See [`close_call`].
pub extern "C" fn dup3_call(old: c_int, new: c_int, flags: c_int) -> c_long {
    pool::note_duplicate(old);
    let arguments = [old as usize, new as usize, flags as usize];
    c_long::from(closing_fd(new, || direct_call(nr::DUP3, arguments)))
}

/// See [`close_call`].
pub extern "C" fn close_range_call(first: c_uint, last: c_uint, flags: c_int) -> c_long {
    let arguments = [first as usize, last as usize, flags as usize];
    c_long::from(closing_range(first, last, flags, || {
        direct_call(nr::CLOSE_RANGE, arguments)
    }))
}
