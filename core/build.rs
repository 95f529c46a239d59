//! Tells crates that depend on this one and compile C where the headers are: DEP_URING_INCLUDE.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let core = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    let root = Path::new(&core)
        .parent()
        .expect("a folder of the repository");
    println!("cargo::metadata=include={}", root.join("include").display());
}
