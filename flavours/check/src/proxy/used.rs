//! Values that the program has read in an SQE that it had submitted, or in a CQE that it had marked as seen: see `mark`.

use crate::notes::{Notes, report};
use crate::ops;
use crate::place::Place;
use crate::process;
use crate::proxy::mark::{self, Kind, Mark};
use crate::report::Report;
use crate::request::Request;
use crate::ring::Ring;
use crate::rules::Rule;
use crate::state::{self, State};

/// What a mark was written over, in words, and its request.
fn origin<'a>(ring: &'a Ring, mark: &Mark) -> Option<(String, Option<&'a Request>)> {
    let kept = ring.proxy.as_ref()?;
    let number = kept.area.number();
    match mark.kind {
        Kind::Cqe => {
            let (_, seen) = kept.seen.find(|index| mark.is_of(number, index))?;
            let text = format!(
                "a CQE that had been marked as seen (its user_data was {:#x}, its result {})",
                seen.user_data, seen.res
            );
            Some((text, seen.request.as_ref()))
        }
        Kind::Sqe => {
            let (_, request) = kept.taken.find(|index| mark.is_of(number, index))?;
            Some(("an SQE that had been submitted".into(), Some(request)))
        }
    }
}

fn rule(kind: Kind) -> Rule {
    match kind {
        Kind::Cqe => Rule::SeenEarly,
        Kind::Sqe => Rule::Changed,
    }
}

/// Looks for marks in a request.
pub fn in_request(ring: &Ring, notes: &mut Notes, request: &Request, place: Place) {
    let sqe = &request.sqe;
    // SAFETY: any bytes are a number.
    let (off, addr) = unsafe { (sqe.__anon1.off, sqe.__anon2.addr) };
    let fields = [
        ("user_data", mark::read(sqe.user_data)),
        ("address", mark::read(addr)),
        ("offset", mark::read(off)),
        ("length", mark::read_half(sqe.len)),
        (
            "descriptor",
            mark::read_half(sqe.fd as u32).filter(|_| ops::has_file(sqe.opcode)),
        ),
    ];
    for (field, mark) in fields {
        let Some((text, of)) = mark
            .and_then(|mark| Some((rule(mark.kind), origin(ring, &mark)?)))
            .map(|(rule, (text, of))| ((rule, text), of))
        else {
            continue;
        };
        let (rule, text) = text;
        report(
            notes,
            &Report {
                rule,
                what: format!("the {field} of a request was read in {text}"),
                request: of.or(Some(request)),
                place,
                doing: "submitted",
            },
        );
        return;
    }
}

/// Says what a mark is that the program used at `place`, and returns whether it is one.
fn say(state: &mut State, mark: &Mark, what: &str, place: Place, doing: &str) -> bool {
    let generation = process::generation();
    let notes = &mut state.notes;
    let found = state
        .rings
        .values()
        .filter(|ring| ring.generation == generation)
        .find_map(|ring| origin(ring, mark));
    let Some((text, request)) = found else {
        return false;
    };
    report(
        notes,
        &Report {
            rule: rule(mark.kind),
            what: format!("{what} was read in {text}"),
            request,
            place,
            doing,
        },
    );
    true
}

/// The program has used an address that leads nowhere: its registers have these values. Returns whether a mark is among
/// them.
pub fn in_registers(state: &mut State, values: &[u64], place: Place) -> bool {
    values
        .iter()
        .filter_map(|value| mark::read(*value))
        .any(|mark| say(state, &mark, "an address", place, "used"))
}

/// The program gives an address to a function.
#[inline]
pub fn address(address: usize, function: &str, place: Place) {
    if let Some(mark) = mark::read(address as u64) {
        given(&mark, "address", function, place);
    }
}

/// The program gives a descriptor to a function.
#[inline]
pub fn descriptor(fd: i32, function: &str, place: Place) {
    if let Some(mark) = mark::read_half(fd as u32) {
        given(&mark, "descriptor", function, place);
    }
}

#[cold]
fn given(mark: &Mark, kind: &str, function: &str, place: Place) {
    state::with_in_hook(|state| {
        // Memory is taken under the lock alone: another thread may fork meanwhile.
        let what = format!("the {kind} given to {function}");
        say(state, mark, &what, place, "called")
    });
}

/// AddressSanitizer reports that the program has used an address. Says so if an SQE or a CQE is there whose time is over.
pub fn touched(state: &mut State, address: u64, place: Place) {
    let notes = &mut state.notes;
    let found = state.rings.values().find_map(|ring| {
        let kept = ring.proxy.as_ref()?;
        if let Some(index) = kept.area.marked_at(address as usize) {
            let text = "an SQE is used after it was submitted".to_owned();
            return Some((Rule::Changed, text, kept.taken.get(index)));
        }
        let seen = kept.seen.get(ring.poisoned_cqe_at(address as usize)?)?;
        let text = format!(
            "a CQE is used after it was marked as seen (its user_data was {:#x}, its result {})",
            seen.user_data, seen.res
        );
        Some((Rule::SeenEarly, text, seen.request.as_ref()))
    });
    if let Some((rule, what, request)) = found {
        report(
            notes,
            &Report {
                rule,
                what,
                request,
                place,
                doing: "used",
            },
        );
    }
}
