//! What the kernel offers, by trial: each flag in a valid combination.

use std::num::NonZeroUsize;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use uring_core::abi::*;
use uring_core::kernel::{Kernel, Native};

use crate::sys::calls::{self, Answer};
use crate::sys::ring::Ring;
use crate::tables::{Group, Name};

const ENTRIES: u32 = 4;
/// Enough for a ring of that size and its SQEs of either size, each from a page of its own.
const MEMORY: usize = 1 << 16;
const MEMORY_SQES: usize = 1 << 15;
/// A descriptor that is not open.
const NO_FD: i32 = i32::MAX;
/// A register operation far above those of today.
const NO_OPERATION: u32 = 0x7000;
/// The bit of SQE flags that has no name yet. A kernel that takes it does not look at them.
const NO_SQE_FLAG: u8 = 1 << 7;

/// Flags that others need beside them. Each flag is tried with one set after the other until the kernel takes it.
const COMPANIONS: [u32; 9] = [
    0,
    IORING_SETUP_SQPOLL,
    IORING_SETUP_COOP_TASKRUN,
    IORING_SETUP_SINGLE_ISSUER,
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    IORING_SETUP_IOPOLL,
    IORING_SETUP_NO_MMAP,
    IORING_SETUP_NO_SQARRAY,
    IORING_SETUP_CQE32,
];

/// Earlier results that the trials need.
pub struct Behaviour {
    ring: Ring,
    memory: u64,
}

impl Behaviour {
    /// # Errors
    ///
    /// The error number of a ring, positive.
    pub fn new() -> Result<Self, i32> {
        let ring = Ring::new(ENTRIES, 0)?;
        let size = NonZeroUsize::new(MEMORY).unwrap_or(NonZeroUsize::MIN);
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_POPULATE;
        // SAFETY: a new mapping replaces nothing. It stays: rings that are closed may keep it for a while.
        let memory = unsafe { mmap_anonymous(None, size, protection, flags) }
            .map_err(|error| error as i32)?;
        Ok(Self {
            ring,
            memory: memory.as_ptr().expose_provenance() as u64,
        })
    }

    /// Which opcodes are built in, by the kernel's own account; since 5.6.
    pub fn built_in(&self) -> Option<Vec<bool>> {
        probe(self.ring.fd())
    }

    /// Whether the kernel has it; `None` where it cannot be told.
    pub fn has(&mut self, group: Group, name: &Name) -> Option<bool> {
        match group {
            Group::Op => operation(name.value as u8),
            Group::Setup => Some(self.setup(name.value as u32)),
            Group::Feature => Some(u64::from(self.ring.params.features) & name.value != 0),
            Group::Enter => self.enter(name.value as u32),
            Group::Sqe if sqe(NO_SQE_FLAG) != Some(false) => None,
            Group::Sqe => sqe(name.value as u8),
            Group::Register => register(name.value as u32),
            Group::Cqe | Group::SqRing => None,
        }
    }

    fn setup(&self, flag: u32) -> bool {
        COMPANIONS.iter().any(|companions| {
            let flags = flag | companions;
            let mut params = io_uring_params {
                flags,
                cq_entries: 2 * ENTRIES,
                wq_fd: if flags & IORING_SETUP_ATTACH_WQ != 0 {
                    self.ring.fd() as u32
                } else {
                    0
                },
                ..io_uring_params::default()
            };
            if flags & IORING_SETUP_NO_MMAP != 0 {
                params.cq_off.user_addr = self.memory;
                params.sq_off.user_addr = self.memory + MEMORY_SQES as u64;
            }
            match made(&mut params) {
                Answer::Gave(_) => true,
                // The kernel knows the flag and went on to do what it says.
                Answer::Refused(number) => {
                    [libc::EPERM, libc::EAGAIN, libc::ENOMEM].contains(&number)
                }
                _ => false,
            }
        })
    }

    /// Flags are looked at before the descriptor is: an unknown one gives `EINVAL`, a known one `EBADF`.
    fn enter(&self, flag: u32) -> Option<bool> {
        if !calls::enter(NO_FD, 0).refused_with(libc::EBADF)
            || !calls::enter(NO_FD, 1 << 31).refused_with(libc::EINVAL)
        {
            return None;
        }
        if flag == IORING_ENTER_REGISTERED_RING {
            // Here the descriptor is an index, which is looked at in a way of its own.
            return registered(&self.ring);
        }
        Some(calls::enter(NO_FD, flag).refused_with(libc::EBADF))
    }
}

/// A request that does nothing, with the flag: an unknown one gives `EINVAL`. A second one, without, completes in
/// any case.
fn sqe(flag: u8) -> Option<bool> {
    const MARK: u64 = 1;
    let mut ring = Ring::new(ENTRIES, IORING_SETUP_SUBMIT_ALL)
        .or_else(|_| Ring::new(ENTRIES, 0))
        .ok()?;
    ring.push(|sqe| (sqe.flags, sqe.user_data) = (flag, MARK));
    // SAFETY: requests that do nothing name no memory.
    unsafe { ring.submit(0) }.ok()?;
    ring.push(|_| {});
    // SAFETY: as above.
    unsafe { ring.submit(1) }.ok()?;
    let mut refused = false;
    loop {
        let cqe = ring.wait().ok()?;
        if cqe.user_data != MARK {
            break;
        }
        refused = cqe.res == -libc::EINVAL;
        if ring.pop().is_some() {
            break;
        }
    }
    Some(!refused)
}

/// Whether a request with this opcode is taken. It names no file and no memory, so that it does nothing but fail.
///
/// The kernel looks at the opcode before the flags, and at those before the rest. An unknown opcode gives `EINVAL`, and
/// so do many known ones for want of arguments. With `IOSQE_BUFFER_SELECT` they give `EOPNOTSUPP` before that, unless
/// they can do it. One that is not built in gives `EOPNOTSUPP` in any case.
fn operation(opcode: u8) -> Option<bool> {
    const NARROW: (u32, u32) = (0, 1);
    // Opcodes of twice the size are refused with EINVAL elsewhere.
    const WIDE: (u32, u32) = (IORING_SETUP_SQE_MIXED, 2);
    for shape in [NARROW, WIDE] {
        let plain = match outcome(opcode, 0, shape) {
            Some(res) => res,
            None if shape == WIDE => break,
            None => return None,
        };
        match -plain {
            libc::EOPNOTSUPP => return Some(false),
            libc::EINVAL => {}
            _ => return Some(true),
        }
        if outcome(opcode, IOSQE_BUFFER_SELECT as u8, shape)? != -libc::EINVAL {
            return Some(true);
        }
    }
    Some(false)
}

/// What a request completes with that has an opcode and no argument; `None` where it cannot be made or does not end.
fn outcome(opcode: u8, flags: u8, (set_up, slots): (u32, u32)) -> Option<i32> {
    const LOOKS: u32 = 200;
    let mut ring = Ring::new(ENTRIES, set_up).ok()?;
    for slot in 0..slots {
        ring.push(|sqe| {
            if slot == 0 {
                (sqe.opcode, sqe.flags, sqe.fd) = (opcode, flags, -1);
            }
        });
    }
    // SAFETY: the request names no memory.
    unsafe { ring.submit(0) }.ok()?;
    for _ in 0..LOOKS {
        if let Some(cqe) = ring.pop() {
            return Some(cqe.res);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    None
}

/// Sets a ring up and closes it. One without a descriptor goes when its thread does, which is why it has one here.
fn made(params: &mut io_uring_params) -> Answer {
    if params.flags & IORING_SETUP_REGISTERED_FD_ONLY == 0 {
        return calls::setup(ENTRIES, params);
    }
    let mut params = *params;
    let thread = std::thread::spawn(move || {
        // SAFETY: `params` is a set of parameters that names the memory for the trials alone.
        Answer::from_core(unsafe { Native::setup(ENTRIES, &mut params) })
    });
    thread.join().unwrap_or(Answer::NotMade)
}

/// Which opcodes are built in; since 5.6.
fn probe(fd: i32) -> Option<Vec<bool>> {
    const OPS: usize = 256;
    #[repr(C)]
    struct Probe {
        head: io_uring_probe,
        ops: [io_uring_probe_op; OPS],
    }
    // SAFETY: all zeros are a value of it.
    let mut probe: Box<Probe> = unsafe { Box::new(std::mem::zeroed()) };
    // SAFETY: the head is followed by as many elements as is said.
    let asked = unsafe {
        Native::register(
            fd,
            IORING_REGISTER_PROBE as u32,
            (&raw mut *probe).cast(),
            OPS as u32,
        )
    };
    asked.check().ok()?;
    Some(
        probe
            .ops
            .iter()
            .map(|op| u32::from(op.flags) & IO_URING_OP_SUPPORTED != 0)
            .collect(),
    )
}

/// Operations are looked at before the descriptor is, since 6.0: an unknown one gives `EINVAL`, a known one `EBADF`.
fn register(operation: u32) -> Option<bool> {
    if calls::register(NO_FD, 0).refused_with(libc::ENOSYS) {
        return Some(false);
    }
    let orderly = calls::register(NO_FD, 0).refused_with(libc::EBADF)
        && calls::register(NO_FD, NO_OPERATION).refused_with(libc::EINVAL);
    orderly.then(|| !calls::register(NO_FD, operation).refused_with(libc::EINVAL))
}

/// Whether a ring can be registered and entered by its index.
fn registered(ring: &Ring) -> Option<bool> {
    let mut update = io_uring_rsrc_update {
        offset: u32::MAX,
        resv: 0,
        data: ring.fd() as u64,
    };
    let pointer = (&raw mut update).cast();
    // SAFETY: one element, as is said.
    let done = unsafe { Native::register(ring.fd(), IORING_REGISTER_RING_FDS as u32, pointer, 1) };
    if done.is_err() {
        return Some(false);
    }
    let entered = calls::enter(update.offset as i32, IORING_ENTER_REGISTERED_RING);
    let mut update = io_uring_rsrc_update { data: 0, ..update };
    let pointer = (&raw mut update).cast();
    // SAFETY: as above.
    let _ = unsafe { Native::register(ring.fd(), IORING_UNREGISTER_RING_FDS as u32, pointer, 1) };
    Some(entered.worked())
}
