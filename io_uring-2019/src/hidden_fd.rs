//! Descriptors of this library's own, which stand among the program's.
//!
//! A program that closes descriptors which are not its own may have closed one of these and opened something else. So
//! each is kept with the file that it leads to.

use core::ffi::c_int;

use uring_core::errno::Result;
use uring_core::kernel::{Kernel, Native};

use crate::sys::files::{self, Identity};

/// They are not below that if possible: programs expect the low ones for themselves.
const HIGH: c_int = 512;

/// A descriptor of this library's own. All zeros is none, as no file has the number 0.
#[derive(Clone, Copy)]
pub struct HiddenFd {
    number: c_int,
    file: Identity,
}

impl HiddenFd {
    /// None.
    pub const NONE: HiddenFd = HiddenFd {
        number: 0,
        file: Identity::NONE,
    };

    /// The descriptor `number`.
    pub fn new(number: c_int) -> Result<HiddenFd> {
        Ok(HiddenFd {
            number,
            file: files::identity(number)?,
        })
    }

    /// The number, whatever it leads to.
    pub fn number(&self) -> c_int {
        self.number
    }

    /// Moves it out of the program's way, where the limit allows that.
    pub fn moved_high(self) -> HiddenFd {
        self.moved(HIGH)
    }

    /// Moves it to another number, which is not below `lowest`, if there is one.
    pub fn moved(self, lowest: c_int) -> HiddenFd {
        match files::duplicate(self.number, lowest) {
            Ok(number) => {
                let _ = Native::close(self.number);
                HiddenFd { number, ..self }
            }
            Err(_) => self,
        }
    }

    /// The descriptor, or none if that is not there any more.
    pub fn get(&self) -> Option<c_int> {
        (self.is_some() && files::identity(self.number) == Ok(self.file)).then_some(self.number)
    }

    /// Whether there was one.
    pub fn is_some(&self) -> bool {
        self.file != Identity::NONE
    }

    /// Closes it. What is written down stays: after vfork(2) that is the parent's.
    pub fn close(&self) {
        if let Some(number) = self.get() {
            let _ = Native::close(number);
        }
    }
}
