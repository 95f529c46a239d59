//! The process's heap where the library goes without libc: weak references say whether there is one.

use core::ffi::c_void;
use core::ptr;

// A static program has only what it calls, and a weak reference brings nothing in. With `free` comes what `free` needs: in
// glibc that is `malloc`, in musl what `malloc` calls. That name is hidden, as it is in musl, so the shared library does not
// look for it.
core::arch::global_asm!(".hidden __libc_malloc_impl");
uring_core::weak_functions!("liburing_heap", "malloc", "free", "__libc_malloc_impl");

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
pub fn heap() -> Option<(
    unsafe extern "C" fn(usize) -> *mut c_void,
    unsafe extern "C" fn(*mut c_void),
)> {
    // SAFETY: words that the dynamic linker, or the static one, has filled in before any code runs.
    let heap = unsafe { ptr::read_volatile(&raw const liburing_heap) };
    heap.malloc.or(heap.musl_malloc).zip(heap.free)
}
