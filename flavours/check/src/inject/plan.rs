//! What `LIBURING_CHECK_INJECT` asks for, and the decisions.
//!
//! A word is a kind with its probability, and perhaps conditions: `short=0.5@op=READ@path=*.db`. A kind without
//! conditions has one probability, that of its last word. Each word with conditions counts what it applies to.

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use uring_core::abi::*;

use crate::mode;
use crate::ops;

macro_rules! kinds {
    ($($variant:ident $name:literal $text:literal;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Kind { $(#[doc = $text] $variant,)* }

        const KINDS: &[(Kind, &str)] = &[$((Kind::$variant, $name)),*];
    };
}

kinds! {
    Short "short" "A read, write, send or receive transfers only a part.";
    Eintr "eintr" "A request or a wait is interrupted.";
    Eagain "eagain" "A request or a submission finds no resources.";
    Ebusy "ebusy" "A submission is refused until completions are taken.";
    Canceled "ecanceled" "A request is cancelled.";
    Enobufs "enobufs" "A request finds no provided buffer.";
    Eio "eio" "A request meets a device that fails.";
    Enospc "enospc" "A write finds no room.";
    Partial "partial" "A submission takes only a part of the SQEs, and the SQ stays full.";
    Full "full-cq" "Completions find no room in the CQ, and wait beside it.";
    Ends "multishot-ends" "A multishot request completes once.";
    Reorder "reorder" "A request goes to a worker, so others overtake it.";
}

/// What a fault may happen to.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    Request(&'a io_uring_sqe),
    /// A call that submits.
    Submission,
    /// A call that waits.
    Wait,
}

/// What the condition `op=` names.
#[derive(PartialEq, Eq, Debug)]
enum On {
    Opcode(u8),
    Submission,
    Wait,
}

/// A word with conditions.
#[derive(Debug)]
struct Rule {
    kind: Kind,
    chance: u32,
    on: Option<On>,
    fd: Option<i32>,
    user_data: Option<u64>,
    path: Option<Vec<u8>>,
    /// Only the one of this number, from 1.
    nth: Option<u64>,
    /// Only those whose number is a multiple.
    every: Option<u64>,
    /// How many there were for which the other conditions hold.
    met: AtomicU64,
}

struct Plan {
    /// Of 2^32.
    chance: [u32; KINDS.len()],
    rules: Vec<Rule>,
    done: [AtomicU64; KINDS.len()],
}

static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

fn plan() -> Option<&'static Plan> {
    const NAME: &CStr = c"LIBURING_CHECK_INJECT";
    PLAN.get_or_init(|| mode::variable(NAME).and_then(parse))
        .as_ref()
}

/// Whether any fault is asked for.
pub fn is_on() -> bool {
    plan().is_some()
}

fn parse(text: &[u8]) -> Option<Plan> {
    let mut plan = Plan {
        chance: [0; KINDS.len()],
        rules: Vec::new(),
        done: [const { AtomicU64::new(0) }; KINDS.len()],
    };
    let text = String::from_utf8_lossy(text);
    for word in text.split(',').filter(|word| !word.is_empty()) {
        if plan.add(word).is_none() {
            crate::output::say(&format!(
                "liburing-check: LIBURING_CHECK_INJECT: \"{word}\" is unknown\n"
            ));
        }
    }
    let any = plan.chance.iter().any(|chance| *chance != 0) || !plan.rules.is_empty();
    any.then_some(plan)
}

impl Plan {
    /// None if the word is unknown.
    fn add(&mut self, word: &str) -> Option<()> {
        let mut parts = word.split('@');
        let first = parts.next()?;
        let (name, value) = first.split_once('=').unwrap_or((first, ""));
        if name == "seed" {
            SEQUENCE.store(value.parse().ok()?, Ordering::Relaxed);
            return Some(());
        }
        let conditions: Vec<&str> = parts.collect();
        let chance: f64 = match value {
            "" if !conditions.is_empty() => 1.0,
            _ => value.parse().ok()?,
        };
        if !(0.0..=1.0).contains(&chance) {
            return None;
        }
        let chance = (chance * f64::from(u32::MAX)) as u32;
        let mut known = None;
        for ((kind, kind_name), slot) in KINDS.iter().zip(&mut self.chance) {
            if name != "all" && name != *kind_name {
                continue;
            }
            known = Some(());
            if conditions.is_empty() {
                *slot = chance;
            } else {
                self.rules.push(Rule::new(*kind, chance, &conditions)?);
            }
        }
        known
    }
}

/// A number, also with `0x` before it.
fn number(text: &str) -> Option<u64> {
    text.strip_prefix("0x").map_or_else(
        || text.parse().ok(),
        |digits| u64::from_str_radix(digits, 16).ok(),
    )
}

impl Rule {
    fn new(kind: Kind, chance: u32, conditions: &[&str]) -> Option<Rule> {
        let mut rule = Rule {
            kind,
            chance,
            on: None,
            fd: None,
            user_data: None,
            path: None,
            nth: None,
            every: None,
            met: AtomicU64::new(0),
        };
        for condition in conditions {
            let (name, value) = condition.split_once('=')?;
            match name {
                "op" => rule.on = Some(named(value)?),
                "fd" => rule.fd = Some(value.parse().ok()?),
                "user_data" => rule.user_data = Some(number(value)?),
                "path" => rule.path = Some(value.as_bytes().to_vec()),
                "nth" => rule.nth = Some(number(value)?),
                "every" => rule.every = Some(number(value).filter(|every| *every != 0)?),
                _ => return None,
            }
        }
        Some(rule)
    }

    /// Whether the subject is one that the rule names.
    fn names(&self, subject: Subject) -> bool {
        let Subject::Request(sqe) = subject else {
            let of_requests = self.fd.is_some() || self.user_data.is_some() || self.path.is_some();
            return !of_requests
                && matches!(
                    (&self.on, subject),
                    (None, _)
                        | (Some(On::Submission), Subject::Submission)
                        | (Some(On::Wait), Subject::Wait)
                );
        };
        self.on
            .as_ref()
            .is_none_or(|on| *on == On::Opcode(sqe.opcode))
            && self.fd.is_none_or(|fd| descriptor(sqe) == Some(fd))
            && self.user_data.is_none_or(|data| sqe.user_data == data)
            && self.path.as_ref().is_none_or(|pattern| {
                descriptor(sqe).is_some_and(|fd| path_of(fd, |path| matches(pattern, path)))
            })
    }

    /// Whether the rule has it happen to this subject, which is counted.
    fn hits(&self, subject: Subject) -> bool {
        if !self.names(subject) {
            return false;
        }
        // Relaxed: only the number counts.
        let met = self.met.fetch_add(1, Ordering::Relaxed) + 1;
        self.nth.is_none_or(|nth| met == nth)
            && self.every.is_none_or(|every| met % every == 0)
            && (self.chance == u32::MAX || (random() as u32) < self.chance)
    }
}

/// `READ`, `IORING_OP_READ`, `SUBMIT` or `WAIT`.
fn named(name: &str) -> Option<On> {
    match name {
        "SUBMIT" => return Some(On::Submission),
        "WAIT" => return Some(On::Wait),
        _ => {}
    }
    let short = name.strip_prefix("IORING_OP_").unwrap_or(name);
    (0..io_uring_op::IORING_OP_LAST as u8)
        .find(|number| ops::name(*number).strip_prefix("IORING_OP_") == Some(short))
        .map(On::Opcode)
}

fn descriptor(sqe: &io_uring_sqe) -> Option<i32> {
    let open = ops::has_file(sqe.opcode) && u32::from(sqe.flags) & IOSQE_FIXED_FILE == 0;
    open.then_some(sqe.fd)
}

fn path_of(fd: i32, is_it: impl FnOnce(&[u8]) -> bool) -> bool {
    std::fs::read_link(format!("/proc/self/fd/{fd}"))
        .is_ok_and(|path| is_it(path.as_os_str().as_bytes()))
}

/// Whether a text is like a pattern, in which `*` stands for any bytes and `?` for one.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on if the text does not fit: behind the last `*`, one byte later each time.
    let (mut retry, mut p, mut t) = (None, 0, 0);
    loop {
        match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                retry = Some((p + 1, t + 1));
                p += 1;
            }
            (Some(wanted), Some(byte)) if *wanted == b'?' || wanted == byte => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) if from <= text.len() => {
                    retry = Some((after, from + 1));
                    (p, t) = (after, from);
                }
                _ => return false,
            },
        }
    }
}

/// The next number of the sequence.
pub fn random() -> u64 {
    // Relaxed: only the number counts. Threads share one sequence, in the order in which they come.
    let state = SEQUENCE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Decides whether a fault of this kind is to happen to a subject: by a rule, or `by_chance` as well.
pub fn decides(kind: Kind, subject: Subject, by_chance: bool) -> bool {
    let Some(plan) = plan() else { return false };
    // Each rule counts, also behind one that hits.
    let by_rule = plan
        .rules
        .iter()
        .filter(|rule| rule.kind == kind)
        .fold(false, |hit, rule| rule.hits(subject) | hit);
    let chance = plan.chance.get(kind as usize).copied().unwrap_or(0);
    by_rule || (by_chance && chance != 0 && (random() as u32) < chance)
}

/// Notes that a fault has happened.
pub fn happened(kind: Kind) {
    if let Some(done) = plan().and_then(|plan| plan.done.get(kind as usize)) {
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// [`decides`], for a fault that nothing can prevent any more.
pub fn happens(kind: Kind, subject: Subject) -> bool {
    let now = decides(kind, subject, true);
    if now {
        happened(kind);
    }
    now
}

/// Whether a rule has this kind of fault happen to an opcode by its name.
pub fn names_opcode(kind: Kind, opcode: u8) -> bool {
    plan().is_some_and(|plan| {
        plan.rules
            .iter()
            .any(|rule| rule.kind == kind && rule.on == Some(On::Opcode(opcode)))
    })
}

/// How many faults there were, for the summary; empty if none were asked for.
pub fn figures() -> String {
    let Some(plan) = plan() else {
        return String::new();
    };
    let counts = KINDS
        .iter()
        .zip(&plan.done)
        .map(|((_, name), done)| format!("{name} {}", done.load(Ordering::Relaxed)));
    format!(
        "liburing-check: faults: {}\n",
        counts.collect::<Vec<_>>().join(", ")
    )
}
