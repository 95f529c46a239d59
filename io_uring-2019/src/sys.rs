//! System calls beyond those of the trait [`Kernel`](uring_core::kernel::Kernel).
//!
//! Files of `/proc` are read below `/proc/thread-self`, not `/proc/self`. The latter is the first thread, which may
//! have ended, or have a descriptor table of its own.

pub mod call;
#[cfg(feature = "preload")]
pub mod changes;
/// The linked library remembers nothing about descriptors.
#[cfg(not(feature = "preload"))]
pub mod changes {
    /// Makes a call that may change which file a descriptor leads to.
    pub fn during<T>(change: impl FnOnce() -> T) -> T {
        change()
    }
}
pub mod files;
#[cfg(feature = "preload")]
pub mod maps;
pub mod memory;
pub mod process;
pub mod time;
