//! What the commands ask of the system.

pub mod calls;
pub mod child;
pub mod errno;
pub mod filter;
pub mod proc;
pub mod ring;

use calls::Answer;

/// Whether a ring can be made here; tried in a child process, for a filter may end it.
///
/// # Errors
///
/// A line that leads to `uring doctor`.
pub fn available() -> Result<(), crate::outcome::Failure> {
    let tried = child::run(|answer: &mut Answer| {
        *answer = calls::setup(1, &mut uring_core::abi::io_uring_params::default());
    });
    let answer = match tried {
        Ok((Answer::Gave(_), _)) => return Ok(()),
        Ok((Answer::NotMade, child::Ended::Killed(signal))) => Answer::Killed(signal),
        Ok((answer, _)) => answer,
        Err(error) => Answer::Refused(error as i32),
    };
    let text = format!("no ring can be made here ({answer}): uring doctor says why and what to do");
    Err(crate::outcome::Failure {
        text,
        exit: crate::outcome::Exit::Absent,
    })
}
