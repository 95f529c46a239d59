//! Rings of which the kernel takes each batch from the first slot on.

use super::*;

fn ring() -> Ring {
    Ring::new(Config::NEW, IORING_SETUP_SQ_REWIND)
}

#[test]
fn each_batch_starts_anew() {
    let mut ring = ring();
    for n in 0..3 {
        assert!(ring.take(n, 1) && ring.take(10 + n, 2));
        assert_eq!(ring.submit(), Ok(2));
        assert_eq!(ring.0.sq.sqe_tail, 0);
        assert_eq!(ring.batch(4), [n, 10 + n]);
        ring.advance(2);
    }
}

#[test]
fn what_the_kernel_refuses_is_still_there() {
    let mut ring = ring();
    assert!(ring.take(1, 10));
    for way in 0..3 {
        sim::fail_after(0, Errno::EBUSY);
        let (refused, _) = ring.wait(|ring, cqe| match way {
            0 => wait::submit_and_wait_timeout(ring, cqe, 1, FOR_EVER),
            1 => wait::submit_and_wait_timeout(ring, cqe, 1, within(&SECOND)),
            _ => {
                cqe.set(ptr::null_mut());
                submit::submit(ring.sq(), 0, false)
            }
        });
        assert_eq!(refused, Err(Errno::EBUSY));
        assert_eq!(ring.0.sq.sqe_tail, 1);
    }
    assert_eq!(ring.submit(), Ok(1));
    assert_eq!(ring.batch(4), [1]);
}

#[test]
fn what_the_kernel_leaves_goes_first() {
    for wide in [0, IORING_SETUP_SQE128] {
        let mut ring = Ring::new(Config::NEW, IORING_SETUP_SQ_REWIND | wide);
        sim::configure(|config| config.submit_limit = 2);
        for n in 0..3 {
            assert!(ring.take(n, 1));
        }
        assert_eq!(ring.submit(), Ok(2));
        assert!(ring.take(3, 1));
        assert_eq!(ring.submit(), Ok(2));
        assert_eq!(ring.submit(), Ok(0));
        assert_eq!(ring.batch(8), [0, 1, 2, 3]);
        ring.advance(4);

        // A wait goes on until all is submitted.
        for n in 0..3 {
            assert!(ring.take(n, 1));
        }
        sim::configure(|config| config.hold_back = true);
        let waited = ring.wait(|ring, cqe| wait::submit_and_wait_timeout(ring, cqe, 3, FOR_EVER));
        assert_eq!(waited.0, Ok(2));
        let mut seen = ring.batch(8);
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2]);
        ring.advance(3);
        assert_eq!(ring.0.sq.sqe_tail, 0);
    }
}

#[test]
fn what_was_taken_before_a_wait_is_still_there() {
    let mut ring = Ring::new(Config::NEW, IORING_SETUP_SQ_REWIND);
    for n in 0..9 {
        sim::post(ring.fd(), n, 0, 0);
    }
    ring.advance(8);
    assert!(ring.take(20, 1) && ring.take(21, 1));
    // One completion has overflowed, so looking for one enters the kernel.
    assert_eq!(ring.get(Batch::EMPTY, 0), (Ok(0), Some((8, 0))));
    ring.advance(1);
    // Nothing comes, so the wait enters the kernel more than once.
    sim::configure(|config| config.interrupt = true);
    sim::post(ring.fd(), 9, 0, 0);
    assert_eq!(ring.get(Batch::EMPTY, 2), (Ok(0), Some((9, 0))));
    ring.advance(1);
    assert_eq!(ring.0.sq.sqe_tail, 2);
    assert_eq!(ring.submit(), Ok(2));
    assert_eq!(ring.batch(8), [20, 21]);
}
