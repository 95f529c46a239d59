//! Calls C code that was compiled against the headers of the package liburing-core.

use uring_core::abi::op::IORING_OP_READ;

unsafe extern "C" {
    safe fn opcode_of_read() -> u32;
}

fn main() {
    assert_eq!(opcode_of_read(), IORING_OP_READ as u32);
}
