//! Sizes and offsets of the library's own structures. They hold pointers, so each pointer width has a table.

use core::mem::offset_of;

use super::layout::{field_size, layout};
use super::*;

#[cfg(target_pointer_width = "64")]
layout! {
    io_uring 216 {
        sq 0 104,
        cq 104 88,
        flags 192 4,
        ring_fd 196 4,
        features 200 4,
        enter_ring_fd 204 4,
        int_flags 208 1,
        pad 209 3,
        pad2 212 4,
    }
    io_uring_cq 88 {
        khead 0 8,
        ktail 8 8,
        kring_mask 16 8,
        kring_entries 24 8,
        kflags 32 8,
        koverflow 40 8,
        cqes 48 8,
        ring_sz 56 8,
        ring_ptr 64 8,
        ring_mask 72 4,
        ring_entries 76 4,
        pad 80 8,
    }
    io_uring_cqe_iter 24 {
        cqes 0 8,
        mask 8 4,
        shift 12 4,
        head 16 4,
        tail 20 4,
    }
    io_uring_sq 104 {
        khead 0 8,
        ktail 8 8,
        kring_mask 16 8,
        kring_entries 24 8,
        kflags 32 8,
        kdropped 40 8,
        array 48 8,
        sqes 56 8,
        sqe_head 64 4,
        sqe_tail 68 4,
        ring_sz 72 8,
        ring_ptr 80 8,
        ring_mask 88 4,
        ring_entries 92 4,
        sqes_sz 96 4,
        pad 100 4,
    }
    io_uring_zcrx_rq 40 {
        khead 0 8,
        ktail 8 8,
        rq_tail 16 4,
        ring_entries 20 4,
        rqes 24 8,
        ring_ptr 32 8,
    }
}

#[cfg(target_pointer_width = "32")]
layout! {
    io_uring 140 {
        sq 0 64,
        cq 64 52,
        flags 116 4,
        ring_fd 120 4,
        features 124 4,
        enter_ring_fd 128 4,
        int_flags 132 1,
        pad 133 3,
        pad2 136 4,
    }
    io_uring_cq 52 {
        khead 0 4,
        ktail 4 4,
        kring_mask 8 4,
        kring_entries 12 4,
        kflags 16 4,
        koverflow 20 4,
        cqes 24 4,
        ring_sz 28 4,
        ring_ptr 32 4,
        ring_mask 36 4,
        ring_entries 40 4,
        pad 44 8,
    }
    io_uring_cqe_iter 20 {
        cqes 0 4,
        mask 4 4,
        shift 8 4,
        head 12 4,
        tail 16 4,
    }
    io_uring_sq 64 {
        khead 0 4,
        ktail 4 4,
        kring_mask 8 4,
        kring_entries 12 4,
        kflags 16 4,
        kdropped 20 4,
        array 24 4,
        sqes 28 4,
        sqe_head 32 4,
        sqe_tail 36 4,
        ring_sz 40 4,
        ring_ptr 44 4,
        ring_mask 48 4,
        ring_entries 52 4,
        sqes_sz 56 4,
        pad 60 4,
    }
    io_uring_zcrx_rq 24 {
        khead 0 4,
        ktail 4 4,
        rq_tail 8 4,
        ring_entries 12 4,
        rqes 16 4,
        ring_ptr 20 4,
    }
}
