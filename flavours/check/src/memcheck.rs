//! Valgrind's memcheck, where the program runs under it: requests to it.
//!
//! A request is a sequence of instructions that does nothing, which valgrind knows. Outside of valgrind none is made but the
//! one that asks for it, when the library is loaded.

use std::sync::atomic::{AtomicBool, Ordering};

/// The numbers of requests: valgrind's own, and memcheck's, which begin with its letters.
const RUNNING_ON_VALGRIND: usize = 0x1001;
const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
const MAKE_NO_ACCESS: usize = MEMCHECK;
const MAKE_UNDEFINED: usize = MEMCHECK + 1;
const DISCARD: usize = MEMCHECK + 3;
const CHECK_ADDRESSABLE: usize = MEMCHECK + 4;
const CHECK_DEFINED: usize = MEMCHECK + 5;
const GET_BITS: usize = MEMCHECK + 8;
const SET_BITS: usize = MEMCHECK + 9;
const CREATE_BLOCK: usize = MEMCHECK + 10;
const MAKE_DEFINED_IF_ADDRESSABLE: usize = MEMCHECK + 11;

/// The answer of the requests that get and set bits when they have done it.
const DONE: usize = 1;

static IS_THERE: AtomicBool = AtomicBool::new(false);

/// Makes a request with three arguments; without valgrind the answer is 0.
fn request(number: usize, arguments: [usize; 3]) -> usize {
    let [first, second, third] = arguments;
    let request = [number, first, second, third, 0, 0];
    #[allow(unused_mut, reason = "where valgrind is not known, this is the answer")]
    let mut answer = 0;
    // SAFETY: the rotations come back to where they began, and the last instruction changes nothing. Valgrind reads
    // `request`, and what memory the request itself names is its caller's affair.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") &raw const request,
            inout("rdx") answer,
            // Named, for valgrind looks for this register.
            out("rdi") _,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") &raw const request,
            inout("x3") answer,
            options(nostack),
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = request;
    answer
}

/// Asks for memcheck, when the library is loaded.
pub fn prepare() {
    if request(RUNNING_ON_VALGRIND, [0; 3]) != 0 {
        // Other tools of valgrind know nothing of bits.
        let probe = 0u8;
        let known = bits_of((&raw const probe).addr() as u64, 1).is_some();
        // Relaxed: nothing else runs yet.
        IS_THERE.store(known, Ordering::Relaxed);
    }
}

/// Whether the program runs under memcheck.
#[inline(always)]
pub fn is_there() -> bool {
    // Relaxed: it is stored when the library is loaded.
    IS_THERE.load(Ordering::Relaxed)
}

/// For each bit of a range, whether it is undefined. None if some byte may not be touched.
pub fn bits_of(at: u64, len: u64) -> Option<Vec<u8>> {
    let mut bits = vec![0u8; len as usize];
    let answer = request(
        GET_BITS,
        [
            at as usize,
            bits.as_mut_ptr().expose_provenance(),
            bits.len(),
        ],
    );
    (answer == DONE).then_some(bits)
}

/// Nobody may touch a range.
pub fn close(at: u64, len: u64) {
    request(MAKE_NO_ACCESS, [at as usize, len as usize, 0]);
}

/// It may be touched, and its bits are these.
pub fn open(at: u64, bits: &[u8]) {
    request(MAKE_UNDEFINED, [at as usize, bits.len(), 0]);
    request(
        SET_BITS,
        [at as usize, bits.as_ptr().expose_provenance(), bits.len()],
    );
}

/// The kernel has, or may have, written to a range. What may not be touched stays so.
pub fn written(at: u64, len: u64) {
    request(MAKE_DEFINED_IF_ADDRESSABLE, [at as usize, len as usize, 0]);
}

/// Has memcheck report what is wrong with a range that the kernel is to read, or to write to. Returns the first such byte,
/// and whether it may be touched.
pub fn check(at: u64, len: u64, is_read: bool) -> Option<(u64, bool)> {
    let number = if is_read {
        CHECK_DEFINED
    } else {
        CHECK_ADDRESSABLE
    };
    match request(number, [at as usize, len as usize, 0]) {
        0 => None,
        wrong => Some((wrong as u64, bits_of(wrong as u64, 1).is_some())),
    }
}

/// Gives a range a name, for memcheck's reports. Returns a handle.
pub fn name(at: u64, len: u64, name: &str) -> usize {
    let name = format!("{name}\0");
    request(
        CREATE_BLOCK,
        [at as usize, len as usize, name.as_ptr().expose_provenance()],
    )
}

/// Takes the name away.
pub fn unname(handle: usize) {
    request(DISCARD, [0, handle, 0]);
}
