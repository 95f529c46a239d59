//! Binds <liburing-ffi.h> of the installation below LIBURING_PREFIX.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=LIBURING_PREFIX");
    let prefix = env::var("LIBURING_PREFIX").expect("LIBURING_PREFIX is not set");
    let header = format!("{prefix}/include/liburing-ffi.h");
    println!("cargo::rerun-if-changed={header}");
    println!("cargo::rustc-link-search=native={prefix}/lib");
    println!("cargo::rustc-link-lib=dylib=uring-ffi");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{prefix}/lib");

    bindgen::builder()
        .header(header)
        .clang_arg(format!("-I{prefix}/include"))
        .allowlist_file(format!("{prefix}/include/.*"))
        .prepend_enum_name(false)
        .derive_default(true)
        .generate()
        .expect("bindgen refuses the header")
        .write_to_file(PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("uring.rs"))
        .expect("the bindings cannot be written");
}
