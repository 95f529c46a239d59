//! The functions that this library stands before.

use core::arch::global_asm;
use core::ffi::c_int;

use uring_core::errno::Errno;
use uring_core::kernel::Native;

use crate::errno::in_errno;
uring_core::weak_functions!("liburing_2019_dlsym", "dlsym");
// glibc before 2.34 has `dlsym` in a library of its own, which a program need not have. These do the same there.
uring_core::weak_functions!("liburing_2019_libc_open", "__libc_dlopen_mode");
uring_core::weak_functions!("liburing_2019_libc_sym", "__libc_dlsym");

// One word for each function: the function of that name in the libraries behind this one, or in glibc before 2.34 that
// of `libc.so.6`. It is filled in when the library is loaded. It is null before that, and where there is no such
// function. In assembly, because assembly uses the words.
macro_rules! functions {
    ($($function:literal),*) => {
        global_asm!(
            ".pushsection .bss.liburing_2019_next, \"aw\", @nobits",
            ".balign 8",
            $(
                concat!(".hidden liburing_2019_next_", $function),
                concat!(".globl liburing_2019_next_", $function),
                concat!(".type liburing_2019_next_", $function, ", @object"),
                concat!(".size liburing_2019_next_", $function, ", 8"),
                concat!("liburing_2019_next_", $function, ": .zero 8"),
            )*
            ".popsection",
            ".pushsection .rodata.liburing_2019_names, \"a\", @progbits",
            $(concat!("liburing_2019_name_", $function, ": .asciz \"", $function, "\""),)*
            "liburing_2019_libc: .asciz \"libc.so.6\"",
            ".popsection",
            ".pushsection .text.liburing_2019_load, \"ax\", @progbits",
            ".type liburing_2019_load, @function",
            "liburing_2019_load:",
            ".cfi_startproc",
            "push rbx",
            ".cfi_adjust_cfa_offset 8",
            ".cfi_rel_offset rbx, 0",
            "push r12",
            ".cfi_adjust_cfa_offset 8",
            ".cfi_rel_offset r12, 0",
            "sub rsp, 8",
            ".cfi_adjust_cfa_offset 8",
            // RTLD_NEXT
            "mov r12, -1",
            "mov rbx, [rip + liburing_2019_dlsym]",
            "test rbx, rbx",
            "jnz 3f",
            "mov rax, [rip + liburing_2019_libc_open]",
            "mov rbx, [rip + liburing_2019_libc_sym]",
            "test rax, rax",
            "jz 2f",
            "test rbx, rbx",
            "jz 2f",
            "lea rdi, [rip + liburing_2019_libc]",
            // RTLD_NOW, and the bit that the call demands.
            "mov esi, 0x80000002",
            "call rax",
            "test rax, rax",
            "jz 2f",
            "mov r12, rax",
            "3:",
            $(
                "mov rdi, r12",
                concat!("lea rsi, [rip + liburing_2019_name_", $function, "]"),
                "call rbx",
                concat!("mov [rip + liburing_2019_next_", $function, "], rax"),
            )*
            "2:",
            "add rsp, 8",
            ".cfi_adjust_cfa_offset -8",
            "pop r12",
            ".cfi_adjust_cfa_offset -8",
            ".cfi_restore r12",
            "pop rbx",
            ".cfi_adjust_cfa_offset -8",
            ".cfi_restore rbx",
            "ret",
            ".cfi_endproc",
            ".size liburing_2019_load, . - liburing_2019_load",
            // For a function that another library calls before this one was loaded completely. Keeps the registers with
            // its arguments.
            ".type liburing_2019_load_early, @function",
            "liburing_2019_load_early:",
            ".cfi_startproc",
            "push rdi",
            "push rsi",
            "push rdx",
            "push rcx",
            "push r8",
            "push r9",
            ".cfi_adjust_cfa_offset 48",
            "call liburing_2019_load",
            "pop r9",
            "pop r8",
            "pop rcx",
            "pop rdx",
            "pop rsi",
            "pop rdi",
            ".cfi_adjust_cfa_offset -48",
            "ret",
            ".cfi_endproc",
            ".size liburing_2019_load_early, . - liburing_2019_load_early",
            ".popsection",
            ".pushsection .init_array.liburing_2019_load, \"aw\", @init_array",
            ".balign 8",
            ".quad liburing_2019_load",
            ".popsection",
        );
    };
}

functions!(
    "syscall",
    "close",
    "dup2",
    "dup3",
    "close_range",
    "closefrom",
    "munmap",
    "dup",
    "fcntl",
    "fcntl64",
    "recvmsg",
    "recvmmsg",
    "pidfd_getfd",
    "fclose",
    "_IO_fclose",
    "freopen",
    "freopen64",
    "pclose",
    "endmntent",
    "closedir",
    "vfork",
    "__vfork",
    "clone",
    "__clone",
    "unshare"
);

/// Defines the function `$name` before libc's, in assembly: it keeps the registers with arguments that it does not know.
macro_rules! assembly_function {
    ($name:literal, [$($line:expr),* $(,)?], $($operands:tt)*) => {
        core::arch::global_asm!(
            concat!(".pushsection .text.", $name, ", \"ax\", @progbits"),
            concat!(".globl ", $name),
            concat!(".type ", $name, ", @function"),
            concat!($name, ":"),
            ".cfi_startproc",
            $($line,)*
            ".cfi_endproc",
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
            $($operands)*
        );
    };
}

/// Assembly that loads the next function of that name into `r11`. Other libraries call some functions before this one was
/// loaded completely, so it may have to be looked up here. It exists: only where it does would a program call it.
macro_rules! load_next {
    ($name:literal) => {
        concat!(
            "mov r11, [rip + liburing_2019_next_",
            $name,
            "]\n",
            "test r11, r11\n",
            "jnz 9f\n",
            "call liburing_2019_load_early\n",
            "mov r11, [rip + liburing_2019_next_",
            $name,
            "]\n",
            "9:"
        )
    };
}

/// The next function of that name, or the same done by a system call.
macro_rules! next {
    ($word:ident: fn($($argument:ident: $type:ty),*), $nr:expr) => {{
        unsafe extern "C" {
            static $word: Option<unsafe extern "C" fn($($type),*) -> c_int>;
        }
        // SAFETY: the word is written once, when the library is loaded, and is null or the function of that name. The
        // arguments are the program's, which called this function for the same effect.
        unsafe {
            match core::ptr::read_volatile(&raw const $word) {
                Some(function) => function($($argument),*),
                None => $crate::preload::next::direct_call($nr, [$($argument as usize),*]),
            }
        }
    }};
}

/// A system call as libc makes it.
pub fn direct_call<const N: usize>(number: usize, arguments: [usize; N]) -> c_int {
    let mut all = [0; 6];
    for (place, argument) in all.iter_mut().zip(arguments) {
        *place = argument;
    }
    // SAFETY: the program asked for this call with these arguments.
    in_errno(Errno::check(unsafe { Native::call(number, all) } as c_int))
}

pub(crate) use {assembly_function, load_next, next};
