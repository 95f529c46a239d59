//! The functions that are looked at. Each wraps the plain one of the same name.
//!
//! The build renames: what is `checked_io_uring_submit` here is `io_uring_submit` in the library, and the plain function,
//! which no program can call then, has a name of its own.

#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::missing_safety_doc,
    reason = "each forwards what its caller promises to the plain function, which says what that is"
)]

use std::ffi::{c_int, c_uint, c_void};

use uring_core::abi::*;

use crate::place::{Place, place};
use crate::proxy::area::Area;
use crate::proxy::begin::has_proxies;
use crate::proxy::calls::{self as proxy, enters};
use crate::ring::Ring;
use crate::set_up::{self, Wanted};
use crate::state;
use crate::watch::{self, Call};

const SUBMITS: Call = Call {
    submits: true,
    peeks: false,
    gets_events: false,
    by_hand: false,
    waits: 0,
    timed: false,
};
const LOOKS: Call = Call {
    submits: false,
    ..SUBMITS
};
const PEEKS: Call = Call {
    peeks: true,
    ..LOOKS
};
const GETS_EVENTS: Call = Call {
    gets_events: true,
    ..LOOKS
};

fn waits(submits: bool, waits: c_uint, timed: bool) -> Call {
    Call {
        submits,
        waits,
        timed,
        ..SUBMITS
    }
}

macro_rules! looked_at {
    ($($module:ident::$name:ident($ring:ident $(, $arg:ident: $kind:ty)*) -> $ret:ty { $call:expr })*) => {$(
        #[doc = concat!("`", stringify!($name), "`, with a look at the ring before and after.")]
        #[unsafe(export_name = concat!("checked_", stringify!($name)))]
        pub unsafe extern "C" fn $name($ring: *mut io_uring $(, $arg: $kind)*) -> $ret {
            let place = place();
            let call: Call = $call;
            unsafe {
                watch::before($ring, call, place);
                let area = proxy::hand_over($ring, call);
                let ret = crate::interface::$module::$name($ring $(, $arg)*);
                watch::after($ring, call, ret as c_int, place);
                if let Some(area) = area {
                    area.move_window();
                }
                ret
            }
        }
    )*};
}

looked_at! {
    queue::io_uring_submit(ring) -> c_int { SUBMITS }
    queue::io_uring_submit_and_wait(ring, wait_nr: c_uint) -> c_int { waits(true, wait_nr, false) }
    queue::io_uring_submit_and_get_events(ring) -> c_int { Call { submits: true, ..GETS_EVENTS } }
    queue::io_uring_get_events(ring) -> c_int { GETS_EVENTS }
    queue::io_uring_peek_batch_cqe(ring, cqes: *mut *mut io_uring_cqe, count: c_uint) -> c_uint { PEEKS }
    queue::__io_uring_sqring_wait(ring) -> c_int { LOOKS }
    wait::__io_uring_get_cqe(ring, cqe_ptr: *mut *mut io_uring_cqe, submit: c_uint, wait_nr: c_uint, sigmask: *mut sigset_t) -> c_int {
        Call { by_hand: submit != 0, peeks: submit == 0 && wait_nr == 0, ..waits(false, wait_nr, false) }
    }
    wait::io_uring_wait_cqes(ring, cqe_ptr: *mut *mut io_uring_cqe, wait_nr: c_uint, ts: *mut __kernel_timespec, sigmask: *mut sigset_t) -> c_int {
        waits(false, wait_nr, !ts.is_null())
    }
    wait::io_uring_wait_cqe_timeout(ring, cqe_ptr: *mut *mut io_uring_cqe, ts: *mut __kernel_timespec) -> c_int {
        waits(false, 1, !ts.is_null())
    }
    wait::io_uring_wait_cqes_min_timeout(ring, cqe_ptr: *mut *mut io_uring_cqe, wait_nr: c_uint, ts: *mut __kernel_timespec, min_wait_usec: c_uint, sigmask: *mut sigset_t) -> c_int {
        waits(false, wait_nr, true)
    }
    wait::io_uring_submit_and_wait_timeout(ring, cqe_ptr: *mut *mut io_uring_cqe, wait_nr: c_uint, ts: *mut __kernel_timespec, sigmask: *mut sigset_t) -> c_int {
        waits(true, wait_nr, !ts.is_null())
    }
    wait::io_uring_submit_and_wait_min_timeout(ring, cqe_ptr: *mut *mut io_uring_cqe, wait_nr: c_uint, ts: *mut __kernel_timespec, min_wait: c_uint, sigmask: *mut sigset_t) -> c_int {
        waits(true, wait_nr, true)
    }
    wait::io_uring_submit_and_wait_reg(ring, cqe_ptr: *mut *mut io_uring_cqe, wait_nr: c_uint, reg_index: c_int) -> c_int {
        waits(true, wait_nr, true)
    }
}

#[cfg(feature = "ffi")]
looked_at! {
    ffi::io_uring_sqring_wait(ring) -> c_int { LOOKS }
    ffi::io_uring_peek_cqe(ring, cqe_ptr: *mut *mut io_uring_cqe) -> c_int { PEEKS }
    ffi::io_uring_wait_cqe(ring, cqe_ptr: *mut *mut io_uring_cqe) -> c_int { waits(false, 1, false) }
    ffi::io_uring_wait_cqe_nr(ring, cqe_ptr: *mut *mut io_uring_cqe, wait_nr: c_uint) -> c_int {
        waits(false, wait_nr, false)
    }
}

macro_rules! set_up {
    ($($name:ident($($before:ident: $kind_before:ty,)* *ring $(, $after:ident: $kind_after:ty)*) $wanted:expr;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`, which begins a shadow of the ring.")]
        #[unsafe(export_name = concat!("checked_", stringify!($name)))]
        pub unsafe extern "C" fn $name($($before: $kind_before,)* ring: *mut io_uring $(, $after: $kind_after)*) -> c_int {
            let place = place();
            unsafe {
                let wanted: Option<Wanted> = $wanted;
                let ret = crate::interface::setup::$name($($before,)* ring $(, $after)*);
                if ret >= 0 {
                    watch::made(ring, place);
                } else if let Some(wanted) = wanted.filter(|_| ret == -libc::EINVAL) {
                    set_up::not_made(&wanted, place);
                }
                ret
            }
        }
    )*};
}

set_up! {
    io_uring_queue_init(entries: c_uint, *ring, flags: c_uint) Some(Wanted { entries, flags, cq_entries: 0 });
    io_uring_queue_init_params(entries: c_uint, *ring, p: *mut io_uring_params) wanted(entries, p, 0);
    io_uring_queue_init_mem(entries: c_uint, *ring, p: *mut io_uring_params, buf: *mut c_void, buf_size: usize) wanted(entries, p, IORING_SETUP_NO_MMAP);
    io_uring_queue_mmap(fd: c_int, p: *mut io_uring_params, *ring) None;
}

/// What parameters ask for, and the function itself.
unsafe fn wanted(entries: c_uint, p: *const io_uring_params, also: u32) -> Option<Wanted> {
    let p = unsafe { p.as_ref()? };
    Some(Wanted {
        entries,
        flags: p.flags | also,
        cq_entries: p.cq_entries,
    })
}

/// `io_uring_queue_exit`, which ends the shadow of the ring.
#[unsafe(export_name = "checked_io_uring_queue_exit")]
pub unsafe extern "C" fn io_uring_queue_exit(ring: *mut io_uring) {
    let place = place();
    unsafe {
        watch::leaving(ring, place);
        let area = withdraw(ring);
        crate::interface::setup::io_uring_queue_exit(ring);
        if let Some(area) = area {
            area.drop();
        }
    }
}

/// Points a ring at the kernel's memory, for functions that unmap it, give it away or give it another size. Returns what it
/// pointed at.
unsafe fn withdraw(ring: *mut io_uring) -> Option<Area> {
    unsafe {
        if ring.is_null() || (&raw const (*ring).sq.sqes).read().is_null() {
            return None;
        }
        let area = Area::of(ring)?;
        area.withdraw(ring);
        Some(area)
    }
}

/// `io_uring_ring_dontfork`.
#[unsafe(export_name = "checked_io_uring_ring_dontfork")]
pub unsafe extern "C" fn io_uring_ring_dontfork(ring: *mut io_uring) -> c_int {
    unsafe {
        let area = withdraw(ring);
        let ret = crate::interface::setup::io_uring_ring_dontfork(ring);
        if let Some(area) = area {
            area.reinstate(ring);
            if ret >= 0 {
                area.keep_from_children();
            }
        }
        ret
    }
}

/// `io_uring_enter`: a ring by its number.
#[unsafe(export_name = "checked_io_uring_enter")]
pub unsafe extern "C" fn io_uring_enter(
    fd: c_uint,
    to_submit: c_uint,
    min_complete: c_uint,
    flags: c_uint,
    sig: *mut sigset_t,
) -> c_int {
    let place = place();
    unsafe {
        by_number(fd, to_submit, flags, place, || {
            crate::interface::syscall::io_uring_enter(fd, to_submit, min_complete, flags, sig)
        })
    }
}

/// `io_uring_enter2`: a ring by its number.
#[unsafe(export_name = "checked_io_uring_enter2")]
pub unsafe extern "C" fn io_uring_enter2(
    fd: c_uint,
    to_submit: c_uint,
    min_complete: c_uint,
    flags: c_uint,
    arg: *mut c_void,
    sz: usize,
) -> c_int {
    let place = place();
    unsafe {
        by_number(fd, to_submit, flags, place, || {
            crate::interface::syscall::io_uring_enter2(fd, to_submit, min_complete, flags, arg, sz)
        })
    }
}

unsafe fn by_number(
    fd: c_uint,
    to_submit: c_uint,
    flags: c_uint,
    place: Place,
    enter: impl FnOnce() -> c_int,
) -> c_int {
    let area = has_proxies()
        .then(|| enters(fd, flags, to_submit != 0, place))
        .flatten();
    let ret = enter();
    if let Some(area) = area.filter(|_| to_submit != 0) {
        area.move_window();
    }
    ret
}

/// `io_uring_enable_rings`: the ring belongs to the thread that enables it.
#[unsafe(export_name = "checked_io_uring_enable_rings")]
pub unsafe extern "C" fn io_uring_enable_rings(ring: *mut io_uring) -> c_int {
    unsafe {
        let ret = crate::interface::register::access::io_uring_enable_rings(ring);
        if ret >= 0 {
            watch::shadow(ring, |shadow, _| shadow.owner = crate::process::thread());
        }
        ret
    }
}

/// `io_uring_resize_rings`, which moves the ring's memory.
#[unsafe(export_name = "checked_io_uring_resize_rings")]
pub unsafe extern "C" fn io_uring_resize_rings(
    ring: *mut io_uring,
    p: *mut io_uring_params,
) -> c_int {
    let place = place();
    unsafe {
        watch::before(ring, LOOKS, place);
        let old = (*ring).sq.sqes.addr();
        let area = withdraw(ring);
        let ret = crate::interface::register::resize::io_uring_resize_rings(ring, p);
        if ret >= 0 {
            watch::moved(old, ring);
        }
        match area {
            Some(area) if ret >= 0 => area.drop(),
            Some(area) => area.reinstate(ring),
            None => {}
        }
        ret
    }
}

/// `io_uring_register_buf_ring`.
#[unsafe(export_name = "checked_io_uring_register_buf_ring")]
pub unsafe extern "C" fn io_uring_register_buf_ring(
    ring: *mut io_uring,
    reg: *mut io_uring_buf_reg,
    flags: c_uint,
) -> c_int {
    unsafe {
        let ret =
            crate::interface::register::buf_ring::io_uring_register_buf_ring(ring, reg, flags);
        if ret >= 0 {
            let reg = reg.read();
            // The kernel's own memory is not known before the program maps it.
            let at = std::ptr::with_exposed_provenance_mut(reg.ring_addr as usize);
            watch::shadow(ring, |shadow, _| {
                shadow.groups.registered(reg.bgid, at, reg.ring_entries);
            });
        }
        ret
    }
}

/// `io_uring_setup_buf_ring`.
#[unsafe(export_name = "checked_io_uring_setup_buf_ring")]
pub unsafe extern "C" fn io_uring_setup_buf_ring(
    ring: *mut io_uring,
    nentries: c_uint,
    bgid: c_int,
    flags: c_uint,
    err: *mut c_int,
) -> *mut io_uring_buf_ring {
    unsafe {
        let made = crate::interface::register::buf_ring::io_uring_setup_buf_ring(
            ring, nentries, bgid, flags, err,
        );
        if !made.is_null() {
            watch::shadow(ring, |shadow, _| {
                shadow.groups.registered(bgid as u16, made, nentries);
            });
        }
        made
    }
}

/// `io_uring_unregister_buf_ring`.
#[unsafe(export_name = "checked_io_uring_unregister_buf_ring")]
pub unsafe extern "C" fn io_uring_unregister_buf_ring(ring: *mut io_uring, bgid: c_int) -> c_int {
    unsafe {
        watch::shadow(ring, |shadow, _| {
            shadow.groups.give_up(bgid as u16, shadow.marks.submitted);
        });
        crate::interface::register::buf_ring::io_uring_unregister_buf_ring(ring, bgid)
    }
}

/// `io_uring_free_buf_ring`.
#[unsafe(export_name = "checked_io_uring_free_buf_ring")]
pub unsafe extern "C" fn io_uring_free_buf_ring(
    ring: *mut io_uring,
    br: *mut io_uring_buf_ring,
    nentries: c_uint,
    bgid: c_int,
) -> c_int {
    unsafe {
        watch::shadow(ring, |shadow, _| {
            shadow.groups.give_up(bgid as u16, shadow.marks.submitted);
        });
        crate::interface::register::buf_ring::io_uring_free_buf_ring(ring, br, nentries, bgid)
    }
}

/// `io_uring_register_sync_cancel`, after which requests may be armed again.
#[unsafe(export_name = "checked_io_uring_register_sync_cancel")]
pub unsafe extern "C" fn io_uring_register_sync_cancel(
    ring: *mut io_uring,
    reg: *mut io_uring_sync_cancel_reg,
) -> c_int {
    unsafe {
        watch::shadow(ring, |shadow, _| {
            shadow.last_cancel = shadow.marks.submitted;
        });
        crate::interface::register::cancel::io_uring_register_sync_cancel(ring, reg)
    }
}

/// `io_uring_close_ring_fd`: the ring goes on without a descriptor, and its number may be another file's.
#[unsafe(export_name = "checked_io_uring_close_ring_fd")]
pub unsafe extern "C" fn io_uring_close_ring_fd(ring: *mut io_uring) -> c_int {
    unsafe {
        let ret = crate::interface::register::ring_fd::io_uring_close_ring_fd(ring);
        if ret >= 0 {
            watch::shadow(ring, |shadow, _| shadow.fd = -1);
        }
        ret
    }
}

/// `io_uring_register`: a ring by its number. Any ring may be the one whose tables change.
#[unsafe(export_name = "checked_io_uring_register")]
pub unsafe extern "C" fn io_uring_register(
    fd: c_uint,
    opcode: c_uint,
    arg: *const c_void,
    nr_args: c_uint,
) -> c_int {
    unsafe {
        state::with(|state| state.rings.values_mut().for_each(tables_change));
        crate::interface::syscall::io_uring_register(fd, opcode, arg, nr_args)
    }
}

/// A table of files or buffers changes: what it has then does not say why an earlier request was refused.
fn tables_change(shadow: &mut Ring) {
    shadow.tables_changed = shadow.marks.submitted;
}

/// A tag comes back in a CQE that no request asked for.
fn tags_come(shadow: &mut Ring) {
    shadow.unasked = true;
}

macro_rules! registers {
    ($($module:ident::$name:ident($($arg:ident: $kind:ty),*) $($change:ident)*;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        #[unsafe(export_name = concat!("checked_", stringify!($name)))]
        pub unsafe extern "C" fn $name(ring: *mut io_uring $(, $arg: $kind)*) -> c_int {
            unsafe {
                watch::shadow(ring, |shadow, _| {
                    $($change(shadow);)*
                });
                crate::interface::register::$module::$name(ring $(, $arg)*)
            }
        }
    )*};
}

registers! {
    files::io_uring_register_files(files: *const c_int, nr: c_uint) tables_change;
    files::io_uring_register_files_tags(files: *const c_int, tags: *const __u64, nr: c_uint) tables_change tags_come;
    files::io_uring_register_files_sparse(nr: c_uint) tables_change;
    files::io_uring_register_files_update_tag(off: c_uint, files: *const c_int, tags: *const __u64, nr_files: c_uint) tags_come;
    files::io_uring_unregister_files() tables_change;
    buffers::io_uring_register_buffers(iovecs: *const iovec, nr: c_uint) tables_change;
    buffers::io_uring_register_buffers_tags(iovecs: *const iovec, tags: *const __u64, nr: c_uint) tables_change tags_come;
    buffers::io_uring_register_buffers_sparse(nr: c_uint) tables_change;
    buffers::io_uring_register_buffers_update_tag(off: c_uint, iovecs: *const iovec, tags: *const __u64, nr: c_uint) tags_come;
    buffers::io_uring_unregister_buffers() tables_change;
    buffers::io_uring_clone_buffers(from: *mut io_uring) tables_change;
    buffers::io_uring_clone_buffers_offset(from: *mut io_uring, to_off: c_uint, from_off: c_uint, nr: c_uint, flags: c_uint) tables_change;
}
