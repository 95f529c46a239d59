//! Requests on the file system and on descriptors.

use core::ffi::{c_char, c_int, c_uint};

use uring_core::abi::sqe::io_uring_sqe;
use uring_core::abi::types::{mode_t, open_how, statx};
use uring_core::inline::prep::{files, fs, link, open, xattr};

/// See [`uring_core::inline::prep::open::prep_openat`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_openat(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) {
    // SAFETY: passed on to the caller.
    unsafe { open::prep_openat(sqe, dfd, path, flags, mode) }
}

/// See [`uring_core::inline::prep::open::prep_openat_direct`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_openat_direct(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
    file_index: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { open::prep_openat_direct(sqe, dfd, path, flags, mode, file_index) }
}

/// See [`uring_core::inline::prep::open::prep_open`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_open(
    sqe: *mut io_uring_sqe,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) {
    // SAFETY: passed on to the caller.
    unsafe { open::prep_open(sqe, path, flags, mode) }
}

/// See [`uring_core::inline::prep::open::prep_open_direct`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_open_direct(
    sqe: *mut io_uring_sqe,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
    file_index: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { open::prep_open_direct(sqe, path, flags, mode, file_index) }
}

/// See [`uring_core::inline::prep::open::prep_openat2`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_openat2(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    how: *const open_how,
) {
    // SAFETY: passed on to the caller.
    unsafe { open::prep_openat2(sqe, dfd, path, how) }
}

/// See [`uring_core::inline::prep::open::prep_openat2_direct`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_openat2_direct(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    how: *const open_how,
    file_index: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { open::prep_openat2_direct(sqe, dfd, path, how, file_index) }
}

/// See [`uring_core::inline::prep::open::prep_close`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_close(sqe: *mut io_uring_sqe, fd: c_int) {
    // SAFETY: passed on to the caller.
    unsafe { open::prep_close(sqe, fd) }
}

/// See [`uring_core::inline::prep::open::prep_close_direct`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_close_direct(sqe: *mut io_uring_sqe, file_index: c_uint) {
    // SAFETY: passed on to the caller.
    unsafe { open::prep_close_direct(sqe, file_index) }
}

/// See [`uring_core::inline::prep::fs::prep_statx`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_statx(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    flags: c_int,
    mask: c_uint,
    statxbuf: *mut statx,
) {
    // SAFETY: passed on to the caller.
    unsafe { fs::prep_statx(sqe, dfd, path, flags, mask, statxbuf) }
}

/// See [`uring_core::inline::prep::fs::prep_renameat`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_renameat(
    sqe: *mut io_uring_sqe,
    olddfd: c_int,
    oldpath: *const c_char,
    newdfd: c_int,
    newpath: *const c_char,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { fs::prep_renameat(sqe, olddfd, oldpath, newdfd, newpath, flags) }
}

/// See [`uring_core::inline::prep::fs::prep_rename`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_rename(
    sqe: *mut io_uring_sqe,
    oldpath: *const c_char,
    newpath: *const c_char,
) {
    // SAFETY: passed on to the caller.
    unsafe { fs::prep_rename(sqe, oldpath, newpath) }
}

/// See [`uring_core::inline::prep::fs::prep_unlinkat`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_unlinkat(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { fs::prep_unlinkat(sqe, dfd, path, flags) }
}

/// See [`uring_core::inline::prep::fs::prep_unlink`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_unlink(
    sqe: *mut io_uring_sqe,
    path: *const c_char,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { fs::prep_unlink(sqe, path, flags) }
}

/// See [`uring_core::inline::prep::fs::prep_mkdirat`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_mkdirat(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    mode: mode_t,
) {
    // SAFETY: passed on to the caller.
    unsafe { fs::prep_mkdirat(sqe, dfd, path, mode) }
}

/// See [`uring_core::inline::prep::fs::prep_mkdir`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_mkdir(
    sqe: *mut io_uring_sqe,
    path: *const c_char,
    mode: mode_t,
) {
    // SAFETY: passed on to the caller.
    unsafe { fs::prep_mkdir(sqe, path, mode) }
}

/// See [`uring_core::inline::prep::link::prep_symlinkat`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_symlinkat(
    sqe: *mut io_uring_sqe,
    target: *const c_char,
    newdirfd: c_int,
    linkpath: *const c_char,
) {
    // SAFETY: passed on to the caller.
    unsafe { link::prep_symlinkat(sqe, target, newdirfd, linkpath) }
}

/// See [`uring_core::inline::prep::link::prep_symlink`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_symlink(
    sqe: *mut io_uring_sqe,
    target: *const c_char,
    linkpath: *const c_char,
) {
    // SAFETY: passed on to the caller.
    unsafe { link::prep_symlink(sqe, target, linkpath) }
}

/// See [`uring_core::inline::prep::link::prep_linkat`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_linkat(
    sqe: *mut io_uring_sqe,
    olddfd: c_int,
    oldpath: *const c_char,
    newdfd: c_int,
    newpath: *const c_char,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { link::prep_linkat(sqe, olddfd, oldpath, newdfd, newpath, flags) }
}

/// See [`uring_core::inline::prep::link::prep_link`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_link(
    sqe: *mut io_uring_sqe,
    oldpath: *const c_char,
    newpath: *const c_char,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { link::prep_link(sqe, oldpath, newpath, flags) }
}

/// See [`uring_core::inline::prep::xattr::prep_getxattr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_getxattr(
    sqe: *mut io_uring_sqe,
    name: *const c_char,
    value: *mut c_char,
    path: *const c_char,
    len: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { xattr::prep_getxattr(sqe, name, value, path, len) }
}

/// See [`uring_core::inline::prep::xattr::prep_setxattr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_setxattr(
    sqe: *mut io_uring_sqe,
    name: *const c_char,
    value: *const c_char,
    path: *const c_char,
    flags: c_int,
    len: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { xattr::prep_setxattr(sqe, name, value, path, flags, len) }
}

/// See [`uring_core::inline::prep::xattr::prep_fgetxattr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_fgetxattr(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    name: *const c_char,
    value: *mut c_char,
    len: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { xattr::prep_fgetxattr(sqe, fd, name, value, len) }
}

/// See [`uring_core::inline::prep::xattr::prep_fsetxattr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_fsetxattr(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    name: *const c_char,
    value: *const c_char,
    flags: c_int,
    len: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { xattr::prep_fsetxattr(sqe, fd, name, value, flags, len) }
}

/// See [`uring_core::inline::prep::files::prep_files_update`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_files_update(
    sqe: *mut io_uring_sqe,
    fds: *mut c_int,
    nr_fds: c_uint,
    offset: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { files::prep_files_update(sqe, fds, nr_fds, offset) }
}

/// See [`uring_core::inline::prep::files::prep_fixed_fd_install`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_fixed_fd_install(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { files::prep_fixed_fd_install(sqe, fd, flags) }
}

/// See [`uring_core::inline::prep::files::prep_pipe`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_pipe(
    sqe: *mut io_uring_sqe,
    fds: *mut c_int,
    pipe_flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { files::prep_pipe(sqe, fds, pipe_flags) }
}

/// See [`uring_core::inline::prep::files::prep_pipe_direct`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_pipe_direct(
    sqe: *mut io_uring_sqe,
    fds: *mut c_int,
    pipe_flags: c_int,
    file_index: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { files::prep_pipe_direct(sqe, fds, pipe_flags, file_index) }
}
