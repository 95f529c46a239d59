//! This library's own descriptors, among those of the program.
//!
//! A program may close a descriptor that it does not own, and open something else by that number. So each is kept with
//! the file it leads to.

use core::ffi::c_int;

use uring_core::errno::Result;

use crate::sys::files::{self, Identity};

/// Own descriptors are not below this number where the limit allows. Programs expect the low numbers for themselves.
const HIGH: c_int = 512;

/// A descriptor of this library. All zeros means none, as no file has the number 0.
#[derive(Clone, Copy)]
pub struct HiddenFd {
    number: c_int,
    file: Identity,
}

impl HiddenFd {
    /// No descriptor.
    pub const NONE: HiddenFd = HiddenFd {
        number: 0,
        file: Identity::NONE,
    };

    /// The descriptor `number`, which is open.
    pub fn new(number: c_int) -> Result<HiddenFd> {
        Ok(HiddenFd {
            number,
            file: files::identity(number)?,
        })
    }

    /// The number, which may lead to something else by now.
    pub fn number(&self) -> c_int {
        self.number
    }

    /// Moves it above the program's descriptors, where the limit allows.
    pub fn moved_high(self) -> HiddenFd {
        self.moved(HIGH)
    }

    /// Moves it to another number from `lowest` on, if one is free.
    pub fn moved(self, lowest: c_int) -> HiddenFd {
        match files::duplicate(self.number, lowest) {
            Ok(number) => {
                files::close(self.number);
                HiddenFd { number, ..self }
            }
            Err(_) => self,
        }
    }

    /// The descriptor, or None if its number leads to something else by now.
    pub fn get(&self) -> Option<c_int> {
        (self.is_some() && files::identity(self.number) == Ok(self.file)).then_some(self.number)
    }

    /// Whether there was a descriptor.
    pub fn is_some(&self) -> bool {
        self.file != Identity::NONE
    }

    /// Closes it. The value stays as it is: after vfork(2) it is the parent's.
    pub fn close(&self) {
        if let Some(number) = self.get() {
            files::close(number);
        }
    }
}
