//! A program with a ring, which does what liburing does in a program's place.

use std::ffi::{c_int, c_uint};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uring_core::abi::*;
use uring_core::kernel::Kernel;

use super::kernel;
use crate::aio::AIO;
use crate::futex::WAITING;
use crate::poller::POLLER;
use crate::ring::Ring;
use crate::seam::User;
use crate::workers::POOLS;
use crate::{make, table};

/// One test at a time has the library: what is left of it are statics.
static ONLY: Mutex<()> = Mutex::new(());

/// A library in which nothing has happened, on a kernel in which nothing has happened.
pub struct World {
    _only: MutexGuard<'static, ()>,
}

impl World {
    pub fn new() -> World {
        let only = ONLY.lock().unwrap_or_else(PoisonError::into_inner);
        // What a test that failed has left behind.
        for ring in table::all() {
            table::remove(ring.descriptor());
            std::mem::forget(ring);
        }
        table::TABLE.lock().forget_registered();
        POOLS.lock().forget();
        WAITING.lock().forget();
        POLLER.lock().forget();
        AIO.lock().forget();
        kernel::reset();
        kernel::become_thread(100);
        World { _only: only }
    }
}

/// A completion as a program sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cqe {
    pub user_data: u64,
    pub res: i32,
    pub flags: u32,
    pub big: [u64; 2],
}

/// A program and its ring, which it closes in the end.
pub struct Program {
    pub fd: c_int,
    pub params: io_uring_params,
    rings: *mut u8,
    sqes: *mut u8,
    maps: Vec<(usize, usize)>,
}

/// An SQE of an opcode, with all else 0.
pub fn sqe(opcode: io_uring_op, user_data: u64) -> io_uring_sqe {
    // SAFETY: plain numbers, for which zero bytes are a value.
    let mut sqe: io_uring_sqe = unsafe { std::mem::zeroed() };
    sqe.opcode = opcode as u8;
    sqe.user_data = user_data;
    sqe
}

pub fn nop(user_data: u64) -> io_uring_sqe {
    sqe(IORING_OP_NOP, user_data)
}

/// A no-op that completes with this result.
pub fn nop_with(user_data: u64, res: c_int) -> io_uring_sqe {
    let mut sqe = nop(user_data);
    sqe.__anon3.nop_flags = IORING_NOP_INJECT_RESULT;
    sqe.len = res as u32;
    sqe
}

/// A request on a descriptor with memory.
pub fn transfer<T>(
    opcode: io_uring_op,
    user_data: u64,
    fd: c_int,
    memory: *mut T,
    length: usize,
) -> io_uring_sqe {
    let mut sqe = sqe(opcode, user_data);
    sqe.fd = fd;
    sqe.__anon2.addr = memory.expose_provenance() as u64;
    sqe.len = length as u32;
    sqe
}

/// A read that takes what comes, wherever in the file.
pub fn read<T>(user_data: u64, fd: c_int, memory: *mut T, length: usize) -> io_uring_sqe {
    let mut sqe = transfer(IORING_OP_READ, user_data, fd, memory, length);
    sqe.__anon1.off = u64::MAX;
    sqe
}

pub fn poll(user_data: u64, fd: c_int, events: i16) -> io_uring_sqe {
    let mut sqe = sqe(IORING_OP_POLL_ADD, user_data);
    sqe.fd = fd;
    sqe.__anon3.poll32_events = events as u16 as u32;
    sqe
}

pub fn with_flags(mut sqe: io_uring_sqe, flags: u32) -> io_uring_sqe {
    sqe.flags |= flags as u8;
    sqe
}

/// Tries to set a ring up.
pub fn set_up(entries: u32, params: &mut io_uring_params) -> Result<c_int, c_int> {
    // SAFETY: the parameters name no memory, or the test vouches for it.
    unsafe { make::make(entries, params) }
}

impl Program {
    pub fn new(entries: u32, flags: u32) -> Program {
        let params = io_uring_params {
            flags,
            ..io_uring_params::default()
        };
        Program::with(entries, params)
    }

    /// A ring with a CQ of this size.
    pub fn with_cq(entries: u32, cq_entries: u32, flags: u32) -> Program {
        let params = io_uring_params {
            flags: flags | IORING_SETUP_CQSIZE,
            cq_entries,
            ..io_uring_params::default()
        };
        Program::with(entries, params)
    }

    pub fn with(entries: u32, mut params: io_uring_params) -> Program {
        let fd = set_up(entries, &mut params).expect("a ring");
        let mut program = Program {
            fd,
            params,
            rings: ptr::null_mut(),
            sqes: ptr::null_mut(),
            maps: Vec::new(),
        };
        if params.flags & IORING_SETUP_NO_MMAP != 0 {
            program.rings = ptr::with_exposed_provenance_mut(params.cq_off.user_addr as usize);
            program.sqes = ptr::with_exposed_provenance_mut(params.sq_off.user_addr as usize);
        } else {
            program.map();
        }
        program
    }

    /// Maps the ring anew, as after it was resized.
    pub fn map(&mut self) {
        self.unmap();
        let cqe = if self.params.flags & IORING_SETUP_CQE32 != 0 {
            32
        } else {
            16
        };
        let sqe = if self.params.flags & IORING_SETUP_SQE128 != 0 {
            128
        } else {
            64
        };
        let cqes = self.params.cq_off.cqes as usize + self.params.cq_entries as usize * cqe;
        let array = self.params.sq_off.array as usize + self.params.sq_entries as usize * 4;
        self.rings = self.area(IORING_OFF_SQ_RING, cqes.max(array));
        self.sqes = self.area(IORING_OFF_SQES, self.params.sq_entries as usize * sqe);
        self.name_all_slots();
    }

    fn area(&mut self, offset: u64, size: usize) -> *mut u8 {
        // SAFETY: a new mapping.
        let start = unsafe { User::mmap(size, 0, 0, self.fd, offset) }.expect("a mapping");
        self.maps.push((start.as_ptr().expose_provenance(), size));
        start.as_ptr().cast()
    }

    fn unmap(&mut self) {
        for (start, size) in self.maps.drain(..) {
            kernel::unmap_pages(start, size);
        }
    }

    pub fn ring(&self) -> Arc<Ring> {
        table::find(self.fd).expect("an emulated ring")
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: a word of the header.
        unsafe { AtomicU32::from_ptr(self.rings.add(offset as usize).cast()) }
    }

    pub fn sq_head(&self) -> u32 {
        self.word(self.params.sq_off.head).load(Ordering::Acquire)
    }

    pub fn sq_flags(&self) -> u32 {
        self.word(self.params.sq_off.flags).load(Ordering::Acquire)
    }

    pub fn dropped(&self) -> u32 {
        self.word(self.params.sq_off.dropped)
            .load(Ordering::Acquire)
    }

    /// Moves both ends of a queue that is empty, as if so many entries had passed.
    pub fn start_queues_at(&self, position: u32) {
        let (sq, cq) = (&self.params.sq_off, &self.params.cq_off);
        for offset in [sq.head, sq.tail, cq.head, cq.tail] {
            self.word(offset).store(position, Ordering::Release);
        }
    }

    /// Puts an SQE into a slot of the array of SQEs.
    pub fn write_sqe(&self, slot: u32, sqe: &io_uring_sqe) {
        let wide = usize::from(self.params.flags & IORING_SETUP_SQE128 != 0);
        // SAFETY: within the SQEs, where the library does not look before the tail says so.
        unsafe {
            self.sqes
                .cast::<io_uring_sqe>()
                .add((slot as usize) << wide)
                .write(*sqe)
        };
    }

    /// Names the slots in their order, as liburing does when it has mapped a ring.
    fn name_all_slots(&self) {
        if self.params.sq_off.array != 0 {
            for slot in 0..self.params.sq_entries {
                self.name_slot_at(slot, slot);
            }
        }
    }

    fn name_slot_at(&self, position: u32, slot: u32) {
        let array: *mut u32 = self
            .rings
            .wrapping_add(self.params.sq_off.array as usize)
            .cast();
        // SAFETY: the array has an element for each entry.
        unsafe {
            array
                .add((position & (self.params.sq_entries - 1)) as usize)
                .write(slot)
        };
    }

    /// Names a slot at the queue's end and moves that on.
    pub fn name_slot(&self, slot: u32) {
        let tail = self.word(self.params.sq_off.tail);
        let at = tail.load(Ordering::Relaxed);
        if self.params.sq_off.array != 0 {
            self.name_slot_at(at, slot);
        }
        tail.store(at.wrapping_add(1), Ordering::Release);
    }

    /// Puts an SQE at the queue's end.
    pub fn push(&self, sqe: io_uring_sqe) {
        let tail = self.word(self.params.sq_off.tail).load(Ordering::Relaxed);
        assert!(
            tail.wrapping_sub(self.sq_head()) < self.params.sq_entries,
            "the SQ is full"
        );
        let slot = tail & (self.params.sq_entries - 1);
        self.write_sqe(slot, &sqe);
        self.name_slot(slot);
    }

    pub fn enter(&self, submit: u32, wanted: u32, flags: u32) -> c_int {
        // SAFETY: no argument.
        unsafe { User::enter(self.fd, submit, wanted, flags, ptr::null(), 0) }.as_c()
    }

    /// Submits these, all of which the ring must take.
    pub fn submit(&self, sqes: &[io_uring_sqe]) {
        for sqe in sqes {
            self.push(*sqe);
        }
        assert_eq!(self.enter(sqes.len() as u32, 0, 0), sqes.len() as c_int);
    }

    /// Asks for what has completed by now.
    pub fn look(&self) {
        assert_eq!(self.enter(0, 0, IORING_ENTER_GETEVENTS), 0);
    }

    pub fn register<T>(&self, opcode: io_uring_register_op, arg: *mut T, nr: u32) -> c_int {
        // SAFETY: what the opcode takes, say the tests.
        unsafe { User::register(self.fd, opcode as c_uint, arg.cast(), nr) }.as_c()
    }

    /// Completions that were not taken.
    pub fn ready(&self) -> u32 {
        let tail = self.word(self.params.cq_off.tail).load(Ordering::Acquire);
        tail.wrapping_sub(self.word(self.params.cq_off.head).load(Ordering::Relaxed))
    }

    /// Takes the next completion. Fillers are passed over.
    pub fn next(&self) -> Option<Cqe> {
        loop {
            if self.ready() == 0 {
                return None;
            }
            let head = self.word(self.params.cq_off.head);
            let at = head.load(Ordering::Relaxed);
            let wide = usize::from(self.params.flags & IORING_SETUP_CQE32 != 0);
            let slot = ((at & (self.params.cq_entries - 1)) as usize) << wide;
            let cqes: *const io_uring_cqe = self
                .rings
                .wrapping_add(self.params.cq_off.cqes as usize)
                .cast();
            // SAFETY: below the tail, so complete, and nobody writes there before the head moves on.
            let cqe = unsafe {
                let cqe = cqes.add(slot);
                let (user_data, res, flags) = ((*cqe).user_data, (*cqe).res, (*cqe).flags);
                let mut big = [0; 2];
                if wide != 0 || flags & IORING_CQE_F_32 != 0 {
                    big = cqe.add(1).cast::<[u64; 2]>().read();
                }
                Cqe {
                    user_data,
                    res,
                    flags,
                    big,
                }
            };
            let slots = 1 + u32::from(cqe.flags & IORING_CQE_F_32 != 0);
            head.store(at.wrapping_add(slots), Ordering::Release);
            if cqe.flags & IORING_CQE_F_SKIP == 0 {
                return Some(cqe);
            }
        }
    }

    /// Takes all completions that are there.
    pub fn take(&self) -> Vec<Cqe> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// All that has completed by now: whose, and with what.
    pub fn results(&self) -> Vec<(u64, i32)> {
        self.look();
        self.take()
            .iter()
            .map(|cqe| (cqe.user_data, cqe.res))
            .collect()
    }

    /// What requests complete with at once.
    pub fn results_of(&self, sqes: &[io_uring_sqe]) -> Vec<(u64, i32)> {
        self.submit(sqes);
        self.results()
    }

    /// What one request completes with at once.
    pub fn result_of(&self, sqe: io_uring_sqe) -> i32 {
        match *self.results_of(&[sqe]) {
            [(user_data, res)] if user_data == sqe.user_data => res,
            ref other => panic!("not one completion: {other:?}"),
        }
    }

    /// Lets time pass, and takes what completes.
    pub fn results_after(&self, nanoseconds: u64) -> Vec<(u64, i32)> {
        kernel::pass(nanoseconds);
        self.results()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.unmap();
        let closed = User::close(self.fd);
        assert!(closed.is_ok() || std::thread::panicking());
    }
}
