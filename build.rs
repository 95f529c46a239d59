//! Gives the library that `cargo build --release` makes its soname and its symbol versions.
//!
//! rustc hands the linker a version script of its own. GNU ld refuses a second one, lld takes the first. So `.symver`
//! directives in the object file carry the versions, and the script given here names the nodes only. Without lld, the
//! library gets no versions, and a warning says so.
//!
//! `make` builds the installed libraries from an archive. A function in an archive must not have two names, so `make`
//! turns the feature `versioned` off.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

const MAP: &str = "src/liburing.map";

fn main() {
    println!("cargo::rerun-if-changed={MAP}");
    println!("cargo::rustc-check-cfg=cfg(symbol_versions)");
    if env::var_os("CARGO_FEATURE_VERSIONED").is_none() {
        return;
    }
    let soname = format!("liburing.so.{}", variable("CARGO_PKG_VERSION_MAJOR"));
    let mut arguments = vec![
        "-nostartfiles".into(),
        "-nostdlib".into(),
        "-Wl,-z,defs".into(),
        "-Wl,-z,relro,-z,now".into(),
        format!("-Wl,-soname,{soname}"),
    ];
    if variable("PROFILE") == "debug" {
        // Without optimisation, parts of core that name the unwinder are linked in. Panics abort, so it is never
        // called.
        arguments.push("-Wl,--defsym=rust_eh_personality=0".into());
    }
    match lld() {
        Some(options) => {
            arguments.extend(options);
            arguments.push(format!("-Wl,--version-script={}", write_versions()));
            println!("cargo::rustc-cfg=symbol_versions");
        }
        None => println!(
            "cargo::warning=liburing.so gets no symbol versions, because the linker lld is not there. Programs linked to \
             it will not ask for versions. Install lld, or use `make`, which needs GNU ld."
        ),
    }
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("Cargo sets {name}"))
}

/// Writes the version map as two files: directives for the assembler, and a script of nodes. Returns the script's path.
fn write_versions() -> String {
    let map = fs::read_to_string(MAP).unwrap_or_else(|error| panic!("{MAP}: {error}"));
    let (mut nodes, mut directives) = (String::new(), String::new());
    let (mut node, mut parent) = (String::new(), String::new());
    for line in map.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix(" {") {
            node = name.into();
        } else if line.starts_with('}') {
            let local = if parent.is_empty() { "local: *; " } else { "" };
            nodes += &format!("{node} {{ {local}}} {parent};\n");
            parent.clone_from(&node);
        } else if let Some(function) = line.strip_suffix(';').filter(|name| *name != "*") {
            directives +=
                &format!("core::arch::global_asm!(\".symver {function}, {function}@@{node}\");\n");
        }
    }
    let out = PathBuf::from(variable("OUT_DIR"));
    let script = out.join("nodes.map");
    for (path, text) in [(&script, nodes), (&out.join("symver.rs"), directives)] {
        fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    script.display().to_string()
}

/// The options that make the linker driver use lld: the one that comes with rustc, or else the system's.
fn lld() -> Option<Vec<String>> {
    let chosen = String::from("-fuse-ld=lld");
    let sysroot = Command::new(variable("RUSTC"))
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    let own = Path::new(String::from_utf8_lossy(&sysroot.stdout).trim())
        .join("lib/rustlib")
        .join(variable("HOST"))
        .join("bin/gcc-ld");
    if own.join("ld.lld").exists() {
        return Some(vec![format!("-B{}", own.display()), chosen]);
    }
    let driver = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".into());
    Command::new(driver)
        .args([&chosen, "-Wl,--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?
        .success()
        .then(|| vec![chosen])
}
