//! Memory that a ring shares with the program: mapped once for this library, and for the program as often as it asks.

use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use uring_core::ring::sizes;

use crate::sys::{NO_FILE, page_size, sys};

const READ_WRITE: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// A mapping of our own, and one that waits for the program.
pub struct Mapping {
    start: *mut u8,
    size: usize,
    /// Made while the file was open. Zero: the program has it, or there was no file.
    spare: AtomicUsize,
}

// SAFETY: the address is shared memory's.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Shared memory, by its name in `/proc` that of a ring. Its descriptor is closed at once: a program has none of it.
    pub fn new(size: usize) -> Result<Mapping, c_int> {
        let size = sizes::page_aligned(size, page_size());
        // SAFETY: a string with its end; a new file and new mappings, placed by the kernel.
        unsafe {
            let map = |flags, file: usize| sys!(SYS_mmap, 0, size, READ_WRITE, flags, file, 0);
            let file = sys!(SYS_memfd_create, c"[io_uring]".as_ptr(), libc::MFD_CLOEXEC) as c_int;
            let (start, spare);
            if file < 0 || sys!(SYS_ftruncate, file, size) < 0 {
                start = map(libc::MAP_SHARED | libc::MAP_ANONYMOUS, NO_FILE);
                spare = 0;
            } else {
                start = map(libc::MAP_SHARED, file as usize);
                spare = map(libc::MAP_SHARED, file as usize);
            }
            if file >= 0 {
                crate::sys::close(file);
            }
            if failed(start) {
                return Err(start as c_int);
            }
            Ok(Mapping {
                start: ptr::with_exposed_provenance_mut(start as usize),
                size,
                spare: AtomicUsize::new(if failed(spare) { 0 } else { spare as usize }),
            })
        }
    }

    pub fn start(&self) -> *mut u8 {
        self.start
    }

    pub fn address(&self) -> usize {
        self.start.expose_provenance()
    }

    /// A mapping of the same pages for the program, as `mmap` of the ring's descriptor makes one: negative is an error
    /// number. The first is there already, because Valgrind refuses to repeat a mapping.
    pub fn for_program(&self, length: usize) -> isize {
        if length == 0 || length > self.size {
            return -libc::EINVAL as isize;
        }
        let length = sizes::page_aligned(length, page_size());
        // Relaxed: the address alone is passed on, and to one caller.
        let spare = self.spare.swap(0, Ordering::Relaxed);
        if spare == 0 {
            // SAFETY: with an old size of zero the old mapping stays, and the new one is placed by the kernel.
            return unsafe { sys!(SYS_mremap, self.start, 0, length, libc::MREMAP_MAYMOVE, 0) };
        }
        if length < self.size {
            // SAFETY: the end of a mapping that nobody else knows of.
            unsafe { sys!(SYS_munmap, spare + length, self.size - length) };
        }
        spare as isize
    }

    /// Gives an advice for what the program has no address of.
    pub fn advise(&self, advice: c_int) {
        for at in self.ours() {
            // SAFETY: MADV_DONTFORK, the one advice that comes here, changes nothing for this process.
            unsafe { sys!(SYS_madvise, at, self.size, advice) };
        }
    }

    /// Frees the pages and keeps our own address: a thread that still has it reads zeros.
    pub fn blank(&self) {
        // SAFETY: a mapping of our own, which is replaced in one step by one that can be read and written.
        unsafe {
            sys!(
                SYS_mmap,
                self.start,
                self.size,
                READ_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                NO_FILE,
                0
            )
        };
    }

    /// Where the mappings are that were not given to the program.
    fn ours(&self) -> impl Iterator<Item = usize> {
        // Relaxed: an address that is given out in this moment is the program's, in whose name the advice comes.
        [self.address(), self.spare.load(Ordering::Relaxed)]
            .into_iter()
            .filter(|at| *at != 0)
    }
}

fn failed(address: isize) -> bool {
    address < 0 && address > -4096
}

impl Drop for Mapping {
    fn drop(&mut self) {
        for at in self.ours() {
            // SAFETY: the mapping was made here, and whoever used it is gone.
            unsafe { sys!(SYS_munmap, at, self.size) };
        }
    }
}
