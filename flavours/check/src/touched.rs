//! Memory that the kernel writes to is touched by the program, as AddressSanitizer reports.

use std::ffi::c_char;

use crate::asan;
use crate::notes::report;
use crate::place;
use crate::proxy::used;
use crate::report::Report;
use crate::rules::Rule;
use crate::state;

/// The sanitizer has written a report: says whose the memory is, if the kernel has it.
pub extern "C" fn reported(_: *const c_char) {
    let Some((address, pc)) = asan::report_at() else {
        return;
    };
    // Before the lock is taken: the dynamic linker, which is asked, may wait for a thread that gives memory up.
    let place = place::reported(pc);
    state::with(|state| {
        let size = asan::granule();
        let start = address & !(size - 1);
        let found = state.rings.values().find_map(|ring| {
            ring.users_of(start, size)
                .find(|(request, range)| request.held && range.owned)
        });
        let Some((request, range)) = found else {
            return used::touched(state, address, place);
        };
        report(
            &mut state.notes,
            &Report {
                rule: Rule::InFlight,
                what: format!(
                    "the {} of a request in flight is touched: the kernel may still write there",
                    range.what
                ),
                request: Some(request),
                place,
                doing: "touched",
            },
        );
    });
}
