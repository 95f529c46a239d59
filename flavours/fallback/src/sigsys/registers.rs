//! A stopped system call's arguments and result, in the registers that a signal handler gets.

use std::ffi::c_ulong;

/// The registers of a stopped thread.
pub struct Registers(*mut libc::ucontext_t);

/// Where the arguments are, the result is put, and how both are reached.
#[cfg(target_arch = "x86_64")]
mod place {
    pub const ARGUMENTS: [usize; 6] = [
        libc::REG_RDI as usize,
        libc::REG_RSI as usize,
        libc::REG_RDX as usize,
        libc::REG_R10 as usize,
        libc::REG_R8 as usize,
        libc::REG_R9 as usize,
    ];
    pub const RESULT: usize = libc::REG_RAX as usize;
}
#[cfg(target_arch = "aarch64")]
mod place {
    pub const ARGUMENTS: [usize; 6] = [0, 1, 2, 3, 4, 5];
    pub const RESULT: usize = 0;
}
#[cfg(target_arch = "riscv64")]
mod place {
    pub const ARGUMENTS: [usize; 6] = [10, 11, 12, 13, 14, 15];
    pub const RESULT: usize = 10;
}

impl Registers {
    /// # Safety
    ///
    /// `context` must be what the kernel passes to a signal handler, and that must not return before this goes.
    pub unsafe fn new(context: *mut libc::ucontext_t) -> Registers {
        Registers(context)
    }

    fn first(&self) -> *mut c_ulong {
        // SAFETY: the structure is there, says `new`.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            return (&raw mut (*self.0).uc_mcontext.gregs).cast();
            #[cfg(target_arch = "aarch64")]
            return (&raw mut (*self.0).uc_mcontext.regs).cast();
            #[cfg(target_arch = "riscv64")]
            return (&raw mut (*self.0).uc_mcontext.__gregs).cast();
        }
    }

    pub fn arguments(&self) -> [usize; 6] {
        // SAFETY: numbers of registers that the structure has.
        place::ARGUMENTS.map(|register| unsafe { self.first().add(register).read() } as usize)
    }

    pub fn set_result(&self, result: isize) {
        // SAFETY: as above.
        unsafe { self.first().add(place::RESULT).write(result as c_ulong) };
    }
}
