//! The thread that polls the SQ ring (`SQTHREAD | SQPOLL`).
//!
//! Today's kernel has such a thread too, but one that wants today's SQEs, which only translation makes of iocbs. So it is
//! a thread of this library: it translates and submits, and the program makes no call.

use core::ffi::{c_uint, c_void};
use core::ptr;
use core::sync::atomic::{Ordering, fence};

use uring_core::abi::ring::io_uring;
use uring_core::errno::{Errno, Result};
use uring_core::kernel::{Kernel, Native};
use uring_core::ring::ring_fd;

use crate::abi::IORING_SQ_NEED_WAKEUP;
use crate::hidden_fd::HiddenFd;
use crate::pool::Slot;
use crate::ring::Ring;
use crate::submit::Work;
use crate::sys::{memory, process, time};
use crate::thread::{self, Leftover};
use crate::wakeup::flags_word;
use crate::{overflow, path};

/// How long the thread looks for work before it sleeps.
const IDLE_NS: u64 = 1_000_000_000;
/// Looks before the thread lets others run.
const SPINS: u32 = 64;
/// How soon a thread that has gone to sleep looks once more.
const FIRST_SLEEP_NS: u64 = 1_000_000;
/// How often a thread that sleeps looks whether there is room for events that were kept back, or will be.
const BACKLOG_SLEEP_NS: u64 = 10_000_000;

/// Starts the thread of the ring in `slot`, bound to `cpu` if this process may run there.
///
/// # Errors
///
/// * `EINVAL`: there is no such CPU.
///
/// # Safety
///
/// The ring is this thread's alone, is set up, and stays until [`stop`] has returned.
pub unsafe fn start(slot: &'static Slot, cpu: u16) -> Result<()> {
    // SAFETY: the caller vouches for the ring; the thread does not run yet.
    unsafe {
        let poller = &raw mut (*slot.ring()).poller;
        let stack = thread::stack()?;
        let argument = ptr::from_ref(slot).cast_mut().cast();
        let id = match thread::start(stack, run, argument, Some(&slot.poller_tid)) {
            Ok(id) => id,
            Err(error) => {
                thread::unmap_stack(stack);
                return Err(error);
            }
        };
        (*poller).stack = stack;
        (*poller).id = id;
        // It opens a file, which it shall have done before the program goes on. Acquire: what it wrote is there.
        let begun = &(*slot.ring()).shared().wakes;
        while begun.load(Ordering::Acquire) == 0 {
            time::sleep_on(begun, 0, 0);
        }
        match process::bind(id, cpu) {
            // In a container that has other CPUs only, the thread goes where it may.
            Err(Errno::EINVAL) if !is_cpu(cpu) => Err(Errno::EINVAL),
            _ => Ok(()),
        }
    }
}

/// The thread. It ends when it is told to; the ring is there until then.
unsafe extern "C" fn run(slot: *mut c_void) -> Leftover {
    // SAFETY: the argument that `start` gave. The copy of today's ring is this thread's alone, and nobody else submits.
    unsafe {
        let slot = &*slot.cast::<Slot>();
        let ring = slot.ring();
        let kring = &raw mut (*ring).poller.kring;
        memory::copy::<u64>(
            (&raw const (*ring).kring).cast(),
            kring.cast(),
            size_of::<io_uring>() / size_of::<u64>(),
        );
        // By its number in this thread's own table the ring cannot be mistaken, whatever the program does with
        // descriptors. Kernels that have no such table know the descriptor.
        let _ = ring_fd::register::<Native>(kring);
        if let Ok(fdinfo) = overflow::open_fdinfo((*ring).kring.ring_fd) {
            (*ring).poller.fdinfo =
                HiddenFd::new(fdinfo).map_or(HiddenFd::NONE, HiddenFd::moved_high);
        }
        // The number is 0 in a new ring. Release: what was written is there for `start`.
        let begun = &(*ring).shared().wakes;
        begun.fetch_add(1, Ordering::Release);
        time::wake(begun);

        let ring = &*ring;
        let mut spins = 0;
        let mut idle_since = None;
        while slot.poller_stop.load(Ordering::Relaxed) == 0 {
            let mut work = Work::of_thread(ring, kring);
            if work.feed::<Native>() {
                idle_since = None;
                spins = 0;
                continue;
            }
            if work.view.needs_kernel() {
                let _ = work.wait::<Native>(0, true);
            }
            spins += 1;
            if spins % SPINS != 0 {
                time::pause();
                continue;
            }
            work.count_overflow();
            time::yield_cpu();
            let now = time::now();
            match idle_since {
                None => idle_since = Some(now),
                Some(since) if now.wrapping_sub(since) > IDLE_NS && work.view.is_idle() => {
                    sleep(ring, slot, &work);
                    idle_since = None;
                }
                Some(_) => {}
            }
        }
        let _ = ring_fd::unregister::<Native>(kring);
    }
    Leftover::NOTHING
}

/// Sleeps until there is work or the thread is to end.
fn sleep(ring: &Ring, slot: &Slot, work: &Work) {
    let flags = flags_word(ring);
    let wakes = &ring.shared().wakes;
    let mut limit = FIRST_SLEEP_NS;
    loop {
        let number = wakes.load(Ordering::SeqCst);
        flags.fetch_or(IORING_SQ_NEED_WAKEUP, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if work.pending() != 0 || slot.poller_stop.load(Ordering::SeqCst) != 0 {
            break;
        }
        // Programs of the time store the tail and look at the flags without a barrier between, so that the processor
        // may look first. What it stored is there a moment later: the first sleep is a short one.
        time::sleep_on(wakes, number, limit);
        if work.pending() != 0 || wakes.load(Ordering::SeqCst) != number || work.view.needs_kernel()
        {
            break;
        }
        work.count_overflow();
        limit = if work.view.may_overflow() {
            BACKLOG_SLEEP_NS
        } else {
            0
        };
    }
    flags.fetch_and(!IORING_SQ_NEED_WAKEUP, Ordering::SeqCst);
}

/// Whether the machine has this CPU, whether or not this process may use it.
fn is_cpu(cpu: u16) -> bool {
    match path::open_numbered(b"/sys/devices/system/cpu/cpu", cpu as c_uint, false) {
        Ok(directory) => {
            let _ = Native::close(directory);
            true
        }
        Err(_) => false,
    }
}
