//! The thread that polls the SQ ring (`SQTHREAD | SQPOLL`).
//!
//! Current kernels have such a thread too, but it wants SQEs, and iocbs have to be translated first. So this library
//! has a thread that translates and submits, and the program makes no call.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{Ordering, fence};

use uring_core::abi::ring::io_uring;
use uring_core::errno::Result;
use uring_core::kernel::Native;
use uring_core::mem;
use uring_core::ring::handle::Whole;
use uring_core::ring::ring_fd;

use crate::abi::IORING_SQ_NEED_WAKEUP;
use crate::hidden_fd::HiddenFd;
use crate::overflow;
use crate::pool::Slot;
use crate::ring::Ring;
use crate::submit::Work;
use crate::sys::{process, time};
use crate::thread::{self, Leftover};
use crate::wakeup::flags_word;

/// How long the thread polls without finding work before it sleeps.
const IDLE_NS: u64 = 1_000_000_000;
/// How often the thread polls before it yields the CPU.
const SPINS: u32 = 64;
/// How long the thread's first sleep lasts.
const FIRST_SLEEP_NS: u64 = 1_000_000;
/// How long the thread sleeps at most while there is a backlog, or may be one.
const BACKLOG_SLEEP_NS: u64 = 10_000_000;

/// Starts the polling thread of the ring in `slot`, bound to `cpu` if this process may run there.
///
/// # Errors
///
/// Those of mapping a stack and of starting a thread.
///
/// # Safety
///
/// No other thread knows the ring. It is set up, and stays until [`stop`](crate::wakeup::stop) has returned.
pub unsafe fn start(slot: &'static Slot, cpu: u16) -> Result<()> {
    // SAFETY: the caller promises that the ring is set up and stays. The thread does not run yet.
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
        // Wait until the thread has opened its file, so that the program sees no descriptor come later. Acquire: what
        // the thread has written is visible.
        let begun = &(*slot.ring()).shared().wakes;
        while begun.load(Ordering::Acquire) == 0 {
            time::sleep_on(begun, 0, 0);
        }
        // Set-up has checked that there is such a CPU. In a container without it the thread runs anywhere.
        let _ = process::bind(id, cpu);
    }
    Ok(())
}

/// The polling thread. The ring stays until it has ended.
unsafe extern "C" fn run(slot: *mut c_void) -> Leftover {
    // SAFETY: the argument is the one that `start` gave. Only this thread uses the copy of the kernel ring, and no
    // other thread submits.
    unsafe {
        let slot = &*slot.cast::<Slot>();
        let ring = slot.ring();
        let kring = &raw mut (*ring).poller.kring;
        mem::copy::<u64>(
            (&raw const (*ring).kring).cast(),
            kring.cast(),
            size_of::<io_uring>() / size_of::<u64>(),
        );
        // The ring's index in this thread's own table of rings keeps leading to it when the program closes or replaces
        // descriptors. On kernels without such a table the descriptor is used.
        let _ = ring_fd::register(Whole::<Native>::new(kring));
        if let Ok(fdinfo) = overflow::open_fdinfo((*ring).kring.ring_fd) {
            (*ring).poller.fdinfo =
                HiddenFd::new(fdinfo).map_or(HiddenFd::NONE, HiddenFd::moved_high);
        }
        // The count is 0 in a new ring. Release: `start` sees what was written.
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
        let _ = ring_fd::unregister(Whole::<Native>::new(kring));
    }
    Leftover::NOTHING
}

/// Sleeps until there is work, or the thread is to end.
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
        // Programs of that time store the tail and read the flags without a barrier between them, so the processor may
        // read the flags first. The tail becomes visible a moment later. So the first sleep is short.
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
