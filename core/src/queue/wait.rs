//! Waiting for completions, with and without submitting first.

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::complete::Cqe;
use super::enter::{Batch, Until, enter};
use super::{by_request, complete, submit};
use crate::abi::cqe::io_uring_cqe;
use crate::abi::enter::{IORING_ENTER_GETEVENTS, io_uring_getevents_arg, io_uring_reg_wait};
use crate::abi::params::{IORING_FEAT_EXT_ARG, IORING_FEAT_MIN_TIMEOUT, IORING_SETUP_SQ_REWIND};
use crate::abi::types::{__kernel_timespec, KERNEL_SIGSET_SIZE, sigset_t};
use crate::errno::{Errno, Ret};
use crate::kernel::Kernel;
use crate::out::Out;
use crate::ring::handle::{Cq, Ring, Sq, Whole};

/// Whether a CQE is none of the program's, in a wait until `until`. Kernels that take an argument need no timeouts of the
/// library's own.
#[inline(always)]
fn is_internal<K>(ring: Ring<K>, cqe: Cqe, until: Until) -> bool {
    match until {
        Until::Signals(_) => cqe.is_internal(ring),
        Until::Argument(_) | Until::Registered(_) => cqe.is_filler(),
    }
}

/// How many requests to submit, and how many completions to wait for: together in a word, so that the arguments of
/// [`reap_on`] fit into registers.
#[derive(Clone, Copy)]
struct Asked(u64);

impl Asked {
    #[inline(always)]
    fn new(batch: Batch, wait_nr: c_uint) -> Asked {
        Asked(u64::from(batch.nr()) << 32 | u64::from(wait_nr))
    }

    #[inline(always)]
    fn batch(self) -> Batch {
        Batch((self.0 >> 32) as c_uint)
    }

    #[inline(always)]
    fn wait_nr(self) -> c_uint {
        self.0 as c_uint
    }
}

/// In place of the number that the first system call submitted: there was none yet.
const NOT_ENTERED: c_int = -1;

/// Submits `batch`, waits until `wait_nr` completions are there, and looks at the first.
///
/// The result is what the first system call returned, the number of SQEs that it submitted. If that is 0, the error of
/// a later system call is the result. If enough completions are there beforehand, the result is 0 or an error, not the
/// number.
///
/// Here are the frequent cases: nothing is there and one system call brings it, or enough is there already, with or
/// without something to submit. [`reap_on`] does the rest.
#[inline(always)]
fn reap<K: Kernel>(
    cq: Cq<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    mut batch: Batch,
    wait_nr: c_uint,
    until: Until,
) -> Ret {
    let submitted = 'settled: {
        let (mut entered, mut submitted) = (false, 0);
        let mut available = complete::available(*cq);
        if available == 0 {
            if wait_nr == 0 {
                break 'settled NOT_ENTERED;
            }
            let mut flags = cq.enter_flags() | IORING_ENTER_GETEVENTS | until.flags();
            flags |= submit::sq_needs_enter(*cq, batch).unwrap_or(0);
            match enter(*cq, batch, wait_nr, flags, until).check() {
                Ok(count) => {
                    batch = batch.without(count as c_uint);
                    (entered, submitted) = (true, count);
                }
                Err(error) => {
                    cqe_ptr.set(ptr::null_mut());
                    return error.into();
                }
            }
            available = complete::available(*cq);
        }
        if available >= wait_nr {
            // SAFETY: a slot is available: there were some at first, or as many as the wait is for, which is not 0 then.
            let cqe = unsafe { complete::head(cq) };
            if !is_internal(*cq, cqe, until) {
                if batch.nr() == 0 {
                    cqe_ptr.set(cqe.as_ptr());
                    return Ret::from_c(submitted);
                }
                if !entered {
                    cqe_ptr.set(cqe.as_ptr());
                    return submit::submit_published(*cq, batch, wait_nr);
                }
            }
        }
        if entered { submitted } else { NOT_ENTERED }
    };
    reap_on(cq, cqe_ptr, Asked::new(batch, wait_nr), until, submitted)
}

/// How often a wait on a polled ring is repeated that finds nothing. See [`reap_on`].
const POLLS: c_uint = if cfg!(test) { 100 } else { 1 << 22 };

/// Goes on with a [`reap`] that the frequent cases do not settle. `submitted` is what the first system call returned.
///
/// A signal ends the wait. If requests were submitted in the same call, the kernel returns their number and hides the
/// signal. So a wait that submitted everything and still brought too few completions is not repeated.
///
/// A polled ring is different. The kernel also returns early when a request has not reached the device yet. While it
/// has nothing to poll, it does not check for signals at all. So the wait is repeated until a completion is there.
/// After [`POLLS`] repetitions it returns as if a signal had come.
#[inline(never)]
fn reap_on<K: Kernel>(
    cq: Cq<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    asked: Asked,
    until: Until,
    mut submitted: c_int,
) -> Ret {
    let (mut batch, wait_nr) = (asked.batch(), asked.wait_nr());
    let mut cqe;
    let mut polls_left = POLLS;
    let error = loop {
        let is_first = submitted == NOT_ENTERED;
        let passed_over;
        (cqe, passed_over) = complete::peek(cq);
        let mut flags = cq.enter_flags();
        // What has come since the look does not count: the wait would end with nothing to show.
        let ready = if cqe.is_null() {
            0
        } else {
            complete::available(*cq)
        };
        let mut enters = wait_nr > ready;
        if cqe.is_null() && wait_nr == 0 && batch.nr() == 0 {
            // The program only looks. One system call may bring something; more of them would be a wait.
            enters = is_first && complete::needs_enter(*cq);
            if !enters {
                break Some(Errno::EAGAIN);
            }
        }
        if enters {
            flags |= IORING_ENTER_GETEVENTS | until.flags();
        }
        if let Some(wake) = submit::sq_needs_enter(*cq, batch) {
            flags |= wake;
            enters = true;
        }
        if !enters {
            break None;
        }
        // As long as the kernel takes only a part of the requests it does not wait.
        if !is_first && batch.nr() == 0 {
            if until.is_timed() {
                break cqe.is_null().then_some(Errno::ETIME);
            }
            // What was passed over may be what ended the wait.
            if passed_over == complete::NOTHING {
                if !cqe.is_null() {
                    break None;
                }
                let is_over = if cq.is_polled() {
                    polls_left -= 1;
                    polls_left == 0
                } else {
                    submitted != 0
                };
                if is_over {
                    break Some(Errno::EINTR);
                }
            }
        }
        let count = match enter(*cq, batch, wait_nr, flags, until).check() {
            Ok(count) => count,
            Err(error) => break Some(error),
        };
        batch = batch.without(count as c_uint);
        // A wait that gives the kernel nothing leaves the SQ side alone: another thread may be using it.
        if count != 0 && cq.has(IORING_SETUP_SQ_REWIND) {
            // SAFETY: the batch was not empty, so the SQ side is this thread's.
            submit::rewind(unsafe { Sq::<K>::new(cq.as_ptr()) }, count as c_uint);
        }
        if !cqe.is_null() {
            break None;
        }
        if is_first {
            submitted = count;
        }
    };
    cqe_ptr.set(cqe);
    match error {
        Some(error) if submitted <= 0 => error.into(),
        _ => Ret::from_c(submitted.max(0)),
    }
}

/// [`reap`] in one copy for all waits with an argument.
#[inline(never)]
fn reap_until<K: Kernel>(
    cq: Cq<K>,
    batch: Batch,
    wait_nr: c_uint,
    cqe_ptr: Out<*mut io_uring_cqe>,
    until: Until,
) -> Ret {
    reap(cq, cqe_ptr, batch, wait_nr, until)
}

/// Submits `batch`, waits for `wait_nr` completions with `sigmask` in force, and looks at the first.
#[inline(never)]
pub fn get_cqe<K: Kernel>(
    cq: Cq<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    batch: Batch,
    wait_nr: c_uint,
    sigmask: *const sigset_t,
) -> Ret {
    reap(cq, cqe_ptr, batch, wait_nr, Until::Signals(sigmask))
}

/// Limits to a wait. The kernel reads them, and the wait fails where an address leads nowhere.
#[derive(Clone, Copy)]
pub struct Limits {
    /// How long to wait at most, or null: for ever.
    pub ts: *const __kernel_timespec,
    /// Microseconds to wait for all completions before fewer will do.
    pub min_wait_usec: c_uint,
    /// Signals to block meanwhile, or null.
    pub sigmask: *const sigset_t,
}

impl Limits {
    #[inline(always)]
    fn argument(self) -> io_uring_getevents_arg {
        io_uring_getevents_arg {
            sigmask: self.sigmask.expose_provenance() as u64,
            sigmask_sz: KERNEL_SIGSET_SIZE as u32,
            min_wait_usec: self.min_wait_usec,
            ts: self.ts.expose_provenance() as u64,
        }
    }
}

/// Waits for `wait_nr` completions and looks at the first. Submits nothing, but for a timeout request on kernels
/// without `IORING_FEAT_EXT_ARG`, and with it all that was taken before.
///
/// # Safety
///
/// On kernels without `IORING_FEAT_EXT_ARG` no other thread uses the SQ side: see [`Sq::new`].
#[inline(always)]
pub unsafe fn wait_cqes<K: Kernel>(
    cq: Cq<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    wait_nr: c_uint,
    limits: Limits,
) -> Ret {
    if limits.ts.is_null() {
        return get_cqe(cq, cqe_ptr, Batch::EMPTY, wait_nr, limits.sigmask);
    }
    if !cq.offers(IORING_FEAT_EXT_ARG) {
        // SAFETY: the caller has the SQ side on such a kernel, and the handle of the CQ side.
        let ring = unsafe { Whole::<K>::new(cq.as_ptr()) };
        return by_request::wait(ring, limits.ts, wait_nr, cqe_ptr, limits.sigmask, false);
    }
    wait_cqes_within(cq, cqe_ptr, wait_nr, limits)
}

/// [`wait_cqes`] that may return with fewer completions once `limits.min_wait_usec` have passed. Does not use the SQ side.
#[inline]
pub fn wait_cqes_min_timeout<K: Kernel>(
    cq: Cq<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    wait_nr: c_uint,
    limits: Limits,
) -> Ret {
    if !cq.offers(IORING_FEAT_MIN_TIMEOUT) {
        return Errno::EINVAL.into();
    }
    wait_cqes_within(cq, cqe_ptr, wait_nr, limits)
}

/// Waits on a kernel that takes limits as an argument.
#[inline(always)]
fn wait_cqes_within<K: Kernel>(
    cq: Cq<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    wait_nr: c_uint,
    limits: Limits,
) -> Ret {
    let argument = limits.argument();
    let until = Until::Argument(&argument);
    reap_until(cq, Batch::EMPTY, wait_nr, cqe_ptr, until)
}

/// Submits all SQEs taken so far, waits for `wait_nr` completions, and looks at the first. Returns the number
/// submitted.
#[inline(always)]
pub fn submit_and_wait_timeout<K: Kernel>(
    ring: Whole<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    wait_nr: c_uint,
    limits: Limits,
) -> Ret {
    if limits.ts.is_null() {
        if !submit::is_plain(*ring) {
            return submit_special(ring, cqe_ptr, wait_nr, Until::Signals(limits.sigmask));
        }
        let batch = submit::flush_plain(ring.sq());
        return get_cqe(ring.cq(), cqe_ptr, batch, wait_nr, limits.sigmask);
    }
    if !ring.offers(IORING_FEAT_EXT_ARG) {
        return by_request::wait(ring, limits.ts, wait_nr, cqe_ptr, limits.sigmask, true);
    }
    let argument = limits.argument();
    let until = Until::Argument(&argument);
    submit_and_reap(ring, cqe_ptr, wait_nr, until)
}

/// [`submit_and_wait_timeout`] that may return with fewer completions once `limits.min_wait_usec` have passed.
#[inline]
pub fn submit_and_wait_min_timeout<K: Kernel>(
    ring: Whole<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    wait_nr: c_uint,
    limits: Limits,
) -> Ret {
    if !ring.offers(IORING_FEAT_MIN_TIMEOUT) {
        return Errno::EINVAL.into();
    }
    let argument = limits.argument();
    let until = Until::Argument(&argument);
    submit_and_reap(ring, cqe_ptr, wait_nr, until)
}

/// Submits all SQEs taken so far and waits as entry `index` of the ring's registered wait region says.
#[inline]
pub fn submit_and_wait_reg<K: Kernel>(
    ring: Whole<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    wait_nr: c_uint,
    index: c_int,
) -> Ret {
    if !ring.offers(IORING_FEAT_EXT_ARG) {
        return Errno::EINVAL.into();
    }
    // A negative index becomes an offset that the kernel refuses.
    let offset = (index as isize as usize).wrapping_mul(size_of::<io_uring_reg_wait>());
    submit_and_reap(ring, cqe_ptr, wait_nr, Until::Registered(offset))
}

/// Submits all SQEs taken so far and waits on a kernel that takes an argument.
#[inline(always)]
fn submit_and_reap<K: Kernel>(
    ring: Whole<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    wait_nr: c_uint,
    until: Until,
) -> Ret {
    if !submit::is_plain(*ring) {
        return submit_special(ring, cqe_ptr, wait_nr, until);
    }
    let batch = submit::flush_plain(ring.sq());
    reap_until(ring.cq(), batch, wait_nr, cqe_ptr, until)
}

/// Submits all SQEs and waits, in a ring with a submission thread or one that rewinds.
#[inline(never)]
fn submit_special<K: Kernel>(
    ring: Whole<K>,
    cqe_ptr: Out<*mut io_uring_cqe>,
    wait_nr: c_uint,
    until: Until,
) -> Ret {
    let batch = if !ring.has(IORING_SETUP_SQ_REWIND) {
        submit::flush_polled(ring.sq())
    } else {
        submit::taken(ring.sq())
    };
    let asked = Asked::new(batch, wait_nr);
    reap_on(ring.cq(), cqe_ptr, asked, until, NOT_ENTERED)
}
