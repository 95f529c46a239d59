//! What the user asks for in the environment, and the one line that says what is done.

use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::sys::sys;

/// When rings are emulated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Where the kernel refuses io_uring.
    Auto,
    /// Always: the kernel is not asked.
    Always,
    /// Never: what the kernel says counts.
    Never,
}

const UNREAD: u8 = u8::MAX;
static MODE: AtomicU8 = AtomicU8::new(UNREAD);
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// The value of a variable. A program with privileges of its own (setuid) ignores its environment.
fn variable(name: &CStr) -> Option<&'static [u8]> {
    unsafe extern "C" {
        fn secure_getenv(name: *const c_char) -> *const c_char;
    }
    // SAFETY: a string with its end. The result is the environment's, which stays until the program changes it; it is
    // read at once.
    unsafe {
        let value = secure_getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_bytes())
    }
}

/// `LIBURING_FALLBACK`, read once.
pub fn mode() -> Mode {
    // Relaxed: every thread that finds it unset stores the same value.
    match MODE.load(Ordering::Relaxed) {
        0 => return Mode::Auto,
        1 => return Mode::Always,
        2 => return Mode::Never,
        _ => {}
    }
    let (mode, number) = match variable(c"LIBURING_FALLBACK") {
        Some(b"always") => (Mode::Always, 1),
        Some(b"never") => (Mode::Never, 2),
        _ => (Mode::Auto, 0),
    };
    MODE.store(number, Ordering::Relaxed);
    mode
}

/// `LIBURING_FALLBACK_SIGSYS`.
#[cfg(feature = "hooks")]
pub fn asks_for_sigsys() -> bool {
    variable(c"LIBURING_FALLBACK_SIGSYS") == Some(b"1")
}

/// Says that `LIBURING_FALLBACK_SIGSYS=1` cannot be done.
#[cfg(feature = "hooks")]
pub fn complain(what: &str, errno: c_int) {
    write(&format!(
        "LIBURING_FALLBACK_SIGSYS=1: {what} (errno {errno})"
    ));
}

fn write(what: &str) {
    let line = format!("liburing-fallback: {what}\n");
    // SAFETY: the kernel reads the line. That it may not be written is no reason to stop.
    unsafe { sys!(SYS_write, 2, line.as_ptr(), line.len()) };
}

/// With `LIBURING_FALLBACK_VERBOSE=1`: one line to standard error, at the first ring that is emulated.
pub fn say(refusal: Option<c_int>) {
    if ACTIVE.swap(true, Ordering::Relaxed) || variable(c"LIBURING_FALLBACK_VERBOSE") != Some(b"1")
    {
        return;
    }
    let why = match refusal {
        Some(errno) => format!("the kernel refuses io_uring_setup (errno {errno})"),
        None => "LIBURING_FALLBACK=always".into(),
    };
    write(&format!("serving io_uring from user space: {why}"));
}

/// 1 once a ring of this process has been emulated, else 0.
#[unsafe(no_mangle)]
pub extern "C" fn liburing_fallback_active() -> c_int {
    is_active().into()
}

/// Whether a ring of this process has been emulated.
pub fn is_active() -> bool {
    // Relaxed: a program asks after it has made a ring.
    ACTIVE.load(Ordering::Relaxed)
}
