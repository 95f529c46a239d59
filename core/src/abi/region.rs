//! Memory that a ring shares with the kernel.

use super::types::*;

/// Flags of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum __anon_region_flags {
    /// The memory is the application's, at `user_addr`. Since 6.13.
    IORING_MEM_REGION_TYPE_USER = 1,
}
pub use __anon_region_flags::*;

/// A region of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_region_desc {
    /// Its address, aligned to a page, with `IORING_MEM_REGION_TYPE_USER`.
    pub user_addr: __u64,
    /// Its length in bytes, a multiple of the page size.
    pub size: __u64,
    /// `IORING_MEM_REGION_TYPE_USER` or 0.
    pub flags: __u32,
    /// Zero.
    pub id: __u32,
    /// Out: where to map a region that the kernel allocated.
    pub mmap_offset: __u64,
    /// Zero.
    pub __resv: [__u64; 4],
}

/// Flags of registering a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum __anon_region_reg_flags {
    /// The region holds wait arguments, for `IORING_ENTER_EXT_ARG_REG`. Since 6.13.
    IORING_MEM_REGION_REG_WAIT_ARG = 1,
}
pub use __anon_region_reg_flags::*;

/// A region to register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_mem_region_reg {
    /// Address of a `struct io_uring_region_desc`.
    pub region_uptr: __u64,
    /// `IORING_MEM_REGION_REG_WAIT_ARG` or 0.
    pub flags: __u64,
    /// Zero.
    pub __resv: [__u64; 2],
}
