//! What isolates left in their slots, given back to the system.
//!
//! For speed the engine does not give back what a larger isolate used when that ends, but what sixteen left together, and
//! threads collect by turns in as many collections as there are cores. So where little happens the memory of the last
//! ones would stay for ever, and with it the machine code of their components: a slot has it mapped until it is given
//! back. The engine has no call for that. It empties a collection that is full, so here each is filled up with the least
//! that is collected at all: stacks of calls that do nothing.
//!
//! **Invariant:** who fills up has a slot meanwhile, as any isolate, so no isolate finds its own taken.
//! **Absent on purpose:** the engine for thrift, which collects nothing.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use wasmtime::{Func, Store};

use super::{DECOMMIT_BATCH, Slots};

/// The engine has no more collections than this, however many cores there are.
const COLLECTIONS_MAX: usize = 16;

impl Slots {
    /// Gives back what isolates left that have ended, if there was any since the last time. Blocks for less than a
    /// millisecond.
    pub(crate) fn give_back(&self) {
        if !self.used.swap(false, Ordering::Relaxed) {
            return;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores.min(COLLECTIONS_MAX) {
            // A thread that is new to the engine is given the collection after that of the one before it.
            std::thread::scope(|scope| {
                let thread = std::thread::Builder::new().name("leftovers".into());
                let filled = thread.spawn_scoped(scope, || self.fill_up());
                // Without a thread it stays until the next time.
                drop(filled);
            });
        }
    }

    /// Uses as many stacks as are collected before they are given back, each for nothing: of each a part is collected.
    fn fill_up(&self) {
        for _ in 0..DECOMMIT_BATCH {
            // Where none is free, those who come next empty the collections themselves.
            let Ok(_slot) = self.free.try_acquire() else {
                return;
            };
            let mut store = Store::new(&self.speed, ());
            let nothing = Func::wrap(&mut store, || {});
            let call = pin!(nothing.call_async(&mut store, &[], &mut []));
            // There is nothing to wait for.
            let _ = call.poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}
