//! The functions by which libc closes a descriptor without `close`: those of streams, directories and message queues.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a block without a comment forwards what its caller promises under Safety"
)]

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::{closing, concerned, end_and_keep};
use crate::next::{c_name, missing, next, set_errno};

/// A `FILE`, into which libc alone looks.
type Stream = *mut c_void;
/// A `DIR`.
type Directory = *mut c_void;

/// Called before something is closed, or gets another file. `descriptor` says which descriptor it has: none is no
/// failure of the program's.
fn closing_what(descriptor: impl FnOnce() -> c_int) {
    if let Some(inside) = concerned() {
        // SAFETY: the address of this thread's errno is always valid.
        let errno = unsafe { *libc::__errno_location() };
        let fd = descriptor();
        set_errno(errno);
        end_and_keep(fd, &inside);
    }
}

macro_rules! close_streams {
    ($($name:ident)*) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        ///
        /// # Safety
        ///
        /// As for libc's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(stream: Stream) -> c_int {
            // It takes no lock.
            closing_what(|| unsafe { libc::fileno(stream.cast()) });
            match next!(c_name!($name) => unsafe extern "C" fn(Stream) -> c_int) {
                Some(next) => unsafe { next(stream) },
                None => missing(),
            }
        }
    )*};
}

close_streams!(fclose _IO_fclose pclose endmntent __endmntent);

macro_rules! open_streams_anew {
    ($($name:ident)*) => {$(
        #[doc = concat!("`", stringify!($name), "`, which gives a stream another file, often under the same number.")]
        ///
        /// # Safety
        ///
        /// As for libc's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(path: *const c_char, mode: *const c_char, stream: Stream) -> Stream {
            type Open = unsafe extern "C" fn(*const c_char, *const c_char, Stream) -> Stream;
            closing_what(|| unsafe { libc::fileno(stream.cast()) });
            match next!(c_name!($name) => Open) {
                Some(next) => unsafe { next(path, mode, stream) },
                None => {
                    missing();
                    ptr::null_mut()
                }
            }
        }
    )*};
}

open_streams_anew!(freopen freopen64);

/// `closedir`.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn closedir(directory: Directory) -> c_int {
    closing_what(|| unsafe { libc::dirfd(directory.cast()) });
    match next!(c"closedir" => unsafe extern "C" fn(Directory) -> c_int) {
        Some(next) => unsafe { next(directory) },
        None => missing(),
    }
}

/// `mq_close`. A message queue is a descriptor.
#[unsafe(no_mangle)]
pub extern "C" fn mq_close(queue: c_int) -> c_int {
    closing(queue);
    match next!(c"mq_close" => extern "C" fn(c_int) -> c_int) {
        Some(next) => next(queue),
        None => missing(),
    }
}
