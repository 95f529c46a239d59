//! The C interface of liburing: pointers in, `-errno` out.

#![no_std]

use liburing as _;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe extern "C" {
        safe fn liburing_panic_reachable() -> !;
    }
    // Defined nowhere: a panic that the optimiser cannot rule out fails the link.
    liburing_panic_reachable()
}
