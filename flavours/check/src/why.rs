//! Why the kernel has refused a request, or a ring.
//!
//! It says `-EINVAL` and the like, and not what it does not want. Only what it has refused is looked into, so this costs
//! nothing where all is right.

use std::ffi::c_uint;

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

use crate::fields;
use crate::leftovers;
use crate::noted::is_plain_request;
use crate::notes::{Notes, report};
use crate::ops::{self, Fields};
use crate::place::Place;
use crate::refusals;
use crate::report::Report;
use crate::request::Request;
use crate::ring::Ring;
use crate::rules::Rule;
use crate::state;

/// Looks into a request that has failed with `-error`.
pub fn look(ring: &mut Ring, notes: &mut Notes, request: &Request, error: i32, place: Place) {
    let (rule, why) = match error {
        libc::EINVAL => match invalid(ring, request) {
            Some(found) => found,
            None => return,
        },
        _ => match other(ring, request, error) {
            Some(why) => (Rule::Refused, why),
            None => return,
        },
    };
    // Of a plain request only a note was kept.
    let whole = whole(ring, request);
    report(
        notes,
        &Report {
            rule,
            what: format!(
                "the kernel has refused the request with {}: {why}",
                name(error)
            ),
            request: Some(whole.as_ref().unwrap_or(request)),
            place,
            doing: "completed",
        },
    );
}

fn name(error: i32) -> &'static str {
    match error {
        libc::EINVAL => "-EINVAL",
        libc::EOPNOTSUPP => "-EOPNOTSUPP",
        libc::EBADF => "-EBADF",
        libc::EFAULT => "-EFAULT",
        libc::EBADFD => "-EBADFD",
        libc::ENFILE => "-ENFILE",
        _ => "-ENXIO",
    }
}

/// A plain request with all of its fields, if its slot still has them.
fn whole(ring: &Ring, request: &Request) -> Option<Request> {
    if !is_plain_request(&request.sqe) {
        return None;
    }
    let (slot, sqe) = ring.submitted_sqe(request.index)?;
    let sqe = leftovers::before_marks(ring, &sqe, slot);
    let of = |sqe: &io_uring_sqe| (sqe.opcode, sqe.flags, sqe.ioprio, sqe.fd, sqe.user_data);
    (of(&sqe) == of(&request.sqe)).then(|| {
        let mut whole = request.clone();
        whole.sqe = sqe;
        whole
    })
}

/// Whether costly look-ups are to be made for such a failure: once for each place.
fn is_first(ring: &mut Ring, request: &Request, error: i32) -> bool {
    const MOST: usize = 1024;
    let kind = (usize::from(request.opcode()) | (error as usize) << 8) << (usize::BITS - 20);
    ring.explained.len() < MOST && ring.explained.insert(request.by.place ^ kind)
}

/// Why a request is invalid.
fn invalid(ring: &mut Ring, request: &Request) -> Option<(Rule, String)> {
    /// The flags of SQEs that there are.
    const KNOWN: u8 = 0x7f;
    let whole = whole(ring, request);
    let sqe = &whole.as_ref().unwrap_or(request).sqe;
    let has = |what: &str| Some((Rule::Refused, format!("it has {what}")));
    // What was said when it was submitted.
    if fields::refused(sqe, ring.flags, ring.features).is_some() {
        return None;
    }
    if sqe.flags & !KNOWN != 0 {
        return has(&format!(
            "flags {:#x}, which no kernel knows",
            sqe.flags & !KNOWN
        ));
    }
    if request.has(IOSQE_FIXED_FILE)
        && !ops::has_file(sqe.opcode)
        && fields::refuses_flag(sqe.opcode, IOSQE_FIXED_FILE)
    {
        return has("IOSQE_FIXED_FILE, and its opcode works on no file");
    }
    if let Some((cleared, what)) = refusals::invalid(sqe, ring.flags) {
        // The same as at submission, where it was looked at then.
        let rule = if cleared {
            Rule::Ignored
        } else {
            Rule::Refused
        };
        return Some((rule, what));
    }
    if !is_first(ring, request, libc::EINVAL) {
        return None;
    }
    if is_unknown(ring.fd, sqe.opcode) {
        let what = format!(
            "its opcode is not known to the kernel that runs, {}",
            kernel()
        );
        return Some((Rule::Refused, what));
    }
    direct(ring, sqe).map(|what| (Rule::Refused, what))
}

/// Why a request has failed with another error.
fn other(ring: &mut Ring, request: &Request, error: i32) -> Option<String> {
    let sqe = &request.sqe;
    let op = ops::opcode(sqe.opcode)?;
    let f = Fields::of(sqe);
    match error {
        libc::EOPNOTSUPP
            if request.has(IOSQE_BUFFER_SELECT)
                && fields::refused(sqe, ring.flags, ring.features).is_none()
                && fields::refuses_flag(sqe.opcode, IOSQE_BUFFER_SELECT) =>
        {
            Some(format!(
                "it has IOSQE_BUFFER_SELECT, and {} takes no buffer for its opcode",
                fields::KERNEL
            ))
        }
        libc::EOPNOTSUPP if ring.has(IORING_SETUP_IOPOLL) && transfers(op) => {
            let fd = request.descriptor()?;
            // SAFETY: no memory is named.
            let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
            (flags >= 0 && flags & libc::O_DIRECT == 0).then(|| {
                "the ring has IORING_SETUP_IOPOLL, and the file was not opened with O_DIRECT".into()
            })
        }
        libc::EBADF if request.has(IOSQE_FIXED_FILE) && !ops::has_file(sqe.opcode) => {
            fields::refuses_flag(sqe.opcode, IOSQE_FIXED_FILE).then(|| {
                "it has IOSQE_FIXED_FILE, and its opcode works on no registered file".into()
            })
        }
        libc::EBADF if request.has(IOSQE_FIXED_FILE) => {
            if !is_first(ring, request, error) {
                return None;
            }
            let files = registered(ring.fd, "UserFiles")?;
            (u32::try_from(sqe.fd).map_or(true, |fd| fd >= files)).then(|| {
                format!(
                    "it names registered file {}, and the ring's table has {files}",
                    sqe.fd
                )
            })
        }
        libc::EFAULT if uses_registered_buffer(op, &f) => {
            if !is_first(ring, request, error) {
                return None;
            }
            let buffers = registered(ring.fd, "UserBufs")?;
            // SAFETY: any bytes are a number.
            let index = u32::from(unsafe { sqe.__anon4.buf_index });
            (index >= buffers)
                .then(|| format!("it names registered buffer {index}, and the ring has {buffers}"))
        }
        libc::EBADFD if op == IORING_OP_MSG_RING => Some(format!(
            "descriptor {} is no ring, or a ring that is not enabled",
            sqe.fd
        )),
        libc::ENXIO | libc::ENFILE if is_first(ring, request, error) => direct(ring, sqe),
        _ => None,
    }
}

fn transfers(op: io_uring_op) -> bool {
    matches!(
        op,
        IORING_OP_READ
            | IORING_OP_READV
            | IORING_OP_READ_FIXED
            | IORING_OP_READV_FIXED
            | IORING_OP_WRITE
            | IORING_OP_WRITEV
            | IORING_OP_WRITE_FIXED
            | IORING_OP_WRITEV_FIXED
    )
}

fn uses_registered_buffer(op: io_uring_op, f: &Fields) -> bool {
    match op {
        IORING_OP_READ_FIXED
        | IORING_OP_READV_FIXED
        | IORING_OP_WRITE_FIXED
        | IORING_OP_WRITEV_FIXED => true,
        IORING_OP_SEND_ZC | IORING_OP_SENDMSG_ZC => f.ioprio & IORING_RECVSEND_FIXED_BUF != 0,
        _ => false,
    }
}

/// A slot of the file table that is to hold a new file, or be emptied, and that there is none of.
fn direct(ring: &Ring, sqe: &io_uring_sqe) -> Option<String> {
    // SAFETY: any bytes are a number.
    let slot = unsafe { sqe.__anon5.file_index };
    let takes = matches!(
        ops::opcode(sqe.opcode)?,
        IORING_OP_OPENAT
            | IORING_OP_OPENAT2
            | IORING_OP_ACCEPT
            | IORING_OP_SOCKET
            | IORING_OP_CLOSE
            | IORING_OP_PIPE
    );
    if !takes || slot == 0 {
        return None;
    }
    let files = registered(ring.fd, "UserFiles")?;
    if slot == IORING_FILE_INDEX_ALLOC as u32 {
        let none = "it is to put a file into the ring's table, and the ring has none";
        return (files == 0).then(|| none.into());
    }
    (slot > files).then(|| {
        format!(
            "it names slot {} of the ring's file table, which has {files}",
            slot - 1
        )
    })
}

/// How many files or buffers are registered on a ring, as the kernel shows it.
fn registered(fd: i32, what: &str) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(what))?;
    line.strip_prefix(':')?.trim().parse().ok()
}

/// Whether the kernel that runs does not know an opcode, as it says itself.
fn is_unknown(fd: i32, opcode: u8) -> bool {
    #[repr(C)]
    struct Probe {
        last_op: u8,
        ops_len: u8,
        _resv: [u16; 7],
        ops: [[u8; 8]; 256],
    }
    let mut probe = Probe {
        last_op: 0,
        ops_len: 0,
        _resv: [0; 7],
        ops: [[0; 8]; 256],
    };
    // SAFETY: as many operations as are asked for fit.
    let ret = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            fd,
            IORING_REGISTER_PROBE,
            &raw mut probe,
            probe.ops.len(),
        )
    };
    let [_, _, flags, ..] = probe
        .ops
        .get(usize::from(opcode))
        .copied()
        .unwrap_or_default();
    ret == 0 && (opcode > probe.last_op || u32::from(flags) & IO_URING_OP_SUPPORTED == 0)
}

/// `Linux 6.18.44`.
fn kernel() -> String {
    let version = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", version.trim())
}

/// What a ring was to be like.
pub struct Wanted {
    pub entries: c_uint,
    pub flags: c_uint,
    pub cq_entries: c_uint,
}

/// The kernel has refused to set up such a ring: says why, if none does.
#[cold]
pub fn not_made(wanted: &Wanted, place: Place) {
    let Some(why) = impossible(wanted) else {
        return;
    };
    state::with(|state| {
        report(
            &mut state.notes,
            &Report {
                rule: Rule::SetUp,
                what: format!("no kernel sets up {why}: -EINVAL"),
                request: None,
                place,
                doing: "called",
            },
        );
    });
}

/// Why no kernel sets up such a ring, if that is so.
fn impossible(wanted: &Wanted) -> Option<&'static str> {
    let flags = wanted.flags;
    let has = |flag| flags & flag != 0;
    let clamps = has(IORING_SETUP_CLAMP);
    if wanted.entries == 0 {
        Some("a ring of 0 entries")
    } else if wanted.entries > IORING_MAX_ENTRIES && !clamps {
        Some("more than 32768 entries without IORING_SETUP_CLAMP")
    } else if has(IORING_SETUP_CQSIZE) && wanted.cq_entries < wanted.entries {
        Some("IORING_SETUP_CQSIZE with fewer CQ entries than SQ entries")
    } else {
        excluded(flags)
    }
}

/// More entries than a ring may have.
const IORING_MAX_ENTRIES: u32 = 32768;

/// Set-up flags that exclude or lack each other.
fn excluded(flags: u32) -> Option<&'static str> {
    let has = |flag| flags & flag != 0;
    [
        (
            has(IORING_SETUP_DEFER_TASKRUN) && !has(IORING_SETUP_SINGLE_ISSUER),
            "a ring with IORING_SETUP_DEFER_TASKRUN and without IORING_SETUP_SINGLE_ISSUER",
        ),
        (
            has(IORING_SETUP_SQPOLL)
                && has(IORING_SETUP_DEFER_TASKRUN
                    | IORING_SETUP_COOP_TASKRUN
                    | IORING_SETUP_TASKRUN_FLAG),
            "a ring with IORING_SETUP_SQPOLL and flags of task work (IORING_SETUP_COOP_TASKRUN, IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_TASKRUN_FLAG)",
        ),
        (
            has(IORING_SETUP_TASKRUN_FLAG)
                && !has(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN),
            "a ring with IORING_SETUP_TASKRUN_FLAG and neither IORING_SETUP_COOP_TASKRUN nor IORING_SETUP_DEFER_TASKRUN",
        ),
        (
            has(IORING_SETUP_SQ_AFF) && !has(IORING_SETUP_SQPOLL),
            "a ring with IORING_SETUP_SQ_AFF and without IORING_SETUP_SQPOLL",
        ),
        (
            has(IORING_SETUP_REGISTERED_FD_ONLY) && !has(IORING_SETUP_NO_MMAP),
            "a ring with IORING_SETUP_REGISTERED_FD_ONLY and without IORING_SETUP_NO_MMAP",
        ),
        (
            has(IORING_SETUP_HYBRID_IOPOLL) && !has(IORING_SETUP_IOPOLL),
            "a ring with IORING_SETUP_HYBRID_IOPOLL and without IORING_SETUP_IOPOLL",
        ),
        (
            has(IORING_SETUP_CQE32) && has(IORING_SETUP_CQE_MIXED),
            "a ring with IORING_SETUP_CQE32 and IORING_SETUP_CQE_MIXED",
        ),
        (
            has(IORING_SETUP_SQE128) && has(IORING_SETUP_SQE_MIXED),
            "a ring with IORING_SETUP_SQE128 and IORING_SETUP_SQE_MIXED",
        ),
        (
            has(IORING_SETUP_SQ_REWIND)
                && (has(IORING_SETUP_SQPOLL) || !has(IORING_SETUP_NO_SQARRAY)),
            "a ring with IORING_SETUP_SQ_REWIND that has IORING_SETUP_SQPOLL, or not IORING_SETUP_NO_SQARRAY",
        ),
    ]
    .into_iter()
    .find(|(wrong, _)| *wrong)
    .map(|(_, why)| why)
}
