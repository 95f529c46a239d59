//! Requests that move or place a file's data.

use core::ffi::{c_int, c_uint, c_void};

use uring_core::abi::sqe::io_uring_sqe;
use uring_core::abi::types::{__u32, __u64, iovec, loff_t, off_t};
use uring_core::inline::prep::{advise, fixed, rw, splice, sync};

/// See [`uring_core::inline::prep::rw::prep_read`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_read(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    buf: *mut c_void,
    nbytes: c_uint,
    offset: __u64,
) {
    // SAFETY: passed on to the caller.
    unsafe { rw::prep_read(sqe, fd, buf, nbytes, offset) }
}

/// See [`uring_core::inline::prep::rw::prep_write`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_write(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    buf: *const c_void,
    nbytes: c_uint,
    offset: __u64,
) {
    // SAFETY: passed on to the caller.
    unsafe { rw::prep_write(sqe, fd, buf, nbytes, offset) }
}

/// See [`uring_core::inline::prep::rw::prep_readv`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_readv(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
) {
    // SAFETY: passed on to the caller.
    unsafe { rw::prep_readv(sqe, fd, iovecs, nr_vecs, offset) }
}

/// See [`uring_core::inline::prep::rw::prep_writev`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_writev(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
) {
    // SAFETY: passed on to the caller.
    unsafe { rw::prep_writev(sqe, fd, iovecs, nr_vecs, offset) }
}

/// See [`uring_core::inline::prep::rw::prep_readv2`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_readv2(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { rw::prep_readv2(sqe, fd, iovecs, nr_vecs, offset, flags) }
}

/// See [`uring_core::inline::prep::rw::prep_writev2`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_writev2(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { rw::prep_writev2(sqe, fd, iovecs, nr_vecs, offset, flags) }
}

/// See [`uring_core::inline::prep::rw::prep_read_multishot`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_read_multishot(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    nbytes: c_uint,
    offset: __u64,
    buf_group: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { rw::prep_read_multishot(sqe, fd, nbytes, offset, buf_group) }
}

/// See [`uring_core::inline::prep::fixed::prep_read_fixed`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_read_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    buf: *mut c_void,
    nbytes: c_uint,
    offset: __u64,
    buf_index: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { fixed::prep_read_fixed(sqe, fd, buf, nbytes, offset, buf_index) }
}

/// See [`uring_core::inline::prep::fixed::prep_write_fixed`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_write_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    buf: *const c_void,
    nbytes: c_uint,
    offset: __u64,
    buf_index: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { fixed::prep_write_fixed(sqe, fd, buf, nbytes, offset, buf_index) }
}

/// See [`uring_core::inline::prep::fixed::prep_readv_fixed`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_readv_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
    flags: c_int,
    buf_index: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { fixed::prep_readv_fixed(sqe, fd, iovecs, nr_vecs, offset, flags, buf_index) }
}

/// See [`uring_core::inline::prep::fixed::prep_writev_fixed`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_writev_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
    flags: c_int,
    buf_index: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { fixed::prep_writev_fixed(sqe, fd, iovecs, nr_vecs, offset, flags, buf_index) }
}

/// See [`uring_core::inline::prep::splice::prep_splice`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_splice(
    sqe: *mut io_uring_sqe,
    fd_in: c_int,
    off_in: i64,
    fd_out: c_int,
    off_out: i64,
    nbytes: c_uint,
    splice_flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { splice::prep_splice(sqe, fd_in, off_in, fd_out, off_out, nbytes, splice_flags) }
}

/// See [`uring_core::inline::prep::splice::prep_tee`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_tee(
    sqe: *mut io_uring_sqe,
    fd_in: c_int,
    fd_out: c_int,
    nbytes: c_uint,
    splice_flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { splice::prep_tee(sqe, fd_in, fd_out, nbytes, splice_flags) }
}

/// See [`uring_core::inline::prep::sync::prep_fsync`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_fsync(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    fsync_flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { sync::prep_fsync(sqe, fd, fsync_flags) }
}

/// See [`uring_core::inline::prep::sync::prep_sync_file_range`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_sync_file_range(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    len: c_uint,
    offset: __u64,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { sync::prep_sync_file_range(sqe, fd, len, offset, flags) }
}

/// See [`uring_core::inline::prep::sync::prep_fallocate`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_fallocate(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    mode: c_int,
    offset: __u64,
    len: __u64,
) {
    // SAFETY: passed on to the caller.
    unsafe { sync::prep_fallocate(sqe, fd, mode, offset, len) }
}

/// See [`uring_core::inline::prep::sync::prep_ftruncate`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_ftruncate(sqe: *mut io_uring_sqe, fd: c_int, len: loff_t) {
    // SAFETY: passed on to the caller.
    unsafe { sync::prep_ftruncate(sqe, fd, len) }
}

/// See [`uring_core::inline::prep::advise::prep_fadvise`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_fadvise(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    offset: __u64,
    len: __u32,
    advice: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { advise::prep_fadvise(sqe, fd, offset, len, advice) }
}

/// See [`uring_core::inline::prep::advise::prep_fadvise64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_fadvise64(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    offset: __u64,
    len: off_t,
    advice: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { advise::prep_fadvise64(sqe, fd, offset, len, advice) }
}

/// See [`uring_core::inline::prep::advise::prep_madvise`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_madvise(
    sqe: *mut io_uring_sqe,
    addr: *mut c_void,
    length: __u32,
    advice: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { advise::prep_madvise(sqe, addr, length, advice) }
}

/// See [`uring_core::inline::prep::advise::prep_madvise64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_madvise64(
    sqe: *mut io_uring_sqe,
    addr: *mut c_void,
    length: off_t,
    advice: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { advise::prep_madvise64(sqe, addr, length, advice) }
}
