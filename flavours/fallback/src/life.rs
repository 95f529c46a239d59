//! Fork, and closing of descriptors that requests use.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use uring_core::kernel::MADV_DONTFORK;

use crate::aio::AIO;
use crate::epoll::control;
use crate::futex::WAITING;
#[cfg(feature = "hooks")]
use crate::inside::Inside;
use crate::job::Job;
use crate::lock::Lock;
use crate::poller::{self, POLLER};
#[cfg(feature = "hooks")]
use crate::process::{self, Whose};
use crate::resources::groups::Group;
use crate::ring::Ring;
use crate::table::{self, TABLE};
use crate::workers::{self, POOLS};
use crate::{aio, lead, sys, wake};

/// The rings whose locks the forking thread holds.
static FORKING: Lock<Vec<Arc<Ring>>> = Lock::new(Vec::new());
/// Rings that children do not get.
static KEPT: Lock<Vec<usize>> = Lock::new(Vec::new());

/// Runs when the library is loaded: later another thread may fork in the middle of it, and the child would not know.
#[used]
#[cfg_attr(not(test), unsafe(link_section = ".init_array"))]
static START: extern "C" fn() = watch_forks;

/// Has the locks held while a fork copies the data that they guard.
extern "C" fn watch_forks() {
    sys::at_fork(prepare, parent, child);
}

extern "C" fn prepare() {
    let rings = table::all();
    for ring in &rings {
        ring.submission.acquire();
    }
    AIO.acquire();
    POLLER.acquire();
    POOLS.acquire();
    WAITING.acquire();
    for ring in &rings {
        ring.state.acquire();
        ring.handed_back.acquire();
        ring.released.tags.acquire();
    }
    TABLE.acquire();
    *FORKING.lock() = rings;
}

fn release() -> Vec<Arc<Ring>> {
    let rings = std::mem::take(&mut *FORKING.lock());
    // SAFETY: `prepare` took them in this thread, and there was no guard.
    unsafe {
        TABLE.release();
        for ring in &rings {
            ring.released.tags.release();
            ring.handed_back.release();
            ring.state.release();
        }
        WAITING.release();
        POOLS.release();
        POLLER.release();
        AIO.release();
        for ring in &rings {
            ring.submission.release();
        }
    }
    rings
}

extern "C" fn parent() {
    for ring in release() {
        ring.shared.store(true, Ordering::SeqCst);
    }
    // A thread that waits for events would not hear of what the child posts.
    wake::wake();
}

/// A child has the parent's rings and none of its threads. Requests in flight stay with the parent.
extern "C" fn child() {
    let rings = release();
    forget_waiting();
    for ring in &rings {
        ring.shared.store(true, Ordering::SeqCst);
        ring.leader.store(0, Ordering::SeqCst);
        ring.inside.store(0, Ordering::SeqCst);
        let mut state = ring.state.lock();
        state.pending.clear();
        // Relaxed: under the state.
        ring.marked.store(0, Ordering::Relaxed);
        state.in_flight = 0;
        std::mem::forget(std::mem::take(&mut state.deferred));
        state.counted.clear();
        // The parent posts these.
        state.overflow.clear();
        state.kept.clear();
        state.kept_orders.clear();
        // Threads of the parent may have had their turn.
        for group in state.groups.values_mut() {
            if let Group::Shared(shared) = group {
                shared.turn = Arc::default();
            }
        }
        // Relaxed: under the state.
        ring.keeps_transfers.store(false, Ordering::Relaxed);
        drop(state);
        std::mem::forget(std::mem::take(&mut *ring.handed_back.lock()));
    }
    TABLE.lock().forget_registered();
    for ring in &rings {
        // The table has it, and so does this thread. Relaxed: there is no other thread yet.
        let lost = Arc::strong_count(ring).saturating_sub(2);
        ring.lost.store(lost, Ordering::Relaxed);
    }
    let kept = std::mem::take(&mut *KEPT.lock());
    for ring in rings {
        if kept.contains(&Arc::as_ptr(&ring).addr()) {
            // The child has no mapping of this ring. The descriptor is still an open eventfd, which the program may close.
            table::remove(ring.descriptor());
            std::mem::forget(ring);
        }
    }
}

/// In a child: what requests wait with is the parent's, and so are they.
fn forget_waiting() {
    sys::forked();
    #[cfg(feature = "hooks")]
    process::renew();
    POOLS.lock().forget();
    WAITING.lock().forget();
    POLLER.lock().forget();
    lead::forget();
    AIO.lock().forget();
}

/// Whether this process is the one that has the rings, not a child that borrows its memory. A system call. The token says
/// that the thread was not in the library before.
#[cfg(feature = "hooks")]
pub fn is_own(_: &Inside) -> bool {
    match process::whose() {
        Whose::Own => true,
        Whose::Borrowed => false,
        // Nothing is allocated: a signal handler may have made the copy, with `_Fork`.
        Whose::Copied => {
            // SAFETY: this thread is the only one here, and in the library by this call alone, as the token says. So it
            // holds none of them. Others of the parent's may have.
            unsafe {
                AIO.renew();
                POLLER.renew();
                POOLS.renew();
                WAITING.renew();
            }
            forget_waiting();
            true
        }
    }
}

/// The program excludes a mapping of a ring from its children. The library's own mapping is excluded as well.
pub fn keep_from_children(address: usize) {
    for ring in table::all() {
        if ring.memory().is_shown_at(address) {
            ring.memory().advise(MADV_DONTFORK);
            KEPT.lock().push(Arc::as_ptr(&ring).addr());
        }
    }
}

/// The program closes descriptors. Requests on them continue with the files, as in the kernel.
pub fn before_close(first: c_int, last: c_int) {
    if !table::any() {
        return;
    }
    loop {
        // Files on a disk are not duplicated: closing the duplicate would drop the process's locks on the file. Requests on
        // them end.
        workers::wait_for_files(first, last);
        wait_for_aio(first, last);
        if keep_waiting(first, last) {
            return;
        }
    }
}

/// The program closes descriptors. Jobs that wait on them continue with duplicates, as the kernel would hold the files.
/// `false`: a worker uses one, and its job may come here to wait by the number.
fn keep_waiting(first: c_int, last: c_int) -> bool {
    // A job that runs works on the file by its number, and may come back to wait by it. Under the lock none begins to run.
    let mut poller = POLLER.lock();
    while wake::others_fire() {
        drop(poller);
        wake::wait_for_firing();
        poller = POLLER.lock();
    }
    // Those that cannot keep their file end.
    let mut lost = Vec::new();
    for fd in poller.fds.within(first, last) {
        let (armed, edge) = poller.fds.remove(fd);
        control(poller.level, libc::EPOLL_CTL_DEL, fd, 0, 0);
        if edge {
            control(poller.edge, libc::EPOLL_CTL_DEL, fd, 0, 0);
        }
        for mut one in armed {
            // A registered file is a descriptor of this library, which the program does not close, but in a range.
            if one.job.req.file.is_some() || !one.job.req.keep(first, last) {
                lost.push((one.job, -libc::EMFILE));
                continue;
            }
            let copy = one.job.req.waits_for();
            one.job.enter_descriptors();
            one.untried = 0;
            let (each, events) = (one.edge, poller.fds.put(copy, one));
            if each {
                poller.arm_edges(copy);
            } else {
                poller.arm(copy, events);
            }
        }
    }
    for (fd, id) in poller.fds.keep_beside(first, last) {
        lost.extend(poller.take(fd, id).map(|job| (job, -libc::EMFILE)));
    }
    // Under the lock, as the job of a worker that is not in use any more has come here to wait before.
    let left = !workers::uses(first, last);
    drop(poller);
    Job::complete_all(lost);
    left
}

/// Whether closing a descriptor waits for requests that use it.
pub fn is_in_use(fd: c_int) -> bool {
    workers::uses(fd, fd) || aio::uses(fd, fd)
}

/// Waits until no native AIO on these descriptors is in flight.
fn wait_for_aio(first: c_int, last: c_int) {
    while aio::uses(first, last) {
        // Whoever would look for its end may be this thread.
        aio::reap();
        if poller::attend(None).is_some() {
            continue;
        }
        let none = AtomicU32::new(0);
        let soon = sys::timespec(sys::monotonic().saturating_add(200_000));
        sys::futex_wait(&none, 0, false, Some((soon, false)));
    }
}
