//! The `io_uring_register_*` family, one topic a file.

pub mod access;
pub mod buf_ring;
pub mod buffers;
pub mod cancel;
pub mod eventfd;
pub mod files;
pub mod napi;
pub mod query;
pub mod resize;
pub mod ring_fd;
pub mod wait;
pub mod workers;
pub mod zcrx;
