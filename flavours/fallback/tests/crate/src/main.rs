//! Copies a file through the `io-uring` crate, several blocks at a time, in an order that completions decide.
//!
//! usage: copy-crate FROM TO

use std::fs::{File, OpenOptions};
use std::io::{self, Error, ErrorKind};
use std::os::fd::AsRawFd;

use io_uring::{IoUring, opcode, squeue, types};

const BLOCK: usize = 64 * 1024;
const DEPTH: usize = 16;

/// A block on its way: it is read, and then written.
struct Slot {
    buffer: Vec<u8>,
    offset: u64,
    length: usize,
    writes: bool,
}

fn entry(slot: &mut Slot, from: &File, to: &File, number: usize) -> squeue::Entry {
    let at = slot.buffer.as_mut_ptr();
    let length = slot.length as u32;
    let entry = if slot.writes {
        opcode::Write::new(types::Fd(to.as_raw_fd()), at, length)
            .offset(slot.offset)
            .build()
    } else {
        opcode::Read::new(types::Fd(from.as_raw_fd()), at, length)
            .offset(slot.offset)
            .build()
    };
    entry.user_data(number as u64)
}

fn main() -> io::Result<()> {
    let mut paths = std::env::args_os().skip(1);
    let mut path = || {
        paths
            .next()
            .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "usage: copy-crate FROM TO"))
    };
    let from = File::open(path()?)?;
    let to = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path()?)?;
    let size = from.metadata()?.len();
    let mut ring = IoUring::new(DEPTH as u32)?;
    let mut slots: Vec<Slot> = (0..DEPTH)
        .map(|_| Slot {
            buffer: vec![0; BLOCK],
            offset: 0,
            length: 0,
            writes: false,
        })
        .collect();
    let mut ready: Vec<usize> = Vec::new();
    let mut idle: Vec<usize> = (0..DEPTH).collect();
    let (mut next, mut in_flight) = (0, 0);
    loop {
        while next < size {
            let Some(number) = idle.pop() else { break };
            let slot = &mut slots[number];
            slot.offset = next;
            slot.length = (size - next).min(BLOCK as u64) as usize;
            slot.writes = false;
            next += slot.length as u64;
            ready.push(number);
        }
        for number in ready.drain(..) {
            let entry = entry(&mut slots[number], &from, &to, number);
            // SAFETY: the slot's buffer stays where it is until the completion.
            unsafe { ring.submission().push(&entry) }.map_err(Error::other)?;
            in_flight += 1;
        }
        if in_flight == 0 {
            return Ok(());
        }
        ring.submit_and_wait(1)?;
        for cqe in ring.completion() {
            let number = cqe.user_data() as usize;
            let slot = &mut slots[number];
            in_flight -= 1;
            if cqe.result() < 0 {
                return Err(Error::from_raw_os_error(-cqe.result()));
            }
            if cqe.result() as usize != slot.length {
                return Err(Error::other("a short transfer"));
            }
            if slot.writes {
                idle.push(number);
            } else {
                slot.writes = true;
                ready.push(number);
            }
        }
    }
}
