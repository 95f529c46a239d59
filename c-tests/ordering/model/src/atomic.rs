//! Atomics for `ring/order.rs` that are found by the address of a word in ring memory.

pub use core::sync::atomic::Ordering;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use loom::sync::atomic::{AtomicU32 as Modelled, fence};

// All threads of a model are coroutines of one thread.
thread_local! {
    static WORDS: RefCell<HashMap<usize, Arc<Modelled>>> = RefCell::new(HashMap::new());
}

loom::thread_local! {
    /// This thread has stored with `SeqCst` since its last fence.
    static STORED: Cell<bool> = Cell::new(false);
}

/// Makes the word at `address` an atomic of the execution that is running. It starts with zero.
pub fn register<T>(address: *const T) -> Arc<Modelled> {
    let word = Arc::new(Modelled::new(0));
    WORDS.with_borrow_mut(|words| words.insert(address.addr(), word.clone()));
    word
}

/// Ends an execution.
pub fn forget() {
    WORDS.with_borrow_mut(HashMap::clear);
}

/// loom takes `SeqCst` for `AcqRel`, but knows fences. What `SeqCst` promises here is that a load with it stays behind a
/// store with it; so there is a fence between the two, and none if one of them is weaker.
fn load(address: usize, order: Ordering) -> u32 {
    let word = WORDS.with_borrow(|words| words[&address].clone());
    if order == Ordering::SeqCst && STORED.with(|stored| stored.replace(false)) {
        fence(Ordering::SeqCst);
    }
    word.load(order)
}

fn store(address: usize, value: u32, order: Ordering) {
    let word = WORDS.with_borrow(|words| words[&address].clone());
    word.store(value, order);
    if order == Ordering::SeqCst {
        STORED.with(|stored| stored.set(true));
    }
}

macro_rules! atomic {
    ($name:ident, $int:ty) => {
        /// The word at an address, as the type in `core` of this name.
        pub struct $name(*mut $int);

        impl $name {
            /// # Safety
            ///
            /// As for the type in `core`.
            pub unsafe fn from_ptr(address: *mut $int) -> Self {
                Self(address)
            }

            #[allow(missing_docs)]
            pub fn load(&self, order: Ordering) -> $int {
                load(self.0.addr(), order) as $int
            }

            #[allow(missing_docs)]
            pub fn store(&self, value: $int, order: Ordering) {
                // SAFETY: the caller of `from_ptr` vouched for the address. Only the word's writer reads this copy.
                unsafe { *self.0 = value };
                store(self.0.addr(), value.into(), order);
            }
        }
    };
}

atomic!(AtomicU16, u16);
atomic!(AtomicU32, u32);
