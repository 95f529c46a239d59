//! System call numbers of architectures younger than the kernel's common table.

pub const CLOSE: usize = 57;
pub const GETTID: usize = 178;
pub const MUNMAP: usize = 215;
pub const MMAP: usize = 222;
pub const MADVISE: usize = 233;
pub const PRLIMIT64: usize = 261;
pub const IO_URING_SETUP: usize = 425;
pub const IO_URING_ENTER: usize = 426;
pub const IO_URING_REGISTER: usize = 427;
