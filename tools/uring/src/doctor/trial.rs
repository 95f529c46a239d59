//! What doctor tries out: the three system calls, a ring, requests, workers.

use serde::Serialize;
use uring_core::abi::{
    IORING_OP_NOP, IORING_SETUP_SQPOLL, IOSQE_ASYNC, io_uring_params, io_uring_sqe,
};

use crate::sys::calls::{self, Answer, patiently};
use crate::sys::child::{self, Ended};
use crate::sys::ring::Ring;

/// SQEs of a ring as programs commonly ask for.
pub const COMMON_ENTRIES: u32 = 1024;
const SMALL_ENTRIES: u32 = 8;
const FIRST_CALL: usize = 0;

/// How everything ended that was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// `io_uring_setup`, `io_uring_enter`, `io_uring_register` without a ring.
    pub calls: [Answer; 3],
    /// A small ring.
    pub ring: Answer,
    /// A ring with as many entries as programs commonly ask for.
    pub common_ring: Answer,
    /// A ring with a submission thread.
    pub sqpoll: Answer,
    /// A request that does nothing.
    pub request: Answer,
    /// The same, by a worker.
    pub worker: Answer,
    /// Why no child process could be made to try it in.
    pub fork: Answer,
}

impl Trial {
    /// Where to note the answer of the step that the child was at when it ended.
    fn step(&mut self, number: usize) -> &mut Answer {
        match number {
            0..3 => &mut self.calls[number],
            3 => &mut self.ring,
            4 => &mut self.common_ring,
            5 => &mut self.sqpoll,
            6 => &mut self.request,
            _ => &mut self.worker,
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Progress {
    trial: Trial,
    at: usize,
}

const STEPS: [fn() -> Answer; 8] = [
    calls::setup_nothing,
    calls::enter_nothing,
    calls::register_nothing,
    // Rings that others of the user have closed count to the limit on locked memory for a moment.
    || patiently(|| ring(SMALL_ENTRIES, 0)),
    || patiently(|| ring(COMMON_ENTRIES, 0)),
    || ring(SMALL_ENTRIES, IORING_SETUP_SQPOLL),
    || request(0),
    || request(IOSQE_ASYNC),
];

/// Tries all of it. `before` puts the child into the situation to look at.
///
/// `filtered` says that this process has a filter, which may kill it, so that nothing is tried in it.
pub fn run(filtered: bool, before: impl Fn()) -> Trial {
    let first = child::run(|progress: &mut Progress| {
        before();
        for (number, step) in STEPS.iter().enumerate() {
            progress.at = number;
            *progress.trial.step(number) = step();
        }
    });
    match first {
        Ok((progress, ended)) => {
            let mut trial = progress.trial;
            match ended {
                Ended::Well => {}
                Ended::Killed(signal) => {
                    *trial.step(progress.at) = Answer::Killed(signal);
                    others(&mut trial, progress.at, signal);
                }
                Ended::Hung => *trial.step(progress.at) = Answer::Hung,
            }
            trial
        }
        Err(error) => {
            let mut trial = Trial {
                fork: Answer::Refused(error as i32),
                ..Trial::default()
            };
            if !filtered {
                for (number, step) in STEPS.iter().enumerate() {
                    *trial.step(number) = step();
                }
            }
            trial
        }
    }
}

/// The child died in its first call: asks whether the other two are deadly as well.
fn others(trial: &mut Trial, at: usize, signal: i32) {
    if at != FIRST_CALL {
        return;
    }
    for (call, step) in trial.calls.iter_mut().zip(STEPS).skip(1) {
        *call = match child::run(|answer: &mut Answer| *answer = step()) {
            Ok((_, Ended::Killed(_))) => Answer::Killed(signal),
            Ok((answer, _)) => answer,
            Err(error) => Answer::Refused(error as i32),
        };
    }
}

/// Asks once more for a worker and a submission thread, in this process.
pub fn threads_again(trial: &mut Trial) {
    trial.worker = patiently(|| request(IOSQE_ASYNC));
    trial.sqpoll = patiently(|| ring(SMALL_ENTRIES, IORING_SETUP_SQPOLL));
}

fn ring(entries: u32, flags: u32) -> Answer {
    calls::setup(
        entries,
        &mut io_uring_params {
            flags,
            ..io_uring_params::default()
        },
    )
}

/// What became of a request that does nothing.
fn request(flags: u32) -> Answer {
    let nop = |sqe: &mut io_uring_sqe| {
        sqe.opcode = IORING_OP_NOP as u8;
        sqe.flags = flags as u8;
    };
    let answer = Ring::new(1, 0).and_then(|mut ring| {
        ring.push(nop);
        // SAFETY: the request names no memory.
        unsafe { ring.submit(1) }?;
        ring.wait()
    });
    match answer {
        Ok(cqe) if cqe.res < 0 => Answer::Refused(-cqe.res),
        Ok(cqe) => Answer::Gave(cqe.res),
        Err(number) => Answer::Refused(number),
    }
}
