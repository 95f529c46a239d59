//! The kernel that the exported functions run on: the real one, which fails on demand.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a block without a comment forwards what its caller promises under Safety"
)]

use std::ffi::{c_int, c_uint, c_void};
use std::ptr::{self, NonNull};

use uring_core::abi::{
    IORING_ENTER_GETEVENTS, IORING_ENTER_REGISTERED_RING, IORING_ENTER_SQ_WAKEUP, io_uring_params,
};
use uring_core::errno::{Errno, Result, Ret};
use uring_core::kernel::{Kernel, Limit, Native};

use crate::inject::{self, Enter};
use crate::tsan;

/// What libc's function did, as the kernel says it.
///
/// ThreadSanitizer hears of memory that comes and goes by libc's functions alone. Else a ring would be the same memory to it
/// as one that was at the same address before, in another thread.
fn done_by_libc(done: bool) -> Result<()> {
    // SAFETY: the address of this thread's errno is always valid.
    let error = unsafe { *libc::__errno_location() };
    Errno::check(if done { 0 } else { -error }).map(|_| ())
}

/// The kernel, but for faults that are asked for.
pub struct Fallible;

impl Kernel for Fallible {
    unsafe fn setup(entries: c_uint, params: *mut io_uring_params) -> Ret {
        unsafe { Native::setup(entries, params) }
    }

    unsafe fn enter(
        fd: c_int,
        to_submit: c_uint,
        min_complete: c_uint,
        flags: c_uint,
        arg: *const c_void,
        size: usize,
    ) -> Ret {
        let waits = min_complete != 0 && flags & IORING_ENTER_GETEVENTS != 0;
        let polled = flags & IORING_ENTER_SQ_WAKEUP != 0;
        unsafe {
            match inject::enter(to_submit, waits, polled) {
                Enter::Plain => Native::enter(fd, to_submit, min_complete, flags, arg, size),
                Enter::Fails(error) => error.into(),
                Enter::Takes(count) => Native::enter(fd, count, 0, flags, arg, size),
                Enter::Full(cq) => {
                    let registered = flags & IORING_ENTER_REGISTERED_RING;
                    let taken = inject::full(cq, || {
                        Native::enter(fd, to_submit, 0, registered, ptr::null(), 0)
                    });
                    let all = taken.as_c() as c_uint == to_submit;
                    if all && flags & IORING_ENTER_GETEVENTS != 0 {
                        // What a wait returns after a submission counts for nothing.
                        let _ = Native::enter(fd, 0, min_complete, flags, arg, size);
                    }
                    taken
                }
            }
        }
    }

    unsafe fn register(fd: c_int, opcode: c_uint, arg: *const c_void, nr_args: c_uint) -> Ret {
        unsafe { Native::register(fd, opcode, arg, nr_args) }
    }

    unsafe fn mmap(
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: u64,
    ) -> Result<NonNull<c_void>> {
        if tsan::is_there() {
            // It is not to take this for a use of the descriptor: it does not hear of its end.
            let _unseen = tsan::OwnWork::begin();
            let null = std::ptr::null_mut();
            let at = unsafe { libc::mmap(null, len, prot, flags, fd, offset as libc::off_t) };
            done_by_libc(at != libc::MAP_FAILED)?;
            // The kernel gives no address 0.
            return Ok(NonNull::new(at).unwrap_or(NonNull::dangling()));
        }
        unsafe { Native::mmap(len, prot, flags, fd, offset) }
    }

    unsafe fn munmap(addr: *mut c_void, len: usize) -> Result<()> {
        if tsan::is_there() {
            return done_by_libc(unsafe { libc::munmap(addr, len) } == 0);
        }
        unsafe { Native::munmap(addr, len) }
    }

    unsafe fn madvise(addr: *mut c_void, len: usize, advice: c_int) -> Result<()> {
        unsafe { Native::madvise(addr, len, advice) }
    }

    fn close(fd: c_int) -> Result<()> {
        Native::close(fd)
    }

    fn page_size() -> usize {
        Native::page_size()
    }

    fn thread_id() -> c_uint {
        Native::thread_id()
    }

    fn nofile_limit() -> Result<Limit> {
        Native::nofile_limit()
    }

    fn set_nofile_limit(limit: Limit) -> Result<()> {
        Native::set_nofile_limit(limit)
    }
}
