//! Waits with a limit on kernels that take none.

use super::*;
use crate::abi::sqe::io_uring_sqe;

/// Waits for `nr` completions for a second, without or with submitting first.
fn wait(ring: &mut Ring, nr: u32, submits: bool) -> (Result<i32>, Option<(u64, i32)>) {
    let limits = within(&SECOND);
    ring.wait(|ring, cqe| {
        if submits {
            wait::submit_and_wait_timeout(ring, cqe, nr, limits)
        } else {
            // SAFETY: the ring is used by this thread alone.
            unsafe { wait::wait_cqes(ring.cq(), cqe, nr, limits) }
        }
    })
}

/// The `user_data` that is in each slot.
fn slots(ring: &Ring) -> Vec<u64> {
    let sqes: *const io_uring_sqe = ring.0.sq.sqes;
    // SAFETY: the ring has four SQEs, and nobody uses it now.
    (0..4)
        .map(|n| unsafe { (*sqes.add(n)).user_data })
        .collect()
}

#[test]
fn that_time_has_passed_is_told_as_on_new_kernels() {
    for config in [Config::OLD, Config::NEW] {
        let mut ring = Ring::new(config, 0);
        assert_eq!(wait(&mut ring, 1, false), (Err(Errno::ETIME), None));
        assert_eq!(wait(&mut ring, 1, true), (Err(Errno::ETIME), None));
        assert_eq!(ring.next(), None);

        // What was submitted is told in its stead.
        sim::configure(|config| config.interrupt = false);
        assert!(ring.take(1, 10));
        assert_eq!(wait(&mut ring, 2, true), (Ok(1), Some((1, 10))));
        ring.advance(1);
    }
}

#[test]
fn completions_are_no_count() {
    let mut ring = Ring::new(Config::OLD, 0);
    assert!(ring.take(1, 10) && ring.take(2, 20));
    assert_eq!(wait(&mut ring, 2, false), (Ok(0), Some((1, 10))));
    // The timeout is over, too, and goes unseen.
    ring.advance(2);
    assert_eq!(ring.next(), None);
    assert!(ring.take(3, 30));
    assert_eq!(wait(&mut ring, 1, true), (Ok(1), Some((3, 30))));
    assert_eq!(enters().len(), 2);
}

#[test]
fn fewer_completions_than_asked_for_end_with_the_time() {
    let mut ring = Ring::new(Config::OLD, 0);
    sim::post(ring.fd(), 1, 10, 0);
    assert_eq!(wait(&mut ring, 3, false), (Ok(0), Some((1, 10))));
    // One call, although the completion of the timeout is behind another.
    assert_eq!(enters().len(), 1);
    ring.advance(1);
    // A wait without a limit has nothing to do with it.
    sim::post(ring.fd(), 2, 20, 0);
    assert_eq!(ring.get(Batch::EMPTY, 1), (Ok(0), Some((2, 20))));
}

#[test]
fn enough_completions_need_no_timeout() {
    let mut ring = Ring::new(Config::OLD, 0);
    sim::post(ring.fd(), 1, 10, 0);
    assert!(ring.take(2, 20));
    assert_eq!(wait(&mut ring, 1, false), (Ok(0), Some((1, 10))));
    assert_eq!(wait(&mut ring, 2, false), (Ok(0), Some((1, 10))));
    assert_eq!(wait(&mut ring, 0, false), (Ok(0), Some((1, 10))));
    ring.advance(2);
    assert_eq!(wait(&mut ring, 0, false), (Err(Errno::EAGAIN), None));
    assert_eq!(sim::timeouts(ring.fd()), 0);
    assert_eq!(enters().len(), 1);
}

#[test]
fn no_slot_keeps_the_librarys_mark() {
    for sqpoll in [false, true] {
        let mut ring = Ring::new(Config::OLD, IORING_SETUP_SQPOLL * u32::from(sqpoll));
        for round in 0..6 {
            // A submission thread may take its time, although the completion is there.
            sim::configure(|config| config.sq_thread_lags = round % 3);
            let (waited, _) = wait(&mut ring, 1, false);
            assert!(waited.is_err());
            assert!(!slots(&ring).contains(&LIBURING_UDATA_TIMEOUT), "{round}");
            // SAFETY: one is free.
            let sqe = unsafe { &mut *sqe::get(ring.sq()) };
            assert_eq!(sqe.user_data, 0);
            sqe.opcode = IORING_OP_NOP as u8;
            assert_eq!(ring.submit(), Ok(1));
            sim::run_sq_thread(ring.fd());
            assert_eq!(ring.next(), Some((0, 0)));
        }
    }
}

#[test]
fn a_timeout_that_the_kernel_does_not_take_is_taken_back() {
    for errno in [Errno::EAGAIN, Errno::EBUSY, Errno::EINTR] {
        let mut ring = Ring::new(Config::OLD, 0);
        assert!(ring.take(1, 10));
        sim::fail_after(0, errno);
        assert_eq!(wait(&mut ring, 1, true), (Err(errno), None));
        assert_eq!(slots(&ring)[1], 0);
        sim::take_calls();
        // The program's request is still to be submitted, and nothing else is.
        assert_eq!(ring.submit(), Ok(1));
        assert_eq!(enters(), [(1, 0, 0)]);
        assert_eq!(sim::timeouts(ring.fd()), 0);
        assert_eq!(ring.next(), Some((1, 10)));
    }
}

#[test]
fn a_part_is_followed_by_the_rest() {
    let mut ring = Ring::new(Config::OLD, 0);
    sim::configure(|config| config.submit_limit = 1);
    assert!(ring.take(1, 10) && ring.take(2, 20));
    assert_eq!(wait(&mut ring, 3, true), (Ok(2), Some((1, 10))));
    assert_eq!(
        enters().iter().map(|call| call.0).collect::<Vec<_>>(),
        [3, 2, 1]
    );
}

#[test]
fn a_full_queue_is_submitted_to_make_room() {
    let mut ring = Ring::new(Config::OLD, 0);
    for n in 0..4 {
        assert!(ring.take(n, 1));
    }
    assert_eq!(wait(&mut ring, 5, true), (Ok(4), Some((0, 1))));
    assert_eq!(
        enters()
            .iter()
            .map(|call| (call.0, call.1))
            .collect::<Vec<_>>(),
        [(4, 0), (1, 5)]
    );
    ring.advance(4);

    // With what it brings the wait may be over.
    for n in 0..4 {
        assert!(ring.take(n, 1));
    }
    assert_eq!(wait(&mut ring, 4, false), (Ok(0), Some((0, 1))));
    assert_eq!(enters().len(), 1);
    ring.advance(4);

    for n in 0..4 {
        assert!(ring.take(n, 1));
    }
    sim::fail_after(0, Errno::EBUSY);
    assert_eq!(wait(&mut ring, 1, false), (Err(Errno::EBUSY), None));
    assert_eq!(ring.submit(), Ok(4));
}

#[test]
fn a_signal_ends_the_wait() {
    let mut ring = Ring::new(Config::OLD, 0);
    sim::configure(|config| {
        config.interrupt = true;
        config.hold_back = true;
    });
    assert_eq!(wait(&mut ring, 1, false), (Err(Errno::EINTR), None));
    assert!(ring.take(1, 10));
    assert_eq!(wait(&mut ring, 1, true), (Ok(1), None));
    assert_eq!(enters().len(), 2);
}

#[test]
fn a_kernel_without_timeouts_says_so() {
    let mut ring = Ring::new(Config::OLD, 0);
    sim::configure(|config| config.refuse_timeouts = true);
    assert_eq!(wait(&mut ring, 1, false), (Err(Errno::EINVAL), None));
    assert_eq!(enters().len(), 1);
}

#[test]
fn timeouts_of_before_are_not_the_programs_business() {
    let mut ring = Ring::new(Config::OLD, 0);
    sim::post(ring.fd(), LIBURING_UDATA_TIMEOUT, 0, 0);
    sim::post(ring.fd(), 9, 90, 0);
    assert_eq!(ring.next(), Some((9, 90)));
    sim::post(ring.fd(), LIBURING_UDATA_TIMEOUT, Errno::ETIME.as_ret(), 0);
    sim::post(ring.fd(), 8, 80, 0);
    assert_eq!(ring.get(Batch::EMPTY, 1), (Ok(0), Some((8, 80))));
    ring.advance(1);
    sim::post(ring.fd(), LIBURING_UDATA_TIMEOUT, Errno::ETIME.as_ret(), 0);
    assert_eq!(ring.get(Batch::EMPTY, 0), (Err(Errno::EAGAIN), None));
}

#[test]
fn old_kernels_have_no_other_waits_and_nothing_moves() {
    let mut ring = Ring::new(Config::OLD, 0);
    assert!(ring.take(1, 10));
    let refused = (Err(Errno::EINVAL), seen(ptr::null()));
    let limits = within(&SECOND);
    type Call = fn(Whole<Sim>, Out<*mut io_uring_cqe>, Limits) -> Ret;
    let calls: [Call; 3] = [
        |ring, cqe, limits| wait::wait_cqes_min_timeout(ring.cq(), cqe, 1, limits),
        |ring, cqe, limits| wait::submit_and_wait_min_timeout(ring, cqe, 1, limits),
        |ring, cqe, _| wait::submit_and_wait_reg(ring, cqe, 1, 0),
    ];
    for call in calls {
        let waited = ring.wait(|ring, cqe| {
            cqe.set(ptr::null_mut());
            call(ring, cqe, limits)
        });
        assert_eq!(waited, refused);
    }
    assert_eq!(ring.sq().published(), 0);
    assert_eq!(ring.sq().kernel_tail().load_relaxed(), 0);
    assert_eq!(enters(), []);
}
