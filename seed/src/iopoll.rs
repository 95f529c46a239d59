//! Whether polling for completions gets anywhere on this machine.

use core::mem::MaybeUninit;

use liburing::kernel::{Kernel, Native};

use crate::sys;

/// Whether some block device has queues that can be polled.
pub fn has_polling_queues() -> bool {
    // struct linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name.
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    let Ok(directory) = sys::open(c"/sys/block") else {
        return false;
    };
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 1024];
    // SAFETY: bytes, which are written before they are read.
    let buffer = unsafe { &mut *(&raw mut buffer as *mut [u8; 1024]) };
    let mut found = false;
    while !found {
        let Ok(mut entries) = sys::read_directory(directory, buffer) else {
            break;
        };
        if entries.is_empty() {
            break;
        }
        while let Some([low, high]) = entries.get(LENGTH..LENGTH + 2) {
            let length = u16::from_le_bytes([*low, *high]) as usize;
            if let Some(name) = entries.get(NAME..length) {
                found |= polls(name);
            }
            entries = entries.get(length..).unwrap_or_default();
        }
    }
    let _ = Native::close(directory);
    found
}

fn polls(name: &[u8]) -> bool {
    let mut path = sys::Path::new();
    path.push(b"/sys/block/");
    for byte in name {
        if *byte == 0 {
            break;
        }
        path.push(&[*byte]);
    }
    path.push(b"/queue/io_poll");
    let Ok(file) = path.open() else { return false };
    let mut buffer = [0; 8];
    let polls = matches!(sys::read(file, &mut buffer), Ok([b'1', ..]));
    let _ = Native::close(file);
    polls
}
