//! Posting completions and waking the threads that wait for them.

use std::sync::atomic::{Ordering, fence};

use uring_core::abi::*;

use crate::memory::Completion;
use crate::request::Req;
use crate::ring::{Registered, Ring, State};
use crate::{sys, wake};

/// The number of waiting threads and of the completions that they wait for, from the word that has both.
const COUNT_MASK: u64 = 0xffff_ffff;

/// How often a waiter is called before it sleeps. One that was killed in its wait counts for ever.
const CALLS: u32 = 10_000;

/// What the bytes that a request transfers have an order in, as numbers that differ: its file, and the group of its buffers.
fn orders(req: &Req) -> impl Iterator<Item = u64> {
    const TRANSFERS: [io_uring_op; 7] = [
        IORING_OP_READ,
        IORING_OP_READ_FIXED,
        IORING_OP_READ_MULTISHOT,
        IORING_OP_RECV,
        IORING_OP_RECVMSG,
        IORING_OP_SEND,
        IORING_OP_SENDMSG,
    ];
    let transfers = req.is_vector() || req.is_write() || TRANSFERS.iter().any(|op| req.is(*op));
    let group = u64::from(req.buf_index()) | 1 << 32;
    let file = transfers.then_some(req.fd() as u32 as u64);
    let group = (transfers && req.has(IOSQE_BUFFER_SELECT)).then_some(group);
    file.into_iter().chain(group)
}

impl Ring {
    /// Completions that the program has not taken.
    pub fn ready(&self) -> u32 {
        let tail = self.memory().cq_tail().load(Ordering::Acquire);
        // Acquire: what the program did before it gave the entries back is done.
        tail.wrapping_sub(self.memory().cq_head().load(Ordering::Acquire))
    }

    /// Whether the ring's memory may be gone, which the program may have given. The caller holds the state.
    #[inline]
    fn is_gone(&self) -> bool {
        // Relaxed: under the state.
        self.given_up.load(Ordering::Relaxed)
    }

    /// Posts a completion. The caller calls [`Ring::notify`] before it releases the state.
    #[inline]
    pub fn post(&self, state: &mut State, completion: Completion) {
        state.posted += 1;
        // Relaxed: what an owner posts in its own calls it sees itself.
        if state.keeps && self.owner.load(Ordering::Relaxed) != sys::thread() {
            state.kept.push_back(completion);
            return;
        }
        self.append(state, completion);
    }

    /// Posts completions and wakes the threads that wait for them: one step of the tail for all.
    pub fn post_all(&self, state: &mut State, completions: &mut Vec<Completion>, aside: bool) {
        if self.is_gone() {
            completions.clear();
            return;
        }
        // Relaxed: as in `post`.
        let kept = state.keeps && self.owner.load(Ordering::Relaxed) != sys::thread();
        if kept || completions.is_empty() || !state.overflow.is_empty() {
            for completion in completions.drain(..) {
                self.post(state, completion);
            }
            return self.notify(state, aside);
        }
        state.posted += completions.len() as u64;
        let memory = self.memory();
        // Relaxed: posters hold the state, so this is the last of them.
        let mut tail = memory.cq_tail().load(Ordering::Relaxed);
        // Acquire: the program has read what it gives back.
        let head = memory.cq_head().load(Ordering::Acquire);
        let mut there = 0;
        for completion in &*completions {
            let Some(end) = memory.append_cqe(tail, head, completion) else {
                break;
            };
            tail = end;
            there += 1;
        }
        // The CQEs are there for whoever sees the tail. SeqCst: in place of the fence that `notify` has.
        memory.cq_tail().swap(tail, Ordering::SeqCst);
        for completion in completions.drain(..).skip(there) {
            self.append(state, completion);
        }
        self.tell(state, aside);
    }

    /// Posts a completion of a request that may have waited: not before what is kept back, which is of the same request or
    /// of one that had to come first.
    pub fn post_in_turn(&self, state: &mut State, completion: Completion) {
        if state.kept.is_empty() {
            self.post(state, completion);
            return;
        }
        state.posted += 1;
        state.kept.push_back(completion);
    }

    /// Posts a completion of a request. One that was not counted among those in flight has not waited, and what is kept
    /// back is of others: all of its completions go the same way. But if what is kept back moved bytes of the same file, or
    /// into buffers of the same group, the program has to hear of those first. Then it counts as one that has waited.
    pub fn post_of(&self, state: &mut State, req: &mut Req, completion: Completion) {
        let behind = |order| state.kept_orders.contains_key(&order);
        // Relaxed: set under the state.
        let keeps = self.keeps_transfers.load(Ordering::Relaxed);
        if !req.counted && keeps && orders(req).any(behind) {
            req.counted = true;
            state.in_flight += 1;
        }
        if !req.counted {
            return self.post(state, completion);
        }
        self.post_in_turn(state, completion);
        if !state.kept.is_empty() {
            state
                .kept_orders
                .extend(orders(req).map(|order| (order, ())));
            // Relaxed: as above.
            self.keeps_transfers
                .store(!state.kept_orders.is_empty(), Ordering::Relaxed);
        }
    }

    #[inline]
    fn append(&self, state: &mut State, completion: Completion) {
        if self.is_gone() {
            return;
        }
        let memory = self.memory();
        // Relaxed: posters hold the state, so this is the last of them.
        let tail = memory.cq_tail().load(Ordering::Relaxed);
        // Acquire: the program has read what it gives back.
        let head = memory.cq_head().load(Ordering::Acquire);
        if state.overflow.is_empty() {
            if let Some(end) = memory.append_cqe(tail, head, &completion) {
                // Release: the CQE is there for whoever sees the tail.
                memory.cq_tail().store(end, Ordering::Release);
                return;
            }
        }
        state.overflow.push_back(completion);
        memory
            .sq_flags()
            .fetch_or(IORING_SQ_CQ_OVERFLOW, Ordering::Release);
    }

    /// Whether the next completion would find no room: multishot requests end then.
    pub fn is_full(&self, state: &State) -> bool {
        if self.is_gone() {
            return true;
        }
        let there = self.ready() as usize + state.kept.len();
        !state.overflow.is_empty() || there >= self.memory().cq_entries as usize
    }

    /// The owner asks for completions: posts those that were kept back, and those to come at once.
    pub fn keep_nothing(&self, state: &mut State) {
        state.keeps = false;
        while let Some(completion) = state.kept.pop_front() {
            self.append(state, completion);
        }
        state.kept_orders.clear();
        // Relaxed: under the state.
        self.keeps_transfers.store(false, Ordering::Relaxed);
        self.show_work(state);
    }

    /// Under `IORING_SETUP_TASKRUN_FLAG`: has the program enter while there are requests, or completions kept back. Other
    /// threads complete these without being seen, so that each may be about to.
    pub fn show_work(&self, state: &State) {
        if !self.has(IORING_SETUP_TASKRUN_FLAG) || self.is_gone() {
            return;
        }
        // Release: what is waited for is there for whoever sees the flag.
        let flags = self.memory().sq_flags();
        if state.in_flight > 0 || !state.kept.is_empty() {
            flags.fetch_or(IORING_SQ_TASKRUN, Ordering::Release);
        } else {
            flags.fetch_and(!IORING_SQ_TASKRUN, Ordering::Release);
        }
    }

    /// Moves completions from the overflow list into the CQ, as far as there is room.
    pub fn flush_overflow(&self, state: &mut State) {
        if state.overflow.is_empty() || self.is_gone() {
            return;
        }
        let memory = self.memory();
        let mut tail = memory.cq_tail().load(Ordering::Relaxed);
        while let Some(completion) = state.overflow.front() {
            let head = memory.cq_head().load(Ordering::Acquire);
            let Some(end) = memory.append_cqe(tail, head, completion) else {
                break;
            };
            tail = end;
            state.overflow.pop_front();
        }
        // Release: as in `post`.
        memory.cq_tail().store(tail, Ordering::Release);
        if state.overflow.is_empty() {
            memory
                .sq_flags()
                .fetch_and(!IORING_SQ_CQ_OVERFLOW, Ordering::Release);
        }
        self.notify(state, false);
    }

    /// Wakes the threads that the completions posted so far suffice for. `aside`: they were posted outside of
    /// `io_uring_enter`.
    pub fn notify(&self, state: &State, aside: bool) {
        // A waiter announces itself and then looks at the tail; here the tail is stored and then the announcement read.
        fence(Ordering::SeqCst);
        self.tell(state, aside);
    }

    /// The same after a step of the tail that was SeqCst.
    fn tell(&self, state: &State, aside: bool) {
        if self.is_gone() {
            return;
        }
        let memory = self.memory();
        // SeqCst: not before that step or the fence. Between the waiter's announcement and its look there is a fence.
        let waiters = memory.waiters().load(Ordering::SeqCst);
        if waiters & COUNT_MASK != 0 {
            let wanted = (waiters >> 32) as u32;
            // Relaxed: counted and told by threads that hold the state one after the other.
            let timeouts = self.timeouts.load(Ordering::Relaxed);
            let timed_out = self.timeouts_told.swap(timeouts, Ordering::Relaxed) != timeouts;
            if self.ready() >= wanted || timed_out || !state.overflow.is_empty() {
                let leader = self.leader.load(Ordering::SeqCst);
                if leader == 0 {
                    sys::futex_wake(memory.cq_tail(), true, i32::MAX);
                } else if leader != sys::thread() {
                    wake::wake();
                    sys::futex_wake(memory.cq_tail(), true, i32::MAX);
                }
            }
        }
        // Relaxed: it grows under the state, and who waits so looks at the CQ afterwards.
        if self.masked_waiters.load(Ordering::Relaxed) != 0 {
            sys::eventfd_write(self.masked_wait.load(Ordering::Relaxed));
        }
        // The program may have taken what was posted a while ago: then there is nothing to look for.
        if self.ready() != 0 || !state.overflow.is_empty() || !state.kept.is_empty() {
            self.signal();
        }
        self.show_work(state);
        if let Some(Registered {
            copy, only_aside, ..
        }) = state.eventfd
        {
            let muted = memory.cq_flags().load(Ordering::Relaxed) & IORING_CQ_EVENTFD_DISABLED != 0;
            if !muted && (aside || !only_aside) {
                sys::eventfd_write(copy);
            }
        }
    }

    /// Wakes a thread that waits, for the requests that were left to it. Not under the state.
    pub fn call_back(&self) {
        let memory = self.memory();
        for _ in 0..CALLS {
            // SeqCst: the request was left before this, and a waiter announces itself before it looks for one.
            let waits = memory.waiters().load(Ordering::SeqCst) & COUNT_MASK != 0;
            if !waits || !self.left_over.load(Ordering::SeqCst) {
                return;
            }
            match self.leader.load(Ordering::SeqCst) {
                // The word does not move, so one that is not asleep yet would not hear of it.
                0 if sys::futex_wake(memory.cq_tail(), true, i32::MAX) == 0 => sys::give_way(),
                0 => return,
                leader if leader == sys::thread() => return,
                _ => return wake::wake(),
            }
        }
    }

    /// Makes the descriptor readable. While it is, an inline peek that finds nothing comes into the library.
    pub fn signal(&self) {
        if self.is_gone() {
            return;
        }
        let memory = self.memory();
        // SeqCst: not before the tail that was stored. `quiet` of another process clears it and then looks at the tail.
        if memory.signalled().load(Ordering::SeqCst) == 0 {
            memory.signalled().store(1, Ordering::SeqCst);
            if !self.tells_work() {
                memory
                    .sq_flags()
                    .fetch_or(IORING_SQ_TASKRUN, Ordering::Release);
            }
        } else if !self.told_each.load(Ordering::Relaxed) {
            // Relaxed: under the state.
            return;
        }
        if self.event() >= 0 {
            sys::eventfd_write(self.event());
        }
    }

    /// Has the descriptor written to for each completion from now on.
    pub fn tell_each(&self) {
        let _state = self.state.lock();
        // Relaxed: under the state.
        self.told_each.store(true, Ordering::Relaxed);
    }

    /// Whether the descriptor is readable, and nothing in the queue is the reason.
    pub fn is_loud(&self) -> bool {
        // Relaxed: a signal that comes now is for a completion that comes now.
        self.memory().signalled().load(Ordering::Relaxed) != 0 && self.ready() == 0
    }

    /// Makes the descriptor unreadable if the CQ is empty.
    pub fn quiet(&self) {
        if !self.is_loud() {
            return;
        }
        let state = self.state.lock();
        // SeqCst: a request is left under the state, and its thread then makes the descriptor readable.
        let unfinished =
            self.left_over.load(Ordering::SeqCst) || wake::is_orphaned() && state.in_flight > 0;
        let more = !state.overflow.is_empty() || !state.kept.is_empty();
        if self.ready() != 0 || more || unfinished {
            return;
        }
        sys::eventfd_read(self.event());
        if !self.tells_work() {
            self.memory()
                .sq_flags()
                .fetch_and(!IORING_SQ_TASKRUN, Ordering::Release);
        }
        self.memory().signalled().store(0, Ordering::SeqCst);
        // Another process that shares the ring may have posted meanwhile: it stores the tail and then looks at the word.
        fence(Ordering::SeqCst);
        if self.ready() != 0 {
            self.signal();
        }
    }

    /// Posts one completion and wakes its waiters.
    pub fn post_alone(&self, completion: Completion, aside: bool) {
        let mut state = self.state.lock();
        self.post(&mut state, completion);
        self.notify(&state, aside);
    }

    /// Announces a thread that waits for `wanted` completions.
    pub fn announce(&self, wanted: u32) {
        let _ = self
            .memory()
            .waiters()
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, |word| {
                let (count, least) = (word & COUNT_MASK, (word >> 32) as u32);
                let least = if count == 0 {
                    wanted
                } else {
                    least.min(wanted)
                };
                Some((u64::from(least) << 32) | (count + 1))
            });
        // Pairs with the fence in `notify`.
        fence(Ordering::SeqCst);
    }

    /// The thread waits no more.
    pub fn retract(&self) {
        let _ = self
            .memory()
            .waiters()
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, |word| {
                (word & COUNT_MASK != 0).then(|| word - 1)
            });
    }

    /// Posts the tags of resources that are no longer used.
    pub fn post_released(&self) {
        let tags = self.released.take();
        if tags.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        for user_data in tags {
            self.post(
                &mut state,
                Completion {
                    user_data,
                    ..Completion::default()
                },
            );
        }
        self.notify(&state, true);
    }
}
