//! Atomics that can be static: each stands for one of loom's, found by its address.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
pub use std::sync::atomic::Ordering;

use loom::sync::atomic::fence;

/// Ends an execution.
pub fn forget() {
    BOOLS.with_borrow_mut(HashMap::clear);
    I32S.with_borrow_mut(HashMap::clear);
    U32S.with_borrow_mut(HashMap::clear);
    U64S.with_borrow_mut(HashMap::clear);
}

/// loom takes `SeqCst` for `AcqRel`, but knows fences: with one on each side all accesses of that order have one order.
fn ordered<T>(order: Ordering, access: impl FnOnce() -> T) -> T {
    if order == Ordering::SeqCst {
        fence(Ordering::SeqCst);
    }
    let value = access();
    if order == Ordering::SeqCst {
        fence(Ordering::SeqCst);
    }
    value
}

macro_rules! atomics {
    ($($name:ident, $type:ty, $all:ident;)*) => {$(
        // All threads of a model are coroutines of one thread.
        thread_local! {
            static $all: RefCell<HashMap<usize, Arc<loom::sync::atomic::$name>>> = RefCell::new(HashMap::new());
        }

        /// As the type in `std` of this name.
        pub struct $name($type);

        impl $name {
            pub const fn new(value: $type) -> Self {
                Self(value)
            }

            fn modelled(&self) -> Arc<loom::sync::atomic::$name> {
                let at = std::ptr::from_ref(self).addr();
                $all.with_borrow_mut(|all| all.entry(at).or_insert_with(|| Arc::new(loom::sync::atomic::$name::new(self.0))).clone())
            }

            pub fn load(&self, order: Ordering) -> $type {
                let word = self.modelled();
                ordered(order, || word.load(order))
            }

            pub fn store(&self, value: $type, order: Ordering) {
                let word = self.modelled();
                // loom lets a thread read a value of a swap that came before this store, unless this is one.
                ordered(order, || word.swap(value, order));
            }

            pub fn swap(&self, value: $type, order: Ordering) -> $type {
                let word = self.modelled();
                ordered(order, || word.swap(value, order))
            }
        }
    )*};
}

atomics! {
    AtomicBool, bool, BOOLS;
    AtomicI32, i32, I32S;
    AtomicU32, u32, U32S;
    AtomicU64, u64, U64S;
}

impl AtomicU32 {
    pub fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        let word = self.modelled();
        ordered(order, || word.fetch_add(value, order))
    }

    pub fn fetch_sub(&self, value: u32, order: Ordering) -> u32 {
        let word = self.modelled();
        ordered(order, || word.fetch_sub(value, order))
    }
}
