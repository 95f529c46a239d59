//! The panic handler of the libraries: a library that can panic is not built.

/// Defines the panic handler of a library.
#[macro_export]
macro_rules! panic_handler {
    () => {
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo) -> ! {
            $crate::panic::reached()
        }
    };
}

/// Fails the link where the optimiser cannot rule out a call. Builds without optimisation trap here instead.
#[inline]
pub fn reached() -> ! {
    #[cfg(not(debug_assertions))]
    {
        unsafe extern "C" {
            safe fn liburing_panic_reachable() -> !;
        }
        // Defined nowhere.
        liburing_panic_reachable()
    }
    #[cfg(debug_assertions)]
    loop {
        // SAFETY: the instruction has no operands. It raises a signal that ends the process.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            core::arch::asm!("ud2")
        };
        core::hint::spin_loop();
    }
}
