//! The filter: which system calls become signals.
//!
//! * io_uring's three.
//! * `mmap` as programs map rings: shared, populated, of a file, at one of the rings' offsets. All of these together are
//!   rare: what has the filter and not the library, as some child may, ends at such a call.
//! * `munmap` of what lies where rings are mapped.
//!
//! Calls that carry the library's mark pass, and so do all others. For these the kernel does not even run the filter from
//! Linux 5.11 on.

use std::ffi::{c_int, c_long, c_uint};

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_JSET, BPF_K, BPF_LD,
    BPF_RET, BPF_W, sock_filter,
};
use uring_core::abi::{IORING_OFF_CQ_RING, IORING_OFF_PBUF_RING, IORING_OFF_SQES};

use super::unseen::WINDOW;
use crate::real::MARK;
use crate::register::region;
use crate::sys::sys;

/// What the signal says of the filter it comes from.
pub const TAG: c_int = 0x7269;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const TRAP: u32 = libc::SECCOMP_RET_TRAP | TAG as u32;

const ARCHITECTURE: u32 = if cfg!(target_arch = "x86_64") {
    0xc000_003e
} else if cfg!(target_arch = "aarch64") {
    0xc000_00b7
} else {
    // RISC-V, 64 bits.
    0xc000_00f3
};

/// Where `struct seccomp_data` has them.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const fn low(argument: u32) -> u32 {
    16 + 8 * argument
}
const fn high(argument: u32) -> u32 {
    low(argument) + 4
}

struct Program(Vec<sock_filter>);

impl Program {
    fn add(&mut self, code: c_uint, k: u32, if_true: u8, if_false: u8) {
        self.0.push(sock_filter {
            code: code as u16,
            jt: if_true,
            jf: if_false,
            k,
        });
    }

    fn load(&mut self, offset: u32) {
        self.add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
    }

    fn answer(&mut self, answer: u32) {
        self.add(BPF_RET | BPF_K, answer, 0, 0);
    }

    /// Answers if what was loaded compares to the value so.
    fn answer_if(&mut self, comparison: c_uint, value: u32, answer: u32) {
        self.add(BPF_JMP | comparison | BPF_K, value, 0, 1);
        self.answer(answer);
    }

    /// Answers unless it does.
    fn answer_unless(&mut self, comparison: c_uint, value: u32, answer: u32) {
        self.add(BPF_JMP | comparison | BPF_K, value, 1, 0);
        self.answer(answer);
    }

    /// What is for one call alone, and ends with an answer.
    fn for_call(&mut self, number: c_long, fill: impl FnOnce(&mut Program)) {
        let at = self.0.len();
        self.add(BPF_JMP | BPF_JEQ | BPF_K, number as u32, 0, 0);
        fill(self);
        let length = self.0.len() - at - 1;
        self.0[at].jf = length as u8;
    }
}

/// The filter's program.
fn program() -> Vec<sock_filter> {
    let mut program = Program(Vec::new());
    program.load(ARCH);
    program.answer_unless(BPF_JEQ, ARCHITECTURE, ALLOW);
    program.load(NUMBER);
    program.for_call(libc::SYS_mmap, |program| {
        const LIKE_A_RING: u32 = (libc::MAP_SHARED | libc::MAP_POPULATE) as u32;
        program.load(low(3));
        let kinds = LIKE_A_RING | libc::MAP_ANONYMOUS as u32;
        program.add(BPF_ALU | BPF_AND | BPF_K, kinds, 0, 0);
        program.answer_unless(BPF_JEQ, LIKE_A_RING, ALLOW);
        program.load(high(4));
        program.answer_if(BPF_JEQ, MARK, ALLOW);
        program.load(high(5));
        program.answer_unless(BPF_JEQ, 0, ALLOW);
        program.load(low(5));
        for offset in [0, IORING_OFF_CQ_RING, IORING_OFF_SQES, region::OFFSET] {
            program.answer_if(BPF_JEQ, offset as u32, TRAP);
        }
        // A buffer ring's offset holds the number of its group in the bits from 16 on.
        program.answer_unless(BPF_JGE, IORING_OFF_PBUF_RING as u32, ALLOW);
        program.answer_if(BPF_JSET, 0xffff, ALLOW);
        program.answer(TRAP);
    });
    program.for_call(libc::SYS_munmap, |program| {
        program.load(high(0));
        program.answer_unless(BPF_JEQ, WINDOW, ALLOW);
        program.load(high(2));
        program.answer_if(BPF_JEQ, MARK, ALLOW);
        program.answer(TRAP);
    });
    program.answer_unless(BPF_JGE, libc::SYS_io_uring_setup as u32, ALLOW);
    program.answer_if(BPF_JGT, libc::SYS_io_uring_register as u32, ALLOW);
    program.load(high(0));
    program.answer_if(BPF_JEQ, MARK, ALLOW);
    program.answer(TRAP);
    program.0
}

/// Installs the filter for all threads. `Err`: why not, as an error number; no thread has it then.
pub fn install() -> Result<(), c_int> {
    let mut code = program();
    let filter = libc::sock_fprog {
        len: code.len() as u16,
        filter: code.as_mut_ptr(),
    };
    // Without the second flag old kernels slow the whole process down against speculation.
    let flags = libc::SECCOMP_FILTER_FLAG_TSYNC | libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    let attempt = || {
        // SAFETY: the program and its length, which the kernel copies.
        let ret = unsafe {
            sys!(
                SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const filter
            )
        };
        match ret {
            0 => Ok(()),
            // A thread's number: it has a filter that others have not.
            1.. => Err(libc::ESRCH),
            error => Err(-error as c_int),
        }
    };
    match attempt() {
        // Only privileged programs may do without: their children can still gain privileges.
        Err(libc::EACCES) => {
            // SAFETY: a flag of the process.
            unsafe { sys!(SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
            attempt()
        }
        done => done,
    }
}
