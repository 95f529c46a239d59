//! The property notes, by which a linker and the dynamic linker learn what the code does not break.
//!
//! A program keeps a protection only if everything in it carries the note. Calls and returns of this library are plain
//! ones, which is all that a shadow stack asks for (SHSTK, GCS). Landing pads for indirect calls and signed return
//! addresses (IBT, BTI, PAC) are there where `uring_cfi` is set. On x86-64 the compiler writes the note itself then.

/// A note of the owner "GNU" with one property, a word of feature bits.
#[allow(unused_macros, reason = "not every architecture has one")]
macro_rules! note {
    ($kind:literal, $bits:literal) => {
        core::arch::global_asm!(
            ".pushsection .note.gnu.property, \"a\", %note",
            ".balign 8",
            ".long 4, 16, 5",
            ".asciz \"GNU\"",
            concat!(".long ", $kind, ", 4, ", $bits, ", 0"),
            ".popsection",
        );
    };
}

// GNU_PROPERTY_X86_FEATURE_1_AND: IBT 1, SHSTK 2.
#[cfg(all(target_arch = "x86_64", not(uring_cfi)))]
note!("0xc0000002", "2");

// GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI 1, PAC 2, GCS 4. The compiler's own note is lost: the core that comes with it
// has no landing pads. What is left of that in the library is inlined, or called directly, which asks for none.
#[cfg(all(target_arch = "aarch64", not(uring_cfi)))]
note!("0xc0000000", "4");
#[cfg(all(target_arch = "aarch64", uring_cfi))]
note!("0xc0000000", "7");
