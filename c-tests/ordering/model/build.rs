//! Has `order.rs` use the atomics of `src/atomic.rs`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(uring_loom)");
    println!("cargo::rustc-cfg=uring_loom");
}
