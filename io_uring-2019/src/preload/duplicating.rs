//! The functions by which a process gets a further descriptor of an open file.
//!
//! A ring whose descriptor was never duplicated is closed with that descriptor. For the others, closing one has to look
//! for the rest. Functions that may wait are only jumped through: a thread may be cancelled there.

use core::arch::global_asm;
use core::ffi::{c_int, c_uint, c_void};
use core::sync::atomic::Ordering;

use super::next::{assembly_function, direct_call, next};
use crate::pool;
use crate::sys::call::nr;

/// Makes a duplicate of `old`.
#[unsafe(no_mangle)]
extern "C" fn dup(old: c_int) -> c_int {
    pool::note_duplicate(old);
    next!(liburing_2019_next_dup: fn(old: c_int), nr::DUP)
}

/// Makes a duplicate of a descriptor of another process, or of this one.
#[unsafe(no_mangle)]
extern "C" fn pidfd_getfd(process: c_int, fd: c_int, flags: c_uint) -> c_int {
    pool::DESCRIPTORS_RECEIVED.store(1, Ordering::SeqCst);
    next!(
        liburing_2019_next_pidfd_getfd: fn(process: c_int, fd: c_int, flags: c_uint),
        nr::PIDFD_GETFD
    )
}

// fcntl(fd, command, ...): all that this library looks at is F_DUPFD and F_DUPFD_CLOEXEC.
macro_rules! fcntl {
    ($name:literal) => {
        assembly_function!(
            $name,
            [
                "cmp dword ptr [rip + {open}], 0",
                "jne 3f",
                "2:",
                concat!("mov rax, [rip + liburing_2019_next_", $name, "]"),
                "test rax, rax",
                "jz {direct}",
                "jmp rax",
                "3:",
                "test esi, esi",
                "jz 4f",
                "cmp esi, {dupfd_cloexec}",
                "jne 2b",
                "4:",
                "push rdi",
                ".cfi_adjust_cfa_offset 8",
                "push rsi",
                ".cfi_adjust_cfa_offset 8",
                "push rdx",
                ".cfi_adjust_cfa_offset 8",
                "call {note}",
                "pop rdx",
                ".cfi_adjust_cfa_offset -8",
                "pop rsi",
                ".cfi_adjust_cfa_offset -8",
                "pop rdi",
                ".cfi_adjust_cfa_offset -8",
                "jmp 2b",
            ],
            open = sym pool::OPEN_RINGS,
            direct = sym fcntl_call,
            dupfd_cloexec = const F_DUPFD_CLOEXEC,
            note = sym pool::note_duplicate,
        );
    };
}

/// `F_DUPFD` is 0.
pub const F_DUPFD_CLOEXEC: c_int = 1030;

fcntl!("fcntl");
fcntl!("fcntl64");
// The other name that glibc exports.
global_asm!(".globl __fcntl", ".set __fcntl, fcntl");

extern "C" fn fcntl_call(fd: c_int, command: c_int, argument: usize) -> c_int {
    direct_call(nr::FCNTL, [fd as usize, command as usize, argument])
}

// recvmsg and recvmmsg: messages may bring descriptors.
macro_rules! receiving {
    ($name:literal, $direct:ident) => {
        assembly_function!(
            $name,
            [
                "cmp dword ptr [rip + {open}], 0",
                "je 2f",
                // Before the call. On this processor the kernel's stores come later.
                "mov dword ptr [rip + {received}], 1",
                "2:",
                concat!("mov rax, [rip + liburing_2019_next_", $name, "]"),
                "test rax, rax",
                "jz {direct}",
                "jmp rax",
            ],
            open = sym pool::OPEN_RINGS,
            received = sym pool::DESCRIPTORS_RECEIVED,
            direct = sym $direct,
        );
    };
}

receiving!("recvmsg", recvmsg_call);
receiving!("recvmmsg", recvmmsg_call);

extern "C" fn recvmsg_call(socket: c_int, message: *mut c_void, flags: c_int) -> c_int {
    direct_call(
        nr::RECVMSG,
        [socket as usize, message as usize, flags as usize],
    )
}

extern "C" fn recvmmsg_call(
    socket: c_int,
    messages: *mut c_void,
    count: c_uint,
    flags: c_int,
    timeout: *mut c_void,
) -> c_int {
    let arguments = [
        socket as usize,
        messages as usize,
        count as usize,
        flags as usize,
        timeout as usize,
    ];
    direct_call(nr::RECVMMSG, arguments)
}
