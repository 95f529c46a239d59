//! A ring of the library's own, for what the commands try out.

use std::mem::MaybeUninit;

use uring_core::abi::{io_uring, io_uring_cqe, io_uring_params, io_uring_sqe};
use uring_core::kernel::Native;
use uring_core::out::Out;
use uring_core::queue::enter::Batch;
use uring_core::queue::{complete, sqe, submit, wait};
use uring_core::ring::handle::Whole;
use uring_core::ring::{exit, setup};

use super::calls::Answer;

/// A completion.
#[derive(Clone, Copy, Debug)]
pub struct Cqe {
    pub user_data: u64,
    pub res: i32,
}

pub struct Ring {
    ring: Box<io_uring>,
    pub params: io_uring_params,
}

impl Ring {
    /// # Errors
    ///
    /// The error number of `io_uring_setup` or `mmap`, positive.
    pub fn new(entries: u32, flags: u32) -> Result<Self, i32> {
        let mut params = io_uring_params {
            flags,
            ..io_uring_params::default()
        };
        let mut ring = Box::new(MaybeUninit::<io_uring>::zeroed());
        // SAFETY: the memory is the ring's own, and stays where it is.
        let made = unsafe { setup::init::<Native>(entries, ring.as_mut_ptr(), &mut params, None) };
        match made {
            Ok(_) => {
                // SAFETY: it is set up.
                let ring = unsafe { ring.assume_init() };
                Ok(Self { ring, params })
            }
            Err(error) => Err(-error.as_ret()),
        }
    }

    pub fn fd(&self) -> i32 {
        self.ring.ring_fd
    }

    fn whole(&mut self) -> Whole<Native> {
        // SAFETY: the ring is set up, and used by this thread alone while it is borrowed.
        unsafe { Whole::new(&mut *self.ring) }
    }

    /// Fills in the next SQE, if there is room. It is all zeros before, the user data too.
    pub fn push(&mut self, fill: impl FnOnce(&mut io_uring_sqe)) -> bool {
        let sqe = sqe::get(self.whole().sq());
        if sqe.is_null() {
            return false;
        }
        // SAFETY: the SQE is this thread's until it is submitted.
        unsafe {
            sqe.write_bytes(0, 1);
            fill(&mut *sqe);
        }
        true
    }

    /// Submits and waits for so many completions.
    ///
    /// # Safety
    ///
    /// What the SQEs name stays valid until they complete.
    ///
    /// # Errors
    ///
    /// The error number, positive.
    pub unsafe fn submit(&mut self, wait_nr: u32) -> Result<u32, i32> {
        let done = submit::submit(self.whole().sq(), wait_nr, false).check();
        done.map(|count| count as u32)
            .map_err(|error| -error.as_ret())
    }

    /// The next completion, if one is there.
    pub fn pop(&mut self) -> Option<Cqe> {
        if complete::available(self.whole().ring()) == 0 {
            return None;
        }
        self.wait().ok()
    }

    /// Waits for the next completion.
    ///
    /// # Errors
    ///
    /// The error number, positive.
    pub fn wait(&mut self) -> Result<Cqe, i32> {
        let mut cqe: *mut io_uring_cqe = std::ptr::null_mut();
        // SAFETY: the place outlives the wait.
        let place = unsafe { Out::new(&raw mut cqe) };
        let cq = self.whole().cq();
        let got = wait::get_cqe(cq, place, Batch::EMPTY, 1, std::ptr::null());
        if let Answer::Refused(number) = Answer::from_core(got) {
            return Err(number);
        }
        // SAFETY: a wait that succeeds finds a CQE. It is read before its slot is given back.
        let found = unsafe {
            Cqe {
                user_data: (*cqe).user_data,
                res: (*cqe).res,
            }
        };
        complete::advance(cq, 1);
        Ok(found)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the ring is set up and nobody uses it any more.
        unsafe { exit::exit::<Native>(&mut *self.ring) }
    }
}
