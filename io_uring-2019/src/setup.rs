//! `io_uring_setup`: a memory file, and the kernel ring in it.

use core::ffi::{c_int, c_uint};
use core::ptr;

use uring_core::abi::iovec;
use uring_core::abi::params::{self as kring, IORING_SETUP_SUBMIT_ALL};
use uring_core::errno::{Errno, Result};
use uring_core::kernel::Native;
use uring_core::register::buffers;
use uring_core::ring::handle::Ring as Kring;
use uring_core::ring::order::Word;
use uring_core::ring::{exit, setup};

use crate::abi::*;
use crate::hidden_fd::HiddenFd;
use crate::pool::{Claim, Unopened};
#[cfg(feature = "preload")]
use crate::remembered;
use crate::ring::Ring;
use crate::ring_file::{Sizes, SqRing};
use crate::sys::{files, memory, process, time};
use crate::{caller, closing, cpus, iopoll, poller, watch};

const KNOWN: c_uint = IORING_SETUP_IOPOLL
    | IORING_SETUP_FIXEDBUFS
    | IORING_SETUP_SQTHREAD
    | IORING_SETUP_SQWQ
    | IORING_SETUP_SQPOLL;

/// The largest pinned buffer.
const LARGEST_BUFFER: usize = 4 << 20;

/// By which calls the program closes a ring's descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// By calls that this library sees, or through this library.
    Seen,
    /// By calls of libc.
    Unseen,
}

/// Sets a ring up and returns its descriptor.
///
/// # Errors
///
/// * `EFAULT`: `params` or `iovecs` cannot be read, or `params` cannot be written; a buffer has no address or is too
///   long.
/// * `EINVAL`: unknown flags, reserved fields that are not zero, no entries or too many; with `SQTHREAD`, a CPU that
///   does not exist.
/// * `EMFILE`, `ENFILE`: no descriptor is left (a ring needs two), or this process has too many rings.
/// * `ENOMEM`: no memory, or more than may be locked.
/// * `ENOSYS`: the kernel cannot run a ring in memory that the program brings (before 6.5).
/// * `EPERM` and others by which the kernel refuses a ring.
pub fn setup(
    entries: c_uint,
    iovecs: *const iovec,
    params: *mut io_uring_params,
    closing: Closing,
) -> Result<c_int> {
    let mut p = memory::read_memory(params)?;
    if p.resv != [0; 9] || p.flags & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    // The CPU counts even where the call itself submits and no thread is bound.
    if p.flags & IORING_SETUP_SQTHREAD != 0 && !cpus::may_exist(p.sq_thread_cpu) {
        return Err(Errno::EINVAL);
    }
    closing::close_some_unreachable_rings();
    let sizes = Sizes::of::<Native>(entries, p.flags & IORING_SETUP_FIXEDBUFS != 0)?;
    // Before the first ring of a process.
    #[cfg(feature = "preload")]
    if caller::process() == 0 {
        remembered::prepare()?;
    }
    caller::prepare()?;
    let mut make = || make_ring(entries, &sizes, iovecs, params, &mut p, closing);
    match make() {
        // Rings that no descriptor leads to may have what this one lacks.
        Err(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)
            if closing::close_unreachable_rings() =>
        {
            make()
        }
        made => made,
    }
}

/// Makes the ring for checked arguments.
fn make_ring(
    entries: c_uint,
    sizes: &Sizes,
    iovecs: *const iovec,
    params: *mut io_uring_params,
    p: &mut io_uring_params,
    closing: Closing,
) -> Result<c_int> {
    let mut unopened = Claim::new()?.fill();
    let ring = unopened.ring();
    ring.flags = p.flags;
    ring.entries = entries.next_power_of_two();
    ring.sizes = *sizes;

    let fd = make_file(&mut unopened, closing)?;
    let made = set_up_kring(&mut unopened, iovecs, p).and_then(|()| {
        memory::write_memory(params, p)?;
        let position = unopened.position();
        let ring = unopened.ring();
        // Without a watching thread, a later set-up notices that the ring was closed.
        let anchor = ring.anchor.get();
        if anchor.is_none_or(|anchor| watch::start(anchor, position).is_err()) {
            ring.anchor.close();
            ring.anchor = HiddenFd::NONE;
        }
        Ok(())
    });
    match made {
        Ok(()) => {
            unopened.open(fd);
            Ok(fd)
        }
        Err(error) => {
            drop(unopened);
            files::close(fd);
            Err(error)
        }
    }
}

/// Makes the memory file, maps it, and returns the descriptor for the program.
fn make_file(unopened: &mut Unopened, closing: Closing) -> Result<c_int> {
    let position = unopened.position();
    let ring = unopened.ring();
    // The file takes no memory until it is touched, but the limit on file sizes holds for it. The kernel would send the
    // program a signal for a larger file.
    if process::limit(process::FILE_SIZE)? < ring.sizes.file() {
        return Err(Errno::EFBIG);
    }
    let fd = files::memory_file(c"io_uring-0.1")?;
    let made = (|| {
        files::resize(fd, ring.sizes.file())?;
        files::seal_size(fd)?;
        ring.identity = files::identity(fd)?;
        ring.areas.map::<Native>(fd, &ring.sizes)?;
        let mut program = fd;
        // Without `/proc`, a later set-up notices that the ring was closed.
        if closing == Closing::Unseen {
            let anchor = HiddenFd::new(fd)?;
            if let Ok(second) = watch::reopen(fd) {
                ring.anchor = anchor;
                program = second;
            }
        }
        match files::seek(program, position) {
            Ok(()) => Ok(program),
            Err(error) => {
                if program != fd {
                    files::close(program);
                }
                Err(error)
            }
        }
    })();
    match made {
        Ok(program) if program != fd => {
            ring.anchor = ring.anchor.moved_high();
            if ring.anchor.number() == fd {
                // The limit leaves no high numbers, so any other number will do.
                ring.anchor = ring.anchor.moved(0);
            }
            Ok(lowest_number(program))
        }
        Ok(program) => Ok(program),
        Err(error) => {
            if !ring.anchor.is_some() {
                files::close(fd);
            }
            Err(error)
        }
    }
}

/// The lowest free number for the same open file. A program expects a new descriptor to have that.
fn lowest_number(fd: c_int) -> c_int {
    match files::duplicate(fd, 0) {
        Ok(low) if low < fd => {
            files::close(fd);
            low
        }
        Ok(other) => {
            files::close(other);
            fd
        }
        Err(_) => fd,
    }
}

/// Sets up the kernel ring in the file's memory, the registered buffers and the threads.
fn set_up_kring(
    unopened: &mut Unopened,
    iovecs: *const iovec,
    p: &mut io_uring_params,
) -> Result<()> {
    let slot = unopened.slot();
    let ring = unopened.ring();
    ring.iopoll = p.flags & IORING_SETUP_IOPOLL != 0 && iopoll::has_polling_queues();
    let retry = Retry::new();
    let mut q = retry.run(|| make_kring(ring))?;
    // Files that cannot be polled need a feature of 6.11 that has no flag. `MIN_TIMEOUT` is the first flag after
    // it.
    if ring.iopoll && q.features & kring::IORING_FEAT_MIN_TIMEOUT == 0 {
        // SAFETY: it was just set up, and no other thread knows it.
        unsafe { exit::exit::<Native>(&raw mut ring.kring) };
        ring.iopoll = false;
        q = retry.run(|| make_kring(ring))?;
    }
    ring.kring_fd = HiddenFd::new(ring.kring.ring_fd)?.moved_high();
    ring.kring.ring_fd = ring.kring_fd.number();
    ring.kring.enter_ring_fd = ring.kring.ring_fd;

    if p.flags & IORING_SETUP_FIXEDBUFS != 0 {
        register_buffers(ring, iovecs, &retry)?;
    }
    write_constants(ring);
    p.sq_entries = ring.entries;
    p.cq_entries = 2 * ring.entries;
    p.sq_off = sq_offsets();
    p.cq_off = cq_offsets(&q);
    if ring.has_poller() {
        // SAFETY: no other thread knows the ring, and it is set up.
        unsafe { poller::start(slot, p.sq_thread_cpu)? };
    }
    Ok(())
}

/// Repeats a call that finds too little memory left to lock. The kernel counts the memory that a closed ring had locked
/// for some more milliseconds, and for longer on a busy machine.
struct Retry {
    end: u64,
}

impl Retry {
    const WHOLE_NS: u64 = 500_000_000;
    const PAUSE_NS: u64 = 1_000_000;

    fn new() -> Retry {
        Retry {
            end: time::now().wrapping_add(Retry::WHOLE_NS),
        }
    }

    fn run<T>(&self, mut call: impl FnMut() -> Result<T>) -> Result<T> {
        loop {
            match call() {
                Err(Errno::ENOMEM) if time::now() < self.end => time::nap(Retry::PAUSE_NS),
                result => return result,
            }
        }
    }
}

fn make_kring(ring: &mut Ring) -> Result<kring::io_uring_params> {
    let mut q = kring::io_uring_params {
        // A request that fails does not stop the submission of those behind it.
        flags: IORING_SETUP_SUBMIT_ALL,
        ..kring::io_uring_params::default()
    };
    if ring.iopoll {
        q.flags |= kring::IORING_SETUP_IOPOLL;
    }
    let memory = ring.areas.kring(&ring.sizes);
    // SAFETY: the memory stays mapped until the ring is torn down, which closes the kernel ring first.
    let made = unsafe {
        setup::init_in_memory::<Native>(ring.entries, &raw mut ring.kring, &mut q, memory)
    };
    match made {
        Ok(_) => Ok(q),
        // The parameters are right, so the kernel does not know a flag.
        Err(Errno::EINVAL) => Err(Errno::ENOSYS),
        Err(error) => Err(error),
    }
}

/// Writes the words of the SQ ring that never change.
fn write_constants(ring: &Ring) {
    let sq = ring.sq();
    // SAFETY: mapped, all zeros, and no other thread knows the ring yet.
    unsafe {
        Word::new(&raw mut (*sq).ring_mask).store_relaxed(ring.entries.wrapping_sub(1));
        Word::new(&raw mut (*sq).ring_entries).store_relaxed(ring.entries);
    }
}

fn sq_offsets() -> io_sqring_offsets {
    use core::mem::offset_of;
    io_sqring_offsets {
        head: offset_of!(SqRing, head) as u32,
        tail: offset_of!(SqRing, tail) as u32,
        ring_mask: offset_of!(SqRing, ring_mask) as u32,
        ring_entries: offset_of!(SqRing, ring_entries) as u32,
        flags: offset_of!(SqRing, flags) as u32,
        dropped: offset_of!(SqRing, dropped) as u32,
        array: size_of::<SqRing>() as u32,
        resv: [0; 3],
    }
}

/// The offsets at which the kernel has put the CQ.
fn cq_offsets(q: &kring::io_uring_params) -> io_cqring_offsets {
    io_cqring_offsets {
        head: q.cq_off.head,
        tail: q.cq_off.tail,
        ring_mask: q.cq_off.ring_mask,
        ring_entries: q.cq_off.ring_entries,
        overflow: q.cq_off.overflow,
        events: q.cq_off.cqes,
        resv: [0; 4],
    }
}

/// Registers the program's buffers, one for each iocb, and notes them in the ring's file.
fn register_buffers(ring: &mut Ring, iovecs: *const iovec, retry: &Retry) -> Result<()> {
    const PAGE: usize = 4096;
    let buffers = ring.areas.buffers(&ring.sizes);
    let mut pages = 0usize;
    for index in 0..ring.entries as usize {
        let mut buffer: iovec = memory::read_memory(iovecs.wrapping_add(index))?;
        if buffer.iov_base.is_null() || buffer.iov_len > LARGEST_BUFFER {
            return Err(Errno::EFAULT);
        }
        let offset = buffer.iov_base.addr() % PAGE;
        pages += (offset + buffer.iov_len).div_ceil(PAGE);
        if buffer.iov_len == 0 {
            // Current kernels refuse a buffer of no length, but accept a null address as no buffer.
            buffer.iov_base = ptr::null_mut();
        }
        // SAFETY: the area is mapped, and has room for a buffer for each iocb.
        unsafe { buffers.add(index).write(buffer) };
    }
    // Current kernels let privileged programs exceed the limit. The posted one did not.
    if pages as u64 > process::limit(process::LOCKED_MEMORY)? / PAGE as u64 {
        return Err(Errno::ENOMEM);
    }
    let registered = retry.run(|| {
        // SAFETY: the ring is set up.
        let kring = unsafe { Kring::<Native>::new(&raw mut ring.kring) };
        // The kernel pins the buffers' memory, so it stays even if the program unmaps it.
        buffers::register(kring, buffers, ring.entries).check()
    });
    match registered {
        Ok(_) => Ok(()),
        // The buffer ends beyond the last address.
        Err(Errno::EOVERFLOW) => Err(Errno::EFAULT),
        Err(error) => Err(error),
    }
}
