//! What isolates left in their slots, given back to the system.
//!
//! For speed the engine does not give back what a larger isolate used when that ends, but what sixteen left together, and
//! threads collect by turns in as many collections as there are cores. So where little happens the memory of the last
//! ones would stay for ever, and with it the machine code of their components: a slot has it mapped until it is given
//! back. The engine has no call for that. It empties a collection that is full, so here each is filled up with the least
//! that is collected at all.
//!
//! **Invariant:** who fills up has a slot meanwhile, as any isolate, so no isolate finds its own taken.
//! **Absent on purpose:** the engine for thrift, which collects nothing.

use std::sync::atomic::Ordering;

use wasmtime::{Engine, Instance, Module, Store};

use super::{DECOMMIT_BATCH, Slots};

/// A module with a table of 4,096 elements: 32 KiB, half of which are given back. Written out, as it is four lines of
/// anything else: the magic number, the version, and a section of one table of functions, with its least size.
const LEAST: &[u8] = b"\0asm\x01\0\0\0\x04\x05\x01\x70\0\x80\x20";

/// The engine has no more collections than this, however many cores there are.
const COLLECTIONS_MAX: usize = 16;

impl Slots {
    /// Gives back what isolates left that have ended, if there was any since the last time. Blocks for about a
    /// millisecond.
    pub(crate) fn give_back(&self) {
        if !self.used.swap(false, Ordering::Relaxed) {
            return;
        }
        let Ok(least) = Module::from_binary(&self.speed, LEAST) else {
            return;
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores.min(COLLECTIONS_MAX) {
            // A thread that is new to the engine is given the collection after that of the one before it.
            std::thread::scope(|scope| {
                let thread = std::thread::Builder::new().name("leftovers".into());
                let filled = thread.spawn_scoped(scope, || self.fill_up(&self.speed, &least));
                // Without a thread it stays until the next time.
                drop(filled);
            });
        }
    }

    fn fill_up(&self, engine: &Engine, least: &Module) {
        for _ in 0..DECOMMIT_BATCH {
            // Where none is free, those who come next empty the collections themselves.
            let Ok(_slot) = self.free.try_acquire() else {
                return;
            };
            let mut store = Store::new(engine, ());
            if Instance::new(&mut store, least, &[]).is_err() {
                return;
            }
        }
    }
}
