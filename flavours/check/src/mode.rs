//! `LIBURING_CHECK`: words with commas between them.

use std::ffi::{CStr, CString, c_char};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::OnceLock;

use crate::rules::Rule;

/// What the environment asks for.
pub struct Mode {
    /// End the program at the first report.
    pub abort: bool,
    /// A line of JSON for each report.
    pub json: bool,
    /// Rings get a proxy.
    pub proxy: bool,
    /// Figures when the program ends.
    pub summary: bool,
    /// The file for reports, in place of standard error.
    pub log: Option<CString>,
    off: u64,
    /// Rules that were asked for by name.
    on: u64,
}

/// The value of a variable. Programs with privileges of their own (setuid) do not let their environment speak.
pub fn variable(name: &CStr) -> Option<&'static [u8]> {
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

static MODE: OnceLock<Mode> = OnceLock::new();

pub fn mode() -> &'static Mode {
    MODE.get_or_init(|| parse(variable(c"LIBURING_CHECK").unwrap_or_default()))
}

fn parse(text: &[u8]) -> Mode {
    let mut mode = Mode {
        abort: false,
        json: false,
        proxy: false,
        summary: false,
        log: None,
        off: Rule::ALL
            .iter()
            .filter(|rule| !rule.is_on())
            .fold(0, |off, rule| off | rule.bit()),
        on: 0,
    };
    for word in text.split(|byte| *byte == b',') {
        match word {
            b"" => {}
            b"abort" => mode.abort = true,
            b"json" => mode.json = true,
            b"proxy" => mode.proxy = true,
            b"summary" => mode.summary = true,
            _ => {
                let known = if let Some(file) = word.strip_prefix(b"log=") {
                    mode.log = absolute(file);
                    true
                } else if let Some(name) = word.strip_prefix(b"off=") {
                    switch(name, |bit| mode.off |= bit)
                } else if let Some(name) = word.strip_prefix(b"on=") {
                    switch(name, |bit| {
                        mode.off &= !bit;
                        mode.on |= bit;
                    })
                } else {
                    false
                };
                if !known {
                    crate::output::say(&format!(
                        "liburing-check: LIBURING_CHECK: \"{}\" is unknown\n",
                        String::from_utf8_lossy(word)
                    ));
                }
            }
        }
    }
    mode
}

/// A file's path from the root on: the program may change its directory.
pub fn absolute(file: &[u8]) -> Option<CString> {
    let relative = std::path::Path::new(std::ffi::OsStr::from_bytes(file));
    let path = std::path::absolute(relative)
        .map_or_else(|_| file.to_vec(), |path| path.into_os_string().into_vec());
    // The environment has no zero in it.
    CString::new(path).ok()
}

fn switch(name: &[u8], mut set: impl FnMut(u64)) -> bool {
    let mut known = false;
    for rule in Rule::ALL {
        if name == b"all" || name == rule.name().as_bytes() {
            set(rule.bit());
            known = true;
        }
    }
    known
}

impl Mode {
    pub fn heeds(&self, rule: Rule) -> bool {
        self.off & rule.bit() == 0
    }

    #[inline]
    pub fn heeds_any(&self, rules: &[Rule]) -> bool {
        let all = rules.iter().fold(0, |all, rule| all | rule.bit());
        !self.off & all != 0
    }

    /// Whether a rule was asked for by name.
    pub fn asks(&self, rule: Rule) -> bool {
        self.on & rule.bit() != 0
    }
}
