//! Functions of other libraries that the process may lack.

/// Defines the hidden word `$word`. It holds the address of the function `$function`, or null if no library of the
/// process defines that. The linker fills it in before any code runs.
///
/// In assembly, because Rust assumes that the address of a function is never null.
macro_rules! weak_function {
    ($word:literal, $function:literal) => {
        core::arch::global_asm!(
            concat!(".weak ", $function),
            concat!(".pushsection .data.rel.ro.", $word, ", \"aw\", %progbits"),
            ".balign 8",
            concat!(".hidden ", $word),
            concat!(".globl ", $word),
            concat!(".type ", $word, ", %object"),
            concat!($word, ":"),
            concat!(".quad ", $function),
            concat!(".size ", $word, ", . - ", $word),
            ".popsection",
        );
    };
}
pub(crate) use weak_function;
