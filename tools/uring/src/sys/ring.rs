//! A ring of the library's own, for what the commands try out.

use std::mem::MaybeUninit;

use uring_core::abi::{io_uring, io_uring_cqe, io_uring_params, io_uring_sqe};
use uring_core::kernel::Native;
use uring_core::queue::{complete, sqe, submit, wait};
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

    /// Fills in the next SQE, if there is room. It is all zeros before, the user data too.
    pub fn push(&mut self, fill: impl FnOnce(&mut io_uring_sqe)) -> bool {
        // SAFETY: the ring is set up and used by this thread alone; the SQE is this thread's until it is submitted.
        unsafe {
            let sqe = sqe::get(&mut *self.ring);
            if sqe.is_null() {
                return false;
            }
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
        // SAFETY: the ring is set up and used by this thread alone; the caller vouches for the SQEs.
        let done = unsafe { submit::submit::<Native>(&mut *self.ring, wait_nr, false) };
        done.map(|count| count as u32)
            .map_err(|error| -error.as_ret())
    }

    /// The next completion, if one is there.
    pub fn pop(&mut self) -> Option<Cqe> {
        // SAFETY: the ring is set up and used by this thread alone; a CQE is read before its slot is given back.
        unsafe {
            if complete::available(&*self.ring) == 0 {
                return None;
            }
            self.next().ok()
        }
    }

    /// Waits for the next completion.
    ///
    /// # Errors
    ///
    /// The error number, positive.
    pub fn wait(&mut self) -> Result<Cqe, i32> {
        // SAFETY: as in `pop`.
        unsafe { self.next() }
    }

    /// # Safety
    ///
    /// The ring is set up and used by this thread alone.
    unsafe fn next(&mut self) -> Result<Cqe, i32> {
        let mut cqe: *mut io_uring_cqe = std::ptr::null_mut();
        // SAFETY: passed on to the caller; the CQE is valid until `advance`.
        unsafe {
            let got =
                wait::get_cqe::<Native>(&mut *self.ring, &mut cqe, 0, 1, std::ptr::null_mut());
            if let Answer::Refused(number) = Answer::from_core(uring_core::errno::Errno::check(got))
            {
                return Err(number);
            }
            let found = Cqe {
                user_data: (*cqe).user_data,
                res: (*cqe).res,
            };
            complete::advance(&mut *self.ring, 1);
            Ok(found)
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the ring is set up and nobody uses it any more.
        unsafe { exit::exit::<Native>(&mut *self.ring) }
    }
}
