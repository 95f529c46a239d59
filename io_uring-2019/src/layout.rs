//! Compile-time checks: the offset and size of every field, and the layouts that translation relies on.

use core::mem::{offset_of, size_of};

use uring_core::abi::cqe::io_uring_cqe;
use uring_core::abi::sqe::io_uring_sqe;

use crate::abi::*;
use crate::c_types::*;

macro_rules! layout {
    ($($name:ident $size:literal { $($($field:ident).+ $offset:literal),* $(,)? })*) => {
        $(const _: () = {
            assert!(size_of::<$name>() == $size);
            $(assert!(offset_of!($name, $($field).+) == $offset);)*
        };)*
    };
}

layout! {
    io_uring_iocb 32 {
        opcode 0,
        flags 1,
        ioprio 2,
        fd 4,
        off 8,
        __anon1.addr 16,
        __anon1.__pad 16,
        len 24,
        __anon2.rw_flags 28,
        __anon2.__resv 28,
    }
    io_uring_event 16 {
        index 0,
        res 8,
        flags 12,
    }
    io_sqring_offsets 40 {
        head 0,
        tail 4,
        ring_mask 8,
        ring_entries 12,
        flags 16,
        dropped 20,
        array 24,
        resv 28,
    }
    io_cqring_offsets 40 {
        head 0,
        tail 4,
        ring_mask 8,
        ring_entries 12,
        overflow 16,
        events 20,
        resv 24,
    }
    io_uring_params 112 {
        sq_entries 0,
        cq_entries 4,
        flags 8,
        sq_thread_cpu 12,
        resv 14,
        sq_off 32,
        cq_off 72,
    }
    io_uring_sq 80 {
        khead 0,
        ktail 8,
        kring_mask 16,
        kring_entries 24,
        kflags 32,
        kdropped 40,
        array 48,
        iocbs 56,
        iocb_head 64,
        iocb_tail 68,
        ring_sz 72,
    }
    io_uring_cq 56 {
        khead 0,
        ktail 8,
        kring_mask 16,
        kring_entries 24,
        koverflow 32,
        events 40,
        ring_sz 48,
    }
    io_uring 144 {
        sq 0,
        cq 80,
        ring_fd 136,
    }
}

/// Asserts that two members have the same offset in their structures.
macro_rules! same {
    ($($old:ident.$field:ident $new:ident.$new_field:ident,)*) => {
        $(const _: () = assert!(offset_of!($old, $field) == offset_of!($new, $new_field));)*
    };
}

// An event is not translated: the kernel writes it where the program reads it.
const _: () = assert!(size_of::<io_uring_event>() == size_of::<io_uring_cqe>());
same! {
    io_uring_event.index io_uring_cqe.user_data,
    io_uring_event.res io_uring_cqe.res,
    io_uring_event.flags io_uring_cqe.flags,
    io_uring_iocb.opcode io_uring_sqe.opcode,
    io_uring_iocb.flags io_uring_sqe.flags,
    io_uring_iocb.ioprio io_uring_sqe.ioprio,
    io_uring_iocb.fd io_uring_sqe.fd,
    io_uring_iocb.off io_uring_sqe.__anon1,
    io_uring_iocb.__anon1 io_uring_sqe.__anon2,
    io_uring_iocb.len io_uring_sqe.len,
    io_uring_iocb.__anon2 io_uring_sqe.__anon3,
}
