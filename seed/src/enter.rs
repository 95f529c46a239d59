//! `io_uring_enter`: consuming the SQ ring, and waiting.

use core::arch::asm;
use core::ffi::{c_int, c_uint};
use core::ptr;
use core::sync::atomic::Ordering;

use liburing::abi::enter::IORING_ENTER_GETEVENTS as GETEVENTS;
use liburing::abi::params::IORING_SQ_CQ_OVERFLOW;
use liburing::abi::ring::io_uring;
use liburing::abi::types::KERNEL_SIGSET_SIZE;
use liburing::errno::{Errno, Result};
use liburing::kernel::Kernel;
use liburing::queue::{complete, order, sqe, submit};
use liburing::ring::flags;

use crate::abi::*;
use crate::memory::Shared;
use crate::pool::{Held, Ring};
use crate::translate::Translator;
use crate::{overflow, poller};

/// Submits up to `to_submit` iocbs and waits if `flags` say so. Returns how many were submitted.
///
/// # Errors
///
/// * `EBUSY`: another thread is inside.
/// * `EINTR`: a signal ended the wait, and nothing was submitted.
/// * `EINVAL`: unknown flags.
/// * That of the first iocb, if it cannot be started.
pub fn enter<K: Kernel>(
    held: Held,
    to_submit: c_uint,
    min_complete: c_uint,
    enter_flags: c_uint,
) -> Result<c_int> {
    if enter_flags & !IORING_ENTER_GETEVENTS != 0 {
        return Err(Errno::EINVAL);
    }
    let inside = Inside::take(&held)?;
    let result = enter_inside::<K>(&held, &inside, to_submit, min_complete, enter_flags);
    if inside.is_lost() {
        core::mem::forget(inside);
        // The use of the ring has been ended by whoever came in between.
        core::mem::forget(held);
    }
    result
}

/// [`enter`] of the one thread.
fn enter_inside<K: Kernel>(
    held: &Held,
    inside: &Inside,
    to_submit: c_uint,
    min_complete: c_uint,
    enter_flags: c_uint,
) -> Result<c_int> {
    let waits = enter_flags & IORING_ENTER_GETEVENTS != 0;
    let wanted = c_uint::from(waits && min_complete != 0);
    // SAFETY: this thread is the one inside.
    unsafe {
        if held.is_polled_by_thread() {
            return polled::<K>(held, inside, to_submit, wanted);
        }
        let mut work = Work {
            ring: held,
            today: &raw mut (*held.ring()).today,
            inside: Some(inside),
            taken: 0,
            waited: false,
        };
        // A submission thread takes all there is.
        let threaded = held.flags & IORING_SETUP_SQTHREAD != 0;
        let limit = match to_submit {
            0 => 0,
            _ if threaded => c_uint::MAX,
            _ => to_submit,
        };
        let error = work
            .consume::<K>(limit, if threaded { 0 } else { wanted })
            .err();
        let submitted = if threaded { to_submit } else { work.taken };
        if let (0, Some(error)) = (submitted, error) {
            return Err(error);
        }
        // Who asked for a submission and got none does not wait.
        let wanted = if submitted == 0 && to_submit != 0 {
            0
        } else {
            wanted
        };
        if !work.waited {
            let asked = waits && held.polled;
            let waited = work.wait::<K>(wanted, asked);
            if let (0, Err(error)) = (submitted, waited) {
                return Err(error);
            }
        }
        Ok(submitted as c_int)
    }
}

/// [`enter`] on a ring whose SQ ring is polled by a thread, which submits, and keeps the account.
unsafe fn polled<K: Kernel>(
    held: &Held,
    inside: &Inside,
    to_submit: c_uint,
    wanted: c_uint,
) -> Result<c_int> {
    if to_submit != 0 {
        poller::wake(held);
    }
    let today = &raw const held.today;
    // SAFETY: the ring is set up; nothing is submitted.
    unsafe {
        if wanted != 0 && complete::available(today) == 0 {
            let fd = (*today).ring_fd;
            inside.leave_translation(0);
            let waited = K::enter(fd, 0, wanted, GETEVENTS, ptr::null(), KERNEL_SIGSET_SIZE);
            inside.come_back();
            if to_submit == 0 {
                waited?;
            }
        }
    }
    Ok(to_submit as c_int)
}

/// One thread's work on a ring: from the SQ ring of 2019 to that of today, and into the kernel.
pub struct Work<'a> {
    ring: &'a Ring,
    /// Today's ring, or the polling thread's copy.
    today: *mut io_uring,
    /// None for the polling thread, which nobody disturbs.
    inside: Option<&'a Inside<'a>>,
    /// iocbs that the kernel has consumed.
    taken: c_uint,
    /// Whether the caller's wait is done, or nothing may be done any more.
    waited: bool,
}

/// Why a batch ended.
enum End {
    /// All is taken that there is, or that was asked for.
    Done,
    /// Today's SQ is full.
    Full,
    /// The next index names no iocb.
    Dropped,
    /// The next iocb cannot be started.
    Refused(Errno),
}

impl<'a> Work<'a> {
    /// For the thread that polls the SQ ring, with its own copy of today's ring.
    pub fn of_thread(ring: &'a Ring, today: *mut io_uring) -> Work<'a> {
        Work {
            ring,
            today,
            inside: None,
            taken: 0,
            waited: false,
        }
    }

    /// Consumes up to `limit` entries of the SQ ring, and with the last of them waits for `wanted` events. The ring's head
    /// is where the kernel's consumption has got to.
    ///
    /// # Safety
    ///
    /// No other thread consumes.
    unsafe fn consume<K: Kernel>(&mut self, mut limit: c_uint, wanted: c_uint) -> Result<()> {
        let mut translator = Translator::new(self.ring);
        // SAFETY: the ring's areas are mapped; the SQ side of today's ring is this thread's.
        unsafe {
            while limit != 0 {
                rewind(self.today);
                let (filled, end) = self.fill(&mut translator, limit);
                let last = matches!(end, End::Done);
                if filled != 0 {
                    let wanted = if last { wanted } else { 0 };
                    submit::flush(self.today);
                    let called = self.call::<K>(filled, wanted, wanted != 0);
                    let Some(consumed) = called.settled else {
                        // A signal's handler called in and has accounted for everything.
                        self.waited = true;
                        self.taken += called.returned? as c_uint;
                        return Ok(());
                    };
                    self.taken += consumed;
                    if consumed == 0 {
                        called.returned?;
                    }
                    if consumed < filled {
                        // The kernel ran out of memory. The rest stays in the ring.
                        return Ok(());
                    }
                    self.waited = last && wanted != 0;
                }
                limit -= filled;
                match end {
                    End::Done => return Ok(()),
                    End::Full => {}
                    End::Refused(error) => return Err(error),
                    End::Dropped => {
                        self.pass_over();
                        limit -= 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Consumes what there is in the SQ ring. The ring's head moves as soon as iocbs are translated; what the kernel does
    /// not take then, for want of memory, is tried again by the next call. Returns whether there was something.
    ///
    /// # Safety
    ///
    /// This is the thread that polls the ring.
    pub unsafe fn feed<K: Kernel>(&self) -> bool {
        // SAFETY: as in `consume`.
        unsafe {
            let mut waiting = submit::flush(self.today);
            if waiting == 0 {
                let (filled, end) = self.fill(&mut Translator::new(self.ring), c_uint::MAX);
                self.advance(filled);
                if matches!(end, End::Dropped) {
                    self.pass_over();
                } else if filled == 0 {
                    return false;
                }
                waiting = submit::flush(self.today);
            }
            if waiting != 0 {
                let _ = self.call::<K>(waiting, 0, false);
            }
            true
        }
    }

    /// Drops the first entry of the SQ ring.
    unsafe fn pass_over(&self) {
        // SAFETY: mapped, and this thread is the only writer.
        unsafe {
            let dropped = &raw mut (*self.ring.sq()).dropped;
            // Relaxed: a count that stands for nothing else.
            order::store_relaxed(dropped, order::load_relaxed(dropped).wrapping_add(1));
            self.advance(1);
        }
    }

    /// Entries that wait in the SQ ring.
    pub fn pending(&self) -> c_uint {
        let sq = self.ring.sq();
        // SAFETY: mapped. Acquire: the entries before the tail are there.
        unsafe {
            let tail = order::load_acquire(&raw const (*sq).tail);
            tail.wrapping_sub(order::load_relaxed(&raw const (*sq).head))
        }
    }

    /// Gives `count` entries of the SQ ring back to the program.
    unsafe fn advance(&self, count: c_uint) {
        // SAFETY: mapped, and this thread is the head's only writer.
        unsafe {
            let head = &raw mut (*self.ring.sq()).head;
            // Release: entries and iocbs have been read before the program may write there again.
            order::store_release(head, order::load_relaxed(head).wrapping_add(count));
        }
    }

    /// Translates up to `limit` entries into SQEs. Returns how many, and why not more.
    unsafe fn fill(&self, translator: &mut Translator, limit: c_uint) -> (c_uint, End) {
        let ring = self.ring;
        // SAFETY: the masked position lies within the array, the index within the iocbs.
        unsafe {
            let available = self.pending().min(limit);
            let head = order::load_relaxed(&raw const (*ring.sq()).head);
            let (array, iocbs) = (ring.array(), ring.iocbs());
            let mask = ring.entries.wrapping_sub(1);
            let mut filled = 0;
            while filled < available {
                let place = head.wrapping_add(filled) & mask;
                let index = order::load_relaxed(array.add(place as usize));
                if index >= ring.entries {
                    return (filled, End::Dropped);
                }
                let sqe = sqe::get(self.today);
                if sqe.is_null() {
                    return (filled, End::Full);
                }
                if let Err(error) = translator.translate(iocbs.add(index as usize), index, sqe) {
                    (*self.today).sq.sqe_tail = (*self.today).sq.sqe_tail.wrapping_sub(1);
                    return (filled, End::Refused(error));
                }
                filled += 1;
            }
            (filled, End::Done)
        }
    }

    /// Waits for `wanted` events; with `asked`, enters the kernel also for none.
    ///
    /// # Safety
    ///
    /// As for [`consume`](Self::consume).
    pub unsafe fn wait<K: Kernel>(&mut self, wanted: c_uint, asked: bool) -> Result<()> {
        // SAFETY: nothing is submitted.
        unsafe {
            let there = complete::available(self.today) >= wanted.max(1);
            if asked || self.holds_back() || (wanted != 0 && !there) {
                self.call::<K>(0, wanted, true).returned?;
            }
        }
        Ok(())
    }

    /// Whether the kernel has events that found no room.
    pub fn holds_back(&self) -> bool {
        // SAFETY: the ring is set up. Relaxed: a hint.
        unsafe { order::load_relaxed((*self.today).sq.kflags) & IORING_SQ_CQ_OVERFLOW != 0 }
    }

    /// Whether events come only if somebody enters the kernel: those that are polled for, and those that found no room
    /// and would find some now.
    pub fn wants_looking_after(&self) -> bool {
        // SAFETY: the ring is set up, so its words lie in its mapping.
        let room = unsafe { complete::available(self.today) < (*self.today).cq.ring_entries };
        (self.ring.polled && !self.is_idle()) || (self.holds_back() && room)
    }

    /// Whether nothing is under way that needs looking after.
    pub fn is_idle(&self) -> bool {
        // SAFETY: the ring is set up. Relaxed: counters, looked at again and again. Each SQE gives one event.
        let all_done = unsafe {
            let sq = &(*self.today).sq;
            order::load_relaxed(sq.khead) == order::load_relaxed((*self.today).cq.ktail)
        };
        !self.holds_back() && (all_done || !self.ring.polled)
    }

    /// One system call, and the account of what it consumed.
    unsafe fn call<K: Kernel>(&self, to_submit: c_uint, wanted: c_uint, waits: bool) -> Called {
        // SAFETY: the caller's promises.
        unsafe {
            let today = self.today;
            let before = order::load_relaxed((*today).sq.khead);
            let held_back = self.holds_back();
            if held_back {
                overflow::count(self.ring, today);
            }
            let flags = flags::enter_flags(today) | if waits || held_back { GETEVENTS } else { 0 };
            if let Some(inside) = self.inside {
                inside.leave_translation(before);
            }
            let returned = K::enter(
                (*today).enter_ring_fd,
                to_submit,
                wanted,
                flags,
                ptr::null(),
                KERNEL_SIGSET_SIZE,
            );
            if self.inside.is_some_and(|inside| !inside.come_back()) {
                return Called {
                    returned,
                    settled: None,
                };
            }
            let consumed = order::load_relaxed((*today).sq.khead).wrapping_sub(before);
            if consumed != 0 && self.inside.is_some() {
                self.advance(consumed);
            }
            if self.holds_back() {
                overflow::count(self.ring, today);
            } else {
                overflow::none(self.ring);
            }
            Called {
                returned,
                settled: Some(consumed),
            }
        }
    }
}

struct Called {
    returned: Result<c_int>,
    /// How many SQEs were consumed; none if somebody else has seen to that.
    settled: Option<c_uint>,
}

/// Takes back SQEs that were not consumed. Between two calls there is none: the entries they stand for are still in the
/// program's ring. So another process that shares the ring can go on with it.
unsafe fn rewind(today: *mut io_uring) {
    // SAFETY: the SQ side is this thread's.
    unsafe {
        let sq = &raw mut (*today).sq;
        let head = order::load_relaxed((*sq).khead);
        (*sq).sqe_head = head;
        (*sq).sqe_tail = head;
    }
}

/// Being inside `io_uring_enter` on a ring, which one thread can be at a time.
pub struct Inside<'a> {
    ring: &'a Held,
    ticket: u32,
}

impl<'a> Inside<'a> {
    /// `EBUSY` if somebody is inside.
    #[inline(never)]
    fn take(held: &'a Held) -> Result<Inside<'a>> {
        let shared = held.shared();
        let me = thread();
        // Acquire: what the last owner did is done.
        if let Err(owner) =
            shared
                .owner
                .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
        {
            // This very thread, which a signal took out of the kernel's wait: the handler calls in, or has left the
            // call for good with longjmp. Nobody else can be between that call and this one.
            if owner != me || !leave_behind(held) {
                return Err(Errno::EBUSY);
            }
            if !held.is_polled_by_thread() {
                settle(held, shared);
            }
            // That call's use of the ring ends here, as it may not end by itself.
            held.end_another();
        }
        let ticket = shared.ticket.load(Ordering::Relaxed).wrapping_add(1);
        shared.ticket.store(ticket, Ordering::Relaxed);
        Ok(Inside { ring: held, ticket })
    }

    /// To be called before the system call: a signal's handler may call in from now on. `head` is that of today's SQ.
    fn leave_translation(&self, head: c_uint) {
        let shared = self.ring.shared();
        shared.head_before.store(head, Ordering::Relaxed);
        // Release: for a handler on this thread the order of the instructions counts.
        shared.in_kernel.store(1, Ordering::Release);
    }

    /// To be called after the system call. False if a handler has called in and settled what was submitted, or has closed
    /// the ring.
    fn come_back(&self) -> bool {
        if self.is_lost() {
            return false;
        }
        // A handler that looks from now on finds the account in the making. One that came just before has taken the
        // ticket, which is why that is looked at again.
        self.ring.shared().in_kernel.store(0, Ordering::Release);
        !self.is_lost()
    }

    /// Whether somebody has come in between.
    fn is_lost(&self) -> bool {
        self.ring.is_gone() || self.ring.shared().ticket.load(Ordering::Acquire) != self.ticket
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        // Release: what this thread did is done.
        self.ring.shared().owner.store(0, Ordering::Release);
    }
}

/// Whether the calling thread is inside `io_uring_enter` on a ring, and not to be expected back: either it was taken out
/// of the wait by a signal whose handler is what runs, or has left it with longjmp. If so, takes the call's place.
pub fn leave_behind(ring: &Ring) -> bool {
    let shared = ring.shared();
    if shared.owner.load(Ordering::Relaxed) != thread()
        || shared.in_kernel.swap(0, Ordering::Relaxed) == 0
    {
        return false;
    }
    shared.ticket.fetch_add(1, Ordering::Relaxed);
    true
}

/// Accounts for what an interrupted call had submitted.
fn settle(held: &Held, shared: &Shared) {
    // SAFETY: the ring is set up, and this thread owns it.
    unsafe {
        let head = order::load_relaxed(held.today.sq.khead);
        let consumed = head.wrapping_sub(shared.head_before.load(Ordering::Relaxed));
        let ours = &raw mut (*held.sq()).head;
        order::store_release(ours, order::load_relaxed(ours).wrapping_add(consumed));
    }
}

/// Something that only this thread of the process has: the address of its control block, which the architecture keeps
/// at the start of the block itself.
fn thread() -> u64 {
    let block: u64;
    // SAFETY: every thread of a program with a C library has a control block whose first word is its address.
    unsafe { asm!("mov {}, fs:0", out(reg) block, options(nostack, readonly, preserves_flags)) };
    block
}

/// Whether entering the kernel may bring events that do not come by themselves.
#[cfg(not(feature = "preload"))]
pub fn may_find_more(ring: &Ring) -> bool {
    // SAFETY: the ring is set up, so the word lies in its mapping. Relaxed: a hint.
    let flags = unsafe { order::load_relaxed(ring.today.sq.kflags) };
    ring.polled || flags & IORING_SQ_CQ_OVERFLOW != 0
}
