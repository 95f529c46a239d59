//! `io_uring_enter`: consuming the SQ ring, and waiting.

use core::ffi::{c_int, c_uint};

use uring_core::errno::{Errno, Result};
use uring_core::kernel::Kernel;

use crate::abi::*;
use crate::entry_lock::Entry;
use crate::pool::{self, Held};
use crate::submit::Work;
use crate::wakeup;

/// Submits up to `to_submit` iocbs to the ring `held`, which the descriptor `fd` leads to, and waits if `flags` say so.
/// Returns how many were submitted.
///
/// # Errors
///
/// * `EBUSY`: another thread is in this call for the ring.
/// * `EINTR`: a signal ended the wait, and nothing was submitted.
/// * `EINVAL`: unknown flags.
/// * The first iocb's error, if it cannot be started.
pub fn enter<K: Kernel>(
    mut held: Held,
    fd: c_int,
    to_submit: c_uint,
    min_complete: c_uint,
    enter_flags: c_uint,
) -> Result<c_int> {
    if enter_flags & !IORING_ENTER_GETEVENTS != 0 {
        return Err(Errno::EINVAL);
    }
    loop {
        match attempt::<K>(held, to_submit, min_complete, enter_flags) {
            Some(result) => return result,
            // A signal handler displaced the call before it had done anything. It may have closed the ring.
            None => held = pool::find(fd)?,
        }
    }
}

/// [`enter`]. None if this call was displaced before it had done anything.
fn attempt<K: Kernel>(
    held: Held,
    to_submit: c_uint,
    min_complete: c_uint,
    enter_flags: c_uint,
) -> Option<Result<c_int>> {
    let entry = match Entry::take(&held) {
        Ok(entry) => entry,
        Err(error) => return Some(Err(error)),
    };
    let result = enter_with::<K>(&held, &entry, to_submit, min_complete, enter_flags);
    if entry.is_displaced() {
        let is_use_dropped = entry.is_use_dropped();
        core::mem::forget(entry);
        if is_use_dropped {
            core::mem::forget(held);
        }
    }
    result
}

/// [`attempt`] with the entry lock held.
fn enter_with<K: Kernel>(
    held: &Held,
    entry: &Entry,
    to_submit: c_uint,
    min_complete: c_uint,
    enter_flags: c_uint,
) -> Option<Result<c_int>> {
    let waits = enter_flags & IORING_ENTER_GETEVENTS != 0;
    let wanted = c_uint::from(waits && min_complete != 0);
    // SAFETY: this thread holds the entry lock, so no other thread consumes but a polling one, for which nothing is
    // consumed here.
    unsafe {
        let mut work = Work::of_call(held, entry);
        if held.has_poller() {
            // The polling thread submits, and moves the heads.
            if to_submit != 0 || work.pending() != 0 {
                wakeup::wake(held);
            }
            let waited = work.wait::<K>(wanted, false);
            return Some(match waited {
                Err(error) if to_submit == 0 => Err(error),
                _ => Ok(to_submit as c_int),
            });
        }
        // A submission thread takes all entries that there are.
        let threaded = held.flags & IORING_SETUP_SQTHREAD != 0;
        let limit = match to_submit {
            0 => 0,
            _ if threaded => c_uint::MAX,
            _ => to_submit,
        };
        let error = work
            .consume::<K>(entry, limit, if threaded { 0 } else { wanted })
            .err();
        if entry.is_displaced() && work.consumed == 0 && error != Some(Errno::EINTR) {
            return None;
        }
        let submitted = if threaded { to_submit } else { work.consumed };
        if let (0, Some(error)) = (submitted, error) {
            return Some(Err(error));
        }
        // A call that was to submit and did not does not wait.
        let wanted = if submitted == 0 && to_submit != 0 {
            0
        } else {
            wanted
        };
        if !work.waited {
            let asked = waits && held.iopoll;
            let waited = work.wait::<K>(wanted, asked);
            if let (0, Err(error)) = (submitted, waited) {
                return Some(Err(error));
            }
        }
        Some(Ok(submitted as c_int))
    }
}
