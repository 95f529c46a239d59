//! Registered files and buffers.

use core::ffi::c_int;

use super::types::*;

/// Files to put into the file table; `struct io_uring_rsrc_update` replaces it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_files_update {
    /// The first slot.
    pub offset: __u32,
    /// Zero.
    pub resv: __u32,
    /// Address of the descriptors, 32 bits each.
    pub fds: __aligned_u64,
}

/// Register empty slots, to be filled later. Since 5.19.
pub const IORING_RSRC_REGISTER_SPARSE: u32 = 1u32 << 0;

/// Files or buffers to register, with tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_rsrc_register {
    /// How many.
    pub nr: __u32,
    /// `IORING_RSRC_REGISTER_SPARSE` or 0.
    pub flags: __u32,
    /// Zero.
    pub resv2: __u64,
    /// Address of the descriptors or iovecs.
    pub data: __aligned_u64,
    /// Address of as many 64-bit tags, or 0.
    pub tags: __aligned_u64,
}

/// Files, buffers or rings to put into a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_rsrc_update {
    /// The first slot.
    pub offset: __u32,
    /// Zero.
    pub resv: __u32,
    /// Address of the descriptors or iovecs; for a ring, its descriptor itself.
    pub data: __aligned_u64,
}

/// Files or buffers to put into a table, with tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_rsrc_update2 {
    /// The first slot.
    pub offset: __u32,
    /// Zero.
    pub resv: __u32,
    /// Address of the descriptors or iovecs.
    pub data: __aligned_u64,
    /// Address of as many 64-bit tags, or 0.
    pub tags: __aligned_u64,
    /// How many.
    pub nr: __u32,
    /// Zero.
    pub resv2: __u32,
}

/// In place of a descriptor to register: leave the slot as it is. Since 5.12.
pub const IORING_REGISTER_FILES_SKIP: c_int = -2;

/// Flags of cloning buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum __anon_clone_buffers_flags {
    /// `src_fd` is the index of a registered ring. Since 6.12.
    IORING_REGISTER_SRC_REGISTERED = 1 << 0,
    /// Replace buffers that the receiving ring has. Since 6.13.
    IORING_REGISTER_DST_REPLACE = 1 << 1,
}
pub use __anon_clone_buffers_flags::*;

/// Which buffers of another ring to share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_clone_buffers {
    /// The ring that has the buffers.
    pub src_fd: __u32,
    /// `IORING_REGISTER_SRC_REGISTERED`, `IORING_REGISTER_DST_REPLACE`.
    pub flags: __u32,
    /// First slot there. Since 6.13.
    pub src_off: __u32,
    /// First slot here. Since 6.13.
    pub dst_off: __u32,
    /// How many; 0 is all. Since 6.13.
    pub nr: __u32,
    /// Zero.
    pub pad: [__u32; 3],
}
