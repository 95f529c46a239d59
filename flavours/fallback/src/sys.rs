//! Bare system calls.
//!
//! The emulator must not call the libc functions that the hooks replace: it would call itself.

use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(test)]
use crate::tests::kernel as system;

/// What lies outside of the process. The tests of the logic have a simulated kernel in its place.
#[cfg(not(test))]
mod system {
    pub use libc::{clock_gettime, pthread_atfork};
    use uring_core::kernel::Native;

    /// Whether threads can be made at all.
    pub const HAS_THREADS: bool = true;

    /// # Safety
    ///
    /// As for `sys::call`.
    #[inline(always)]
    pub unsafe fn call(number: usize, args: [usize; 6]) -> isize {
        // SAFETY: passed on to the caller.
        unsafe { Native::call(number, args) }
    }
}

/// Any system call; the kernel's return value.
///
/// # Safety
///
/// The arguments must be what the call asks for, and its effects must be sound.
pub unsafe fn call(number: libc::c_long, args: [usize; 6]) -> isize {
    // SAFETY: passed on to the caller.
    unsafe { system::call(number as usize, args) }
}

/// `sys!(SYS_read, fd, address, length)`: a system call, each argument as a word. Negative: the error number.
macro_rules! sys {
    ($name:ident $(, $arg:expr)*) => { $crate::sys::padded(libc::$name, &[$($arg as usize),*]) };
}
pub(crate) use sys;

/// A system call with fewer than six arguments.
///
/// # Safety
///
/// As for [`call`].
#[inline(always)]
pub unsafe fn padded(number: libc::c_long, given: &[usize]) -> isize {
    let mut args = [0; 6];
    for (to, from) in args.iter_mut().zip(given) {
        *to = *from;
    }
    // SAFETY: passed on to the caller.
    unsafe { call(number, args) }
}

/// The descriptor of a mapping of no file.
pub const NO_FILE: usize = usize::MAX;

/// The most bytes that one call transfers, and so one request.
pub const MOST_BYTES: usize = 0x7fff_f000;

/// `close`, past the hook.
pub fn close(fd: c_int) -> c_int {
    // SAFETY: closing touches no memory; whose descriptor it is, the callers know.
    unsafe { sys!(SYS_close, fd) as c_int }
}

/// A non-blocking eventfd that a new program does not inherit.
pub fn eventfd() -> c_int {
    // SAFETY: no memory is named.
    unsafe { sys!(SYS_eventfd2, 0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) as c_int }
}

/// Adds one to an eventfd.
pub fn eventfd_write(fd: c_int) {
    let one = 1u64;
    // SAFETY: the kernel reads the eight bytes of `one`. A failure means that the eventfd is full, so set already.
    unsafe { sys!(SYS_write, fd, &raw const one, 8) };
}

/// Empties an eventfd.
pub fn eventfd_read(fd: c_int) {
    let mut count = 0u64;
    // SAFETY: the kernel writes the eight bytes of `count`. A failure means that it is empty already.
    unsafe { sys!(SYS_read, fd, &raw mut count, 8) };
}

/// Waits for events on descriptors at most so long. Returns how many have some, or a negative error number.
pub fn poll(slots: &mut [libc::pollfd], nanoseconds: u64) -> c_int {
    let time = timespec(nanoseconds);
    let (at, count) = (slots.as_mut_ptr(), slots.len());
    // SAFETY: so many slots, and a time on this stack.
    unsafe { sys!(SYS_ppoll, at, count, &raw const time, 0, 0) as c_int }
}

/// Which events a descriptor has now, of those asked for. Negative: an error number.
pub fn poll_now(fd: c_int, events: i16) -> c_int {
    if fd < 0 {
        // Which `ppoll` passes over.
        return -libc::EBADF;
    }
    let mut slot = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    match poll(std::slice::from_mut(&mut slot), 0) {
        error @ ..0 => error,
        _ if slot.revents & libc::POLLNVAL != 0 => -libc::EBADF,
        _ => c_int::from(slot.revents as u16),
    }
}

/// Sleeps while `word` holds `expected`, until the absolute time if there is one.
///
/// `FUTEX_WAIT` without a time swallows signals whose handlers restart calls, so there is always one.
pub fn futex_wait(
    word: &AtomicU32,
    expected: u32,
    shared: bool,
    until: Option<(libc::timespec, bool)>,
) -> c_int {
    let (time, realtime) = until.unwrap_or_else(|| {
        let mut far = now(libc::CLOCK_MONOTONIC);
        far.tv_sec = far.tv_sec.saturating_add(1_000_000);
        (far, false)
    });
    let mut op = libc::FUTEX_WAIT_BITSET;
    op |= if shared { 0 } else { libc::FUTEX_PRIVATE_FLAG };
    op |= if realtime {
        libc::FUTEX_CLOCK_REALTIME
    } else {
        0
    };
    // SAFETY: the word is borrowed, the time is on this stack.
    unsafe {
        sys!(
            SYS_futex,
            word.as_ptr(),
            op,
            expected,
            &raw const time,
            0,
            u32::MAX
        ) as c_int
    }
}

/// Wakes up to `count` sleepers on `word`. Returns how many it were.
pub fn futex_wake(word: &AtomicU32, shared: bool, count: c_int) -> c_int {
    let op = libc::FUTEX_WAKE | if shared { 0 } else { libc::FUTEX_PRIVATE_FLAG };
    // SAFETY: the word is borrowed, and not written.
    unsafe { sys!(SYS_futex, word.as_ptr(), op, count) as c_int }
}

/// Lets another thread run.
pub fn give_way() {
    // SAFETY: no memory is named.
    unsafe { sys!(SYS_sched_yield) };
}

/// The time of a clock.
pub fn now(clock: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: libc writes `time`. The clocks asked for are always there.
    unsafe { system::clock_gettime(clock, &raw mut time) };
    time
}

/// Nanoseconds of a time.
pub fn nanoseconds(time: &libc::timespec) -> u64 {
    (time.tv_sec as u64)
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec as u64)
}

/// The monotonic clock in nanoseconds.
pub fn monotonic() -> u64 {
    nanoseconds(&now(libc::CLOCK_MONOTONIC))
}

/// A time of so many nanoseconds.
pub fn timespec(nanoseconds: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as libc::time_t,
        tv_nsec: (nanoseconds % 1_000_000_000) as libc::c_long,
    }
}

/// Forks that lie between the first process that loaded the library and this one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// In the child of a fork: what threads remember of themselves is the parent's.
pub fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// The calling thread's number.
pub fn thread() -> c_int {
    thread_local! {
        static REMEMBERED: Cell<(u32, c_int)> = const { Cell::new((0, 0)) };
    }
    // Relaxed: changes only where there is one thread.
    let forks = FORKS.load(Ordering::Relaxed);
    REMEMBERED.with(|remembered| match remembered.get() {
        (at, thread) if at == forks && thread != 0 => thread,
        _ => {
            // SAFETY: no memory is named.
            let thread = unsafe { sys!(SYS_gettid) as c_int };
            remembered.set((forks, thread));
            thread
        }
    })
}

/// The calling process's number. A system call.
pub fn process() -> c_int {
    // SAFETY: no memory is named.
    unsafe { sys!(SYS_getpid) as c_int }
}

/// The flags with which a file is open, or a negative error number.
pub fn open_flags(fd: c_int) -> c_int {
    // SAFETY: no memory is named.
    unsafe { sys!(SYS_fcntl, fd, libc::F_GETFL) as c_int }
}

/// From this number on the library keeps descriptors of its own: programs use the lower ones, and may close one of these
/// once too often.
pub const APART: c_int = 512;

/// Moves a descriptor of the library's own out of the program's way, where the limit on descriptors allows. Passes a
/// negative error number on.
pub fn apart(fd: c_int) -> c_int {
    if fd < 0 {
        return fd;
    }
    let copy = duplicate(fd, APART);
    if copy < 0 {
        return fd;
    }
    close(fd);
    copy
}

/// Has the kernel make room for the numbers of the library's own. Later, when there are threads, that takes it many
/// milliseconds: it waits for each processor.
pub fn make_room(fd: c_int) {
    let copy = duplicate(fd, APART);
    if copy >= 0 {
        close(copy);
    }
}

/// A duplicate that a new program does not inherit, numbered from `least` on.
pub fn duplicate(fd: c_int, least: c_int) -> c_int {
    // SAFETY: no memory is named.
    let copy = unsafe { sys!(SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, least) as c_int };
    if copy == -libc::EINVAL && least > 0 {
        // `least` lies beyond the limit on descriptors.
        return duplicate(fd, 0);
    }
    copy
}

/// What is known of an open file.
fn stat(fd: c_int) -> Option<libc::stat> {
    // SAFETY: a structure of plain numbers, for which zero bytes are a value.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes `stat`, which on these architectures is laid out as its own structure.
    let ret = unsafe { sys!(SYS_fstat, fd, &raw mut stat) };
    (ret == 0).then_some(stat)
}

/// What kind of file a descriptor is (`S_IFMT` of its mode), or a negative error number.
pub fn file_type(fd: c_int) -> c_int {
    stat(fd).map_or(-libc::EBADF, |stat| (stat.st_mode & libc::S_IFMT) as c_int)
}

/// Whether a file lies in memory (tmpfs), which never makes a caller wait for a device.
pub fn in_memory(fd: c_int) -> bool {
    const TMPFS_MAGIC: u64 = 0x0102_1994;
    const HUGETLBFS_MAGIC: u64 = 0x9584_58f6;
    // SAFETY: a structure of plain numbers, for which zero bytes are a value.
    let mut stat: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes `stat`, which on these architectures is laid out as its own structure.
    let ret = unsafe { sys!(SYS_fstatfs, fd, &raw mut stat) };
    ret == 0 && matches!(stat.f_type as u64, TMPFS_MAGIC | HUGETLBFS_MAGIC)
}

/// Runs `start` with all signals blocked, so that a thread it makes has them blocked for ever.
pub fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    let (all, mut before) = (u64::MAX, 0u64);
    // SAFETY: signal sets of the kernel's eight bytes, on this stack.
    unsafe {
        sys!(
            SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const all,
            &raw mut before,
            8
        )
    };
    let result = start();
    // SAFETY: as above.
    unsafe {
        sys!(
            SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const before,
            0,
            8
        )
    };
    result
}

/// The bytes of a thread's stack.
const STACK: usize = 256 * 1024;

/// Whether threads can be made. Makes one, on a stack that does not stay as those of other threads do.
pub fn can_spawn() -> bool {
    if !system::HAS_THREADS {
        return false;
    }
    extern "C" fn nothing(unused: *mut c_void) -> *mut c_void {
        unused
    }
    let how = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a mapping of its own, which only the thread uses, and which is gone after it. The handle is of the thread
    // that was made.
    unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let stack = sys!(SYS_mmap, 0, STACK, access, how, NO_FILE, 0);
        if stack < 0 {
            return false;
        }
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        libc::pthread_attr_init(&raw mut attributes);
        let at = std::ptr::with_exposed_provenance_mut(stack as usize);
        libc::pthread_attr_setstack(&raw mut attributes, at, STACK);
        let mut thread: libc::pthread_t = std::mem::zeroed();
        let made = with_signals_blocked(|| {
            libc::pthread_create(
                &raw mut thread,
                &raw const attributes,
                nothing,
                std::ptr::null_mut(),
            )
        }) == 0;
        if made {
            libc::pthread_join(thread, std::ptr::null_mut());
        }
        libc::pthread_attr_destroy(&raw mut attributes);
        sys!(SYS_munmap, stack, STACK);
        made
    }
}

/// Starts a thread of the library's. `false`: none can be made.
pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> bool {
    let thread = std::thread::Builder::new()
        .name(name.into())
        .stack_size(STACK);
    system::HAS_THREADS && with_signals_blocked(|| thread.spawn(run)).is_ok()
}

/// Processors that the process may run on.
pub fn processors() -> c_uint {
    let mut mask = [0u64; 128];
    // SAFETY: the kernel writes at most the size of `mask`. Not through libc or Rust's library: they open and close files,
    // and closing is hooked.
    let ret = unsafe {
        sys!(
            SYS_sched_getaffinity,
            0,
            size_of_val(&mask),
            mask.as_mut_ptr()
        )
    };
    if ret <= 0 {
        1
    } else {
        mask.iter()
            .map(|word| word.count_ones())
            .sum::<c_uint>()
            .max(1)
    }
}

/// What tells one open file from another, as far as that can be seen: device, inode, and whether it reads or writes.
pub fn identity(fd: c_int) -> Option<(u64, u64, c_int)> {
    let access = |stat: libc::stat| (stat.st_dev, stat.st_ino, open_flags(fd) & libc::O_ACCMODE);
    stat(fd).map(access)
}

/// Whether two descriptors are of one open file. `None`: the kernel does not say, as in most containers.
pub fn are_one(one: c_int, other: c_int) -> Option<bool> {
    const KCMP_FILE: c_int = 0;
    let this = process();
    // SAFETY: two descriptors of this process; no memory is named.
    let order = unsafe { sys!(SYS_kcmp, this, this, KCMP_FILE, one, other) };
    (order >= 0).then_some(order == 0)
}

/// Whether two descriptors with the same [`identity`] are of one open file, and not of two that the same inode has.
pub fn is_one_open_file(one: c_int, other: c_int) -> bool {
    // All files that have no name share an inode: unless the kernel says, two numbers of those are two files.
    one == other || are_one(one, other).unwrap_or_else(|| file_type(one) != 0)
}

/// Bytes in a page.
pub fn page_size() -> usize {
    // SAFETY: no memory is named.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// The limit on descriptors in force.
pub fn descriptor_limit() -> u64 {
    // The one in force, and the most that the process may set.
    let mut limit = [0u64; 2];
    // SAFETY: 0 is this process. Nothing is set, and the kernel writes two numbers.
    let ret = unsafe { sys!(SYS_prlimit64, 0, libc::RLIMIT_NOFILE, 0, limit.as_mut_ptr()) };
    if ret == 0 { limit[0] } else { 1024 }
}

/// Has functions called around each fork.
pub fn at_fork(prepare: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: three functions that stay where they are, since the library is never unloaded.
    unsafe { system::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Refuses null, and what is close to it: in the first page there is no memory.
pub fn not_null<T>(at: *const T) -> Result<(), c_int> {
    const FIRST_PAGE: usize = 4096;
    if at.addr() < FIRST_PAGE {
        Err(-libc::EFAULT)
    } else {
        Ok(())
    }
}

/// Whether there is memory at all of these addresses. It need not be there to be read or written.
pub fn is_mapped(start: usize, length: usize) -> bool {
    const MOST: usize = 1024;
    let Some(end) = start.checked_add(length) else {
        return false;
    };
    let mut at = start & !(page_size() - 1);
    let mut resident = [0u8; MOST];
    while at < end {
        let next = end.min(at.saturating_add(MOST * page_size()));
        // Of the calls that look at mappings and do nothing else, Valgrind takes this one for no access. Only one error
        // says that there is no memory: a filter's are others.
        // SAFETY: it has a byte for each page. No other memory is touched.
        if unsafe { sys!(SYS_mincore, at, next - at, resident.as_mut_ptr()) }
            == -libc::ENOMEM as isize
        {
            return false;
        }
        at = next;
    }
    true
}
