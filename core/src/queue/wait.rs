//! Waiting for completions, with and without submitting first.
//!
//! Functions that are called, not inlined, return what C gets: a count, or a negative error number.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use super::submit::{self, flush};
use super::{complete, sqe};
use crate::abi::cqe::io_uring_cqe;
use crate::abi::enter::{
    IORING_ENTER_EXT_ARG, IORING_ENTER_EXT_ARG_REG, IORING_ENTER_GETEVENTS, io_uring_getevents_arg,
    io_uring_reg_wait,
};
use crate::abi::op::IORING_OP_TIMEOUT;
use crate::abi::params::{IORING_FEAT_EXT_ARG, IORING_FEAT_MIN_TIMEOUT};
use crate::abi::ring::{LIBURING_UDATA_TIMEOUT, io_uring};
use crate::abi::types::{__kernel_timespec, KERNEL_SIGSET_SIZE, sigset_t};
use crate::errno::{Errno, to_ret};
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
    let mut submitted = None;
    // SAFETY: the caller's promises are those that the called functions ask for.
    unsafe {
        let mut available = complete::available(ring);
        if available == 0 && wait_nr != 0 {
            let mut flags = flags::enter_flags(ring) | IORING_ENTER_GETEVENTS | until.flags();
            flags |= submit::sq_needs_enter(ring, submit).unwrap_or(0);
            let (arg, size) = until.argument();
            match K::enter((*ring).enter_ring_fd, submit, wait_nr, flags, arg, size) {
                Ok(count) => {
                    submit = submit.wrapping_sub(count as c_uint);
                    submitted = Some(count);
                }
                Err(error) => {
                    *cqe_ptr = ptr::null_mut();
                    return error.as_ret();
                }
            }
            available = complete::available(ring);
        }
        if available != 0 && available >= wait_nr {
            let cqe = complete::head(ring);
            if !complete::is_internal(ring, cqe) {
                if submit == 0 {
                    *cqe_ptr = cqe;
                    return submitted.unwrap_or(0);
                }
                if submitted.is_none() {
                    *cqe_ptr = cqe;
                    return submit::submit_published::<K>(ring, submit, wait_nr);
                }
            }
        }
        reap_on::<K>(ring, cqe_ptr, submit, wait_nr, until, submitted)
    }
}

/// Goes on with a [`reap`] that the frequent cases do not settle. `submitted` is what the first system call returned.
#[inline(never)]
unsafe fn reap_on<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    mut submit: c_uint,
    wait_nr: c_uint,
    until: Until,
    mut submitted: Option<c_int>,
) -> c_int {
    let mut cqe = ptr::null_mut();
    // SAFETY: the caller's promises are those that the called functions ask for.
    let error = unsafe {
        loop {
            let peeked = match complete::peek(ring) {
                Ok(peeked) => peeked,
                Err(error) => break Some(error),
            };
            cqe = peeked.cqe;
            let mut flags = flags::enter_flags(ring);
            let mut enter = wait_nr > peeked.available;
            if cqe.is_null() && wait_nr == 0 && submit == 0 {
                // The program only looks. One system call may bring something; more of them would be a wait.
                enter = submitted.is_none() && complete::needs_enter(ring);
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
            if submitted.is_some() && until.is_timed() {
                // The wait ended, and not because enough completions came.
                break cqe.is_null().then_some(Errno::ETIME);
            }
            let (arg, size) = until.argument();
            let count = match K::enter((*ring).enter_ring_fd, submit, wait_nr, flags, arg, size) {
                Ok(count) => count,
                Err(error) => break Some(error),
            };
            submit = submit.wrapping_sub(count as c_uint);
            if !cqe.is_null() {
                break None;
            }
            submitted = submitted.or(Some(count));
        }
    };
    // SAFETY: the caller vouches for `cqe_ptr`.
    unsafe { *cqe_ptr = cqe };
    match (submitted.unwrap_or(0), error) {
        (0, Some(error)) => error.as_ret(),
        (count, _) => count,
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
    cqe_ptr: *mut *mut io_uring_cqe,
    submit: c_uint,
    wait_nr: c_uint,
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
        if (*ring).features & IORING_FEAT_EXT_ARG != 0 {
            return reap_until::<K>(
                ring,
                cqe_ptr,
                0,
                wait_nr,
                Until::Argument(&limits.argument()),
            );
        }
        wait_by_request::<K>(ring, cqe_ptr, wait_nr, limits)
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
    // SAFETY: the caller's promises are those that `reap` asks for.
    unsafe {
        if (*ring).features & IORING_FEAT_MIN_TIMEOUT == 0 {
            return Errno::EINVAL.as_ret();
        }
        reap_until::<K>(
            ring,
            cqe_ptr,
            0,
            wait_nr,
            Until::Argument(&limits.argument()),
        )
    }
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
            return get_cqe::<K>(ring, cqe_ptr, flush(ring), wait_nr, limits.sigmask);
        }
        if (*ring).features & IORING_FEAT_EXT_ARG != 0 {
            let argument = limits.argument();
            return reap_until::<K>(
                ring,
                cqe_ptr,
                flush(ring),
                wait_nr,
                Until::Argument(&argument),
            );
        }
        wait_by_request::<K>(ring, cqe_ptr, wait_nr, limits)
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
    // SAFETY: the caller's promises are those that `submit_and_wait_timeout` asks for.
    unsafe {
        if (*ring).features & IORING_FEAT_MIN_TIMEOUT == 0 {
            return Errno::EINVAL.as_ret();
        }
        submit_and_wait_timeout::<K>(ring, cqe_ptr, wait_nr, limits)
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
    // SAFETY: the caller's promises are those that `reap` asks for.
    unsafe {
        let pending = flush(ring);
        if (*ring).features & IORING_FEAT_EXT_ARG == 0 {
            return Errno::EINVAL.as_ret();
        }
        // A negative index becomes an offset that the kernel refuses.
        let offset = (index as isize as usize).wrapping_mul(size_of::<io_uring_reg_wait>());
        reap_until::<K>(ring, cqe_ptr, pending, wait_nr, Until::Registered(offset))
    }
}

/// Waits with the help of a timeout request, which old kernels need: it is queued behind the SQEs taken so far, and all
/// of them are submitted.
#[cold]
unsafe fn wait_by_request<K: Kernel>(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    limits: Limits,
) -> c_int {
    // SAFETY: the caller vouches for the ring, and `limits.ts` outlives the wait: the kernel copies it on submission.
    unsafe {
        let mut submitted = false;
        let timeout = loop {
            let free = sqe::get(ring);
            if !free.is_null() {
                break free;
            }
            if submitted {
                return Errno::EAGAIN.as_ret();
            }
            let ret = to_ret(submit::submit::<K>(ring, 0, false));
            if ret < 0 {
                return ret;
            }
            submitted = true;
        };
        (*timeout).opcode = IORING_OP_TIMEOUT as u8;
        (*timeout).fd = -1;
        (*timeout).__anon1.off = wait_nr as u64;
        (*timeout).__anon2.addr = limits.ts.expose_provenance() as u64;
        (*timeout).len = 1;
        (*timeout).user_data = LIBURING_UDATA_TIMEOUT;
        get_cqe::<K>(ring, cqe_ptr, flush(ring), wait_nr, limits.sigmask)
    }
}
