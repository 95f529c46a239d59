//! Registered files: a table of open files that requests name by index.
//!
//! The kernel only reads the arrays that these functions take. An address that leads nowhere makes the call fail.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use super::resources::{self, table};
use super::{Ring, call, call_bare, call_cold};
use crate::abi::*;
use crate::errno::{Errno, Ret};
use crate::kernel::{Kernel, Limit};

/// Registers `nr` files; -1 leaves a slot empty. Raises the limit on open files once if that is in the way.
pub fn register<K: Kernel>(ring: Ring<K>, files: *const c_int, nr: c_uint) -> Ret {
    let files = files.cast();
    // SAFETY: the kernel only reads the array.
    let first = unsafe { call(ring, IORING_REGISTER_FILES, files, nr) };
    if first.is(Errno::EMFILE) {
        // SAFETY: the same call.
        return unsafe { retry(ring, IORING_REGISTER_FILES, files, nr, nr) };
    }
    first
}

/// [`register()`], with a tag for each file that is posted when the kernel lets go of it. `tags` may be null.
pub fn register_tags<K: Kernel>(
    ring: Ring<K>,
    files: *const c_int,
    tags: *const __u64,
    nr: c_uint,
) -> Ret {
    let table = table(nr, 0, files.cast(), tags);
    register_table(ring, &table)
}

/// Registers a table of `nr` empty slots. Raises the limit on open files once if that is in the way.
pub fn register_sparse<K: Kernel>(ring: Ring<K>, nr: c_uint) -> Ret {
    let table = table(nr, IORING_RSRC_REGISTER_SPARSE, ptr::null(), ptr::null());
    register_table(ring, &table)
}

fn register_table<K: Kernel>(ring: Ring<K>, table: &io_uring_rsrc_register) -> Ret {
    const OPCODE: io_uring_register_op = IORING_REGISTER_FILES2;
    let first = resources::register(ring, OPCODE, table);
    if first.is(Errno::EMFILE) {
        let size = size_of::<io_uring_rsrc_register>() as c_uint;
        // SAFETY: the same call.
        return unsafe { retry(ring, OPCODE, ptr::from_ref(table).cast(), size, table.nr) };
    }
    first
}

/// Makes a call once more, with a limit under which `nr_files` are not too many.
///
/// The limit is the whole process's. It stays raised when that helped, and is put back when it did not.
///
/// # Safety
///
/// As for [`call`].
#[cold]
#[inline(never)]
unsafe fn retry<K: Kernel>(
    ring: Ring<K>,
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
    nr_files: c_uint,
) -> Ret {
    let nr_files = u64::from(nr_files);
    let Ok(before) = K::nofile_limit() else {
        return Errno::EMFILE.into();
    };
    let raised = Limit {
        current: before.current.saturating_add(nr_files).min(before.maximum),
        maximum: before.maximum,
    };
    // The kernel compares the table's size with the limit only. A limit that is high enough did not cause the error. One
    // that cannot become high enough would cause it again.
    if before.current >= nr_files
        || raised.current < nr_files
        || K::set_nofile_limit(raised).is_err()
    {
        return Errno::EMFILE.into();
    }
    // SAFETY: the caller vouches for the arguments.
    let second = unsafe { call_cold(ring, opcode, arg, nr_args) };
    if second.is_err() {
        // If this fails, the limit stays raised. The caller gets the error of the files.
        let _ = K::set_nofile_limit(before);
    }
    second
}

/// Replaces `nr` files from slot `off` on; returns how many were replaced.
pub fn update<K: Kernel>(ring: Ring<K>, off: c_uint, files: *const c_int, nr: c_uint) -> Ret {
    let update = io_uring_rsrc_update {
        offset: off,
        resv: 0,
        data: files.expose_provenance() as __u64,
    };
    let arg = (&raw const update).cast();
    // SAFETY: the opcode takes the structure and the number of files. The kernel only reads both.
    unsafe { call(ring, IORING_REGISTER_FILES_UPDATE, arg, nr) }
}

/// [`update`], with tags.
pub fn update_tags<K: Kernel>(
    ring: Ring<K>,
    off: c_uint,
    files: *const c_int,
    tags: *const __u64,
    nr: c_uint,
) -> Ret {
    let opcode = IORING_REGISTER_FILES_UPDATE2;
    resources::update_tags(ring, opcode, off, files.cast(), tags, nr)
}

/// Gives the table of files up.
pub fn unregister<K: Kernel>(ring: Ring<K>) -> Ret {
    call_bare(ring, IORING_UNREGISTER_FILES, 0)
}

/// Keeps slots that the kernel chooses itself within `off..off + len`.
pub fn set_alloc_range<K: Kernel>(ring: Ring<K>, off: c_uint, len: c_uint) -> Ret {
    let range = io_uring_file_index_range { off, len, resv: 0 };
    let arg = (&raw const range).cast();
    // SAFETY: the opcode reads one such structure, and takes no count.
    unsafe { call_cold(ring, IORING_REGISTER_FILE_ALLOC_RANGE, arg, 0) }
}
