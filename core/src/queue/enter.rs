//! The system call that submits and waits.

use core::ffi::{c_uint, c_void};
use core::ptr;

use crate::abi::enter::{
    IORING_ENTER_EXT_ARG, IORING_ENTER_EXT_ARG_REG, io_uring_getevents_arg, io_uring_reg_wait,
};
use crate::abi::types::{KERNEL_SIGSET_SIZE, sigset_t};
use crate::errno::Ret;
use crate::kernel::Kernel;
use crate::ring::handle::Ring;

/// A number of SQEs that go to the kernel with a call.
///
/// Only the SQ side makes one that is not empty. So a function that takes a batch uses the SQ side if the batch is not
/// empty, and has its caller's right to.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Batch(pub(super) c_uint);

impl Batch {
    /// No SQE.
    pub const EMPTY: Batch = Batch(0);

    /// `nr` SQEs that the program has published itself.
    ///
    /// # Safety
    ///
    /// If `nr` is not 0, no other thread uses the ring's SQ side while the batch is used. The published SQEs name memory
    /// that stays valid until the requests complete.
    #[inline(always)]
    pub const unsafe fn published_by_program(nr: c_uint) -> Batch {
        Batch(nr)
    }

    /// The number of SQEs.
    #[inline(always)]
    pub const fn nr(self) -> c_uint {
        self.0
    }

    /// What is left of it once the kernel has taken `count` SQEs.
    #[inline(always)]
    pub(super) const fn without(self, count: c_uint) -> Batch {
        Batch(self.0.wrapping_sub(count))
    }
}

/// What ends a wait beside the number of completions.
#[derive(Clone, Copy)]
pub(super) enum Until<'a> {
    /// A signal, but for those to block meanwhile, unless that is null.
    Signals(*const sigset_t),
    /// What the argument says: signals and timeouts.
    Argument(&'a io_uring_getevents_arg),
    /// The same, from an argument in the ring's registered wait region, at this byte offset.
    Registered(usize),
}

impl Until<'_> {
    /// The completions, or any signal.
    pub(super) const AVAILABLE: Until<'static> = Until::Signals(ptr::null());

    /// The flags that it adds to the call.
    #[inline(always)]
    pub(super) fn flags(self) -> c_uint {
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
            Until::Argument(argument) => (
                ptr::from_ref(argument).cast(),
                size_of::<io_uring_getevents_arg>(),
            ),
            // An offset travels in the pointer's place.
            Until::Registered(offset) => (
                ptr::without_provenance(offset),
                size_of::<io_uring_reg_wait>(),
            ),
        }
    }

    /// Whether the kernel may return because time is up.
    #[inline(always)]
    pub(super) fn is_timed(self) -> bool {
        match self {
            Until::Signals(_) => false,
            Until::Argument(argument) => argument.ts != 0,
            Until::Registered(_) => true,
        }
    }
}

/// `io_uring_enter` on `ring`. `flags` are all of its flags: those of `until` are among them if the call waits. If it does
/// not, the kernel does not look at the argument.
#[inline(always)]
pub(super) fn enter<K: Kernel>(
    ring: Ring<K>,
    batch: Batch,
    wait_nr: c_uint,
    flags: c_uint,
    until: Until,
) -> Ret {
    let (argument, size) = until.argument();
    // SAFETY: `until` has the argument that its flags name, and the kernel only reads it: where the program gave an address
    // that leads nowhere, the call fails. The batch is from the SQ side, whose SQEs name valid memory.
    unsafe { K::enter(ring.enter_fd(), batch.nr(), wait_nr, flags, argument, size) }
}
