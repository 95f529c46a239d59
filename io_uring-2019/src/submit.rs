//! Moving requests from the program's SQ ring to the kernel ring, and into the kernel.

use core::ffi::{c_int, c_uint};
use core::ptr;
use core::sync::atomic::Ordering;

use uring_core::abi::enter::IORING_ENTER_GETEVENTS as GETEVENTS;
use uring_core::abi::ring::io_uring;
use uring_core::abi::types::KERNEL_SIGSET_SIZE;
use uring_core::errno::{Errno, Result};
use uring_core::kernel::Kernel;
use uring_core::queue::{complete, submit};
use uring_core::ring::handle::{Ring as Kring, Sq};
use uring_core::ring::order::Word;

use crate::entry_lock::Entry;
use crate::pool::Held;
use crate::ring::Ring;
use crate::sys::process;
use crate::translate::{Stop, Translator};
use crate::view::View;
use crate::{heads, overflow};

/// One thread's work on a ring: translating requests, submitting them, waiting for events.
pub struct Work<'a> {
    /// The ring, as this thread sees it.
    pub view: View<'a>,
    /// The call's entry. The polling thread has none, as no call displaces it.
    entry: Option<&'a Entry<'a>>,
    /// Requests that the kernel has consumed.
    pub consumed: c_uint,
    /// Whether the caller's wait is over, or the call was displaced.
    pub waited: bool,
}

/// Why a batch ended.
enum End {
    /// All entries that there are, or that were asked for, were taken.
    Done,
    /// The kernel ring's SQ is full.
    Full,
    /// The next index names no iocb.
    Dropped,
    /// The next iocb cannot be started, for this reason.
    Refused(Errno),
    /// The next iocb must be submitted alone.
    Alone,
    /// A nested call came in, so nothing was done.
    Restart,
}

/// What was done with the next entries of the SQ ring.
struct Batch {
    /// How many were consumed or dropped.
    entries: c_uint,
    /// Why there were no more.
    end: End,
}

impl Batch {
    const RESTART: Batch = Batch {
        entries: 0,
        end: End::Restart,
    };
    /// Nothing more is to be done in this call.
    const LAST: Batch = Batch {
        entries: 0,
        end: End::Done,
    };
}

impl<'a> Work<'a> {
    /// The work of a call that holds the entry lock.
    pub fn of_call(ring: &'a Held, entry: &'a Entry<'a>) -> Work<'a> {
        Work {
            // SAFETY: `Held` keeps the ring, which is set up.
            view: unsafe { View::new(ring, &raw mut (*ring.ring()).kring) },
            entry: Some(entry),
            consumed: 0,
            waited: false,
        }
    }

    /// The work of the polling thread.
    ///
    /// # Safety
    ///
    /// `kring` is set up, and is a copy of the kernel ring that no other thread uses.
    pub unsafe fn of_thread(ring: &'a Ring, kring: *mut io_uring) -> Work<'a> {
        Work {
            // SAFETY: the caller promises that `kring` is set up.
            view: unsafe { View::new(ring, kring) },
            entry: None,
            consumed: 0,
            waited: false,
        }
    }

    /// Consumes up to `limit` entries of the SQ ring. The system call that submits the last of them waits for `wanted`
    /// events. The SQ ring's head moves as the kernel consumes.
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
            // SAFETY: the caller promises that no other thread consumes.
            let mut batch = unsafe { self.batch::<K>(entry, &mut translator, limit, wanted) }?;
            limit -= batch.entries;
            if let End::Alone | End::Restart = batch.end {
                let alone = matches!(batch.end, End::Alone);
                translator = Translator::new(self.view.ring());
                translator.alone = alone;
                // Signals stay blocked for this try: a read made in place must not be repeated, and a batch that a
                // handler voided must not be voided again and again.
                let signals = process::block_signals(process::INTERRUPTIONS);
                let part = if alone { 1 } else { limit };
                // SAFETY: the caller promises that no other thread consumes, and the batch before this one is over.
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

    /// Translates as many entries as fit into one system call, submits them, and drops the index behind them if it
    /// names no iocb.
    ///
    /// # Safety
    ///
    /// No other thread consumes.
    #[inline(always)]
    unsafe fn batch<K: Kernel>(
        &mut self,
        entry: &Entry,
        translator: &mut Translator,
        limit: c_uint,
        wanted: c_uint,
    ) -> Result<Batch> {
        // SAFETY: the ring's areas are mapped, and the caller promises that no other thread uses the SQ side of the
        // kernel ring.
        unsafe {
            let nested_before = entry.nested_entries();
            let heads = heads::follow_kernel(self.view.ring());
            rewind(self.view.kring(), heads.kring);
            let (filled, end) = self.fill(translator, heads.program, limit);
            if filled != 0 {
                let last = matches!(end, End::Done);
                let wanted = if last { wanted } else { 0 };
                let _ = submit::flush(Sq::<K>::new(self.view.kring()));
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
                            // The kernel ran out of memory. The rest stays in the SQ ring.
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

    /// Consumes what the SQ ring holds. The ring's head moves as soon as iocbs are translated. If the kernel runs out
    /// of memory, the next call submits what is left. Returns whether there was work.
    ///
    /// # Safety
    ///
    /// This is the polling thread of the ring.
    pub unsafe fn feed<K: Kernel>(&self) -> bool {
        // SAFETY: the polling thread alone consumes, and the ring's areas are mapped.
        unsafe {
            let mut waiting = submit::flush(Sq::<K>::new(self.view.kring())).nr();
            if waiting == 0 {
                let heads = heads::load(self.view.ring());
                let mut translator = Translator::new(self.view.ring());
                let (mut filled, mut end) = self.fill(&mut translator, heads.program, c_uint::MAX);
                if let (0, End::Alone) = (filled, &end) {
                    // Signals are always blocked on this thread.
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
                waiting = submit::flush(Sq::<K>::new(self.view.kring())).nr();
            }
            if waiting != 0 {
                self.call::<K>(waiting, 0, false, None);
            }
            true
        }
    }

    /// Counts a dropped index.
    unsafe fn count_drop(&self) {
        // SAFETY: the SQ ring is mapped while there is a `Ring`. Atomic, as a handler may count as well. Relaxed:
        // nothing is read on the strength of the count.
        unsafe {
            (*self.view.ring().sq())
                .dropped
                .fetch_add(1, Ordering::Relaxed)
        };
    }

    /// How many entries wait in the SQ ring.
    pub fn pending(&self) -> c_uint {
        self.pending_from(heads::load(self.view.ring()).program)
    }

    fn pending_from(&self, head: c_uint) -> c_uint {
        // SAFETY: the SQ ring is mapped while there is a `Ring`. Acquire: the program wrote the entries before the
        // tail.
        unsafe {
            Word::new(&raw const (*self.view.ring().sq()).tail)
                .load_acquire()
                .wrapping_sub(head)
        }
    }

    /// Translates up to `limit` entries, from `head` on, into free SQEs. Returns how many, and why no more.
    unsafe fn fill(
        &self,
        translator: &mut Translator,
        head: c_uint,
        limit: c_uint,
    ) -> (c_uint, End) {
        let ring = self.view.ring();
        // SAFETY: the areas are mapped. Masked positions lie within the array and the SQEs, and `index` was checked
        // against the number of iocbs.
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
                let index = Word::new(array.add(place as usize)).load_relaxed();
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

    /// Waits for `wanted` events. With `asked`, enters the kernel even for none.
    ///
    /// # Safety
    ///
    /// No other thread consumes.
    pub unsafe fn wait<K: Kernel>(&mut self, wanted: c_uint, asked: bool) -> Result<()> {
        // SAFETY: the ring is set up, and `call` submits nothing here.
        unsafe {
            let there = complete::available(Kring::<K>::new(self.view.kring())) >= wanted.max(1);
            if asked || self.view.has_backlog() || (wanted != 0 && !there) {
                match self.call::<K>(0, wanted, true, None) {
                    Called::Returned(returned) | Called::Displaced(returned) => drop(returned?),
                    Called::Interrupted => {}
                }
            }
        }
        Ok(())
    }

    /// Counts the events for which the CQ ring had no room.
    pub fn count_overflow(&self) {
        if self.view.has_backlog() {
            let fdinfo = self
                .entry
                .is_none()
                .then_some(&self.view.ring().poller.fdinfo);
            self.view.count_overflow(fdinfo);
        }
    }

    /// Makes one system call, and moves the heads by what it consumed. If it submits, `nested_before` is the number of
    /// nested calls before the translation.
    unsafe fn call<K: Kernel>(
        &self,
        to_submit: c_uint,
        wanted: c_uint,
        waits: bool,
        nested_before: Option<c_uint>,
    ) -> Called {
        // SAFETY: `kring` is set up, and the caller promises that no other thread consumes.
        unsafe {
            let kring = self.view.kring();
            let had_backlog = self.view.has_backlog();
            // The system call moves a backlog into the CQ ring as far as there is room. After that it cannot be counted
            // any more. Without room nothing moves, unless the program makes room meanwhile.
            if had_backlog && self.view.has_room() {
                self.count_overflow();
            }
            let flags = Kring::<K>::new(kring).enter_flags()
                | if waits || had_backlog { GETEVENTS } else { 0 };
            // Read before this call can be displaced, as the ring may go then.
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
            )
            .check();
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
    /// It was made, and this call was displaced meanwhile. The ring must not be touched any more.
    Displaced(Result<c_int>),
    /// It was not made, as a nested call came in before. The translation is void.
    Interrupted,
}

/// Puts the kernel ring's SQ back to `head`. Between two calls it holds no SQEs: what they stand for is still in the
/// program's SQ ring. So another process that shares the ring can go on with it.
unsafe fn rewind(kring: *mut io_uring, head: c_uint) {
    // SAFETY: the caller promises that no other thread uses the SQ side.
    unsafe {
        let sq = &raw mut (*kring).sq;
        (*sq).sqe_head = head;
        (*sq).sqe_tail = head;
    }
}
