//! Memory for what the interface allows a program to `free()`.
//!
//! The library links to nothing, but where the process has a `malloc`, memory comes from there.

use core::ffi::c_void;
use core::ptr;

use crate::Chosen;
use uring_core::kernel::{Kernel, MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ_WRITE};
use uring_core::mem;

// The same condition as that of the system calls in core/src/kernel/native. The table of weak references needs assembly,
// which Rust 1.85 has for few architectures.
#[cfg_attr(
    all(
        not(uring_libc),
        any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        )
    ),
    path = "heap/weak.rs"
)]
#[cfg_attr(
    any(
        uring_libc,
        not(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        ))
    ),
    path = "heap/libc.rs"
)]
mod process;

use process::heap;

/// Memory of `size` bytes, all zeros, or null.
///
/// `size` is a multiple of eight, and the same in [`free`].
pub fn allocate(size: usize) -> *mut c_void {
    let Some((malloc, _)) = heap() else {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS;
        // SAFETY: new memory, placed by the kernel.
        return unsafe { Chosen::mmap(size, PROT_READ_WRITE, flags, -1, 0) }
            .map_or(ptr::null_mut(), |p| p.as_ptr());
    };
    // SAFETY: the process's own malloc.
    let memory = unsafe { malloc(size) }.cast::<u64>();
    if !memory.is_null() {
        // SAFETY: just allocated, for that many bytes at least.
        unsafe { mem::clear_words(memory, size / size_of::<u64>()) };
    }
    memory.cast()
}

/// Gives memory of [`allocate`] back. Null is fine.
///
/// # Safety
///
/// `memory` came from [`allocate`] with this `size`, and nothing uses it any more.
#[inline(never)]
pub unsafe fn free(memory: *mut c_void, size: usize) {
    if memory.is_null() {
        return;
    }
    // SAFETY: the heap is there now if it was there at `allocate`, so memory goes back where it came from.
    unsafe {
        match heap() {
            Some((_, free)) => free(memory),
            None => {
                let _ = Chosen::munmap(memory, size);
            }
        }
    }
}
