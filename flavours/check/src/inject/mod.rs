//! Faults on demand: what a kernel may do, and seldom does.
//!
//! `LIBURING_CHECK_INJECT=short=0.1,eintr=0.01,seed=7`: kinds, each with its probability, and the seed of the sequence of
//! decisions. Every fault is real: a request is made shorter, or fails, before the kernel gets it; a call takes fewer
//! requests, or fails without effect.

use std::ffi::{CStr, c_int};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;
use uring_core::errno::Errno;

use crate::mode;
use crate::ops::{self, Fields};

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
    Partial "partial" "A submission takes only a part of the SQEs, and the SQ stays full.";
    Ends "multishot-ends" "A multishot request completes once.";
    Reorder "reorder" "A request goes to a worker, so others overtake it.";
}

struct Plan {
    /// Of 2^32.
    chance: [u32; KINDS.len()],
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
        done: [const { AtomicU64::new(0) }; KINDS.len()],
    };
    let text = String::from_utf8_lossy(text);
    for word in text.split(',').filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if let ("seed", Ok(seed)) = (name, value.parse()) {
            SEQUENCE.store(seed, Ordering::Relaxed);
            continue;
        }
        let chance = value
            .parse()
            .ok()
            .filter(|chance| (0.0..=1.0).contains(chance))
            .map(|chance: f64| (chance * f64::from(u32::MAX)) as u32);
        let mut known = false;
        for ((_, kind), slot) in KINDS.iter().zip(&mut plan.chance) {
            if let Some(chance) = chance.filter(|_| name == "all" || name == *kind) {
                *slot = chance;
                known = true;
            }
        }
        if !known {
            crate::output::say(&format!(
                "liburing-check: LIBURING_CHECK_INJECT: \"{word}\" is unknown\n"
            ));
        }
    }
    plan.chance
        .iter()
        .any(|chance| *chance != 0)
        .then_some(plan)
}

/// The next number of the sequence.
fn random() -> u64 {
    // Relaxed: only the number counts. Threads share one sequence, in the order in which they come.
    let state = SEQUENCE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Decides whether a fault of this kind happens now.
fn happens(kind: Kind) -> bool {
    let Some(plan) = plan() else { return false };
    let at = kind as usize;
    match (plan.chance.get(at), plan.done.get(at)) {
        (Some(&chance), Some(done)) if chance != 0 && (random() as u32) < chance => {
            done.fetch_add(1, Ordering::Relaxed);
            true
        }
        _ => false,
    }
}

/// What happens to a call that enters the kernel.
pub enum Enter {
    /// Nothing.
    Plain,
    /// It fails, without effect.
    Fails(Errno),
    /// It submits so many, and does not wait.
    Takes(u32),
}

/// Decides about a call that submits and waits. `polled`: the submission thread takes what is submitted.
pub fn enter(to_submit: u32, waits: bool, polled: bool) -> Enter {
    if !is_on() {
        return Enter::Plain;
    }
    if to_submit == 0 || polled {
        let interrupted = waits && happens(Kind::Eintr);
        return if interrupted {
            Enter::Fails(Errno::EINTR)
        } else {
            Enter::Plain
        };
    }
    if happens(Kind::Ebusy) {
        Enter::Fails(Errno::EBUSY)
    } else if happens(Kind::Eagain) {
        Enter::Fails(Errno::EAGAIN)
    } else if to_submit > 1 && happens(Kind::Partial) {
        Enter::Takes(1 + (random() % u64::from(to_submit - 1)) as u32)
    } else if waits && happens(Kind::Eintr) {
        Enter::Takes(to_submit)
    } else {
        Enter::Plain
    }
}

/// Decides about a request, and changes its SQE. Returns whether it did.
pub fn request(sqe: &mut io_uring_sqe) -> bool {
    if !is_on() {
        return false;
    }
    let Some(op) = ops::opcode(sqe.opcode) else {
        return false;
    };
    let f = Fields::of(sqe);
    if is_data(op) {
        let selected = f.flags & IOSQE_BUFFER_SELECT != 0;
        for (kind, error) in [
            (Kind::Eintr, libc::EINTR),
            (Kind::Eagain, libc::EAGAIN),
            (Kind::Canceled, libc::ECANCELED),
            (Kind::Enobufs, libc::ENOBUFS),
        ] {
            if (kind != Kind::Enobufs || selected) && happens(kind) {
                fails(sqe, -error);
                return true;
            }
        }
        if let Some(len) = shorter(op, sqe, &f).filter(|_| happens(Kind::Short)) {
            sqe.len = len;
            return true;
        }
    }
    let multishot = match op {
        IORING_OP_ACCEPT => IORING_ACCEPT_MULTISHOT,
        IORING_OP_RECV | IORING_OP_RECVMSG => IORING_RECV_MULTISHOT,
        _ => 0,
    };
    if f.ioprio & multishot != 0 && happens(Kind::Ends) {
        sqe.ioprio &= !(multishot as u16);
        return true;
    }
    if op == IORING_OP_POLL_ADD
        && f.len & u64::from(IORING_POLL_ADD_MULTI) != 0
        && happens(Kind::Ends)
    {
        sqe.len &= !IORING_POLL_ADD_MULTI;
        return true;
    }
    if is_data(op) && happens(Kind::Reorder) {
        sqe.flags |= IOSQE_ASYNC as u8;
        return true;
    }
    false
}

/// Requests that transfer data, which kernels may end at any point.
fn is_data(op: io_uring_op) -> bool {
    matches!(
        op,
        IORING_OP_READ
            | IORING_OP_WRITE
            | IORING_OP_READV
            | IORING_OP_WRITEV
            | IORING_OP_READ_FIXED
            | IORING_OP_WRITE_FIXED
            | IORING_OP_SEND
            | IORING_OP_RECV
            | IORING_OP_SENDMSG
            | IORING_OP_RECVMSG
            | IORING_OP_ACCEPT
            | IORING_OP_CONNECT
    )
}

/// The request does nothing but fail: a no-op with this result, of the same `user_data`, in the same chain.
fn fails(sqe: &mut io_uring_sqe, error: c_int) {
    sqe.opcode = IORING_OP_NOP as u8;
    sqe.flags &= !((IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT) as u8);
    sqe.ioprio = 0;
    sqe.len = error as u32;
    sqe.__anon3.nop_flags = IORING_NOP_INJECT_RESULT;
    sqe.__anon4.buf_index = 0;
    sqe.__anon5.file_index = 0;
}

/// A length at which the transfer may end, if it may be short: not in a chain, which it would break, and not where a
/// rest would be lost or the program has asked for all.
fn shorter(op: io_uring_op, sqe: &io_uring_sqe, f: &Fields) -> Option<u32> {
    const PAGE: u32 = 4096;
    const MSG_WAITALL: u32 = 0x100;
    let by_bytes = matches!(
        op,
        IORING_OP_READ
            | IORING_OP_WRITE
            | IORING_OP_READ_FIXED
            | IORING_OP_WRITE_FIXED
            | IORING_OP_SEND
            | IORING_OP_RECV
    );
    let by_vectors = matches!(op, IORING_OP_READV | IORING_OP_WRITEV);
    let socket = matches!(op, IORING_OP_SEND | IORING_OP_RECV);
    if !(by_bytes || by_vectors)
        || f.flags & (IOSQE_IO_LINK | IOSQE_BUFFER_SELECT) != 0
        || (socket && f.op_flags & MSG_WAITALL != 0)
        || (socket && f.ioprio & (IORING_RECV_MULTISHOT | IORING_SEND_VECTORIZED) != 0)
        || !is_stream(sqe, f)
    {
        return None;
    }
    if by_vectors {
        // Whole vectors.
        let fewer = sqe.len.checked_sub(1).filter(|fewer| *fewer > 0)?;
        Some(1 + (random() % u64::from(fewer)) as u32)
    } else if sqe.len > PAGE {
        // Files that are opened with O_DIRECT take whole blocks.
        let pages = (sqe.len - 1) / PAGE;
        Some(PAGE * (1 + (random() % u64::from(pages)) as u32))
    } else if sqe.len > 1 && sqe.len % 512 != 0 {
        Some(1 + (random() % u64::from(sqe.len - 1)) as u32)
    } else {
        None
    }
}

/// Whether what is left of a transfer can be transferred by another.
fn is_stream(sqe: &io_uring_sqe, f: &Fields) -> bool {
    if f.flags & IOSQE_FIXED_FILE != 0 {
        return false;
    }
    // SAFETY: a structure of numbers, for which zeros are a value; the C library fills it in.
    let stat = unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        if libc::fstat(sqe.fd, &raw mut stat) != 0 {
            return false;
        }
        stat
    };
    match stat.st_mode & libc::S_IFMT {
        libc::S_IFREG | libc::S_IFBLK | libc::S_IFIFO => true,
        libc::S_IFSOCK => {
            let (mut kind, mut size) = (0, size_of::<c_int>() as libc::socklen_t);
            // SAFETY: the C library writes a number and its size.
            let ret = unsafe {
                libc::getsockopt(
                    sqe.fd,
                    libc::SOL_SOCKET,
                    libc::SO_TYPE,
                    (&raw mut kind).cast(),
                    &raw mut size,
                )
            };
            ret == 0 && kind == libc::SOCK_STREAM
        }
        _ => false,
    }
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
