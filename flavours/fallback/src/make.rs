//! Making a ring and giving it up.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use uring_core::abi::*;
use uring_core::ring::sizes;

use crate::memory::Memory;
use crate::request::{Class, How, Info};
use crate::ring::Ring;
use crate::{entered, gather, op, ops, parked, poller, sys, table, wake, workers};

/// The set-up flags that are served. Others are refused with -EINVAL, as by a kernel that does not know them.
pub const SETUP_FLAGS: u32 = IORING_SETUP_IOPOLL
    | IORING_SETUP_SQPOLL
    | IORING_SETUP_SQ_AFF
    | IORING_SETUP_CQSIZE
    | IORING_SETUP_CLAMP
    | IORING_SETUP_ATTACH_WQ
    | IORING_SETUP_R_DISABLED
    | IORING_SETUP_SUBMIT_ALL
    | IORING_SETUP_COOP_TASKRUN
    | IORING_SETUP_TASKRUN_FLAG
    | IORING_SETUP_SQE128
    | IORING_SETUP_CQE32
    | IORING_SETUP_SINGLE_ISSUER
    | IORING_SETUP_DEFER_TASKRUN
    | IORING_SETUP_NO_MMAP
    | IORING_SETUP_REGISTERED_FD_ONLY
    | IORING_SETUP_NO_SQARRAY
    | IORING_SETUP_HYBRID_IOPOLL
    | IORING_SETUP_CQE_MIXED
    | IORING_SETUP_SQE_MIXED
    | IORING_SETUP_SQ_REWIND;

/// The features that set-up reports. docs/fallback.md says why each of the others is left out.
pub const FEATURES: u32 = IORING_FEAT_SINGLE_MMAP
    | IORING_FEAT_NODROP
    | IORING_FEAT_SUBMIT_STABLE
    | IORING_FEAT_RW_CUR_POS
    | IORING_FEAT_CUR_PERSONALITY
    | IORING_FEAT_FAST_POLL
    | IORING_FEAT_POLL_32BITS
    | IORING_FEAT_SQPOLL_NONFIXED
    | IORING_FEAT_EXT_ARG
    | IORING_FEAT_NATIVE_WORKERS
    | IORING_FEAT_RSRC_TAGS
    | IORING_FEAT_CQE_SKIP
    | IORING_FEAT_LINKED_FILE
    | IORING_FEAT_REG_REG_RING
    | IORING_FEAT_RECVSEND_BUNDLE
    | IORING_FEAT_MIN_TIMEOUT
    | IORING_FEAT_NO_IOWAIT;

/// How often, and for how many nanoseconds each time, the end of a ring waits for threads that still hold it.
const MOMENTS: u32 = 2000;
const MOMENT: u64 = 50_000;

/// The combinations of flags that the kernel refuses.
fn check(p: &io_uring_params) -> Result<(), c_int> {
    let has = |flag| p.flags & flag != 0;
    let both = |flags| p.flags & flags == flags;
    let wrong = p.flags & !SETUP_FLAGS != 0
        || p.resv != [0; 3]
        || (has(IORING_SETUP_REGISTERED_FD_ONLY) && !has(IORING_SETUP_NO_MMAP))
        || (has(IORING_SETUP_SQPOLL)
            && has(IORING_SETUP_COOP_TASKRUN
                | IORING_SETUP_TASKRUN_FLAG
                | IORING_SETUP_DEFER_TASKRUN))
        || (has(IORING_SETUP_TASKRUN_FLAG)
            && !has(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN))
        || (has(IORING_SETUP_DEFER_TASKRUN) && !has(IORING_SETUP_SINGLE_ISSUER))
        || (has(IORING_SETUP_HYBRID_IOPOLL) && !has(IORING_SETUP_IOPOLL))
        || (has(IORING_SETUP_SQ_AFF) && !has(IORING_SETUP_SQPOLL))
        || both(IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED)
        || both(IORING_SETUP_SQE128 | IORING_SETUP_SQE_MIXED)
        || (has(IORING_SETUP_SQ_REWIND)
            && (has(IORING_SETUP_SQPOLL) || !has(IORING_SETUP_NO_SQARRAY)));
    if wrong {
        return Err(-libc::EINVAL);
    }
    if has(IORING_SETUP_SQ_AFF) && p.sq_thread_cpu >= sys::processors() {
        return Err(-libc::EINVAL);
    }
    if has(IORING_SETUP_ATTACH_WQ) && table::find(p.wq_fd as c_int).is_none() {
        let open = sys::open_flags(p.wq_fd as c_int) >= 0;
        return Err(if open { -libc::EINVAL } else { -libc::ENXIO });
    }
    Ok(())
}

/// Makes a ring. Returns its descriptor, or its index under `IORING_SETUP_REGISTERED_FD_ONLY`.
///
/// # Safety
///
/// As for `Kernel::setup`.
pub unsafe fn make(nr: u32, p: &mut io_uring_params) -> Result<c_int, c_int> {
    check(p)?;
    let entries = sizes::entries(nr, p).map_err(|error| error.as_ret())?;
    // What takes two entries must find them.
    let narrow = p.flags & IORING_SETUP_CQE_MIXED != 0 && entries.cq < 2
        || p.flags & IORING_SETUP_SQE_MIXED != 0 && entries.sq < 2;
    if narrow {
        return Err(-libc::EOVERFLOW);
    }
    op::enter(ops::find);
    let descriptor = sys::eventfd();
    if descriptor < 0 {
        return Err(descriptor);
    }
    closed_unseen(descriptor);
    if !table::any() {
        sys::make_room(descriptor);
    }
    let mut made = *p;
    // SAFETY: the caller vouches for the memory that `p` names.
    let memory = match unsafe { Memory::new(&mut made, entries) } {
        Ok(memory) => memory,
        Err(error) => {
            sys::close(descriptor);
            return Err(error);
        }
    };
    made.features = FEATURES;
    let disabled = p.flags & IORING_SETUP_R_DISABLED != 0;
    let ring = Arc::new(Ring::new(descriptor, memory, p.flags, disabled));
    if ring.has(IORING_SETUP_SQPOLL) {
        // No thread looks at the queue: the protocol then makes each submission enter, and enter takes all.
        ring.memory()
            .sq_flags()
            .store(IORING_SQ_NEED_WAKEUP, Ordering::Relaxed);
    }
    if ring.has(IORING_SETUP_SINGLE_ISSUER) && !disabled {
        ring.owner.store(sys::thread(), Ordering::Relaxed);
    }
    let name = if p.flags & IORING_SETUP_REGISTERED_FD_ONLY != 0 {
        match table::register(ring.clone()) {
            Some(index) => {
                // Without a descriptor the program has nothing to poll.
                sys::close(ring.forget_descriptor());
                index as c_int
            }
            None => return Err(-libc::EBUSY),
        }
    } else if table::add(ring.clone()) {
        descriptor
    } else {
        return Err(-libc::EMFILE);
    };
    *p = made;
    Ok(name)
}

/// A descriptor is no longer the ring that the table has for it: the program closed that one with an instruction of its
/// own.
pub fn closed_unseen(fd: c_int) {
    if let Some(ring) = table::remove(fd) {
        closed(ring, false);
    }
}

/// The ring's descriptor is given up: closed already, or closed here.
pub fn closed(ring: Arc<Ring>, close: bool) -> c_int {
    let ret = {
        // Posters write to the descriptor while they hold the state: afterwards none does.
        let _state = ring.state.lock();
        let descriptor = ring.forget_descriptor();
        if close && descriptor >= 0 {
            sys::close(descriptor)
        } else {
            0
        }
    };
    // As the kernel keeps a file: a ring lasts as long as a thread is in a call on it.
    ring.abandoned.store(true, Ordering::SeqCst);
    if ring.inside.load(Ordering::SeqCst) == 0 && ring.abandoned.swap(false, Ordering::SeqCst) {
        give_up(ring);
    }
    ret
}

/// A thread leaves a call on a ring. The last one ends the ring if it was closed meanwhile.
pub fn left(ring: &Arc<Ring>) {
    let last = ring.inside.fetch_sub(1, Ordering::SeqCst) == 1;
    // The load spares all other calls the exchange.
    let abandoned = last
        && ring.abandoned.load(Ordering::SeqCst)
        && ring.abandoned.swap(false, Ordering::SeqCst);
    if abandoned && end(ring) {
        wait_for_others(ring);
    }
}

/// Ends a ring that no descriptor and no index leads to any more: cancels queued requests and waits for those that
/// use the program's memory.
pub fn give_up(ring: Arc<Ring>) {
    if end(&ring) {
        wait_for_others(&ring);
    }
}

/// A thread that has posted the last completion lets go of the ring a moment later. With it the memory goes.
fn wait_for_others(ring: &Arc<Ring>) {
    let none = AtomicU32::new(0);
    // Relaxed: written before the child had a second thread.
    let lost = ring.lost.load(Ordering::Relaxed);
    for _ in 0..MOMENTS {
        if Arc::strong_count(ring) <= 1 + lost {
            break;
        }
        let soon = sys::timespec(sys::monotonic().saturating_add(MOMENT));
        sys::futex_wait(&none, 0, false, Some((soon, false)));
    }
}

/// Runs what the kernel would have run by now, at the event that it waited for.
fn catch_up(ring: &Arc<Ring>) {
    entered::take_back(ring);
    // With this flag the kernel, too, runs nothing before it is asked.
    if !ring.has(IORING_SETUP_DEFER_TASKRUN) {
        gather::gather(ring);
    }
    // They came to a worker only because others use their descriptors.
    let is_close = |info: &Info| op::closes(info.opcode);
    loop {
        let ids = ring.state.lock().pending.matching(is_close);
        let mut jobs = ids
            .into_iter()
            .filter_map(|id| workers::take(id, Class::Unbounded));
        let Some(job) = jobs.next() else {
            return;
        };
        job.resume(How::Block);
    }
}

/// `false`: the ring has another name and goes on.
fn end(ring: &Arc<Ring>) -> bool {
    if table::is_named(ring) {
        return false;
    }
    {
        let _state = ring.state.lock();
        // Relaxed: under the state.
        ring.given_up.store(true, Ordering::Relaxed);
    }
    catch_up(ring);
    let ids = {
        let mut state = ring.state.lock();
        // SeqCst: before the places are searched where its requests wait.
        ring.closed.store(true, Ordering::SeqCst);
        state.deferred.clear();
        state.pending.all()
    };
    for (id, info) in ids {
        if !op::closes(info.opcode) {
            drop(parked::take(id, &info));
        }
    }
    poller::forget(ring);
    wake::wait_for_firing();
    workers::wait_for(ring);
    let (files, buffers, groups) = {
        let mut state = ring.state.lock();
        (
            state.files.take(),
            state.buffers.take(),
            std::mem::take(&mut state.groups),
        )
    };
    drop((files, buffers, groups));
    true
}
