//! Error numbers as the kernel returns them.

use core::ffi::c_int;

/// An error number in the kernel's form: negative, between -4095 and -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Errno(c_int);

/// What a call yields, or the error the kernel (or the library, before asking it) gave.
pub type Result<T> = core::result::Result<T, Errno>;

impl Errno {
    /// The negative number that a C caller gets.
    #[inline]
    pub const fn as_ret(self) -> c_int {
        self.0
    }

    /// Splits a system call's return value: negative is an error, all else a result.
    #[inline]
    pub const fn check(ret: c_int) -> Result<c_int> {
        if ret < 0 { Err(Errno(ret)) } else { Ok(ret) }
    }

    const fn new(positive: c_int) -> Errno {
        Errno(-positive)
    }
}

/// The C return value of a result: the value itself, or the negative error number.
#[inline]
pub const fn to_ret(result: Result<c_int>) -> c_int {
    match result {
        Ok(value) => value,
        Err(errno) => errno.as_ret(),
    }
}

macro_rules! errnos {
    ($($name:ident = $number:literal;)*) => {
        // Architectures without native calls may number errors differently; libc knows.
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
        #[allow(missing_docs, reason = "the names are errno(3)'s")]
        impl Errno {
            $(pub const $name: Errno = Errno::new($number);)*
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
        #[allow(missing_docs, reason = "the names are errno(3)'s")]
        impl Errno {
            $(pub const $name: Errno = Errno::new(libc::$name);)*
        }
    };
}

errnos! {
    EPERM = 1;
    EINTR = 4;
    EBADF = 9;
    EAGAIN = 11;
    ENOMEM = 12;
    EFAULT = 14;
    EBUSY = 16;
    EEXIST = 17;
    EINVAL = 22;
    ENFILE = 23;
    EMFILE = 24;
    EFBIG = 27;
    ESPIPE = 29;
    ENOSYS = 38;
    ETIME = 62;
    EOVERFLOW = 75;
    EOPNOTSUPP = 95;
}
