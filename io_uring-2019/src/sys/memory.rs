//! The memory of this process: reading and writing what the program's pointers name.

use core::mem::MaybeUninit;

use uring_core::errno::{Errno, Result};
use uring_core::kernel::Native;
use uring_core::mem;

use super::call::{Span, address, check, nr};
use super::process;

/// Has memory cleared in children of fork(2).
pub fn clear_in_children(start: usize, length: usize) -> Result<()> {
    const MADV_WIPEONFORK: usize = 18;
    // SAFETY: the callers' memory is theirs alone, and zeros are a value of what it holds.
    check(unsafe { Native::call(nr::MADVISE, [start, length, MADV_WIPEONFORK, 0, 0, 0]) }).map(drop)
}

/// Copies memory of this process by the system call `number`. It fails with `EFAULT` where there is no memory. Some
/// containers forbid that call. There, the memory is accessed directly, and a bad pointer is a fault.
fn copy_checked(number: usize, to: usize, from: usize, len: usize) -> Result<()> {
    let span = |start| Span { start, len };
    let (local, remote) = match number {
        nr::PROCESS_VM_READV => (span(to), span(from)),
        _ => (span(from), span(to)),
    };
    let args = [
        process::id() as usize,
        address(&raw const local),
        1,
        address(&raw const remote),
        1,
        0,
    ];
    // SAFETY: `local` is a value of the caller's, of that length. The kernel checks `remote`.
    match check(unsafe { Native::call(number, args) }) {
        Ok(moved) if moved == len => Ok(()),
        Ok(_) | Err(Errno::EFAULT) => Err(Errno::EFAULT),
        Err(_) => {
            let from = core::ptr::with_exposed_provenance::<u8>(from);
            let to = core::ptr::with_exposed_provenance_mut::<u8>(to);
            // SAFETY: one side is a value of the caller's, the other is the program's pointer. The program promises
            // that it is valid, as to any other C library.
            unsafe { mem::copy(from, to, len) };
            Ok(())
        }
    }
}

/// Reads the program's memory at `from`. `EFAULT` if there is none.
pub fn read_memory<T: Copy>(from: *const T) -> Result<T> {
    let mut value = MaybeUninit::<T>::uninit();
    copy_checked(
        nr::PROCESS_VM_READV,
        address(value.as_mut_ptr()),
        address(from),
        size_of::<T>(),
    )?;
    // SAFETY: all its bytes were copied, and the callers' types hold for any bytes.
    Ok(unsafe { value.assume_init() })
}

/// Writes the program's memory at `to`. `EFAULT` if there is none.
pub fn write_memory<T: Copy>(to: *mut T, value: &T) -> Result<()> {
    copy_checked(
        nr::PROCESS_VM_WRITEV,
        address(to),
        address(value),
        size_of::<T>(),
    )
}
