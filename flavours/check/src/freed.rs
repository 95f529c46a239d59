//! Memory that the program gives up while requests use it.

use std::ffi::c_void;

use crate::cq;
use crate::memory;
use crate::notes::{Notes, report};
use crate::place::{Place, caller_of};
use crate::process;
use crate::report::Report;
use crate::request::Request;
use crate::rules::Rule;
use crate::state;

/// A block of the program's heap.
pub fn size_of_block(block: *mut c_void) -> usize {
    // SAFETY: the program gives a block of its heap to `free`.
    unsafe { libc::malloc_usable_size(block) }
}

/// Whether a request may use a part of this block.
pub fn is_used(block: *mut c_void) -> bool {
    !block.is_null()
        && memory::any()
        && memory::may_be_used(block.addr() as u64, size_of_block(block) as u64)
}

/// A sanitizer, whose `free` comes before this library's, is about to free a block.
pub extern "C" fn by_sanitizer(block: *const c_void) {
    let block = block.cast_mut();
    if is_used(block) {
        let place = caller_of(by_sanitizer as *const () as usize);
        given_up(block.addr(), size_of_block(block), "free()", place);
    }
}

/// The program gives a range up, by the call `doing`. Says so if a request is in flight on it.
#[cold]
pub fn given_up(start: usize, len: usize, doing: &str, place: Place) {
    let (start, len) = (start as u64, len as u64);
    state::with_in_hook(|state| {
        if process::is_borrowed() {
            return;
        }
        let notes = &mut state.notes;
        for ring in state.rings.values_mut() {
            let freed = ring.groups.forget_at(start, len);
            if freed.is_some() {
                cq::collect(ring, notes, place);
            }
            if let Some(group) = freed.filter(|group| ring.flight.selects(*group)) {
                let what = format!(
                    "{doing} of the ring of buffer group {group}, which requests in flight take from"
                );
                say(notes, what, None, place);
            }
            if !ring.flight.notes_use(start, len) && ring.users_of(start, len).next().is_none() {
                continue;
            }
            // Its CQE may be there already.
            cq::collect(ring, notes, place);
            ring.flight.settle_users(start, len);
            let found = ring.users_of(start, len).next();
            let Some((user_data, used)) =
                found.map(|(request, range)| (request.sqe.user_data, *range))
            else {
                continue;
            };
            if let Some(request) = ring.flight.forget(user_data) {
                let uses = if used.written { "write" } else { "read" };
                let what = format!(
                    "{doing} of the {} of a request in flight: the kernel may still {uses} there",
                    used.what
                );
                say(notes, what, Some(&request), place);
            }
        }
    });
}

fn say(notes: &mut Notes, what: String, request: Option<&Request>, place: Place) {
    report(
        notes,
        &Report {
            rule: Rule::Free,
            what,
            request,
            place,
            doing: "given up",
        },
    );
}
