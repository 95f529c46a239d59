//! Registered files: a table of open files that requests name by index.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use super::resources::{self, table};
use super::{call, call_cold};
use crate::abi::*;
use crate::errno::{Errno, Result, to_ret};
use crate::kernel::{Kernel, Limit};

/// Registers `nr` files; -1 leaves a slot empty. Raises the limit on open files once if that is in the way.
///
/// # Safety
///
/// `ring` points to a ring, `files` to `nr` elements.
pub unsafe fn register<K: Kernel>(
    ring: *mut io_uring,
    files: *const c_int,
    nr: c_uint,
) -> Result<c_int> {
    let files = files.cast();
    // SAFETY: the caller vouches for the arguments.
    unsafe {
        match call::<K>(ring, IORING_REGISTER_FILES, files, nr) {
            Err(Errno::EMFILE) => retry::<K>(ring, IORING_REGISTER_FILES, files, nr, nr),
            first => first,
        }
    }
}

/// [`register()`], with a tag for each file that is posted when the kernel lets go of it.
///
/// # Safety
///
/// As for [`register()`]; `tags` is null or points to `nr` elements.
pub unsafe fn register_tags<K: Kernel>(
    ring: *mut io_uring,
    files: *const c_int,
    tags: *const __u64,
    nr: c_uint,
) -> Result<c_int> {
    let table = table(nr, 0, files.cast(), tags);
    // SAFETY: the caller vouches for the arguments.
    unsafe { register_table::<K>(ring, &table) }
}

/// Registers a table of `nr` empty slots. Raises the limit on open files once if that is in the way.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn register_sparse<K: Kernel>(ring: *mut io_uring, nr: c_uint) -> Result<c_int> {
    let table = table(nr, IORING_RSRC_REGISTER_SPARSE, ptr::null(), ptr::null());
    // SAFETY: the caller vouches for `ring`.
    unsafe { register_table::<K>(ring, &table) }
}

unsafe fn register_table<K: Kernel>(
    ring: *mut io_uring,
    table: &io_uring_rsrc_register,
) -> Result<c_int> {
    const OPCODE: io_uring_register_op = IORING_REGISTER_FILES2;
    // SAFETY: the callers vouch for `ring` and for what `table` points to; this opcode takes the structure's size.
    unsafe {
        match resources::register::<K>(ring, OPCODE, table) {
            Err(Errno::EMFILE) => {
                let size = size_of::<io_uring_rsrc_register>() as c_uint;
                retry::<K>(ring, OPCODE, ptr::from_ref(table).cast(), size, table.nr)
            }
            first => first,
        }
    }
}

/// Makes a call once more, with a limit under which `nr_files` are not too many.
#[inline(always)]
unsafe fn retry<K: Kernel>(
    ring: *mut io_uring,
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
    nr_files: c_uint,
) -> Result<c_int> {
    // SAFETY: the callers vouch for the arguments.
    Errno::check(unsafe { retry_shared::<K>(ring, opcode, arg, nr_args, nr_files) })
}

/// The limit is the whole process's. It stays raised when that helped, and is put back when it did not.
#[cold]
#[inline(never)]
unsafe fn retry_shared<K: Kernel>(
    ring: *mut io_uring,
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
    nr_files: c_uint,
) -> c_int {
    let nr_files = u64::from(nr_files);
    let Ok(before) = K::nofile_limit() else {
        return Errno::EMFILE.as_ret();
    };
    let raised = Limit {
        current: before.current.saturating_add(nr_files).min(before.maximum),
        maximum: before.maximum,
    };
    // The kernel compares the table with the limit alone: a limit that was high enough was not in the way, one that
    // cannot become high enough stays there.
    if before.current >= nr_files
        || raised.current < nr_files
        || K::set_nofile_limit(raised).is_err()
    {
        return Errno::EMFILE.as_ret();
    }
    // SAFETY: the caller vouches for the arguments.
    let second = unsafe { call_cold::<K>(ring, opcode, arg, nr_args) };
    if second.is_err() {
        // A failure here leaves the limit as it is; the caller is told what went wrong with the files.
        let _ = K::set_nofile_limit(before);
    }
    to_ret(second)
}

/// Replaces `nr` files from slot `off` on; returns how many were replaced.
///
/// # Safety
///
/// As for [`register()`].
pub unsafe fn update<K: Kernel>(
    ring: *mut io_uring,
    off: c_uint,
    files: *const c_int,
    nr: c_uint,
) -> Result<c_int> {
    let update = io_uring_rsrc_update {
        offset: off,
        resv: 0,
        data: files.expose_provenance() as __u64,
    };
    // SAFETY: the caller vouches for the arguments; this opcode takes the number of files.
    unsafe {
        call::<K>(
            ring,
            IORING_REGISTER_FILES_UPDATE,
            (&raw const update).cast(),
            nr,
        )
    }
}

/// [`update`], with tags.
///
/// # Safety
///
/// As for [`register_tags`].
pub unsafe fn update_tags<K: Kernel>(
    ring: *mut io_uring,
    off: c_uint,
    files: *const c_int,
    tags: *const __u64,
    nr: c_uint,
) -> Result<c_int> {
    // SAFETY: passed on to the caller.
    unsafe {
        resources::update_tags::<K>(
            ring,
            IORING_REGISTER_FILES_UPDATE2,
            off,
            files.cast(),
            tags,
            nr,
        )
    }
}

/// Gives the table of files up.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn unregister<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`.
    unsafe { call::<K>(ring, IORING_UNREGISTER_FILES, ptr::null(), 0) }
}

/// Keeps slots that the kernel chooses itself within `off..off + len`.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn set_alloc_range<K: Kernel>(
    ring: *mut io_uring,
    off: c_uint,
    len: c_uint,
) -> Result<c_int> {
    let range = io_uring_file_index_range { off, len, resv: 0 };
    // SAFETY: the caller vouches for `ring`; this opcode takes no count.
    unsafe {
        call_cold::<K>(
            ring,
            IORING_REGISTER_FILE_ALLOC_RANGE,
            (&raw const range).cast(),
            0,
        )
    }
}
