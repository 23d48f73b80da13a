//! Engines: they compile components and hold the slots that isolates live in. There is one for speed, and one for thrift
//! from when the first revision wants `lowMemory`.
//!
//! **Invariant:** no more isolates are instantiated than there are slots; the others wait.
//! **Absent on purpose:** `pagemap_scan`. In wasmtime 48 it skips pages that are in swap, and the next isolate in the
//! slot would see them.

mod leftovers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rookery_bundle::Manifest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Config, Engine, PoolingAllocationConfig};

use crate::error::IsolateError;

/// How often a running guest is interrupted to look at its deadline.
pub(crate) const EPOCH: Duration = Duration::from_millis(10);

/// The stack of a guest's own calls, in bytes; the host's calls on the same fiber have as much again.
const GUEST_STACK_BYTES: usize = 512 * 1024;
/// Bytes of a slot that are cleared by hand rather than given back to the system, where speed counts: a small guest fits.
const KEEP_RESIDENT_BYTES: usize = 256 * 1024;

/// How many regions of ended isolates' memory are given back together, where speed counts.
const DECOMMIT_BATCH: usize = 16;

/// What an operator sets.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How many isolates may live at once. Each reserves 4 GiB of address space; none of it is memory until it is used.
    pub isolates_max: u32,
    /// The most linear memory that any isolate may have, in bytes; manifests ask for less.
    pub memory_bytes_max: u64,
}

impl Default for EngineConfig {
    fn default() -> Self {
        EngineConfig {
            isolates_max: 1000,
            memory_bytes_max: 512 * 1024 * 1024,
        }
    }
}

/// What a revision would rather have more of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Thrift {
    /// Speed: a slot keeps what a small guest used, cleared, so that the next one finds it there.
    Speed,
    /// Memory: a slot keeps nothing.
    Memory,
}

impl Thrift {
    /// What the manifest wants.
    pub fn of(manifest: &Manifest) -> Thrift {
        if manifest.low_memory {
            Thrift::Memory
        } else {
            Thrift::Speed
        }
    }
}

/// The right of isolates to live and to compute.
#[derive(Clone)]
pub struct Slots {
    config: EngineConfig,
    speed: Engine,
    free: Arc<Semaphore>,
    /// The cores that guests may keep busy for longer than an epoch. One is left for everybody else.
    long_runs: Arc<Semaphore>,
    /// Whether an isolate ended since what was left in the slots was given back.
    used: Arc<AtomicBool>,
}

impl Slots {
    /// Reserves the slots, and falls back to memory on demand where the system refuses so much address space.
    pub fn new(config: &EngineConfig) -> Result<Slots, IsolateError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Slots {
            speed: engine(config, Thrift::Speed)?,
            free: Arc::new(Semaphore::new(config.isolates_max as usize)),
            long_runs: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))),
            used: Arc::default(),
            config: config.clone(),
        })
    }

    /// The engine that compiles components, and holds slots, for revisions that want this. The one for thrift is another
    /// one at each call.
    pub(crate) fn engine(&self, thrift: Thrift) -> Result<Engine, IsolateError> {
        match thrift {
            Thrift::Speed => Ok(self.speed.clone()),
            Thrift::Memory => engine(&self.config, thrift),
        }
    }

    /// The most linear memory that any isolate may have, in bytes.
    pub fn memory_bytes_max(&self) -> u64 {
        self.config.memory_bytes_max
    }

    /// The turns of guests that compute for longer than an epoch.
    pub(crate) fn long_runs(&self) -> &Arc<Semaphore> {
        &self.long_runs
    }

    /// A slot for one isolate; waits while all are taken.
    pub(crate) async fn slot(&self) -> Slot {
        let permit = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_taken) => {
                let permit = Arc::clone(&self.free).acquire_owned().await;
                permit.expect("the slots' semaphore is never closed")
            }
        };
        Slot {
            _permit: permit,
            used: Arc::clone(&self.used),
        }
    }
}

/// The right of one isolate to live. To be dropped after the isolate.
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    used: Arc<AtomicBool>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Looked at first: all cores share it, and nearly always it is set.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }
}

/// Reserves the slots of one engine, and starts its clock.
fn engine(config: &EngineConfig, thrift: Thrift) -> Result<Engine, IsolateError> {
    let engine = match Engine::new(&pooled(config, thrift)) {
        Ok(engine) => engine,
        Err(refusal) => {
            tracing::warn!(
                reason = %refusal.root_cause(),
                "the address space for pooled isolates was refused; isolates get memory on demand and start slower"
            );
            Engine::new(&on_demand()).map_err(IsolateError::Engine)?
        }
    };
    tick(&engine)?;
    Ok(engine)
}

fn pooled(config: &EngineConfig, thrift: Thrift) -> Config {
    let isolates = config.isolates_max;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(isolates)
        // A component from the usual toolchains has two to four core instances, one memory and one or two tables.
        .total_core_instances(isolates.saturating_mul(4))
        .total_memories(isolates)
        .total_tables(isolates.saturating_mul(2))
        .total_stacks(isolates)
        .max_memory_size(usize::try_from(config.memory_bytes_max).unwrap_or(usize::MAX));
    match thrift {
        Thrift::Speed => pool
            .max_unused_warm_slots((isolates / 4).max(1))
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(16 * 1024)
            .async_stack_keep_resident(16 * 1024)
            .decommit_batch_size(DECOMMIT_BATCH),
        // What was used goes back to the system as soon as its isolate ends, not with fifteen others.
        Thrift::Memory => pool.max_unused_warm_slots(0).decommit_batch_size(1),
    };
    let mut config = on_demand();
    config.allocation_strategy(pool);
    config
}

fn on_demand() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(2 * GUEST_STACK_BYTES)
        // A stack is used by one guest after another; what the last one left is nobody's business.
        .async_stack_zeroing(true)
        // Sync exports, one call at a time: the bookkeeping of concurrent calls would be paid for nothing.
        .concurrency_support(false);
    config
}

/// Moves the epoch on until the engine is dropped. A thread of its own: a busy runtime must not stop the clock that
/// interrupts guests.
fn tick(engine: &Engine) -> Result<(), IsolateError> {
    let engine = engine.weak();
    let ticker = move || {
        loop {
            std::thread::sleep(EPOCH);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    };
    std::thread::Builder::new()
        .name("epoch".into())
        .spawn(ticker)
        .map(drop)
        .map_err(IsolateError::Ticker)
}

#[cfg(test)]
mod tests;
