//! Whether polling for completions gets anywhere on this machine, and what to do with a file where it does not.
//!
//! Most devices have no queues that can be polled, and today's kernel refuses requests to them on a ring that polls. So a
//! ring polls only on a machine where some device can be polled, and a request to a file elsewhere is done in the call.

use core::ffi::{c_int, c_uint};
use core::sync::atomic::{AtomicU64, Ordering};

use uring_core::kernel::{Kernel, Native};

use crate::path;
use crate::sys::files;

/// Whether some block device has queues that can be polled.
pub fn has_polling_queues() -> bool {
    // For tests: then every file is one that cannot be polled.
    cfg!(feature = "assume-polling") || some_disk_polls()
}

fn some_disk_polls() -> bool {
    let Ok(directory) = files::open(c"/sys/block") else {
        return false;
    };
    let found = path::find_name(directory, disk_polls);
    let _ = Native::close(directory);
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
    let _ = Native::close(file);
    yes
}

/// The device that was asked for last, above [`KNOWN`] and [`POLLED`], so that not every call opens files.
pub type LastDevice = AtomicU64;
const KNOWN: u64 = 1;
const POLLED: u64 = 2;

/// Whether completions of requests to a file can be polled for: it is a block device with such queues, or lies on one.
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
    // Relaxed: the word stands for nothing else.
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
    // The queue is the disk's, which is the directory above a partition's.
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
