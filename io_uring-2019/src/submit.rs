//! From the SQ ring of 2019 to that of today, and into the kernel.

use core::ffi::{c_int, c_uint};
use core::ptr;
use core::sync::atomic::Ordering;

use uring_core::abi::enter::IORING_ENTER_GETEVENTS as GETEVENTS;
use uring_core::abi::ring::io_uring;
use uring_core::abi::types::KERNEL_SIGSET_SIZE;
use uring_core::errno::{Errno, Result};
use uring_core::kernel::Kernel;
use uring_core::queue::{complete, submit};
use uring_core::ring::{flags, order};

use crate::entry_lock::Entry;
use crate::pool::Held;
use crate::ring::Ring;
use crate::sys::process;
use crate::translate::{Stop, Translator};
use crate::view::View;
use crate::{heads, overflow};

/// One thread's work on a ring: from the SQ ring of 2019 to that of today, and into the kernel.
pub struct Work<'a> {
    /// The ring, as this thread sees it.
    pub view: View<'a>,
    /// None for the polling thread, which nobody disturbs.
    entry: Option<&'a Entry<'a>>,
    /// iocbs that the kernel has consumed.
    pub consumed: c_uint,
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
    Alone,
    /// A signal's handler came in: nothing is done.
    Restart,
}

/// What became of some entries of the SQ ring.
struct Batch {
    /// How many are done with.
    entries: c_uint,
    /// Why not more.
    end: End,
}

impl Batch {
    const RESTART: Batch = Batch {
        entries: 0,
        end: End::Restart,
    };
    /// No more is to be done in this call.
    const LAST: Batch = Batch {
        entries: 0,
        end: End::Done,
    };
}

impl<'a> Work<'a> {
    /// For the call that is inside.
    pub fn of_call(ring: &'a Held, entry: &'a Entry<'a>) -> Work<'a> {
        Work {
            // SAFETY: `Held` keeps the ring, which is set up.
            view: unsafe { View::new(ring, &raw mut (*ring.ring()).kring) },
            entry: Some(entry),
            consumed: 0,
            waited: false,
        }
    }

    /// For the thread that polls the SQ ring, with its own copy of today's ring.
    ///
    /// # Safety
    ///
    /// `kring` is set up, and a copy of the kernel's ring that no other thread uses.
    pub unsafe fn of_thread(ring: &'a Ring, kring: *mut io_uring) -> Work<'a> {
        Work {
            // SAFETY: the caller promises that it is set up.
            view: unsafe { View::new(ring, kring) },
            entry: None,
            consumed: 0,
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
        entry: &Entry,
        mut limit: c_uint,
        wanted: c_uint,
    ) -> Result<()> {
        let mut translator = Translator::new(self.view.ring());
        while limit != 0 {
            // SAFETY: passed on to the caller.
            let mut batch = unsafe { self.batch::<K>(entry, &mut translator, limit, wanted) }?;
            limit -= batch.entries;
            if let End::Alone | End::Restart = batch.end {
                let alone = matches!(batch.end, End::Alone);
                translator = Translator::new(self.view.ring());
                translator.alone = alone;
                // What is done in the call is done once, and what was made void shall not be so for ever.
                let signals = process::block_signals(process::INTERRUPTIONS);
                let part = if alone { 1 } else { limit };
                // SAFETY: passed on to the caller.
                let done = unsafe { self.batch::<K>(entry, &mut translator, part, 0) };
                process::block_signals(signals);
                batch = done?;
                translator.alone = false;
                limit -= batch.entries;
                if alone && batch.entries != 0 {
                    continue;
                }
            }
            match batch.end {
                End::Done => break,
                End::Full | End::Dropped | End::Alone | End::Restart => {}
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
        entry: &Entry,
        translator: &mut Translator,
        limit: c_uint,
        wanted: c_uint,
    ) -> Result<Batch> {
        // SAFETY: the ring's areas are mapped; the SQ side of today's ring is this thread's.
        unsafe {
            let nested_before = entry.nested_entries();
            let heads = heads::follow_kernel(self.view.ring());
            rewind(self.view.kring(), heads.kring);
            let (filled, end) = self.fill(translator, heads.program, limit);
            if filled != 0 {
                let last = matches!(end, End::Done);
                let wanted = if last { wanted } else { 0 };
                submit::flush(self.view.kring());
                match self.call::<K>(filled, wanted, wanted != 0, Some(nested_before)) {
                    Called::Interrupted => return Ok(Batch::RESTART),
                    Called::Displaced(returned) => {
                        self.waited = true;
                        self.consumed += returned? as c_uint;
                        return Ok(Batch::LAST);
                    }
                    Called::Returned(returned) => {
                        let consumed = returned? as c_uint;
                        self.consumed += consumed;
                        if consumed < filled {
                            // The kernel ran out of memory. The rest stays in the ring.
                            return Ok(Batch::LAST);
                        }
                        self.waited = wanted != 0;
                    }
                }
            } else if nested_before != entry.nested_entries() {
                return Ok(Batch::RESTART);
            }
            let mut entries = filled;
            if let End::Dropped = end {
                let heads = heads.after(filled);
                if heads::advance(self.view.ring(), heads, heads.after_drop()) {
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
            let mut waiting = submit::flush(self.view.kring());
            if waiting == 0 {
                let heads = heads::load(self.view.ring());
                let mut translator = Translator::new(self.view.ring());
                let (mut filled, mut end) = self.fill(&mut translator, heads.program, c_uint::MAX);
                if let (0, End::Alone) = (filled, &end) {
                    // Signals never come to this thread.
                    translator.alone = true;
                    (filled, end) = self.fill(&mut translator, heads.program, 1);
                }
                let mut now = heads.after(filled);
                if matches!(end, End::Dropped) {
                    self.count_drop();
                    now = now.after_drop();
                } else if filled == 0 {
                    return false;
                }
                heads::advance(self.view.ring(), heads, now);
                waiting = submit::flush(self.view.kring());
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
        unsafe {
            (*self.view.ring().sq())
                .dropped
                .fetch_add(1, Ordering::Relaxed)
        };
    }

    /// Entries that wait in the SQ ring.
    pub fn pending(&self) -> c_uint {
        self.pending_from(heads::load(self.view.ring()).program)
    }

    fn pending_from(&self, head: c_uint) -> c_uint {
        // SAFETY: mapped. Acquire: the entries before the tail are there.
        unsafe { order::load_acquire(&raw const (*self.view.ring().sq()).tail).wrapping_sub(head) }
    }

    /// Translates up to `limit` entries from `head` on into SQEs, of which none is waiting. Returns how many, and why not
    /// more.
    unsafe fn fill(
        &self,
        translator: &mut Translator,
        head: c_uint,
        limit: c_uint,
    ) -> (c_uint, End) {
        let ring = self.view.ring();
        // SAFETY: masked positions lie within the array and the SQEs, the index within the iocbs.
        unsafe {
            let sq = &raw mut (*self.view.kring()).sq;
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
                        Stop::Alone => End::Alone,
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
            let there = complete::available(self.view.kring()) >= wanted.max(1);
            if asked || self.view.has_backlog() || (wanted != 0 && !there) {
                match self.call::<K>(0, wanted, true, None) {
                    Called::Returned(returned) | Called::Displaced(returned) => drop(returned?),
                    Called::Interrupted => {}
                }
            }
        }
        Ok(())
    }

    /// Counts the events that found no room in the CQ ring.
    pub fn count_overflow(&self) {
        if self.view.has_backlog() {
            let fdinfo = self
                .entry
                .is_none()
                .then_some(&self.view.ring().poller.fdinfo);
            self.view.count_overflow(fdinfo);
        }
    }

    /// One system call, and the account of what it consumed. If it submits, `visits` is what they were before the
    /// translation.
    unsafe fn call<K: Kernel>(
        &self,
        to_submit: c_uint,
        wanted: c_uint,
        waits: bool,
        nested_before: Option<c_uint>,
    ) -> Called {
        // SAFETY: the caller's promises.
        unsafe {
            let kring = self.view.kring();
            let had_backlog = self.view.has_backlog();
            // The call may bring them into the ring, where nobody can tell any more. Without room it does not, unless the
            // program makes some meanwhile.
            if had_backlog && self.view.has_room() {
                self.count_overflow();
            }
            let flags =
                flags::enter_flags(kring) | if waits || had_backlog { GETEVENTS } else { 0 };
            // Once this call's place can be taken, the ring may go.
            let fd = (*kring).enter_ring_fd;
            if let Some(entry) = self.entry {
                if !entry.before_syscall(nested_before) {
                    return if entry.is_displaced() {
                        Called::Displaced(Ok(0))
                    } else {
                        Called::Interrupted
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
            if let Some(entry) = self.entry {
                if !entry.after_syscall() {
                    return Called::Displaced(returned);
                }
                if to_submit != 0 {
                    heads::follow_kernel(self.view.ring());
                }
            }
            self.count_overflow();
            overflow::clear_backlog_if(self.view.ring(), || !self.view.has_backlog());
            Called::Returned(returned)
        }
    }
}

/// What became of a system call.
enum Called {
    /// It was made.
    Returned(Result<c_int>),
    /// It was made, and somebody took this call's place meanwhile. Nothing of the ring may be touched any more.
    Displaced(Result<c_int>),
    /// It was not made, as a signal's handler came in before. What was translated is void.
    Interrupted,
}

/// Starts anew at `head` of today's SQ. Between two calls there are no SQEs: the entries that they stand for are still
/// in the program's ring. So another process that shares the ring can go on with it.
unsafe fn rewind(kring: *mut io_uring, head: c_uint) {
    // SAFETY: the SQ side is this thread's.
    unsafe {
        let sq = &raw mut (*kring).sq;
        (*sq).sqe_head = head;
        (*sq).sqe_tail = head;
    }
}
