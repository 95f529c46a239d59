//! `LIBURING_TRACE`: a line for each completion, as this library sees it.
//!
//! Lines are collected, and written when there are many, when a ring is given up, and at the end of the process.

use std::ffi::CString;
use std::fmt::Write;
use std::sync::OnceLock;

use uring_core::abi::*;

use crate::mode;
use crate::ops;
use crate::output;
use crate::request::Request;

/// What is asked for.
struct Wanted {
    json: bool,
    file: Option<CString>,
}

static WANTED: OnceLock<Option<Wanted>> = OnceLock::new();

fn wanted() -> Option<&'static Wanted> {
    WANTED
        .get_or_init(|| {
            let text = mode::variable(c"LIBURING_TRACE").filter(|text| !text.is_empty())?;
            let mut wanted = Wanted {
                json: false,
                file: None,
            };
            for word in text.split(|byte| *byte == b',') {
                match word {
                    b"json" => wanted.json = true,
                    b"1" => {}
                    file => wanted.file = mode::absolute(file),
                }
            }
            Some(wanted)
        })
        .as_ref()
}

/// Reads the variable, when the library is loaded.
pub fn prepare() {
    wanted();
}

/// Whether there is a trace.
pub fn is_on() -> bool {
    wanted().is_some()
}

/// Now, in nanoseconds, if there is a trace; else 0.
pub fn now() -> u64 {
    if wanted().is_none() { 0 } else { clock() }
}

/// The monotonic clock, in nanoseconds.
pub fn clock() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the C library writes `time`.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Lines that are not written yet.
pub struct Trace {
    lines: String,
}

impl Trace {
    pub const fn new() -> Trace {
        Trace {
            lines: String::new(),
        }
    }

    /// Notes a CQE: its `user_data`, result and flags. `request` is what it belongs to, if that is known.
    #[inline]
    pub fn completed(&mut self, ring: i32, request: Option<&Request>, cqe: (u64, i32, u32)) {
        if let Some(wanted) = wanted() {
            self.note(wanted, ring, request, cqe);
        }
    }

    fn note(
        &mut self,
        wanted: &Wanted,
        ring: i32,
        request: Option<&Request>,
        cqe: (u64, i32, u32),
    ) {
        const FULL: usize = 32 << 10;
        let (user_data, res, flags) = cqe;
        let now = now();
        let after = request
            .filter(|request| request.time != 0)
            .map(|request| now.saturating_sub(request.time));
        let (name, fd) = request.map_or_else(
            || ("?".into(), None),
            |request| (ops::name(request.opcode()), request.descriptor()),
        );
        let seconds = format!("{}.{:09}", now / 1_000_000_000, now % 1_000_000_000);
        let to = &mut self.lines;
        // Writing to a string does not fail.
        let _ = if wanted.json {
            let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".into());
            writeln!(
                to,
                "{{\"time\":{seconds},\"ring\":{ring},\"opcode\":\"{name}\",\"user_data\":{user_data},\"fd\":{},\"res\":{res},\"flags\":{flags},\"ns\":{}}}",
                or_null(fd.map(|fd| fd.to_string())),
                or_null(after.map(|after| after.to_string())),
            )
        } else {
            let _ = write!(to, "{seconds} ring {ring} {name} user_data {user_data:#x}");
            if let Some(fd) = fd {
                let _ = write!(to, " fd {fd}");
            }
            let _ = write!(to, " = {res}");
            if let Some(after) = after {
                let _ = write!(to, " after {}.{:03} us", after / 1000, after % 1000);
            }
            if flags & IORING_CQE_F_MORE != 0 {
                let _ = write!(to, ", more to come");
            }
            if flags & IORING_CQE_F_BUFFER != 0 {
                let _ = write!(to, ", buffer {}", flags >> IORING_CQE_BUFFER_SHIFT);
            }
            writeln!(to)
        };
        if self.lines.len() > FULL {
            self.flush();
        }
    }

    /// Writes what there is.
    pub fn flush(&mut self) {
        if let Some(wanted) = wanted().filter(|_| !self.lines.is_empty()) {
            output::append(wanted.file.as_deref(), &self.lines);
            self.lines.clear();
        }
    }

    /// In the child of a fork: the parent writes these.
    pub fn forget(&mut self) {
        self.lines.clear();
    }
}
