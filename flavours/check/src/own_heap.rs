//! The library's own memory.
//!
//! Not the program's heap: looking at a program changes nothing in it, and its `free` leads here. The address space is
//! taken when the library is loaded, so that what a program maps stays what it was.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::{Mutex, MutexGuard};

use dlmalloc::{Allocator, Dlmalloc};
use uring_core::kernel::{Kernel, Native};

/// What is taken at first. Only what is used of it takes memory.
const ARENA: usize = 64 << 20;

/// Hands out the arena from its start, and mappings when it is used up.
struct Pages {
    arena: Cell<usize>,
    at: Cell<usize>,
    left: Cell<usize>,
}

fn map(size: usize) -> *mut u8 {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: new memory, placed by the kernel.
    let area = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1,
            0,
        )
    };
    if area == libc::MAP_FAILED {
        std::ptr::null_mut()
    } else {
        area.cast()
    }
}

// SAFETY: what is handed out belongs to the allocator and is handed out once.
// Mappings are given back as they were made.
unsafe impl Allocator for Pages {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        if self.left.get() < size {
            return (map(size), size, 0);
        }
        let at = self.at.get();
        self.at.set(at + size);
        self.left.set(self.left.get() - size);
        (std::ptr::with_exposed_provenance_mut(at), size, 0)
    }
    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        std::ptr::null_mut()
    }
    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }
    fn free(&self, at: *mut u8, size: usize) -> bool {
        let in_arena = at.addr().wrapping_sub(self.arena.get()) < ARENA;
        // SAFETY: a whole mapping, which its last user gives up. Past the hook.
        !in_arena && unsafe { Native::munmap(at.cast(), size) }.is_ok()
    }
    fn can_release_part(&self, _: u32) -> bool {
        false
    }
    fn allocates_zeros(&self) -> bool {
        true
    }
    fn page_size(&self) -> usize {
        4096
    }
}

/// The allocator, behind a lock. It is used where one of the locks of `state` is held as well, so no fork finds it half done.
pub struct Own(Mutex<Dlmalloc<Pages>>);

impl Own {
    pub const fn new() -> Own {
        Own(Mutex::new(Dlmalloc::new_with_allocator(Pages {
            arena: Cell::new(0),
            at: Cell::new(0),
            left: Cell::new(0),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Dlmalloc<Pages>> {
        // Nothing unwinds here.
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Takes memory for the first blocks, when the library is loaded.
    pub fn prepare(&self) {
        let arena = map(ARENA);
        if !arena.is_null() {
            let heap = self.lock();
            let pages = heap.allocator();
            pages.arena.set(arena.expose_provenance());
            pages.at.set(arena.addr());
            pages.left.set(ARENA);
        }
    }
}

// SAFETY: each call is passed on to an allocator that keeps this trait's promises.
unsafe impl GlobalAlloc for Own {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.lock().malloc(layout.size(), layout.align()) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.lock().free(at, layout.size(), layout.align()) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.lock().calloc(layout.size(), layout.align()) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.lock().realloc(at, layout.size(), layout.align(), size) }
    }
}
