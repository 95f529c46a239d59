//! A signal ends every wait, although the kernel hides it behind the number of requests that it took.

use super::*;

/// A ring with one request to submit, on a kernel where a signal comes in each wait.
fn interrupted(setup: u32) -> Ring {
    let mut ring = Ring::new(Config::NEW, setup);
    sim::configure(|config| {
        config.interrupt = true;
        config.hold_back = true;
    });
    assert!(ring.take(1, 10));
    ring
}

const NOBODY: Option<(u64, i32)> = None;

fn submit_and_wait(ring: &mut Ring, nr: u32, limits: Limits) -> (Result<i32>, Option<(u64, i32)>) {
    ring.wait(|ring, cqe| wait::submit_and_wait_timeout(ring, cqe, nr, limits))
}

#[test]
fn the_call_tells_what_it_submitted_and_does_not_wait_again() {
    for setup in [0, IORING_SETUP_SQPOLL] {
        for limits in [FOR_EVER, within(&SECOND)] {
            let mut ring = interrupted(setup);
            assert_eq!(submit_and_wait(&mut ring, 1, limits), (Ok(1), NOBODY));
            assert_eq!(enters().len(), 1);
            sim::run_sq_thread(ring.fd());
            assert_eq!(
                submit_and_wait(&mut ring, 1, limits),
                (Err(Errno::EINTR), NOBODY)
            );
            assert_eq!(enters().len(), 1);
        }
    }
}

#[test]
fn some_completions_are_not_waited_upon() {
    let mut ring = interrupted(0);
    sim::configure(|config| config.hold_back = false);
    // The kernel does not even tell of the signal then.
    assert_eq!(
        submit_and_wait(&mut ring, 3, FOR_EVER),
        (Ok(1), Some((1, 10)))
    );
    assert_eq!(enters().len(), 1);
    assert_eq!(ring.get(Batch::EMPTY, 3), (Ok(0), Some((1, 10))));
    assert_eq!(enters().len(), 1);
}

#[test]
fn all_is_submitted_before_the_wait_counts() {
    let mut ring = interrupted(0);
    sim::configure(|config| config.submit_limit = 1);
    assert!(ring.take(2, 20));
    assert_eq!(submit_and_wait(&mut ring, 1, FOR_EVER), (Ok(1), NOBODY));
    assert_eq!(
        enters().iter().map(|call| call.0).collect::<Vec<_>>(),
        [2, 1]
    );
}

#[test]
fn a_polled_ring_is_asked_until_something_is_there() {
    let mut ring = Ring::new(Config::NEW, IORING_SETUP_IOPOLL);
    sim::configure(|config| {
        config.hold_back = true;
        config.polls_in_vain = 5;
    });
    assert!(ring.take(1, 10));
    assert_eq!(
        submit_and_wait(&mut ring, 1, FOR_EVER),
        (Ok(1), Some((1, 10)))
    );
    assert_eq!(enters().len(), 6);
    ring.advance(1);

    // There a signal may not show at all, so it does not go on for ever.
    assert_eq!(ring.get(Batch::EMPTY, 1), (Err(Errno::EINTR), NOBODY));
    sim::configure(|config| config.polls_in_vain = u32::MAX);
    assert!(ring.take(2, 20));
    assert_eq!(submit_and_wait(&mut ring, 1, FOR_EVER), (Ok(1), NOBODY));
}

#[test]
fn a_minimum_alone_is_a_limit_as_well() {
    let mut ring = Ring::new(Config::NEW, 0);
    assert!(ring.take(1, 10));
    let limits = Limits {
        min_wait_usec: 50,
        ..FOR_EVER
    };
    let ext = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    let waited = ring.wait(|ring, cqe| wait::submit_and_wait_min_timeout(ring, cqe, 3, limits));
    assert_eq!(waited.0, Ok(1));
    assert_eq!(enters(), [(1, 3, ext)]);
    let waited = ring.wait(|ring, cqe| wait::wait_cqes_min_timeout(ring.cq(), cqe, 3, limits));
    assert_eq!(waited.0, Ok(0));
    assert_eq!(enters(), [(0, 3, ext)]);
}
