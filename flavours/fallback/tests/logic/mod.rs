//! The logic on a simulated kernel: as a program sees it, or a module by itself. No thread and no system call, so that Miri
//! can look for undefined behaviour.
//!
//! | module | holds |
//! | --- | --- |
//! | [`kernel`] | the simulated kernel |
//! | [`program`] | a program with a ring |
//! | the others | tests, a file for each topic |

pub mod kernel;
mod program;

mod arguments;
mod cancel;
mod chains;
mod completions;
mod files;
mod groups;
mod memory;
mod pending;
mod submission;
mod timers;

use proptest::test_runner::Config;

/// How many random sequences are tried.
fn cases(natively: u32) -> Config {
    Config {
        cases: if cfg!(miri) { 2 } else { natively },
        failure_persistence: None,
        // Each step of it takes as long as a case.
        max_shrink_iters: if cfg!(miri) { 8 } else { 4096 },
        ..Config::default()
    }
}
