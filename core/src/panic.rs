//! What the panic handlers of the libraries do: a library that can panic is not built.

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
