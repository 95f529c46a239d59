//! Coexisting with the kernel's own header, whichever of the two a program includes first.
//!
//! If ours is first, it defines the kernel's guard, and the kernel's header adds nothing.
//!
//! If the kernel's is first, it may be years older or newer, and C cannot undefine types. So our types get other names,
//! and macros redirect all later code to them. A structure that is known to be equal keeps its name. In C++ that name
//! is part of the names of functions, and other files may have been compiled without the kernel's header.

use std::fmt::Write;

use crate::Result;
use crate::c::{Item, Kind};

/// The kernel's header that defines the same.
pub struct Kernel {
    pub guard: &'static str,
    pub name: &'static str,
    /// Structures that have not changed since the kernel's header first had that macro.
    pub same_since: &'static [(&'static str, &'static str)],
}

/// The macro that says that the kernel's definition is used.
pub fn kept(name: &str) -> String {
    format!("_LIBURING_KEEP_{}", name.to_uppercase())
}

pub fn render(kernel: &Kernel, items: &[(&str, &Item)]) -> Result<String> {
    let mut out = String::new();
    let Kernel {
        guard,
        name: header,
        same_since,
    } = kernel;
    writeln!(out, "#ifndef {guard}")?;
    writeln!(out, "/* From here on {header} adds nothing. */")?;
    writeln!(out, "#define {guard}")?;
    writeln!(out, "#else")?;
    writeln!(
        out,
        "/*\n * {header} came first, older or newer than this. Its definitions stay, and everything below"
    )?;
    writeln!(
        out,
        " * uses these instead, by other names. In C++ a function that takes one is then another function than in a"
    )?;
    writeln!(
        out,
        " * file without the kernel's header: include this one first there.\n */"
    )?;

    for (name, item) in items {
        if let Some((_, since)) = same_since.iter().find(|(same, _)| same == name) {
            writeln!(
                out,
                "#ifdef {since}\n#define {}\n#else\n#define {name} liburing_{name}\n#endif",
                kept(name)
            )?;
        } else if !matches!(item.kind, Kind::Constant(_)) && !name.starts_with("__anon_") {
            writeln!(out, "#define {name} liburing_{name}")?;
        }
    }
    for (name, item) in items {
        match &item.kind {
            Kind::Constant(_) => writeln!(out, "#undef {name}")?,
            Kind::Enum(variants) => {
                for variant in variants {
                    let name = variant.name();
                    writeln!(out, "#undef {name}\n#define {name} liburing_{name}")?;
                }
            }
            Kind::Record(..) | Kind::Function(..) => {}
        }
    }
    writeln!(out, "#endif\n")?;
    Ok(out)
}
