//! Reports: what, which request, where, what to do.

use std::fmt::Write;

use crate::mode::mode;
use crate::ops;
use crate::output;
use crate::place::{self, Place};
use crate::process::Uncancelled;
use crate::request::Request;
use crate::rules::Rule;

/// A rule that was broken.
pub struct Report<'a> {
    pub rule: Rule,
    pub what: String,
    pub request: Option<&'a Request>,
    /// The call that showed it.
    pub place: Place,
    /// Says in the text what the program did at `place`.
    pub doing: &'a str,
}

/// What the program did where a report shows at once.
const SUBMITTED: &str = "submitted";

/// A report that is to be written.
pub struct Pending {
    pub rule: Rule,
    pub what: String,
    pub request: Option<Request>,
    /// The calls that led to the request.
    pub submitted: Vec<usize>,
    pub place: Place,
    /// The calls that led to `place`, if it is known that the thread is elsewhere.
    pub at: Option<Vec<usize>>,
    pub doing: String,
}

impl Pending {
    /// The calls that led to the one that showed it.
    fn calls(&self) -> Vec<usize> {
        let at = self.at.clone();
        at.unwrap_or_else(|| place::callers(self.place))
    }
}

/// Where reports go.
fn put(text: &str) {
    output::append(mode().log.as_deref(), text);
}

fn colour() -> bool {
    // SAFETY: looks at a descriptor.
    mode().log.is_none() && unsafe { libc::isatty(output::STDERR) } == 1
}

/// Writes reports. What is known of the process is not locked meanwhile: names of functions are asked of the dynamic
/// linker, which may wait for a thread that gives memory up.
pub fn write_all(pending: Vec<Pending>) {
    let _whole = Uncancelled::begin();
    for report in &pending {
        put(&if mode().json {
            as_json(report)
        } else {
            as_text(report)
        });
    }
    // What was read of the program's files is large, and seldom needed again.
    backtrace::clear_symbol_cache();
    if mode().abort {
        // SAFETY: ends the program, as was asked for.
        unsafe { libc::abort() }
    }
}

/// `READ, user_data 0x25, descriptor 5 (/etc/passwd)`.
fn describe(request: &Request) -> String {
    let mut text = format!(
        "{}, user_data {:#x}",
        ops::name(request.sqe.opcode),
        request.sqe.user_data
    );
    if let Some(fd) = request.descriptor() {
        let _ = write!(text, ", descriptor {fd}");
        if let Ok(path) = std::fs::read_link(format!("/proc/self/fd/{fd}")) {
            let _ = write!(text, " ({})", path.display());
        }
    } else if let Some(slot) = request.file_slot() {
        let _ = write!(text, ", registered file {slot}");
    }
    text
}

fn page(report: &Pending) -> String {
    match (report.rule.page(), &report.request) {
        ("", Some(request)) => ops::page(request.sqe.opcode),
        (page, _) => page.into(),
    }
}

fn as_text(report: &Pending) -> String {
    let (strong, plain) = if colour() {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    let mut text = format!(
        "{strong}liburing-check: {}{plain} [{}]\n",
        report.what,
        report.rule.name()
    );
    if let Some(request) = &report.request {
        let _ = writeln!(text, "    request: {}", describe(request));
        if report.doing != SUBMITTED {
            let _ = writeln!(text, "    {SUBMITTED} at:");
            lines(&mut text, &report.submitted);
        }
    }
    if report.place.return_address != 0 {
        let _ = writeln!(text, "    {} at:", report.doing);
        lines(&mut text, &report.calls());
    }
    let _ = writeln!(text, "    do: {}", report.rule.advice());
    let _ = writeln!(
        text,
        "    read: {}; not wanted: LIBURING_CHECK=off={}",
        page(report),
        report.rule.name()
    );
    text
}

fn lines(text: &mut String, addresses: &[usize]) {
    for address in addresses {
        for named in place::names(*address) {
            let _ = writeln!(text, "        {named}");
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", control as u32);
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn as_json(report: &Pending) -> String {
    let mut text = format!(
        "{{\"rule\":{},\"what\":{}",
        quoted(report.rule.name()),
        quoted(&report.what)
    );
    if let Some(request) = &report.request {
        let _ = write!(
            text,
            ",\"request\":{},\"opcode\":{},\"user_data\":{},\"fd\":{},\"submitted\":{}",
            quoted(&describe(request)),
            quoted(&ops::name(request.sqe.opcode)),
            request.sqe.user_data,
            request.sqe.fd,
            places(&report.submitted)
        );
    }
    let _ = writeln!(
        text,
        ",\"doing\":{},\"where\":{},\"do\":{},\"read\":{}}}",
        quoted(&report.doing),
        places(&report.calls()),
        quoted(report.rule.advice()),
        quoted(&page(report))
    );
    text
}

fn places(addresses: &[usize]) -> String {
    let named = addresses.iter().flat_map(|address| place::names(*address));
    let quoted: Vec<_> = named.map(|named| quoted(&named.to_string())).collect();
    format!("[{}]", quoted.join(","))
}

/// Figures of the process, when it ends.
pub fn summary(text: &str) {
    put(text);
}

/// This process is the child of a fork, and does not look. It takes no memory: the heap may be a thread's that is not there.
pub fn note_unwatched() {
    macro_rules! text {
        () => {
            "this process was forked while another thread was in the middle of a call: it is not looked at"
        };
    }
    put(if mode().json {
        concat!("{\"note\":\"", text!(), "\"}\n")
    } else {
        concat!("liburing-check: ", text!(), "\n")
    });
}

/// A line that is no report.
pub fn note(text: &str) {
    put(&if mode().json {
        format!("{{\"note\":{}}}\n", quoted(text))
    } else {
        format!("liburing-check: {text}\n")
    });
}
