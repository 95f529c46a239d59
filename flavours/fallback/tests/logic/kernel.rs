//! The kernel that the tests of the logic run on: what `sys.rs` asks for, in this process.
//!
//! Time moves only when somebody waits. There are no threads, so that the thread that enters does everything. A call that
//! is not simulated, and a wait that nothing would end, fail the test.

mod calls;
mod events;
mod state;

use std::ffi::c_int;
use std::rc::Rc;

pub use calls::call;
use state::{Bytes, File, Kernel, with};

/// The tests have no threads but their own.
pub const HAS_THREADS: bool = false;

/// Where the clocks other than the monotonic one stand when that starts.
pub const BOOTTIME_AHEAD: u64 = 1_000_000_000_000;
pub const REALTIME_AHEAD: u64 = 1_700_000_000_000_000_000;

/// A kernel that has not done anything yet.
pub fn reset() {
    with(|kernel| *kernel = Kernel::new());
}

/// What is open and mapped: nothing, once all was given back.
pub fn held() -> (usize, usize) {
    with(|kernel| (kernel.files.len(), kernel.maps.len()))
}

/// The monotonic clock.
pub fn now() -> u64 {
    with(|kernel| kernel.now)
}

/// Lets time pass.
pub fn pass(nanoseconds: u64) {
    with(|kernel| kernel.now += nanoseconds);
}

/// The thread that runs from now on.
pub fn become_thread(number: c_int) {
    with(|kernel| kernel.thread = number);
    // What a thread remembers of itself is no longer true, as after a fork.
    crate::sys::forked();
}

/// The words that were woken since the last look.
pub fn woken() -> Vec<usize> {
    with(|kernel| std::mem::take(&mut kernel.woken))
}

/// From now on there is no memory at this address.
pub fn unmap(address: usize) {
    with(|kernel| kernel.unmapped.push(address));
}

/// The program gives a mapping back.
pub fn unmap_pages(start: usize, size: usize) {
    // SAFETY: a mapping of the program's, which it does not use any more.
    let ret = unsafe { call(libc::SYS_munmap as usize, [start, size, 0, 0, 0, 0]) };
    assert_eq!(ret, 0);
}

/// How many bytes a stream holds before a sender has to wait.
pub fn set_room(bytes: usize) {
    with(|kernel| kernel.room = bytes);
}

/// The limit on descriptors.
pub fn set_limit(limit: u64) {
    with(|kernel| kernel.limit = limit);
}

/// It no longer says whether two descriptors are of one open file, as in most containers.
pub fn refuse_comparison() {
    with(|kernel| kernel.compares = false);
}

/// An eventfd of the program's.
pub fn eventfd() -> c_int {
    with(|kernel| kernel.open(File::Eventfd(0)))
}

/// Two descriptors that are connected.
pub fn stream() -> (c_int, c_int) {
    let (one, other, hung_up) = (Bytes::default(), Bytes::default(), Rc::default());
    let end = |came: &Bytes, goes: &Bytes| File::Stream {
        came: came.clone(),
        goes: goes.clone(),
        hung_up: Rc::clone(&hung_up),
    };
    with(|kernel| {
        let first = kernel.open(end(&one, &other));
        (first, kernel.open(end(&other, &one)))
    })
}

/// A descriptor of a regular file with these bytes.
pub fn disk(bytes: &[u8]) -> c_int {
    with(|kernel| kernel.open(File::Disk(bytes.to_vec())))
}

/// A descriptor of a file that nothing is done with.
pub fn any_file() -> c_int {
    disk(&[])
}

/// The program closes a descriptor, past the library.
pub fn close(fd: c_int) {
    with(|kernel| kernel.files.remove(&fd)).expect("an open descriptor");
}

/// Whether a descriptor is open.
pub fn is_open(fd: c_int) -> bool {
    with(|kernel| kernel.files.contains_key(&fd))
}

/// How many descriptors lead to the same open file as this one.
pub fn names_of(fd: c_int) -> usize {
    with(|kernel| Rc::strong_count(&kernel.files[&fd].file))
}

/// The other end of a stream sends.
pub fn deliver(fd: c_int, bytes: &[u8]) {
    with(|kernel| match &*kernel.files[&fd].file.borrow() {
        File::Stream { came, .. } => came.borrow_mut().extend(bytes),
        _ => panic!("{fd} is no stream"),
    });
}

/// The other end of a stream receives all that was sent.
pub fn collect(fd: c_int) -> Vec<u8> {
    with(|kernel| match &*kernel.files[&fd].file.borrow() {
        File::Stream { goes, .. } => goes.borrow_mut().drain(..).collect(),
        _ => panic!("{fd} is no stream"),
    })
}

/// The other end of a stream is closed.
pub fn hang_up(fd: c_int) {
    with(|kernel| match &*kernel.files[&fd].file.borrow() {
        File::Stream { hung_up, .. } => *hung_up.borrow_mut() = true,
        _ => panic!("{fd} is no stream"),
    });
}

/// An eventfd's count.
pub fn count_of(fd: c_int) -> u64 {
    with(|kernel| match &*kernel.files[&fd].file.borrow() {
        File::Eventfd(count) => *count,
        _ => panic!("{fd} is no eventfd"),
    })
}

/// As `clock_gettime(2)`.
///
/// # Safety
///
/// `time` must be valid.
pub unsafe fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let ahead = match clock {
        libc::CLOCK_MONOTONIC => 0,
        libc::CLOCK_BOOTTIME => BOOTTIME_AHEAD,
        libc::CLOCK_REALTIME => REALTIME_AHEAD,
        other => panic!("clock {other} is not simulated"),
    };
    // SAFETY: says the caller.
    unsafe { time.write(crate::sys::timespec(now() + ahead)) };
    0
}

/// There is no fork here.
///
/// # Safety
///
/// As for libc's.
pub unsafe fn pthread_atfork(
    _: Option<extern "C" fn()>,
    _: Option<extern "C" fn()>,
    _: Option<extern "C" fn()>,
) -> c_int {
    0
}
