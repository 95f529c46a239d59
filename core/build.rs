//! Tells crates that depend on this one and compile C where the headers are: DEP_URING_INCLUDE. Turns on what is
//! prepared for a later release of liburing once the version is that release's.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let number = |name| std::env::var(name).map(|text| text.parse::<u32>());
    let version = ["CARGO_PKG_VERSION_MAJOR", "CARGO_PKG_VERSION_MINOR"]
        .map(|name| number(name).expect("Cargo sets it").expect("a number"));
    println!("cargo::rustc-check-cfg=cfg(release_2_16)");
    if version >= [2, 16] {
        println!("cargo::rustc-cfg=release_2_16");
    }
    let core = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    let root = Path::new(&core)
        .parent()
        .expect("a folder of the repository");
    println!("cargo::metadata=include={}", root.join("include").display());
}
