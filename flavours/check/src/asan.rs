//! AddressSanitizer, where the program has it: what it knows of memory, what this library tells it, and its reports.

use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The sanitizer's functions that are used here.
struct Functions {
    region_is_poisoned: unsafe extern "C" fn(*const c_void, usize) -> *const c_void,
    poison: unsafe extern "C" fn(*const c_void, usize),
    unpoison: unsafe extern "C" fn(*const c_void, usize),
    report_address: unsafe extern "C" fn() -> *const c_void,
    report_pc: unsafe extern "C" fn() -> *const c_void,
    /// A byte of its notes tells of `1 << scale` bytes of memory, and lies at `(address >> scale) + offset`.
    scale: usize,
    offset: usize,
}

static FOUND: OnceLock<Option<Functions>> = OnceLock::new();
static IS_THERE: AtomicBool = AtomicBool::new(false);

/// In the notes: all bytes may be touched. 1 to 7: so many may, the first ones.
pub const CLEAN: u8 = 0;
/// In the notes: `__asan_poison_memory_region` was called on these bytes.
const BY_HAND: u8 = 0xf7;

/// A function of the sanitizer's, if the program has it.
fn function(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a string with its end.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

fn find() -> Option<Functions> {
    let region_is_poisoned = function(c"__asan_region_is_poisoned")?;
    let poison = function(c"__asan_poison_memory_region")?;
    let unpoison = function(c"__asan_unpoison_memory_region")?;
    let report_address = function(c"__asan_get_report_address")?;
    let report_pc = function(c"__asan_get_report_pc")?;
    let mapping = function(c"__asan_get_shadow_mapping")?;
    let (mut scale, mut offset) = (0, 0);
    // SAFETY: the sanitizer's functions of these names have these types.
    unsafe {
        let mapping: unsafe extern "C" fn(*mut usize, *mut usize) = std::mem::transmute(mapping);
        mapping(&raw mut scale, &raw mut offset);
        Some(Functions {
            region_is_poisoned: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*const c_void, usize) -> *const c_void,
            >(region_is_poisoned),
            poison: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*const c_void, usize)>(
                poison,
            ),
            unpoison: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*const c_void, usize)>(
                unpoison,
            ),
            report_address: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn() -> *const c_void,
            >(report_address),
            report_pc: std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> *const c_void>(
                report_pc,
            ),
            scale,
            offset,
        })
    }
}

fn functions() -> Option<&'static Functions> {
    FOUND.get()?.as_ref()
}

fn pointer(at: u64) -> *const c_void {
    std::ptr::with_exposed_provenance(at as usize)
}

/// Looks for the sanitizer, when the library is loaded.
pub fn prepare() {
    if FOUND.get_or_init(find).is_some() {
        IS_THERE.store(true, Ordering::Relaxed);
    }
}

/// From now on the sanitizer calls `reported` when it has written a report.
pub fn tell_of_reports(reported: extern "C" fn(*const c_char)) {
    if let Some(set) = function(c"__asan_set_error_report_callback").filter(|_| is_there()) {
        // SAFETY: the sanitizer's function of this name has this type, and `reported` stays where it is.
        unsafe {
            let set: unsafe extern "C" fn(extern "C" fn(*const c_char)) = std::mem::transmute(set);
            set(reported);
        }
    }
}

/// From now on a sanitizer calls `freed` before it frees a block: its `free` comes before this library's hook.
pub fn tell_of_frees(freed: extern "C" fn(*const c_void)) {
    let name = c"__sanitizer_install_malloc_and_free_hooks";
    if let Some(install) = function(name) {
        // SAFETY: the sanitizer's function of this name has this type, and the functions stay where they are.
        unsafe {
            let install: unsafe extern "C" fn(
                extern "C" fn(*const c_void, usize),
                extern "C" fn(*const c_void),
            ) -> std::ffi::c_int = std::mem::transmute(install);
            install(made, freed);
        }
    }
}

/// A block was made, which is no concern of this library.
extern "C" fn made(_: *const c_void, _: usize) {}

/// The address that the report at hand is about, and the code that touched it.
pub fn report_at() -> Option<(u64, usize)> {
    let f = functions()?;
    // SAFETY: they answer of the report at hand.
    let (address, pc) = unsafe { ((f.report_address)(), (f.report_pc)()) };
    Some((address.addr() as u64, pc.addr()))
}

/// Whether the program has the sanitizer.
#[inline(always)]
pub fn is_there() -> bool {
    // Relaxed: it is stored when the library is loaded.
    IS_THERE.load(Ordering::Relaxed)
}

/// The first byte of a range that the program may not touch, as far as the sanitizer knows.
pub fn poisoned(at: u64, len: u64) -> Option<u64> {
    let f = functions()?;
    // SAFETY: the sanitizer looks at its own notes of the range, whatever lies there.
    let found = unsafe { (f.region_is_poisoned)(pointer(at), len as usize) };
    (!found.is_null()).then(|| found.addr() as u64)
}

/// How many bytes of memory a note tells of.
pub fn granule() -> u64 {
    functions().map_or(1, |f| 1 << f.scale)
}

/// What the sanitizer knows of the bytes from `at` on, which are in memory that it keeps notes of.
pub fn note(at: u64) -> u8 {
    let Some(f) = functions() else { return CLEAN };
    let notes = (at as usize >> f.scale).wrapping_add(f.offset);
    // SAFETY: the sanitizer's notes of memory lie there. Other threads may write some meanwhile: one byte is old or new.
    unsafe { std::ptr::with_exposed_provenance::<u8>(notes).read_volatile() }
}

/// Whether the note at `at` is one of [`poison`]'s.
pub fn is_by_hand(at: u64) -> bool {
    note(at) == BY_HAND
}

/// From now on a touch of this range is reported.
pub fn poison(at: u64, len: u64) {
    if let Some(f) = functions() {
        // SAFETY: the sanitizer writes its own notes.
        unsafe { (f.poison)(pointer(at), len as usize) };
    }
}

/// Lets the program have the granules from `at` on as they were, but for those of which something else is known meanwhile:
/// they were freed, or their frame has returned.
pub fn restore(mut at: u64, before: &[u8]) {
    let size = granule();
    let mut clean = 0;
    for note in before {
        if !is_by_hand(at) {
            unpoison(at - clean, clean);
            clean = 0;
        } else if *note == CLEAN {
            clean += size;
        } else {
            unpoison(at - clean, clean + u64::from(*note));
            clean = 0;
        }
        at += size;
    }
    unpoison(at - clean, clean);
}

/// A touch of this range is reported no longer.
pub fn unpoison(at: u64, len: u64) {
    if let Some(f) = functions() {
        // SAFETY: as for `poison`.
        unsafe { (f.unpoison)(pointer(at), len as usize) };
    }
}
