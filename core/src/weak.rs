//! Functions of other libraries that the process may lack.

/// Defines the hidden table `$table`. It holds the addresses of the functions, and null for each that no library of the
/// process defines. The linker fills it in before any code runs. Read it volatile: the compiler knows no other value of
/// it than that of the declaration.
///
/// In assembly, because Rust assumes that the address of a function is never null. Only for architectures whose assembly
/// the language knows.
#[macro_export]
macro_rules! weak_functions {
    ($table:literal, $($function:literal),+) => {
        core::arch::global_asm!(
            $(concat!(".weak ", $function),)+
            concat!(".pushsection .data.rel.ro.", $table, ", \"aw\", %progbits"),
            ".balign 8",
            concat!(".hidden ", $table),
            concat!(".globl ", $table),
            concat!(".type ", $table, ", %object"),
            concat!($table, ":"),
            $(concat!(".dc.a ", $function),)+
            concat!(".size ", $table, ", . - ", $table),
            ".popsection",
        );
    };
}
