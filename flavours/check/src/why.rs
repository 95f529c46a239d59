//! Why the kernel has refused a request.
//!
//! It says `-EINVAL` and the like, and not what it does not want. Only what it has refused is looked into, so this costs
//! nothing where all is right.

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

use crate::fields;
use crate::leftovers;
use crate::mode::mode;
use crate::noted::is_plain_request;
use crate::notes::{Notes, report};
use crate::ops::{self, Fields};
use crate::place::Place;
use crate::process::Uncancelled;
use crate::refusals::{self, Kind};
use crate::report::Report;
use crate::request::Request;
use crate::ring::Ring;
use crate::rules::Rule;
use crate::running;

/// A reason that was found.
struct Why {
    rule: Rule,
    text: String,
    /// Programs may run into it on purpose, to find out what the kernel has. It is said if the rule is asked for.
    tried: bool,
}

impl Why {
    fn refused(text: String) -> Option<Why> {
        Some(Why {
            rule: Rule::Refused,
            text,
            tried: false,
        })
    }

    fn tried(text: String) -> Option<Why> {
        Why::refused(text).map(|why| Why { tried: true, ..why })
    }

    /// What the tables say.
    fn by_table(rule: Rule, text: String) -> Option<Why> {
        if !fields::speak_for(rule) {
            return None;
        }
        let text = if running::is_after(fields::VERSION) {
            format!("{text}, as it was on {}", fields::KERNEL)
        } else {
            text
        };
        Why::refused(text).map(|why| Why { rule, ..why })
    }
}

/// Looks into a request that has failed with `-error`.
pub fn look(ring: &mut Ring, notes: &mut Notes, request: &Request, error: i32, place: Place) {
    if name(error).is_none() {
        return;
    }
    let place_of = place_of(request, error);
    let costly = may_cost(ring, place_of);
    // Of a plain request only a note was kept.
    let whole = if is_plain_request(&request.sqe) {
        if !costly {
            return;
        }
        whole(ring, request)
    } else {
        None
    };
    let request = whole.as_ref().unwrap_or(request);
    let found = match error {
        libc::EINVAL => invalid(ring, request, costly),
        _ => other(ring, request, error, costly),
    };
    let Some(why) = found.filter(|why| !why.tried || mode().asks(why.rule)) else {
        return;
    };
    if let Some(looks) = ring.explained.get_mut(&place_of) {
        *looks = LOOKS;
    }
    report(
        notes,
        &Report {
            rule: why.rule,
            what: format!(
                "the kernel has refused the request with {}: {}",
                name(error).unwrap_or_default(),
                why.text
            ),
            request: Some(request),
            place,
            doing: "completed",
        },
    );
}

/// The errors that are looked into.
fn name(error: i32) -> Option<&'static str> {
    Some(match error {
        libc::EINVAL => "-EINVAL",
        libc::EOPNOTSUPP => "-EOPNOTSUPP",
        libc::EBADF => "-EBADF",
        libc::EFAULT => "-EFAULT",
        libc::EBADFD => "-EBADFD",
        libc::ENFILE => "-ENFILE",
        libc::ENXIO => "-ENXIO",
        _ => return None,
    })
}

/// A plain request with all of its fields, if its slot still has them.
fn whole(ring: &Ring, request: &Request) -> Option<Request> {
    let (slot, sqe) = ring.submitted_sqe(request.index)?;
    let sqe = leftovers::before_marks(ring, &sqe, slot);
    let of = |sqe: &io_uring_sqe| (sqe.opcode, sqe.flags, sqe.ioprio, sqe.fd, sqe.user_data);
    (of(&sqe) == of(&request.sqe)).then(|| {
        let mut whole = request.clone();
        whole.sqe = sqe;
        whole
    })
}

/// Where the request was submitted, and what it is.
fn place_of(request: &Request, error: i32) -> usize {
    let kind = (usize::from(request.opcode()) | (error as usize) << 8) << (usize::BITS - 20);
    request.by.place ^ kind
}

/// So many refusals of a kind at a place are looked into as long as none has a reason that can be said.
const LOOKS: u8 = 8;

/// Whether costly look-ups are to be made for such a refusal.
fn may_cost(ring: &mut Ring, place_of: usize) -> bool {
    const MOST: usize = 1024;
    if ring.explained.len() >= MOST && !ring.explained.contains_key(&place_of) {
        return false;
    }
    let looks = ring.explained.entry(place_of).or_default();
    let few = *looks < LOOKS;
    *looks += u8::from(few);
    few
}

/// Why a request is invalid. `costly`: look-ups may be costly.
fn invalid(ring: &Ring, request: &Request, costly: bool) -> Option<Why> {
    /// The flags of SQEs that there are.
    const KNOWN: u8 = 0x7f;
    let sqe = &request.sqe;
    let by_table = |text: &str| Why::by_table(Rule::Refused, format!("it has {text}"));
    // What was said when it was submitted.
    if fields::refused(sqe, ring.flags, ring.features).is_some() {
        return None;
    }
    if sqe.flags & !KNOWN != 0 {
        return by_table(&format!(
            "flags {:#x}, which no kernel knows",
            sqe.flags & !KNOWN
        ));
    }
    if request.has(IOSQE_FIXED_FILE)
        && !ops::has_file(sqe.opcode)
        && fields::refuses_flag(sqe.opcode, IOSQE_FIXED_FILE)
    {
        return by_table("IOSQE_FIXED_FILE, and its opcode works on no file");
    }
    match refusals::invalid(sqe, ring.flags) {
        Some((Kind::Later, text)) => return Why::tried(text),
        // The same as at submission, where it was looked at then.
        Some((Kind::Cleared, text)) => return Why::by_table(Rule::Ignored, text),
        Some((Kind::Other, text)) => return Why::by_table(Rule::Refused, text),
        None if !costly => return None,
        None => {}
    }
    if mode().asks(Rule::Refused) && is_unknown(ring.fd, sqe.opcode) {
        return Why::tried(format!(
            "its opcode is not known to the kernel that runs, Linux {}",
            running::release()
        ));
    }
    direct(ring, request)
}

/// Why a request has failed with another error. `costly`: look-ups may be costly.
fn other(ring: &Ring, request: &Request, error: i32, costly: bool) -> Option<Why> {
    let sqe = &request.sqe;
    let op = ops::opcode(sqe.opcode)?;
    match error {
        libc::EOPNOTSUPP
            if request.has(IOSQE_BUFFER_SELECT)
                && fields::refused(sqe, ring.flags, ring.features).is_none()
                && fields::refuses_flag(sqe.opcode, IOSQE_BUFFER_SELECT) =>
        {
            Why::tried(format!(
                "it has IOSQE_BUFFER_SELECT, and {} takes no buffer for its opcode",
                fields::KERNEL
            ))
        }
        // The descriptor is looked at while the call that submitted is under way: later it may be another file's.
        libc::EOPNOTSUPP
            if ring.has(IORING_SETUP_IOPOLL)
                && transfers(op)
                && request.number >= ring.first_of_call =>
        {
            let fd = request.descriptor()?;
            // SAFETY: no memory is named.
            let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
            if flags < 0 || flags & libc::O_DIRECT != 0 {
                return None;
            }
            Why::refused(
                "the ring has IORING_SETUP_IOPOLL, and the file was not opened with O_DIRECT"
                    .into(),
            )
        }
        libc::EBADF if request.has(IOSQE_FIXED_FILE) && !ops::has_file(sqe.opcode) => {
            if !fields::refuses_flag(sqe.opcode, IOSQE_FIXED_FILE) {
                return None;
            }
            let text = "it has IOSQE_FIXED_FILE, and its opcode works on no registered file";
            Why::by_table(Rule::Refused, text.into())
        }
        libc::EBADF if request.has(IOSQE_FIXED_FILE) && costly => {
            let files = registered(ring, request, "UserFiles")?;
            if u32::try_from(sqe.fd).is_ok_and(|fd| fd < files) {
                return None;
            }
            Why::refused(format!(
                "it names registered file {}, and the ring's table has {files}",
                sqe.fd
            ))
        }
        libc::EFAULT if uses_registered_buffer(op, &Fields::of(sqe)) && costly => {
            let buffers = registered(ring, request, "UserBufs")?;
            // SAFETY: any bytes are a number.
            let index = u32::from(unsafe { sqe.__anon4.buf_index });
            if index < buffers {
                return None;
            }
            Why::refused(format!(
                "it names registered buffer {index}, and the ring has {buffers}"
            ))
        }
        libc::EBADFD if op == IORING_OP_MSG_RING => {
            let kind = if request.has(IOSQE_FIXED_FILE) {
                "registered file"
            } else {
                "descriptor"
            };
            Why::refused(format!(
                "{kind} {} is no ring, or a ring that is not enabled",
                sqe.fd
            ))
        }
        libc::ENXIO | libc::ENFILE if costly => direct(ring, request),
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
fn direct(ring: &Ring, request: &Request) -> Option<Why> {
    let sqe = &request.sqe;
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
    let files = registered(ring, request, "UserFiles")?;
    if slot == IORING_FILE_INDEX_ALLOC as u32 {
        if files != 0 {
            return None;
        }
        return Why::refused(
            "it is to put a file into the ring's table, and the ring has none".into(),
        );
    }
    if slot <= files {
        return None;
    }
    Why::refused(format!(
        "it names slot {} of the ring's file table, which has {files}",
        slot - 1
    ))
}

/// How many files or buffers are registered on a ring, as the kernel shows it. Not if that has changed since the request
/// was submitted, nor if the descriptor is another ring's, which its CQ tells.
fn registered(ring: &Ring, request: &Request, what: &str) -> Option<u32> {
    if ring.fd < 0 || request.number < ring.tables_changed {
        return None;
    }
    let before = ring.cq.tail();
    let _whole = Uncancelled::begin();
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", ring.fd)).ok()?;
    let after = ring.cq.tail();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.strip_prefix(':')?.trim())
    };
    // Kernels before 5.17 do not show these.
    let other_mask = value("CqMask").is_some_and(|mask| mask != format!("{:#x}", ring.cq.mask));
    let other_tail = value("CqTail").is_some_and(|tail| {
        let since = |tail: u32| tail.wrapping_sub(before);
        tail.parse().map_or(true, |tail| since(tail) > since(after))
    });
    if other_mask || other_tail {
        return None;
    }
    value(what)?.parse().ok()
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
