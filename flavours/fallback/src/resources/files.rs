//! Registered files: duplicates of descriptors, which the program need not keep open.

use std::ffi::c_int;
use std::sync::Arc;

use super::tag::Tag;
use crate::sys::{self, sys};

/// A registered file.
pub struct FixedFile {
    pub fd: c_int,
    /// With which flags it is open.
    pub flags: c_int,
    /// `S_IFMT` of its mode.
    pub kind: c_int,
    pub tag: Tag,
}

impl Drop for FixedFile {
    fn drop(&mut self) {
        sys::close(self.fd);
    }
}

impl FixedFile {
    fn new(fd: c_int, tag: Tag) -> Arc<FixedFile> {
        let (flags, kind) = (sys::open_flags(fd), sys::file_type(fd));
        Arc::new(FixedFile {
            fd,
            flags,
            kind,
            tag,
        })
    }

    /// Takes a descriptor over. Its number stays: closing the old one of two would drop the process's locks on the file.
    pub fn owned(fd: c_int, tag: Tag) -> Arc<FixedFile> {
        // SAFETY: no memory is named. A registered file is not for a program that this one becomes.
        unsafe { sys!(SYS_fcntl, fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        FixedFile::new(fd, tag)
    }

    /// A duplicate of a descriptor.
    pub fn copy(fd: c_int, mut tag: Tag) -> Result<Arc<FixedFile>, c_int> {
        let copy = sys::duplicate(fd, sys::APART);
        if copy < 0 {
            tag.cancel();
            return Err(copy);
        }
        let made = FixedFile::new(copy, tag);
        if made.flags & libc::O_PATH != 0 {
            return Err(-libc::EBADF);
        }
        Ok(made)
    }
}

/// The table of registered files.
pub struct FileTable {
    pub slots: Vec<Option<Arc<FixedFile>>>,
    /// The slots from which free ones are chosen.
    pub first: u32,
    pub last: u32,
}

impl FileTable {
    pub fn new(nr: u32) -> FileTable {
        let slots = std::iter::repeat_with(|| None).take(nr as usize).collect();
        FileTable {
            slots,
            first: 0,
            last: nr,
        }
    }

    pub fn get(&self, slot: u32) -> Option<Arc<FixedFile>> {
        self.slots.get(slot as usize)?.clone()
    }

    /// A slot that holds nothing.
    pub fn free(&self) -> Option<u32> {
        (self.first..self.last)
            .find(|slot| self.slots.get(*slot as usize).is_some_and(Option::is_none))
    }
}
