//! Error numbers as the kernel returns them.

use core::ffi::c_int;

/// An error number in the kernel's form: negative, between -4095 and -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Errno(c_int);

/// The result of a call, or its error: the kernel's, or the library's own before it enters the kernel.
pub type Result<T> = core::result::Result<T, Errno>;

impl Errno {
    /// The negative number that a C caller gets.
    #[inline]
    pub const fn as_ret(self) -> c_int {
        self.0
    }

    /// Splits a system call's return value: a negative value is an error, any other a result.
    #[inline]
    pub const fn check(ret: c_int) -> Result<c_int> {
        if ret < 0 { Err(Errno(ret)) } else { Ok(ret) }
    }
}

/// What a call returned, in the one form that the kernel and C have for it: a number, or a negative error number.
///
/// It fits into a register, and it is made and passed on without a test. A caller that goes on only after success asks
/// [`Ret::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[repr(transparent)]
pub struct Ret(c_int);

impl Ret {
    /// Success without a number.
    pub const DONE: Ret = Ret(0);

    /// What a system call returned, or a number of the library's own.
    #[inline(always)]
    pub const fn from_c(ret: c_int) -> Ret {
        Ret(ret)
    }

    /// What C gets.
    #[inline(always)]
    pub const fn as_c(self) -> c_int {
        self.0
    }

    /// The number, or the error.
    #[inline(always)]
    pub const fn check(self) -> Result<c_int> {
        Errno::check(self.0)
    }

    /// Whether it is an error.
    #[inline(always)]
    pub const fn is_err(self) -> bool {
        self.0 < 0
    }

    /// Whether it is the error `errno`.
    #[inline(always)]
    pub const fn is(self, errno: Errno) -> bool {
        self.0 == errno.0
    }
}

impl From<Errno> for Ret {
    #[inline(always)]
    fn from(errno: Errno) -> Ret {
        Ret(errno.0)
    }
}

impl From<Result<c_int>> for Ret {
    #[inline(always)]
    fn from(result: Result<c_int>) -> Ret {
        match result {
            Ok(value) => Ret(value),
            Err(errno) => Ret(errno.0),
        }
    }
}

impl From<Result<()>> for Ret {
    #[inline(always)]
    fn from(result: Result<()>) -> Ret {
        match result {
            Ok(()) => Ret::DONE,
            Err(errno) => Ret(errno.0),
        }
    }
}

macro_rules! errnos {
    ($($name:ident = $number:expr;)*) => {
        #[allow(missing_docs, reason = "the names are errno(3)'s")]
        impl Errno {
            $(pub const $name: Errno = Errno(-$number);)*
        }
    };
}

/// An error number that differs on MIPS and SPARC.
const fn unless(common: c_int, mips: c_int, sparc: c_int) -> c_int {
    if cfg!(any(target_arch = "mips", target_arch = "mips64")) {
        mips
    } else if cfg!(target_arch = "sparc64") {
        sparc
    } else {
        common
    }
}

errnos! {
    EPERM = 1;
    ESRCH = 3;
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
    ENOSYS = unless(38, 89, 90);
    ETIME = unless(62, 62, 73);
    EOVERFLOW = unless(75, 79, 92);
    EOPNOTSUPP = unless(95, 122, 45);
}
