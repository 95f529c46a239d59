//! A ring's memory, and the kernel's side of it.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr::NonNull;
use std::cell::{Cell, RefCell};
use std::mem::zeroed;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, Ordering, fence};
use loom::thread::yield_now;

use crate::abi::cqe::io_uring_cqe;
use crate::abi::enter::{IORING_ENTER_GETEVENTS, IORING_ENTER_SQ_WAKEUP};
use crate::abi::params::{IORING_SQ_NEED_WAKEUP, io_uring_params};
use crate::abi::provided::{io_uring_buf, io_uring_buf_ring};
use crate::abi::ring::io_uring;
use crate::abi::sqe::io_uring_sqe;
use crate::atomic::register;
use crate::errno::{Errno, Result, Ret};
use crate::kernel::{Kernel, Limit};

/// Entries of each queue: few, so that they are used again at once.
pub const ENTRIES: usize = 2;

/// What both sides see, in plain memory.
struct Plain {
    sq_head: c_uint,
    sq_tail: c_uint,
    sq_flags: c_uint,
    cq_head: c_uint,
    cq_tail: c_uint,
    sqes: [io_uring_sqe; ENTRIES],
    cqes: [io_uring_cqe; ENTRIES],
    buffers: [io_uring_buf; ENTRIES],
}

/// Stands for plain memory: loom stops when one thread writes it and another reads or writes it in no order.
pub struct Shadow(UnsafeCell<()>);

impl Shadow {
    pub fn new() -> Self {
        Self(UnsafeCell::new(()))
    }

    pub fn read(&self) {
        self.0.with(|_| ());
    }

    pub fn write(&self) {
        self.0.with_mut(|_| ());
    }
}

// SAFETY: the cell holds nothing, and to find accesses in no order is what it is for.
unsafe impl Sync for Shadow {}

fn shadows() -> [Shadow; ENTRIES] {
    [Shadow::new(), Shadow::new()]
}

/// The memory of a ring and of a buffer ring, of which the program and the kernel's thread each have a handle.
pub struct Memory {
    plain: *mut Plain,
    sq_head: Arc<AtomicU32>,
    sq_tail: Arc<AtomicU32>,
    sq_flags: Arc<AtomicU32>,
    cq_head: Arc<AtomicU32>,
    cq_tail: Arc<AtomicU32>,
    buffer_tail: Arc<AtomicU32>,
    sqes: [Shadow; ENTRIES],
    cqes: [Shadow; ENTRIES],
    /// The entries of the buffer ring.
    offers: [Shadow; ENTRIES],
    /// What the buffers hold.
    pub buffers: [Shadow; ENTRIES],
}

// SAFETY: loom's threads take turns, and only one of them runs at any time.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub fn new() -> Arc<Memory> {
        // SAFETY: numbers and pointers, for all of which zero is a value.
        let plain: *mut Plain = Box::into_raw(Box::new(unsafe { zeroed() }));
        // SAFETY: `plain` was allocated just now; only addresses are taken.
        unsafe {
            let ring = (&raw mut (*plain).buffers).cast::<io_uring_buf_ring>();
            let cq_tail = register(&raw const (*plain).cq_tail);
            CQ_TAIL.set(Some(cq_tail.clone()));
            Arc::new(Memory {
                plain,
                cq_tail,
                sq_head: register(&raw const (*plain).sq_head),
                sq_tail: register(&raw const (*plain).sq_tail),
                sq_flags: register(&raw const (*plain).sq_flags),
                cq_head: register(&raw const (*plain).cq_head),
                buffer_tail: register(&raw const (*ring).__anon1.__anon1.tail),
                sqes: shadows(),
                cqes: shadows(),
                offers: shadows(),
                buffers: shadows(),
            })
        }
    }

    /// A ring as set-up leaves it.
    pub fn ring(&self, flags: c_uint) -> Box<io_uring> {
        // SAFETY: as in `new`.
        unsafe {
            let mut ring: Box<io_uring> = Box::new(zeroed());
            let plain = self.plain;
            ring.flags = flags;
            // As on all kernels of today. No wait needs a timeout request.
            ring.features = !0;
            ring.sq.khead = &raw mut (*plain).sq_head;
            ring.sq.ktail = &raw mut (*plain).sq_tail;
            ring.sq.kflags = &raw mut (*plain).sq_flags;
            ring.sq.sqes = (&raw mut (*plain).sqes).cast();
            ring.sq.ring_entries = ENTRIES as c_uint;
            ring.sq.ring_mask = ENTRIES as c_uint - 1;
            ring.cq.khead = &raw mut (*plain).cq_head;
            ring.cq.ktail = &raw mut (*plain).cq_tail;
            ring.cq.cqes = (&raw mut (*plain).cqes).cast();
            ring.cq.ring_entries = ENTRIES as c_uint;
            ring.cq.ring_mask = ENTRIES as c_uint - 1;
            ring
        }
    }

    pub fn buffer_ring(&self) -> *mut io_uring_buf_ring {
        // SAFETY: only the address is taken.
        unsafe { (&raw mut (*self.plain).buffers).cast() }
    }

    /// The program fills in an SQE that it was handed.
    pub fn fill(&self, sqe: *mut io_uring_sqe, user_data: u64) {
        // SAFETY: only the address is taken, and the SQE is one of this memory's.
        let slot = unsafe { sqe.offset_from((&raw const (*self.plain).sqes).cast()) };
        self.sqes[slot as usize].write();
        // SAFETY: the SQE was handed out.
        unsafe { (*sqe).user_data = user_data };
    }

    /// The program reads a CQE that it was shown.
    pub fn look_at(&self, cqe: *const io_uring_cqe) -> u64 {
        // SAFETY: as in `fill`.
        let slot = unsafe { cqe.offset_from((&raw const (*self.plain).cqes).cast()) };
        self.cqes[slot as usize].read();
        // SAFETY: the CQE was shown.
        unsafe { (*cqe).user_data }
    }

    /// The program writes an entry of the buffer ring.
    pub fn offer(&self, slot: usize) {
        self.offers[slot % ENTRIES].write();
    }

    /// The kernel takes the requests between `head` and what is published. Gives the new head, and each request's data.
    pub fn consume(&self, head: c_uint, mut each: impl FnMut(u64)) -> c_uint {
        let tail = self.sq_tail.load(Ordering::Acquire);
        for at in head..tail {
            let slot = at as usize % ENTRIES;
            self.sqes[slot].read();
            // SAFETY: the slot is within the SQEs.
            each(unsafe { (*self.plain).sqes[slot].user_data });
        }
        if head != tail {
            self.sq_head.store(tail, Ordering::Release);
        }
        tail
    }

    /// The kernel's submission thread announces that it goes to sleep, and looks once more. Whether it does sleep.
    pub fn fall_asleep(&self, head: c_uint) -> bool {
        self.sq_flags
            .fetch_or(IORING_SQ_NEED_WAKEUP, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.sq_tail.load(Ordering::Acquire) == head
    }

    /// The kernel posts CQE number `tail` as soon as there is room.
    pub fn post(&self, tail: c_uint, user_data: u64) {
        // Acquire: the kernel relies on its writes not being done before the test that there is room.
        while tail.wrapping_sub(self.cq_head.load(Ordering::Acquire)) as usize >= ENTRIES {
            yield_now();
        }
        let slot = tail as usize % ENTRIES;
        self.cqes[slot].write();
        // SAFETY: the slot is within the CQEs.
        unsafe { (*self.plain).cqes[slot].user_data = user_data };
        self.cq_tail.store(tail.wrapping_add(1), Ordering::Release);
    }

    /// The kernel takes buffer number `head` once it is offered. Gives its identifier.
    pub fn take_buffer(&self, head: usize) -> usize {
        while self.buffer_tail.load(Ordering::Acquire) as usize == head {
            yield_now();
        }
        self.offers[head % ENTRIES].read();
        // SAFETY: the slot is within the buffer ring.
        unsafe { (*self.plain).buffers[head % ENTRIES].bid.into() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated by `new`, and both sides are done with it.
        drop(unsafe { Box::from_raw(self.plain) });
    }
}

thread_local! {
    /// The ring that there is. No CQE of it is given back before a wait, so its tail tells their number.
    static CQ_TAIL: RefCell<Option<Arc<AtomicU32>>> = const { RefCell::new(None) };
    static WOKEN: Cell<bool> = const { Cell::new(false) };
}

/// A kernel that waits for completions, and knows whether it was asked to wake the submission thread.
pub struct Modelled;

impl Modelled {
    /// Whether it was, since the last question.
    pub fn was_to_wake() -> bool {
        WOKEN.replace(false)
    }
}

impl Kernel for Modelled {
    unsafe fn enter(
        _: c_int,
        to_submit: c_uint,
        min_complete: c_uint,
        flags: c_uint,
        _: *const c_void,
        _: usize,
    ) -> Ret {
        WOKEN.set(flags & IORING_ENTER_SQ_WAKEUP != 0);
        if flags & IORING_ENTER_GETEVENTS != 0 {
            let tail = CQ_TAIL.with_borrow(Clone::clone).expect("a ring");
            while tail.load(Ordering::Relaxed) < min_complete {
                yield_now();
            }
        }
        Ret::from_c(to_submit as c_int)
    }

    unsafe fn setup(_: c_uint, _: *mut io_uring_params) -> Ret {
        Errno::ENOSYS.into()
    }

    unsafe fn register(_: c_int, _: c_uint, _: *const c_void, _: c_uint) -> Ret {
        Errno::ENOSYS.into()
    }

    unsafe fn mmap(_: usize, _: c_int, _: c_int, _: c_int, _: u64) -> Result<NonNull<c_void>> {
        Err(Errno::ENOSYS)
    }

    unsafe fn munmap(_: *mut c_void, _: usize) -> Result<()> {
        Err(Errno::ENOSYS)
    }

    unsafe fn madvise(_: *mut c_void, _: usize, _: c_int) -> Result<()> {
        Err(Errno::ENOSYS)
    }

    fn close(_: c_int) -> Result<()> {
        Err(Errno::ENOSYS)
    }

    fn page_size() -> usize {
        4096
    }

    fn thread_id() -> c_uint {
        1
    }

    fn nofile_limit() -> Result<Limit> {
        Err(Errno::ENOSYS)
    }

    fn set_nofile_limit(_: Limit) -> Result<()> {
        Err(Errno::ENOSYS)
    }
}
