//! What is measured: each piece does a few operations and says how many.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use uring_core::abi::*;

use crate::cli::BenchKind;
use crate::sys::ring::Ring;

const BATCH: u32 = 32;
const BLOCK: usize = 4096;
const BLOCKS: u64 = 256;
const MESSAGE: usize = 64;

type Step = Box<dyn FnMut() -> Result<u64, i32>>;

pub struct Work {
    pub name: String,
    pub run: Step,
}

impl Work {
    fn new(name: &str, run: Step) -> Self {
        Self {
            name: name.to_owned(),
            run,
        }
    }
}

/// # Errors
///
/// Why a file, a socket or a ring could not be made.
pub fn all(kinds: &[BenchKind], compare: bool) -> std::io::Result<Vec<Work>> {
    let kinds = if kinds.is_empty() {
        &[
            BenchKind::Nop,
            BenchKind::Read,
            BenchKind::Net,
            BenchKind::Setup,
        ]
    } else {
        kinds
    };
    let mut works = Vec::new();
    for kind in kinds {
        match kind {
            BenchKind::Nop => nop(&mut works, compare)?,
            BenchKind::Read => read(&mut works, compare)?,
            BenchKind::Net => net(&mut works, compare)?,
            BenchKind::Setup => setup(&mut works, compare),
        }
    }
    Ok(works)
}

fn ring() -> std::io::Result<Ring> {
    let wanted = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    // Linux 6.1 has both flags.
    Ring::new(BATCH, wanted)
        .or_else(|_| Ring::new(BATCH, 0))
        .map_err(std::io::Error::from_raw_os_error)
}

/// Submits `count` requests, waits for them all, and sees to it that none failed.
fn batch(
    ring: &mut Ring,
    count: u32,
    mut fill: impl FnMut(u32, &mut io_uring_sqe),
) -> Result<u64, i32> {
    for number in 0..count {
        ring.push(|sqe| fill(number, sqe));
    }
    // SAFETY: what the requests name belongs to the piece of work, and this waits for all of them.
    unsafe { ring.submit(count) }?;
    for _ in 0..count {
        let cqe = ring.wait()?;
        if cqe.res < 0 {
            return Err(-cqe.res);
        }
    }
    Ok(u64::from(count))
}

fn nop(works: &mut Vec<Work>, compare: bool) -> std::io::Result<()> {
    for count in [1, BATCH] {
        let mut ring = ring()?;
        let step = move || batch(&mut ring, count, |_, sqe| sqe.opcode = IORING_OP_NOP as u8);
        works.push(Work::new(
            &format!("nop, {count} at a time"),
            Box::new(step),
        ));
    }
    if compare {
        // The cheapest call there is.
        let step = || {
            for _ in 0..BATCH {
                // SAFETY: takes no argument and cannot fail.
                unsafe { libc::syscall(libc::SYS_getppid) };
            }
            Ok(u64::from(BATCH))
        };
        works.push(Work::new("plain: getppid", Box::new(step)));
    }
    Ok(())
}

/// A file without a name, in memory.
fn file() -> std::io::Result<File> {
    // SAFETY: the name ends with a null; a descriptor that is returned is our own.
    let mut file = unsafe {
        let fd = libc::memfd_create(c"uring-bench".as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 {
            return Err(std::io::Error::last_os_error());
        }
        File::from(OwnedFd::from_raw_fd(fd))
    };
    file.write_all(&vec![1; BLOCK * BLOCKS as usize])?;
    Ok(file)
}

fn read(works: &mut Vec<Work>, compare: bool) -> std::io::Result<()> {
    for count in [1, BATCH] {
        let (mut ring, file) = (ring()?, file()?);
        let mut memory = vec![0u8; BLOCK * BATCH as usize];
        let mut block = 0u64;
        let step = move || {
            let start = memory.as_mut_ptr();
            batch(&mut ring, count, |number, sqe| {
                block = (block + 7) % BLOCKS;
                sqe.opcode = IORING_OP_READ as u8;
                sqe.fd = file.as_raw_fd();
                sqe.len = BLOCK as u32;
                sqe.__anon1.off = block * BLOCK as u64;
                sqe.__anon2.addr =
                    start.expose_provenance() as u64 + u64::from(number) * BLOCK as u64;
            })
        };
        works.push(Work::new(
            &format!("read 4 KiB from memory, {count} at a time"),
            Box::new(step),
        ));
    }
    if compare {
        let file = file()?;
        let mut memory = [0u8; BLOCK];
        let mut block = 0u64;
        let step = move || {
            for _ in 0..BATCH {
                block = (block + 7) % BLOCKS;
                let done = file.read_at(&mut memory, block * BLOCK as u64);
                done.map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
            }
            Ok(u64::from(BATCH))
        };
        works.push(Work::new("plain: pread", Box::new(step)));
    }
    Ok(())
}

fn pair() -> std::io::Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .map_err(Into::into)
}

/// A message through a socket and back out of it.
fn net(works: &mut Vec<Work>, compare: bool) -> std::io::Result<()> {
    let (mut ring, (one, other)) = (ring()?, pair()?);
    let mut memory = [0u8; 2 * MESSAGE];
    let step = move || {
        let start = memory.as_mut_ptr().expose_provenance() as u64;
        batch(&mut ring, 2, |number, sqe| {
            let receive = number == 1;
            sqe.opcode = if receive {
                IORING_OP_RECV
            } else {
                IORING_OP_SEND
            } as u8;
            sqe.fd = if receive {
                other.as_raw_fd()
            } else {
                one.as_raw_fd()
            };
            sqe.len = MESSAGE as u32;
            sqe.__anon2.addr = start + u64::from(number) * MESSAGE as u64;
        })
        .map(|done| done / 2)
    };
    works.push(Work::new("send and receive 64 bytes", Box::new(step)));
    if compare {
        let (one, other) = pair()?;
        let mut memory = [0u8; MESSAGE];
        let step = move || {
            send(one.as_raw_fd(), &memory, MsgFlags::empty()).map_err(|error| error as i32)?;
            recv(other.as_raw_fd(), &mut memory, MsgFlags::empty())
                .map_err(|error| error as i32)?;
            Ok(1)
        };
        works.push(Work::new("plain: send and recv", Box::new(step)));
    }
    Ok(())
}

fn setup(works: &mut Vec<Work>, compare: bool) {
    let step = || Ring::new(BATCH, 0).map(|_| 1);
    works.push(Work::new("set a ring up and give it up", Box::new(step)));
    if compare {
        let step = || {
            // SAFETY: makes a descriptor of our own and closes it.
            unsafe {
                let fd = libc::epoll_create1(libc::EPOLL_CLOEXEC);
                if fd < 0 {
                    Err(nix::errno::Errno::last_raw())
                } else {
                    libc::close(fd);
                    Ok(1)
                }
            }
        };
        works.push(Work::new("plain: epoll_create1 and close", Box::new(step)));
    }
}
