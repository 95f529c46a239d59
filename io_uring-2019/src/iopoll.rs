//! Whether completions can be polled for on this machine, and for a file.
//!
//! Most devices have no queues that can be polled, and current kernels refuse requests to them on a ring that polls. So
//! a ring polls only on a machine where some device can be polled. A request to any other file is then done in the
//! call.

use core::ffi::{c_int, c_uint};
use core::sync::atomic::{AtomicU64, Ordering};

use crate::path;
use crate::sys::files;

/// Whether some block device has queues that can be polled.
pub fn has_polling_queues() -> bool {
    // For tests: rings poll, and no file can be polled.
    cfg!(feature = "assume-polling") || some_disk_polls()
}

fn some_disk_polls() -> bool {
    let Ok(directory) = files::open(c"/sys/block") else {
        return false;
    };
    let found = path::find_name(directory, disk_polls);
    files::close(directory);
    found
}

fn disk_polls(name: &[u8]) -> bool {
    let mut path = path::Path::new();
    path.push(b"/sys/block/");
    for byte in name {
        if *byte == 0 {
            break;
        }
        path.push(&[*byte]);
    }
    path.push(b"/queue/io_poll");
    says_one(&mut path)
}

fn says_one(path: &mut path::Path) -> bool {
    let Ok(file) = path.open() else { return false };
    let mut buffer = [0; 8];
    let yes = matches!(files::read(file, &mut buffer), Ok([b'1', ..]));
    files::close(file);
    yes
}

/// The device that was asked for last, with [`KNOWN`] and [`POLLED`] in the low bits. So not every call opens files.
pub type LastDevice = AtomicU64;
const KNOWN: u64 = 1;
const POLLED: u64 = 2;

/// Whether completions of a file's requests can be polled for: the file is a block device with such queues, or lies on
/// one.
pub fn is_polled(fd: c_int, last: &LastDevice) -> bool {
    let Ok(file) = files::identity(fd) else {
        return false;
    };
    let device = if file.is_block_device() {
        file.is_device
    } else {
        file.device
    };
    let this = device << 2 | KNOWN;
    // Relaxed: nothing else is read on the strength of the word.
    let known = last.load(Ordering::Relaxed);
    if known & !POLLED == this {
        return known & POLLED != 0;
    }
    let polled = device_polls(device);
    last.store(this | if polled { POLLED } else { 0 }, Ordering::Relaxed);
    polled
}

fn device_polls(device: u64) -> bool {
    let major = device >> 8 & 0xfff;
    let minor = device & 0xff | device >> 12 & 0xfff00;
    // A partition has its disk's queue, in the directory above.
    [b"/queue/io_poll".as_slice(), b"/../queue/io_poll"]
        .iter()
        .any(|below| {
            let mut path = path::Path::new();
            path.push(b"/sys/dev/block/");
            path.push_number(major as c_uint);
            path.push(b":");
            path.push_number(minor as c_uint);
            path.push(below);
            says_one(&mut path)
        })
}
