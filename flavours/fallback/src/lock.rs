//! A lock in one word, which the child of a fork can make free again.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::sys;

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// A value that one thread at a time may use.
pub struct Lock<T> {
    word: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard only, and there is one guard at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Lock::new(T::default())
    }
}

impl<T> Lock<T> {
    pub const fn new(value: T) -> Self {
        Lock {
            word: AtomicU32::new(FREE),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits until the lock is free and takes it.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        self.acquire();
        Guard { lock: self }
    }

    /// Takes the lock without a guard, for the handlers around fork.
    #[inline]
    pub fn acquire(&self) {
        // Acquire: what the last holder did is seen.
        if self
            .word
            .compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.wait();
        }
    }

    #[cold]
    fn wait(&self) {
        for _ in 0..100 {
            if self
                .word
                .compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
            {
                return;
            }
            std::hint::spin_loop();
        }
        while self.word.swap(CONTENDED, Ordering::Acquire) != FREE {
            sys::futex_wait(&self.word, CONTENDED, false, None);
        }
    }

    /// Frees the lock that [`Lock::acquire`] took.
    ///
    /// # Safety
    ///
    /// The lock must be held without a guard, by this thread or, in the child of a fork, by the one that forked.
    #[inline]
    pub unsafe fn release(&self) {
        // Release: what was done under the lock is seen by the next holder.
        if self.word.swap(FREE, Ordering::Release) == CONTENDED {
            sys::futex_wake(&self.word, false, 1);
        }
    }
}

#[cfg(feature = "hooks")]
impl<T> Lock<T> {
    /// Makes the lock free in a child that was copied with it.
    ///
    /// # Safety
    ///
    /// Who holds it is a thread of the parent's, and what it guards is replaced before it is used.
    pub unsafe fn renew(&self) {
        // Relaxed: there is one thread.
        self.word.store(FREE, Ordering::Relaxed);
    }
}

/// The right to use the value. The lock is free again when this goes.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: this guard is the only one.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard is the only one, and it is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard stands for the lock being held, and it goes.
        unsafe { self.lock.release() }
    }
}
