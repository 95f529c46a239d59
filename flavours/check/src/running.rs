//! The kernel that runs.

use std::ffi::CStr;
use std::sync::OnceLock;

/// `6.18.44`. Empty if it does not say.
pub fn release() -> String {
    // SAFETY: a structure of letters, for which zeros are a value. The kernel fills it in, each name with its end.
    unsafe {
        let mut names: libc::utsname = std::mem::zeroed();
        if libc::uname(&raw mut names) != 0 {
            return String::new();
        }
        let release = CStr::from_ptr(names.release.as_ptr());
        release.to_string_lossy().into_owned()
    }
}

/// The first two numbers of a release.
fn version(release: &str) -> Option<(u32, u32)> {
    let (first, rest) = release.split_once('.')?;
    let second = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

/// Whether the kernel is newer than this one. Where it does not say, it may be.
pub fn is_after(other: (u32, u32)) -> bool {
    static RUNNING: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    let running = RUNNING.get_or_init(|| version(&release()));
    running.is_none_or(|running| running > other)
}
