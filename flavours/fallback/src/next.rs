//! The functions that hooks replace.

use std::ffi::c_int;

/// The function that the hook replaces, looked up at the first call.
macro_rules! next {
    ($name:expr => $kind:ty) => {{
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        // Relaxed: every thread that looks it up finds the same address.
        let mut at = NEXT.load(std::sync::atomic::Ordering::Relaxed);
        if at == 0 {
            let name: *const std::ffi::c_char = $name.as_ptr();
            // SAFETY: a string with its end.
            at = unsafe { libc::dlsym(libc::RTLD_NEXT, name) }.expose_provenance();
            NEXT.store(at, std::sync::atomic::Ordering::Relaxed);
        }
        // SAFETY: null is `None`, anything else is libc's function of this name, which has this type.
        unsafe {
            std::mem::transmute::<*const std::ffi::c_void, Option<$kind>>(
                std::ptr::with_exposed_provenance(at),
            )
        }
    }};
}
pub(crate) use next;

/// A function's name, as C has it.
macro_rules! c_name {
    ($name:ident) => {{
        const NAME: &std::ffi::CStr = match std::ffi::CStr::from_bytes_with_nul(
            concat!(stringify!($name), "\0").as_bytes(),
        ) {
            Ok(name) => name,
            Err(_) => c"",
        };
        NAME
    }};
}
pub(crate) use c_name;

pub fn set_errno(error: c_int) {
    // SAFETY: the address of this thread's errno is always valid.
    unsafe { *libc::__errno_location() = error };
}

/// libc has no such function, so no program could have called it.
pub fn missing() -> c_int {
    set_errno(libc::ENOSYS);
    -1
}
