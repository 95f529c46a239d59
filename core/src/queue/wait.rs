//! Waiting for completions, with and without submitting first.
//!
//! Functions that are called, not inlined, return what C gets: a count, or a negative error number.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use super::{by_request, complete, submit};
use crate::abi::cqe::io_uring_cqe;
use crate::abi::enter::{
    IORING_ENTER_EXT_ARG, IORING_ENTER_EXT_ARG_REG, IORING_ENTER_GETEVENTS, io_uring_getevents_arg,
    io_uring_reg_wait,
};
use crate::abi::params::{IORING_FEAT_EXT_ARG, IORING_FEAT_MIN_TIMEOUT, IORING_SETUP_SQ_REWIND};
use crate::abi::ring::io_uring;
use crate::abi::types::{__kernel_timespec, KERNEL_SIGSET_SIZE, sigset_t};
use crate::errno::Errno;
use crate::kernel::Kernel;
use crate::ring::flags;

/// What a wait tells the kernel beyond the number of completions.
#[derive(Clone, Copy)]
enum Until {
    /// Signals to block meanwhile, or null.
    Signals(*const sigset_t),
    /// An argument with signals and timeouts.
    Argument(*const io_uring_getevents_arg),
    /// Byte offset of an argument in the ring's registered wait region.
    Registered(usize),
}

impl Until {
    #[inline(always)]
    fn flags(self) -> c_uint {
        match self {
            Until::Signals(_) => 0,
            Until::Argument(_) => IORING_ENTER_EXT_ARG,
            Until::Registered(_) => IORING_ENTER_EXT_ARG | IORING_ENTER_EXT_ARG_REG,
        }
    }

    #[inline(always)]
    fn argument(self) -> (*const c_void, usize) {
        match self {
            Until::Signals(set) => (set.cast(), KERNEL_SIGSET_SIZE),
            Until::Argument(argument) => (argument.cast(), size_of::<io_uring_getevents_arg>()),
            // An offset travels in the pointer's place.
            Until::Registered(offset) => (
                ptr::without_provenance(offset),
                size_of::<io_uring_reg_wait>(),
            ),
        }
    }

    /// Whether a CQE is none of the program's. Kernels that take an argument need no timeouts of the library's own.
    #[inline(always)]
    unsafe fn is_internal(self, ring: *const io_uring, cqe: *const io_uring_cqe) -> bool {
        // SAFETY: the caller vouches for both.
        unsafe {
            match self {
                Until::Signals(_) => complete::is_internal(ring, cqe),
                Until::Argument(_) | Until::Registered(_) => complete::is_filler(cqe),
            }
        }
    }

    /// Whether the kernel may return because time is up.
    #[inline(always)]
    unsafe fn is_timed(self) -> bool {
        match self {
            Until::Signals(_) => false,
            // SAFETY: the argument lives in the frame of the function that built it, which waits for this one.
            Until::Argument(argument) => unsafe { (*argument).ts != 0 },
            Until::Registered(_) => true,
        }
    }
}

/// How many requests to submit, and how many completions to wait for: together in a word, so that the arguments of
/// [`reap_on`] fit into registers.
#[derive(Clone, Copy)]
struct Asked(u64);

impl Asked {
    #[inline(always)]
    fn new(submit: c_uint, wait_nr: c_uint) -> Asked {
        Asked(u64::from(submit) << 32 | u64::from(wait_nr))
    }

    #[inline(always)]
    fn submit(self) -> c_uint {
        (self.0 >> 32) as c_uint
    }

    #[inline(always)]
    fn wait_nr(self) -> c_uint {
        self.0 as c_uint
    }
}

/// In place of the number that the first system call submitted: there was none yet.
const NOT_ENTERED: c_int = -1;

/// Submits `submit` published requests, waits until `wait_nr` completions are there, and looks at the first.
///
/// What the first system call returned (the number it submitted) is the result, even if a later one fails; only when
/// that number is zero do later errors show. If enough completions are there to begin with, the result is 0 or an error,
/// and the number is not told.
///
/// Here are the frequent cases: nothing is there and one system call brings it, or enough is there already, with or
/// without something to submit. [`reap_on`] does the rest.
///
/// # Safety
///
/// `ring` is set up, no other thread uses its CQ side (nor its SQ side, unless `submit` is 0), and `cqe_ptr` is valid
/// for writes.
#[inline(always)]
unsafe fn reap<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    mut submit: c_uint,
    wait_nr: c_uint,
    until: Until,
) -> c_int {
    // SAFETY: the caller's promises are those that the called functions ask for.
    unsafe {
        let submitted = 'settled: {
            let (mut entered, mut submitted) = (false, 0);
            let mut available = complete::available(ring);
            if available == 0 {
                if wait_nr == 0 {
                    break 'settled NOT_ENTERED;
                }
                let mut flags = flags::enter_flags(ring) | IORING_ENTER_GETEVENTS | until.flags();
                flags |= submit::sq_needs_enter(ring, submit).unwrap_or(0);
                let (arg, size) = until.argument();
                match K::enter((*ring).enter_ring_fd, submit, wait_nr, flags, arg, size) {
                    Ok(count) => {
                        submit = submit.wrapping_sub(count as c_uint);
                        (entered, submitted) = (true, count);
                    }
                    Err(error) => {
                        *cqe_ptr = ptr::null_mut();
                        return error.as_ret();
                    }
                }
                available = complete::available(ring);
            }
            if available >= wait_nr {
                let cqe = complete::head(ring);
                if !until.is_internal(ring, cqe) {
                    if submit == 0 {
                        *cqe_ptr = cqe;
                        return submitted;
                    }
                    if !entered {
                        *cqe_ptr = cqe;
                        return submit::submit_published::<K>(ring, submit, wait_nr);
                    }
                }
            }
            if entered { submitted } else { NOT_ENTERED }
        };
        reap_on::<K>(ring, cqe_ptr, Asked::new(submit, wait_nr), until, submitted)
    }
}

/// How often a wait on a polled ring is repeated that finds nothing. See [`reap_on`].
const POLLS: c_uint = if cfg!(test) { 100 } else { 1 << 22 };

/// Goes on with a [`reap`] that the frequent cases do not settle. `submitted` is what the first system call returned.
///
/// A signal ends the wait, but where requests were submitted the kernel returns their number and hides that. So a wait for
/// which all was submitted, and which still brought too few completions, is not repeated.
///
/// A polled ring is different: there the kernel also returns early for reasons of its own, as when a request is not with
/// the device yet, and a signal does not show at all while it has nothing to poll. So the wait is repeated until something
/// is there, but not for ever: in the end it returns as if a signal had come.
#[inline(never)]
unsafe fn reap_on<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    asked: Asked,
    until: Until,
    mut submitted: c_int,
) -> c_int {
    let (mut submit, wait_nr) = (asked.submit(), asked.wait_nr());
    let mut cqe;
    let mut polls_left = POLLS;
    // SAFETY: the caller's promises are those that the called functions ask for.
    let error = unsafe {
        loop {
            let passed_over;
            (cqe, passed_over) = complete::peek(ring);
            let mut flags = flags::enter_flags(ring);
            // What has come since the look does not count: the wait would end with nothing to show.
            let ready = if cqe.is_null() {
                0
            } else {
                complete::available(ring)
            };
            let mut enter = wait_nr > ready;
            if cqe.is_null() && wait_nr == 0 && submit == 0 {
                // The program only looks. One system call may bring something; more of them would be a wait.
                enter = submitted == NOT_ENTERED && complete::needs_enter(ring);
                if !enter {
                    break Some(Errno::EAGAIN);
                }
            }
            if enter {
                flags |= IORING_ENTER_GETEVENTS | until.flags();
            }
            if let Some(wake) = submit::sq_needs_enter(ring, submit) {
                flags |= wake;
                enter = true;
            }
            if !enter {
                break None;
            }
            // As long as the kernel takes only a part of the requests it does not wait.
            if submitted != NOT_ENTERED && submit == 0 {
                if until.is_timed() {
                    break cqe.is_null().then_some(Errno::ETIME);
                }
                // What was passed over may be what ended the wait.
                if passed_over == complete::NOTHING {
                    if !cqe.is_null() {
                        break None;
                    }
                    let is_over = if flags::is_polled(ring) {
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
            let (arg, size) = until.argument();
            let count = match K::enter((*ring).enter_ring_fd, submit, wait_nr, flags, arg, size) {
                Ok(count) => count,
                Err(error) => break Some(error),
            };
            submit = submit.wrapping_sub(count as c_uint);
            // A wait that gives the kernel nothing leaves the SQ side alone: another thread may be using it.
            if count != 0 && (*ring).flags & IORING_SETUP_SQ_REWIND != 0 {
                submit::rewind(ring, count as c_uint);
            }
            if !cqe.is_null() {
                break None;
            }
            if submitted == NOT_ENTERED {
                submitted = count;
            }
        }
    };
    // SAFETY: the caller vouches for `cqe_ptr`.
    unsafe { *cqe_ptr = cqe };
    match error {
        Some(error) if submitted <= 0 => error.as_ret(),
        _ => submitted.max(0),
    }
}

/// [`reap`] in one copy for all waits with an argument.
///
/// # Safety
///
/// As for [`reap`].
#[inline(never)]
unsafe fn reap_until<K: Kernel>(
    ring: *mut io_uring,
    submit: c_uint,
    wait_nr: c_uint,
    cqe_ptr: *mut *mut io_uring_cqe,
    until: Until,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { reap::<K>(ring, cqe_ptr, submit, wait_nr, until) }
}

/// Submits `submit` requests that are already published, waits for `wait_nr` completions with `sigmask` in force, and
/// looks at the first.
///
/// # Safety
///
/// As for [`submit_and_wait_timeout`].
#[inline(never)]
pub unsafe fn get_cqe<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    submit: c_uint,
    wait_nr: c_uint,
    sigmask: *const sigset_t,
) -> c_int {
    // SAFETY: the caller's promises are those that `reap` asks for.
    unsafe { reap::<K>(ring, cqe_ptr, submit, wait_nr, Until::Signals(sigmask)) }
}

/// Limits to a wait.
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
/// As for [`submit_and_wait_timeout`]; the SQ side is used only on kernels without `IORING_FEAT_EXT_ARG`.
#[inline(always)]
pub unsafe fn wait_cqes<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    limits: Limits,
) -> c_int {
    // SAFETY: the caller's promises are those that the called functions ask for.
    unsafe {
        if limits.ts.is_null() {
            return get_cqe::<K>(ring, cqe_ptr, 0, wait_nr, limits.sigmask);
        }
        if (*ring).features & IORING_FEAT_EXT_ARG == 0 {
            return by_request::wait::<K>(ring, limits.ts, wait_nr, cqe_ptr, limits.sigmask, false);
        }
        wait_cqes_within::<K>(ring, cqe_ptr, wait_nr, limits)
    }
}

/// [`wait_cqes`] that may return with fewer completions once `limits.min_wait_usec` have passed.
///
/// # Safety
///
/// As for [`submit_and_wait_timeout`]; the SQ side is not used.
#[inline]
pub unsafe fn wait_cqes_min_timeout<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    limits: Limits,
) -> c_int {
    // SAFETY: the caller's promises are those that `wait_cqes_within` asks for.
    unsafe {
        if (*ring).features & IORING_FEAT_MIN_TIMEOUT == 0 {
            return Errno::EINVAL.as_ret();
        }
        wait_cqes_within::<K>(ring, cqe_ptr, wait_nr, limits)
    }
}

/// Waits on a kernel that takes limits as an argument.
#[inline(always)]
unsafe fn wait_cqes_within<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    limits: Limits,
) -> c_int {
    let until = Until::Argument(&limits.argument());
    // SAFETY: passed on to the caller.
    unsafe { reap_until::<K>(ring, 0, wait_nr, cqe_ptr, until) }
}

/// Submits all SQEs taken so far, waits for `wait_nr` completions, and looks at the first. Returns the number
/// submitted.
///
/// # Safety
///
/// `ring` is set up, no other thread uses it meanwhile, `cqe_ptr` is valid for writes, the pointers in `limits` are
/// null or valid, and what the requests name stays valid until they complete.
#[inline(always)]
pub unsafe fn submit_and_wait_timeout<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    limits: Limits,
) -> c_int {
    // SAFETY: the caller's promises are those that the called functions ask for.
    unsafe {
        if limits.ts.is_null() {
            if !submit::is_plain(ring) {
                return submit_special::<K>(ring, cqe_ptr, wait_nr, Until::Signals(limits.sigmask));
            }
            let pending = submit::flush_plain(ring);
            return get_cqe::<K>(ring, cqe_ptr, pending, wait_nr, limits.sigmask);
        }
        if (*ring).features & IORING_FEAT_EXT_ARG == 0 {
            return by_request::wait::<K>(ring, limits.ts, wait_nr, cqe_ptr, limits.sigmask, true);
        }
        let until = Until::Argument(&limits.argument());
        submit_and_reap::<K>(ring, cqe_ptr, wait_nr, until)
    }
}

/// [`submit_and_wait_timeout`] that may return with fewer completions once `limits.min_wait_usec` have passed.
///
/// # Safety
///
/// As for [`submit_and_wait_timeout`].
#[inline]
pub unsafe fn submit_and_wait_min_timeout<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    limits: Limits,
) -> c_int {
    // SAFETY: the caller's promises are those that `submit_and_reap` asks for.
    unsafe {
        if (*ring).features & IORING_FEAT_MIN_TIMEOUT == 0 {
            return Errno::EINVAL.as_ret();
        }
        let until = Until::Argument(&limits.argument());
        submit_and_reap::<K>(ring, cqe_ptr, wait_nr, until)
    }
}

/// Submits all SQEs taken so far and waits as entry `index` of the ring's registered wait region says.
///
/// # Safety
///
/// As for [`submit_and_wait_timeout`].
#[inline]
pub unsafe fn submit_and_wait_reg<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    index: c_int,
) -> c_int {
    // SAFETY: the caller's promises are those that `submit_and_reap` asks for.
    unsafe {
        if (*ring).features & IORING_FEAT_EXT_ARG == 0 {
            return Errno::EINVAL.as_ret();
        }
        // A negative index becomes an offset that the kernel refuses.
        let offset = (index as isize as usize).wrapping_mul(size_of::<io_uring_reg_wait>());
        submit_and_reap::<K>(ring, cqe_ptr, wait_nr, Until::Registered(offset))
    }
}

/// Submits all SQEs taken so far and waits on a kernel that takes an argument.
#[inline(always)]
unsafe fn submit_and_reap<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    until: Until,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe {
        if !submit::is_plain(ring) {
            return submit_special::<K>(ring, cqe_ptr, wait_nr, until);
        }
        reap_until::<K>(ring, submit::flush_plain(ring), wait_nr, cqe_ptr, until)
    }
}

/// Submits all SQEs and waits, in a ring with a submission thread or one that rewinds.
#[inline(never)]
unsafe fn submit_special<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    until: Until,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe {
        let pending = if (*ring).flags & IORING_SETUP_SQ_REWIND == 0 {
            submit::flush_polled(ring)
        } else {
            (*ring).sq.sqe_tail
        };
        let asked = Asked::new(pending, wait_nr);
        reap_on::<K>(ring, cqe_ptr, asked, until, NOT_ENTERED)
    }
}
