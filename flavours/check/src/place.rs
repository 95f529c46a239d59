//! The place in the program that called the library.

use std::ffi::c_void;

/// Where a wrapper was called from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The address that the call returns to; 0 where it cannot be told.
    pub return_address: usize,
    /// The lowest address of the caller's frame. What lies below in its stack belongs to no function that runs, but for
    /// this library's.
    pub frame: usize,
}

/// The place that called the function in which this stands. It must be the first thing that the function does.
///
/// The library is compiled with frame pointers.
#[inline(always)]
pub fn place() -> Place {
    #[cfg(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    ))]
    {
        let frame: usize;
        // SAFETY: reads a register.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            std::arch::asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags));
            #[cfg(target_arch = "aarch64")]
            std::arch::asm!("mov {}, x29", out(reg) frame, options(nomem, nostack, preserves_flags));
            #[cfg(target_arch = "riscv64")]
            std::arch::asm!("mv {}, s0", out(reg) frame, options(nomem, nostack, preserves_flags));
        }
        // On ARM the frame begins higher than behind the record: then less is taken for dead than is.
        let (address_at, end) = if cfg!(target_arch = "riscv64") {
            (frame.wrapping_sub(8), frame)
        } else {
            (frame.wrapping_add(8), frame.wrapping_add(16))
        };
        // SAFETY: with frame pointers the return address lies there.
        let return_address =
            unsafe { std::ptr::with_exposed_provenance::<usize>(address_at).read() };
        Place {
            return_address,
            frame: end,
        }
    }
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )))]
    {
        let here = 0u8;
        Place {
            return_address: 0,
            frame: (&raw const here).addr(),
        }
    }
}

/// Walks over the calling thread's stack, outwards, as long as `each` says so.
///
/// No lock is taken for it here: one that a thread holds while it asks the dynamic linker would keep those back that the
/// linker has called.
fn trace(each: impl FnMut(&backtrace::Frame) -> bool) {
    // SAFETY: it is unsafe for the sake of systems whose unwinders cannot be used by several threads. Linux's can.
    unsafe { backtrace::trace_unsynchronized(each) };
}

/// Calls `each` with where each function of this thread goes on, and what its stack pointer is there.
#[cold]
pub fn walk_stack(mut each: impl FnMut(usize, usize) -> bool) {
    trace(|frame| each(frame.ip().addr(), frame.sp().addr()));
}

/// The place that called a function which runs, by a walk over the stack.
#[cold]
pub fn caller_of(function: usize) -> Place {
    let (mut reached, mut found) = (false, 0);
    trace(|frame| {
        if reached {
            found = frame.ip().addr();
        }
        reached |= frame.symbol_address().addr() == function;
        found == 0
    });
    Place {
        return_address: found,
        frame: 0,
    }
}

/// The place of the program's in the call of which AddressSanitizer reports the code at `pc`: that, or the call of a function
/// of libc's that the sanitizer stands before, in which `pc` lies then.
#[cold]
pub fn reported(pc: usize) -> Place {
    let (mut nearest, mut caller, mut is_next) = (0, pc, false);
    trace(|frame| {
        let (address, start) = (frame.ip().addr(), frame.symbol_address().addr());
        if address == pc {
            caller = pc;
            return false;
        }
        if is_next {
            caller = address;
        }
        is_next = start <= pc && start > nearest;
        if is_next {
            nearest = start;
        }
        true
    });
    Place {
        return_address: caller,
        frame: 0,
    }
}

/// A function, file and line.
#[derive(Default)]
pub struct Named {
    pub function: String,
    pub file: String,
    pub line: u32,
    pub object: String,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.function.is_empty() {
            "?"
        } else {
            &self.function
        })?;
        if !self.file.is_empty() {
            write!(f, " ({}:{})", self.file, self.line)
        } else if !self.object.is_empty() {
            write!(f, " ({})", self.object)
        } else {
            Ok(())
        }
    }
}

/// What is known of the address of a call: the innermost function first, those that it was inlined into behind it.
pub fn names(return_address: usize) -> Vec<Named> {
    let mut found = Vec::new();
    if return_address == 0 {
        return found;
    }
    // The instruction before is the call, in its own line.
    let call = std::ptr::without_provenance_mut::<c_void>(return_address - 1);
    backtrace::resolve(call, |symbol| {
        found.push(Named {
            function: symbol
                .name()
                .map(|name| format!("{name:#}"))
                .unwrap_or_default(),
            file: symbol
                .filename()
                .map(|file| file.display().to_string())
                .unwrap_or_default(),
            line: symbol.lineno().unwrap_or(0),
            object: String::new(),
        });
    });
    if found.is_empty() {
        found.push(Named::default());
    }
    if let Some(last) = found.last_mut().filter(|last| last.file.is_empty()) {
        last.object = object(return_address - 1);
    }
    found
}

/// The file that an address belongs to, and the offset in it, as addr2line takes them.
fn object(address: usize) -> String {
    // SAFETY: a structure of pointers, for which zeros are a value.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: `dladdr` takes any address and writes `info`.
    let known = unsafe { libc::dladdr(std::ptr::without_provenance(address), &raw mut info) };
    if known == 0 || info.dli_fname.is_null() {
        return format!("{address:#x}");
    }
    // SAFETY: a string of the dynamic linker's, which stays while the file is loaded.
    let file = unsafe { std::ffi::CStr::from_ptr(info.dli_fname) };
    let offset = address.wrapping_sub(info.dli_fbase.addr());
    format!("{}+{offset:#x}", file.to_string_lossy())
}

/// So many calls are shown, the place among them.
pub const DEEPEST: usize = 24;

/// The calls that led to this place, from it outwards: itself alone, if the thread is elsewhere.
pub fn callers(place: Place) -> Vec<usize> {
    let mut found = vec![place.return_address];
    let mut seen = false;
    walk_stack(|address, _| {
        if seen {
            found.push(address);
        }
        // Frames of this library come first.
        seen |= address == place.return_address;
        found.len() < DEEPEST
    });
    found
}
