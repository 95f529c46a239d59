//! Memory for what the interface allows a program to `free()`.
//!
//! The library links to nothing, but where the process has a `malloc`, memory comes from there.

use core::ffi::c_void;
use core::ptr;

use crate::Chosen;
use uring_core::kernel::{Kernel, MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ_WRITE};
use uring_core::ring::zero;

// Weak references are null where nobody defines the symbol. A table in assembly, because Rust takes the address of a
// function to be never null.
//
// A static program has only what it calls, and a weak reference brings nothing in. With `free` comes what `free` needs: in
// glibc that is `malloc`, in musl what `malloc` calls. That name is hidden, as it is in musl, so the shared library does not
// look for it.
core::arch::global_asm!(
    ".weak malloc",
    ".weak free",
    ".weak __libc_malloc_impl",
    ".hidden __libc_malloc_impl",
    ".pushsection .data.rel.ro.liburing_heap, \"aw\", %progbits",
    ".balign 8",
    ".hidden liburing_heap",
    ".globl liburing_heap",
    ".type liburing_heap, %object",
    "liburing_heap:",
    ".dc.a malloc",
    ".dc.a free",
    ".dc.a __libc_malloc_impl",
    ".size liburing_heap, . - liburing_heap",
    ".popsection",
);

#[repr(C)]
#[derive(Clone, Copy)]
struct Heap {
    malloc: Option<unsafe extern "C" fn(usize) -> *mut c_void>,
    free: Option<unsafe extern "C" fn(*mut c_void)>,
    musl_malloc: Option<unsafe extern "C" fn(usize) -> *mut c_void>,
}

unsafe extern "C" {
    static liburing_heap: Heap;
}

/// The process's heap, if it has what gives memory and what takes it back.
#[allow(clippy::type_complexity, reason = "the two functions of the table")]
fn heap() -> Option<(
    unsafe extern "C" fn(usize) -> *mut c_void,
    unsafe extern "C" fn(*mut c_void),
)> {
    // SAFETY: words that the dynamic linker, or the static one, has filled in before any code runs.
    let heap = unsafe { ptr::read_volatile(&raw const liburing_heap) };
    heap.malloc.or(heap.musl_malloc).zip(heap.free)
}

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
        unsafe { zero::words(memory, size / size_of::<u64>()) };
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
