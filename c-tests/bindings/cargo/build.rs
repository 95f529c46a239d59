//! Compiles C against the headers of the package liburing-core.

fn main() {
    println!("cargo::rerun-if-changed=src/request.c");
    let include =
        std::env::var("DEP_URING_INCLUDE").expect("liburing-core says where its headers are");
    cc::Build::new()
        .file("src/request.c")
        .include(include)
        .warnings_into_errors(true)
        .extra_warnings(true)
        .compile("request");
}
