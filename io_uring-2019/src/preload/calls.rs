//! `syscall()`.

use core::arch::global_asm;
use core::ffi::{c_int, c_long, c_uint};

use uring_core::abi::iovec;
use uring_core::kernel::Native;

use super::duplicating::F_DUPFD_CLOEXEC;
use crate::abi::io_uring_params;
use crate::errno::in_errno;
use crate::setup::Closing;
use crate::sys::call::nr;
use crate::sys::changes::{CHANGES, UNSEEN};
use crate::{enter, pool, setup};

// syscall(number, ...): the arguments of the two calls of 2019 are moved down by one register. While there are rings,
// calls that close descriptors are looked at. All others reach the next `syscall` by a jump. Where there is none, the
// call is made here, without touching the stack: a new thread or process may come out of it on another stack.
global_asm!(
    ".pushsection .text.syscall, \"ax\", @progbits",
    ".globl syscall",
    ".type syscall, @function",
    "syscall:",
    ".cfi_startproc",
    "lea rax, [rdi - {setup_nr}]",
    "cmp rax, {enter_nr} - {setup_nr}",
    "jbe 5f",
    "cmp rdi, {clone_nr}",
    "je 25f",
    "cmp rdi, {vfork_nr}",
    "je 25f",
    "cmp rdi, {unshare_nr}",
    "je 25f",
    "cmp rdi, {clone3_nr}",
    "je 25f",
    "cmp dword ptr [rip + {open}], 0",
    "jne 4f",
    "2:",
    "mov rax, [rip + liburing_2019_next_syscall]",
    "test rax, rax",
    "jz 3f",
    "jmp rax",
    "3:",
    "mov rax, rdi",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov rdx, rcx",
    "mov r10, r8",
    "mov r8, r9",
    "mov r9, [rsp + 8]",
    "syscall",
    "cmp rax, -4095",
    "jae 6f",
    "ret",
    // close, dup2, dup3, close_range; and calls that bring a descriptor
    "4:",
    "cmp rdi, {close_nr}",
    "je 7f",
    "cmp rdi, {dup2_nr}",
    "je 8f",
    "cmp rdi, {dup3_nr}",
    "je 9f",
    "cmp rdi, {dup_nr}",
    "je 23f",
    "cmp rdi, {fcntl_nr}",
    "je 22f",
    "cmp rdi, {recvmsg_nr}",
    "je 24f",
    "cmp rdi, {recvmmsg_nr}",
    "je 24f",
    "cmp rdi, {pidfd_getfd_nr}",
    "je 24f",
    "cmp rdi, {close_range_nr}",
    "jne 2b",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov rdx, rcx",
    "jmp {close_range}",
    "7:",
    "mov rdi, rsi",
    "jmp {close}",
    "8:",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "jmp {dup2}",
    "9:",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov rdx, rcx",
    "jmp {dup3}",
    "22:",
    "test edx, edx",
    "jz 23f",
    "cmp edx, {dupfd_cloexec}",
    "jne 2b",
    "23:",
    "push rdi",
    ".cfi_adjust_cfa_offset 8",
    "push rsi",
    ".cfi_adjust_cfa_offset 8",
    "push rdx",
    ".cfi_adjust_cfa_offset 8",
    "push rcx",
    ".cfi_adjust_cfa_offset 8",
    // Neither call has further arguments.
    "sub rsp, 8",
    ".cfi_adjust_cfa_offset 8",
    "mov edi, esi",
    "call {note}",
    "add rsp, 8",
    ".cfi_adjust_cfa_offset -8",
    "pop rcx",
    ".cfi_adjust_cfa_offset -8",
    "pop rdx",
    ".cfi_adjust_cfa_offset -8",
    "pop rsi",
    ".cfi_adjust_cfa_offset -8",
    "pop rdi",
    ".cfi_adjust_cfa_offset -8",
    "jmp 2b",
    // As the functions in `unsharing`.
    "25:",
    "lock or qword ptr [rip + {changes}], {unseen}",
    "jmp 2b",
    "24:",
    "mov dword ptr [rip + {received}], 1",
    "jmp 2b",
    "5:",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov rdx, rcx",
    "mov rcx, r8",
    "test rax, rax",
    "jz {setup}",
    "jmp {enter}",
    "6:",
    "neg eax",
    "mov edi, eax",
    "jmp {fail}",
    ".cfi_endproc",
    ".size syscall, . - syscall",
    ".popsection",
    setup_nr = const nr::SETUP_2019,
    enter_nr = const nr::ENTER_2019,
    close_nr = const nr::CLOSE,
    dup2_nr = const nr::DUP2,
    dup3_nr = const nr::DUP3,
    close_range_nr = const nr::CLOSE_RANGE,
    dup_nr = const nr::DUP,
    fcntl_nr = const nr::FCNTL,
    recvmsg_nr = const nr::RECVMSG,
    recvmmsg_nr = const nr::RECVMMSG,
    pidfd_getfd_nr = const nr::PIDFD_GETFD,
    clone_nr = const nr::CLONE,
    vfork_nr = const nr::VFORK,
    unshare_nr = const nr::UNSHARE,
    clone3_nr = const nr::CLONE3,
    changes = sym CHANGES,
    unseen = const UNSEEN,
    dupfd_cloexec = const F_DUPFD_CLOEXEC,
    open = sym pool::OPEN_RINGS,
    received = sym pool::DESCRIPTORS_RECEIVED,
    note = sym pool::note_duplicate,
    setup = sym setup_2019,
    enter = sym enter_2019,
    close = sym super::closing::close_call,
    dup2 = sym super::closing::dup2_call,
    dup3 = sym super::closing::dup3_call,
    close_range = sym super::closing::close_range_call,
    fail = sym fail,
);

/// Sets `errno` to `number` and returns -1.
extern "C" fn fail(number: c_int) -> c_long {
    c_long::from(in_errno(uring_core::errno::Errno::check(-number)))
}

extern "C" fn setup_2019(entries: c_uint, iovecs: *mut iovec, p: *mut io_uring_params) -> c_long {
    c_long::from(in_errno(setup::setup(entries, iovecs, p, Closing::Seen)))
}

extern "C" fn enter_2019(
    fd: c_uint,
    to_submit: c_uint,
    min_complete: c_uint,
    flags: c_uint,
) -> c_long {
    c_long::from(in_errno(pool::find(fd as c_int).and_then(|ring| {
        enter::enter::<Native>(ring, fd as c_int, to_submit, min_complete, flags)
    })))
}
