//! From the SQ ring of 2019 to that of today, and into the kernel.

use core::ffi::{c_int, c_uint};
use core::ptr;
use core::sync::atomic::Ordering;

use uring_core::abi::enter::IORING_ENTER_GETEVENTS as GETEVENTS;
use uring_core::abi::params::IORING_SQ_CQ_OVERFLOW;
use uring_core::abi::ring::io_uring;
use uring_core::abi::types::KERNEL_SIGSET_SIZE;
use uring_core::errno::{Errno, Result};
use uring_core::kernel::Kernel;
use uring_core::queue::{complete, submit};
use uring_core::ring::{flags, order};

use crate::inside::Inside;
use crate::pool::Held;
use crate::ring::Ring;
use crate::translate::{Stop, Translator};
use crate::{account, overflow, sys};

/// One thread's work on a ring: from the SQ ring of 2019 to that of today, and into the kernel.
pub struct Work<'a> {
    ring: &'a Ring,
    /// Today's ring, or the polling thread's copy.
    today: *mut io_uring,
    /// None for the polling thread, which nobody disturbs.
    inside: Option<&'a Inside<'a>>,
    /// iocbs that the kernel has consumed.
    pub taken: c_uint,
    /// Whether the caller's wait is done, or nothing may be done any more.
    pub waited: bool,
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
    /// The next iocb has to be submitted alone.
    Apart,
    /// A signal's handler came in: nothing is done.
    Void,
}

/// What became of some entries of the SQ ring.
struct Batch {
    /// How many are done with.
    entries: c_uint,
    /// Why not more.
    end: End,
}

impl Batch {
    const VOID: Batch = Batch {
        entries: 0,
        end: End::Void,
    };
    /// No more is to be done in this call.
    const LAST: Batch = Batch {
        entries: 0,
        end: End::Done,
    };
}

impl<'a> Work<'a> {
    /// For the call that is inside.
    pub fn of_call(ring: &'a Held, inside: &'a Inside<'a>) -> Work<'a> {
        Work {
            ring,
            // SAFETY: this thread is the one inside.
            today: unsafe { &raw mut (*ring.ring()).today },
            inside: Some(inside),
            taken: 0,
            waited: false,
        }
    }

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
    pub unsafe fn consume<K: Kernel>(
        &mut self,
        inside: &Inside,
        mut limit: c_uint,
        wanted: c_uint,
    ) -> Result<()> {
        let mut translator = Translator::new(self.ring);
        while limit != 0 {
            // SAFETY: passed on to the caller.
            let mut batch = unsafe { self.batch::<K>(inside, &mut translator, limit, wanted) }?;
            limit -= batch.entries;
            if let End::Apart | End::Void = batch.end {
                let apart = matches!(batch.end, End::Apart);
                translator = Translator::new(self.ring);
                translator.alone = apart;
                // What is done in the call is done once, and what was made void shall not be so for ever.
                let signals = sys::block_signals(sys::INTERRUPTIONS);
                let part = if apart { 1 } else { limit };
                // SAFETY: passed on to the caller.
                let done = unsafe { self.batch::<K>(inside, &mut translator, part, 0) };
                sys::block_signals(signals);
                batch = done?;
                translator.alone = false;
                limit -= batch.entries;
                if apart && batch.entries != 0 {
                    continue;
                }
            }
            match batch.end {
                End::Done => break,
                End::Full | End::Dropped | End::Apart | End::Void => {}
                End::Refused(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Translates and submits as much as goes in one system call, and drops an index behind it.
    ///
    /// # Safety
    ///
    /// As for [`consume`](Self::consume).
    #[inline(always)]
    unsafe fn batch<K: Kernel>(
        &mut self,
        inside: &Inside,
        translator: &mut Translator,
        limit: c_uint,
        wanted: c_uint,
    ) -> Result<Batch> {
        // SAFETY: the ring's areas are mapped; the SQ side of today's ring is this thread's.
        unsafe {
            let visits = inside.visits();
            let heads = account::settle(self.ring);
            rewind(self.today, heads.today);
            let (filled, end) = self.fill(translator, heads.ours, limit);
            if filled != 0 {
                let last = matches!(end, End::Done);
                let wanted = if last { wanted } else { 0 };
                submit::flush(self.today);
                match self.call::<K>(filled, wanted, wanted != 0, Some(visits)) {
                    Called::Disturbed => return Ok(Batch::VOID),
                    Called::Lost(returned) => {
                        self.waited = true;
                        self.taken += returned? as c_uint;
                        return Ok(Batch::LAST);
                    }
                    Called::Returned(returned) => {
                        let consumed = returned? as c_uint;
                        self.taken += consumed;
                        if consumed < filled {
                            // The kernel ran out of memory. The rest stays in the ring.
                            return Ok(Batch::LAST);
                        }
                        self.waited = wanted != 0;
                    }
                }
            } else if visits != inside.visits() {
                return Ok(Batch::VOID);
            }
            let mut entries = filled;
            if let End::Dropped = end {
                let heads = heads.after(filled);
                if account::advance(self.ring, heads, heads.after_drop()) {
                    self.count_drop();
                    entries += 1;
                }
            }
            Ok(Batch { entries, end })
        }
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
                let heads = account::read(self.ring);
                let mut translator = Translator::new(self.ring);
                let (mut filled, mut end) = self.fill(&mut translator, heads.ours, c_uint::MAX);
                if let (0, End::Apart) = (filled, &end) {
                    // Signals never come to this thread.
                    translator.alone = true;
                    (filled, end) = self.fill(&mut translator, heads.ours, 1);
                }
                let mut now = heads.after(filled);
                if matches!(end, End::Dropped) {
                    self.count_drop();
                    now = now.after_drop();
                } else if filled == 0 {
                    return false;
                }
                account::advance(self.ring, heads, now);
                waiting = submit::flush(self.today);
            }
            if waiting != 0 {
                self.call::<K>(waiting, 0, false, None);
            }
            true
        }
    }

    /// Counts an index that was dropped.
    unsafe fn count_drop(&self) {
        // SAFETY: mapped. A handler may count as well. Relaxed: a count that stands for nothing else.
        unsafe { (*self.ring.sq()).dropped.fetch_add(1, Ordering::Relaxed) };
    }

    /// Entries that wait in the SQ ring.
    pub fn pending(&self) -> c_uint {
        self.pending_from(account::read(self.ring).ours)
    }

    fn pending_from(&self, head: c_uint) -> c_uint {
        // SAFETY: mapped. Acquire: the entries before the tail are there.
        unsafe { order::load_acquire(&raw const (*self.ring.sq()).tail).wrapping_sub(head) }
    }

    /// Translates up to `limit` entries from `head` on into SQEs, of which none is waiting. Returns how many, and why not
    /// more.
    unsafe fn fill(
        &self,
        translator: &mut Translator,
        head: c_uint,
        limit: c_uint,
    ) -> (c_uint, End) {
        let ring = self.ring;
        // SAFETY: masked positions lie within the array and the SQEs, the index within the iocbs.
        unsafe {
            let sq = &raw mut (*self.today).sq;
            let (sqes, tail, room) = ((*sq).sqes, (*sq).sqe_tail, (*sq).ring_entries);
            let (array, iocbs) = (ring.array(), ring.iocbs());
            let mask = ring.entries.wrapping_sub(1);
            let wanted = self.pending_from(head).min(limit);
            let available = wanted.min(room);
            let mut end = if available < wanted {
                End::Full
            } else {
                End::Done
            };
            let mut filled = 0;
            while filled < available {
                let place = head.wrapping_add(filled) & mask;
                let index = order::load_relaxed(array.add(place as usize));
                if index >= ring.entries {
                    end = End::Dropped;
                    break;
                }
                let sqe = sqes.add((tail.wrapping_add(filled) & (room - 1)) as usize);
                if let Err(stop) = translator.translate(iocbs.add(index as usize), index, sqe) {
                    end = match stop {
                        Stop::Refused(error) => End::Refused(error),
                        Stop::Apart => End::Apart,
                    };
                    break;
                }
                filled += 1;
            }
            (*sq).sqe_tail = tail.wrapping_add(filled);
            (filled, end)
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
                match self.call::<K>(0, wanted, true, None) {
                    Called::Returned(returned) | Called::Lost(returned) => drop(returned?),
                    Called::Disturbed => {}
                }
            }
        }
        Ok(())
    }

    /// Whether the kernel has events that found no room.
    pub fn holds_back(&self) -> bool {
        // SAFETY: the ring is set up. Relaxed: a hint.
        unsafe { order::load_relaxed((*self.today).sq.kflags) & IORING_SQ_CQ_OVERFLOW != 0 }
    }

    /// Counts the events that found no room.
    pub fn count_kept(&self) {
        if self.holds_back() {
            let info = self.inside.is_none().then_some(&self.ring.poller.info);
            // SAFETY: the ring is set up.
            unsafe { overflow::count(self.ring, self.today, info) };
        }
    }

    /// Whether events come only if somebody enters the kernel: those that are polled for, and those that found no room
    /// and would find some now.
    pub fn wants_looking_after(&self) -> bool {
        (self.ring.polled && !self.is_idle()) || (self.holds_back() && self.has_room())
    }

    fn has_room(&self) -> bool {
        // SAFETY: the ring is set up, so its words lie in its mapping.
        unsafe { complete::available(self.today) < (*self.today).cq.ring_entries }
    }

    /// Whether there are more events, under way or there, than have room in the CQ.
    pub fn may_overflow(&self) -> bool {
        // SAFETY: the ring is set up. Relaxed: counters, looked at again and again. Each SQE gives one event.
        unsafe {
            let taken = order::load_relaxed((*self.today).cq.khead);
            let submitted = order::load_relaxed((*self.today).sq.khead);
            submitted.wrapping_sub(taken) > (*self.today).cq.ring_entries
        }
    }

    /// Whether nothing is under way that needs looking after.
    pub fn is_idle(&self) -> bool {
        // SAFETY: the ring is set up. Relaxed: counters, looked at again and again. Each SQE gives one event, which may
        // be kept back for want of room.
        let without_event = unsafe {
            let sq = &(*self.today).sq;
            let posted = order::load_relaxed((*self.today).cq.ktail);
            order::load_relaxed(sq.khead).wrapping_sub(posted)
        };
        !self.ring.polled || without_event == overflow::kept_back(self.ring)
    }

    /// One system call, and the account of what it consumed. If it submits, `visits` is what they were before the
    /// translation.
    unsafe fn call<K: Kernel>(
        &self,
        to_submit: c_uint,
        wanted: c_uint,
        waits: bool,
        visits: Option<c_uint>,
    ) -> Called {
        // SAFETY: the caller's promises.
        unsafe {
            let today = self.today;
            let held_back = self.holds_back();
            // The call may bring them into the ring, where nobody can tell any more. Without room it does not, unless the
            // program makes some meanwhile.
            if held_back && self.has_room() {
                self.count_kept();
            }
            let flags = flags::enter_flags(today) | if waits || held_back { GETEVENTS } else { 0 };
            // Once this call's place can be taken, the ring may go.
            let fd = (*today).enter_ring_fd;
            if let Some(inside) = self.inside {
                if !inside.leave_translation(visits) {
                    return if inside.is_lost() {
                        Called::Lost(Ok(0))
                    } else {
                        Called::Disturbed
                    };
                }
            }
            let returned = K::enter(
                fd,
                to_submit,
                wanted,
                flags,
                ptr::null(),
                KERNEL_SIGSET_SIZE,
            );
            if let Some(inside) = self.inside {
                if !inside.come_back() {
                    return Called::Lost(returned);
                }
                if to_submit != 0 {
                    account::settle(self.ring);
                }
            }
            self.count_kept();
            overflow::none(self.ring, || !self.holds_back());
            Called::Returned(returned)
        }
    }
}

/// What became of a system call.
enum Called {
    /// It was made.
    Returned(Result<c_int>),
    /// It was made, and somebody took this call's place meanwhile. Nothing of the ring may be touched any more.
    Lost(Result<c_int>),
    /// It was not made, as a signal's handler came in before. What was translated is void.
    Disturbed,
}

/// Starts anew at `head` of today's SQ. Between two calls there are no SQEs: the entries that they stand for are still
/// in the program's ring. So another process that shares the ring can go on with it.
unsafe fn rewind(today: *mut io_uring, head: c_uint) {
    // SAFETY: the SQ side is this thread's.
    unsafe {
        let sq = &raw mut (*today).sq;
        (*sq).sqe_head = head;
        (*sq).sqe_tail = head;
    }
}

/// Whether entering the kernel may bring events that do not come by themselves.
#[cfg(not(feature = "preload"))]
pub fn may_find_more(ring: &Ring) -> bool {
    // SAFETY: the ring is set up, so the word lies in its mapping. Relaxed: a hint.
    let flags = unsafe { order::load_relaxed(ring.today.sq.kflags) };
    ring.polled || flags & IORING_SQ_CQ_OVERFLOW != 0
}
