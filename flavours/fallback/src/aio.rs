//! The kernel's native AIO, for files open with `O_DIRECT`.

use std::ffi::c_int;
use std::sync::atomic::AtomicBool;

use crate::due;
use crate::job::Job;
use crate::lock::Lock;
use crate::numbers::Numbers;
use crate::request::Req;
use crate::sys::{self, sys};
use crate::vectors::is_part;

const DEPTH: usize = 1024;
const AT_ONCE: usize = 64;
const IOCB_FLAG_RESFD: u32 = 1;

/// `struct iocb`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Iocb {
    data: u64,
    #[cfg(target_endian = "little")]
    key: u32,
    rw_flags: i32,
    #[cfg(target_endian = "big")]
    key: u32,
    opcode: u16,
    priority: i16,
    fd: u32,
    buffer: u64,
    length: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    eventfd: u32,
}

/// `struct io_event`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Event {
    data: u64,
    iocb: u64,
    res: i64,
    res2: i64,
}

/// The program has itself told of reads and writes, which those of native AIO are kept from.
pub static WATCHED: AtomicBool = AtomicBool::new(false);

/// The process's one context.
pub struct Aio {
    context: u64,
    eventfd: c_int,
    refused: bool,
    jobs: Option<Numbers<u64, Box<Job>>>,
}

pub static AIO: Lock<Aio> = Lock::new(Aio {
    context: 0,
    eventfd: -1,
    refused: false,
    jobs: None,
});

impl Aio {
    /// Makes the context at the first request.
    fn is_there(&mut self) -> bool {
        if self.context != 0 || self.refused {
            return !self.refused;
        }
        self.refused = true;
        let eventfd = sys::apart(sys::eventfd());
        if eventfd < 0 {
            return false;
        }
        // SAFETY: the kernel writes the context's number.
        let made = unsafe { sys!(SYS_io_setup, DEPTH, &raw mut self.context) };
        if made < 0 {
            sys::close(eventfd);
            return false;
        }
        self.eventfd = eventfd;
        self.refused = false;
        true
    }

    /// Whether no request is in flight.
    pub fn is_idle(&self) -> bool {
        self.jobs.as_ref().is_none_or(Numbers::is_empty)
    }

    /// In the child of a fork: the context is the parent's, and the kernel did not copy it.
    pub fn forget(&mut self) {
        std::mem::forget(self.jobs.take());
        if self.eventfd >= 0 {
            sys::close(self.eventfd);
        }
        self.context = 0;
        self.eventfd = -1;
        self.refused = false;
    }
}

/// The eventfd that tells of I/O that has ended. `None`: there is no native AIO.
pub fn eventfd() -> Option<c_int> {
    let mut aio = AIO.lock();
    aio.is_there().then_some(aio.eventfd)
}

/// A request as native AIO takes it.
fn iocb(req: &Req) -> Iocb {
    const PREAD: u16 = 0;
    const PWRITE: u16 = 1;
    const VECTOR: u16 = 7;
    let mut block = Iocb {
        fd: req.fd() as u32,
        offset: req.offset() as i64,
        rw_flags: req.op_flags() as i32,
        opcode: if req.is_write() { PWRITE } else { PREAD },
        ..Iocb::default()
    };
    match (&req.stable, &req.picked) {
        (Some(stable), None) if req.is_vector() => {
            block.opcode += VECTOR;
            block.buffer = stable.iovecs.as_ptr().addr() as u64;
            block.length = stable.iovecs.len() as u64;
        }
        (_, Some(picked)) => {
            block.buffer = picked.address as u64;
            block.length = picked.length as u64;
        }
        _ => {
            block.buffer = req.address::<u8>().addr() as u64;
            block.length = u64::from(req.sqe.len);
        }
    }
    block
}

/// Submits jobs to the kernel. Returns those that it refuses.
pub fn submit(jobs: Vec<Box<Job>>) -> Vec<Box<Job>> {
    let mut aio = AIO.lock();
    if !aio.is_there() {
        return jobs;
    }
    due::something_waits();
    let (context, eventfd) = (aio.context, aio.eventfd);
    let mut blocks = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let mut block = iocb(&job.req);
        block.data = job.req.id;
        block.flags = IOCB_FLAG_RESFD;
        block.eventfd = eventfd as u32;
        blocks.push(block);
    }
    let known = aio.jobs.get_or_insert_default();
    let ids: Vec<u64> = jobs.iter().map(|job| job.req.id).collect();
    for job in jobs {
        known.insert(job.req.id, job);
    }
    drop(aio);
    let addresses: Vec<*const Iocb> = blocks.iter().map(std::ptr::from_ref).collect();
    let mut given = 0;
    while let (Some(rest), true) = (addresses.get(given..), given < addresses.len()) {
        // SAFETY: the blocks and their addresses are there until the call returns, which copies them; the buffers are
        // the program's, valid until the requests complete.
        let took = unsafe { sys!(SYS_io_submit, context, rest.len(), rest.as_ptr()) };
        if took <= 0 {
            break;
        }
        given += took as usize;
    }
    let Some(refused) = ids.get(given..).filter(|rest| !rest.is_empty()) else {
        return Vec::new();
    };
    let mut aio = AIO.lock();
    let known = aio.jobs.get_or_insert_default();
    refused.iter().filter_map(|id| known.remove(id)).collect()
}

/// Completes the jobs whose I/O the kernel has finished.
pub fn reap() {
    let mut events = [Event::default(); AT_ONCE];
    let zero = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    loop {
        let mut aio = AIO.lock();
        if aio.eventfd < 0 {
            return;
        }
        // SAFETY: as many events as there is room for, and a time, both on this stack.
        let got = unsafe {
            sys!(
                SYS_io_getevents,
                aio.context,
                0,
                AT_ONCE,
                events.as_mut_ptr(),
                &raw const zero
            )
        };
        let known = aio.jobs.get_or_insert_default();
        let done: Vec<_> = events
            .iter()
            .take(usize::try_from(got).unwrap_or(0))
            .filter_map(|event| {
                let mut job = known.remove(&event.data)?;
                let res = event.res as c_int;
                let part = |transferred| is_part(&job.req, transferred);
                job.req.short = usize::try_from(res).is_ok_and(part);
                Some((job, res))
            })
            .collect();
        drop(aio);
        let full = done.len() == AT_ONCE;
        Job::complete_all(done);
        if !full {
            return;
        }
    }
}

/// Whether I/O on one of these descriptors is in flight.
pub fn uses(first: c_int, last: c_int) -> bool {
    let within = |job: &Job| (first..=last).contains(&job.req.fd());
    let aio = AIO.lock();
    aio.jobs
        .as_ref()
        .is_some_and(|jobs| jobs.values().any(|job| within(job)))
}
