//! What the user asks for in the environment, and the one line that says what is done.

use std::borrow::Cow;
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

/// `LIBURING_FALLBACK`, read once: at the first ring, or, where a filter is asked for, when the library is loaded. That is
/// when values that nobody knows are told of.
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
    // Relaxed: nothing else is published with it, and of the threads that come here one alone takes the place of UNREAD.
    if MODE.swap(number, Ordering::Relaxed) == UNREAD {
        for (name, known) in KNOWN {
            tell_of_unknown(name, known);
        }
    }
    mode
}

/// The variables, and the values that each may have. Without hooks there is no SIGSYS.
const KNOWN: &[(&CStr, &[&str])] = &[
    (c"LIBURING_FALLBACK", &["auto", "always", "never"]),
    (c"LIBURING_FALLBACK_VERBOSE", &["0", "1"]),
    #[cfg(feature = "hooks")]
    (c"LIBURING_FALLBACK_SIGSYS", &["0", "1"]),
];

/// One line of a variable whose value is none of those known. It counts as unset, and so does an empty one.
fn tell_of_unknown(name: &CStr, known: &[&str]) {
    let Some(value) = variable(name).filter(|value| !value.is_empty()) else {
        return;
    };
    if known.iter().any(|one| one.as_bytes() == value) {
        return;
    }
    write(&format!(
        "{}={:?} is unknown and counts as unset; known values: {}",
        name.to_string_lossy(),
        String::from_utf8_lossy(value),
        known.join(", ")
    ));
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
        "LIBURING_FALLBACK_SIGSYS=1: {what} ({})",
        error_name(errno)
    ));
}

/// What the manual calls an error that a refusal has, else its number.
fn error_name(errno: c_int) -> Cow<'static, str> {
    macro_rules! names {
        ($($name:ident)*) => {
            match errno {
                $(libc::$name => stringify!($name).into(),)*
                other => format!("errno {other}").into(),
            }
        };
    }
    names!(EPERM ENOSYS EACCES EOPNOTSUPP EINVAL ENOMEM EFAULT ESRCH)
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
        Some(errno) => format!("the kernel refuses io_uring_setup ({})", error_name(errno)),
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
