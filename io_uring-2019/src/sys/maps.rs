//! What is mapped where in this process.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use uring_core::errno::Result;
use uring_core::kernel::Native;

use super::call::{address, check, nr};
use super::files;

/// A mapping.
#[derive(Clone, Copy, Default)]
pub struct Mapping {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last one.
    pub end: usize,
    /// Where in the file it starts.
    pub offset: u64,
    /// The device that the file is on, as `stat` gives it.
    pub device: u64,
}

impl Mapping {
    fn new(start: u64, end: u64, offset: u64, major: u64, minor: u64) -> Mapping {
        Mapping {
            start: start as usize,
            end: end as usize,
            offset,
            device: minor & 0xff | major << 8 | (minor & !0xff) << 12,
        }
    }
}

/// The mapping that contains an address. None where there is none, or without `/proc`.
pub fn at(address: usize) -> Option<Mapping> {
    let file = files::open(c"/proc/thread-self/maps").ok()?;
    // Before Linux 6.11 the text has to be read, which is longer the more mappings there are.
    let found = query(file, address).or_else(|_| read(file, address).ok_or(()));
    files::close(file);
    found.ok()
}

/// Asks the kernel for one mapping.
fn query(file: c_int, within: usize) -> Result<Mapping> {
    const PROCMAP_QUERY: usize = 0xc068_6611;
    const SIZE: usize = 104;
    // size, flags, address; then the answer: start, end, permissions, page size, offset, inode, major and minor of the
    // device, and what is not asked for.
    let mut query = [0u64; SIZE / size_of::<u64>()];
    query[0] = SIZE as u64;
    query[2] = within as u64;
    let args = [
        file as usize,
        PROCMAP_QUERY,
        address(&raw mut query),
        0,
        0,
        0,
    ];
    // SAFETY: the kernel writes as many bytes as `query` says that it has.
    check(unsafe { Native::call(nr::IOCTL, args) })?;
    let [_, _, _, start, end, _, _, offset, _, device, ..] = query;
    let (major, minor) = (device & u64::from(u32::MAX), device >> 32);
    Ok(Mapping::new(start, end, offset, major, minor))
}

/// Looks for the mapping in the text of the file.
fn read(file: c_int, within: usize) -> Option<Mapping> {
    // A line is: start-end permissions offset major:minor inode path. The permissions are no number.
    let (mut field, mut numbers) = (0, [0u64; 6]);
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 1024];
    // SAFETY: only the kernel writes these bytes, and only bytes that it wrote are read.
    let buffer = unsafe { &mut *(&raw mut buffer as *mut [u8; 1024]) };
    loop {
        let text = files::read(file, buffer).ok()?;
        if text.is_empty() {
            return None;
        }
        for byte in text {
            match (field, byte) {
                (_, b'\n') => {
                    let [start, end, _, offset, major, minor] = numbers;
                    let mapping = Mapping::new(start, end, offset, major, minor);
                    if (mapping.start..mapping.end).contains(&within) {
                        return Some(mapping);
                    }
                    (field, numbers) = (0, [0; 6]);
                }
                (0, b'-') | (4, b':') | (1.., b' ') => field += 1,
                _ => {
                    if let Some(number) = numbers.get_mut(field) {
                        let digit = (*byte as char).to_digit(16).unwrap_or(0);
                        *number = *number << 4 | u64::from(digit);
                    }
                }
            }
        }
    }
}
