//! The task that sees a process through to its end: its output, its bounds, and whoever wants it to end.
//!
//! **Invariant:** a process that is to end has ended within its grace, with its whole group, and its folder goes with it.
//! **Invariant:** what it computed is counted for its revision whole when it ended, and never twice: until then as far as a
//! look every second shows it.
//! **Absent on purpose:** why it is to end. It is when nobody holds it any more, when it uses too much, and when the server
//! ends and nobody uses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rookery_host::{Guest, Stream};
use rookery_lifecycle::{Shutdown, Tasks};
use tokio::time::{interval, sleep, timeout};

use crate::folders::Folder;
use crate::kin;
use crate::launch::{Ended, Guard, Launched, Order};
use crate::output;
use crate::process::{Life, State};

/// How long somebody who was sent here takes to ask, at most.
const ARRIVE_WITHIN: Duration = Duration::from_millis(200);

/// How much longer than its grace a guard may take.
const GUARD_WITHIN: Duration = Duration::from_secs(2);

/// What bounds a process while it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub memory_bytes: u64,
    pub processes_max: usize,
    pub measure_every: Duration,
    pub stop_grace: Duration,
}

/// What the task that sees a process through works with.
pub(crate) struct Keeper {
    pub folder: Folder,
    pub bounds: Bounds,
    /// How long all processes of the revision computed, in microseconds; each adds its own once a second and at its end.
    pub computed: Arc<AtomicU64>,
    pub guest: Arc<Guest>,
    pub tasks: Tasks,
    pub shutdown: Shutdown,
}

impl Keeper {
    /// Keeps a program that was started until its end, in a task of its own: its output, its bounds, its end.
    pub fn keep(self, launched: Launched) -> (Arc<State>, Life) {
        let state = State::new(launched.pid);
        let stop = Shutdown::new();
        let life = Life::of(stop.clone());
        let (guest, words) = (&self.guest, &state.last_words);
        self.tasks.spawn(
            "process output",
            output::follow(
                launched.stdout,
                Arc::clone(guest),
                launched.pid,
                Stream::Stdout,
                words.clone(),
            ),
        );
        self.tasks.spawn(
            "process output",
            output::follow(
                launched.stderr,
                Arc::clone(guest),
                launched.pid,
                Stream::Stderr,
                words.clone(),
            ),
        );
        let (tasks, kept) = (self.tasks.clone(), Arc::clone(&state));
        tasks.spawn("process", async move {
            self.see_through(&kept, launched.guard, stop).await;
        });
        (state, life)
    }

    async fn see_through(self, state: &State, mut guard: Guard, stop: Shutdown) {
        let (app, pid) = (self.guest.bundle().label(), state.pid);
        match self.is_brief() {
            true => tracing::debug!(app, pid, "a process started"),
            false => tracing::info!(app, pid, "a process started"),
        }
        let mut counted = Counted::default();
        let (mut ended, was_asked) = self.watch(state, &mut guard, &stop, &mut counted).await;
        if ended.is_none() && was_asked {
            let within = self.bounds.stop_grace + GUARD_WITHIN;
            guard.order(Order::Stop).await;
            ended = timeout(within, guard.ended()).await.ok().flatten();
        }
        let how = match ended {
            Some(Ended { how, computed }) => {
                self.count(&mut counted, computed);
                how
            }
            // The guard died, or does not do its work: what is left of the group is ended from here.
            None => {
                kill_group(pid);
                "its guard ended first".to_owned()
            }
        };
        let is_expected = was_asked || state.is_retired();
        match is_expected && state.overdrawn().is_none() {
            // With one for each request these would be a line for each request.
            true if self.is_brief() => tracing::debug!(app, pid, how, "a process ended"),
            true => tracing::info!(app, pid, how, "a process ended"),
            false => tracing::warn!(app, pid, how, "a process ended by itself"),
        }
        state.end(how);
        let _ = timeout(GUARD_WITHIN, guard.reap()).await;
        drop(guard);
        // A folder full of files takes its time.
        let _ = tokio::task::spawn_blocking(move || drop(self.folder)).await;
    }

    /// Whether it is to serve a single request.
    fn is_brief(&self) -> bool {
        self.guest.bundle().manifest.ttl.is_zero()
    }

    /// Watches until it ended, and says how, or until it is to end, which is then true.
    async fn watch(
        &self,
        state: &State,
        guard: &mut Guard,
        stop: &Shutdown,
        counted: &mut Counted,
    ) -> (Option<Ended>, bool) {
        let mut measure = interval(self.bounds.measure_every);
        let mut left_alone = std::pin::pin!(self.left_alone(state));
        loop {
            tokio::select! {
                ended = guard.ended() => return (ended, false),
                () = stop.requested() => return (None, true),
                () = &mut left_alone => {
                    state.retire();
                    return (None, true);
                }
                _ = measure.tick() => {
                    let family = kin::household_of(state.pid, guard.id());
                    self.count(counted, kin::cpu_time(&family, guard.id()));
                    if self.is_overdrawn(state, &family) {
                        guard.order(Order::Kill).await;
                    }
                }
            }
        }
    }

    /// The server is about to end and nobody uses the process any more.
    async fn left_alone(&self, state: &State) {
        self.shutdown.requested().await;
        loop {
            let was_unused = state.is_unused();
            sleep(ARRIVE_WITHIN).await;
            if was_unused && state.is_unused() {
                return;
            }
        }
    }

    fn count(&self, counted: &mut Counted, computed: Duration) {
        let more = u64::try_from(counted.more(computed).as_micros());
        self.computed
            .fetch_add(more.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether it uses more than it may. Then it must not have anything any more.
    fn is_overdrawn(&self, state: &State, family: &[u32]) -> bool {
        let memory = kin::memory_bytes(family);
        state.measured(memory);
        let bounds = &self.bounds;
        let members = match family.len() {
            few if few <= bounds.processes_max => few,
            _ => kin::running(family),
        };
        if memory <= bounds.memory_bytes && members <= bounds.processes_max {
            return false;
        }
        let (app, pid, allowed) = (self.guest.bundle().label(), state.pid, bounds.memory_bytes);
        tracing::warn!(
            app,
            pid,
            memory,
            allowed,
            members,
            "a process uses too much and is ended"
        );
        state.retire();
        if memory > bounds.memory_bytes {
            state.overdraw(bounds.memory_bytes);
        }
        true
    }
}

/// How much of what a process computed is counted for its revision.
#[derive(Default)]
struct Counted(Duration);

impl Counted {
    /// What is to be added now that it computed for so long in all. A look that misses a child which is just reaped shows
    /// less than the one before; that takes nothing back, and adds nothing twice.
    fn more(&mut self, computed: Duration) -> Duration {
        let more = computed.saturating_sub(self.0);
        self.0 += more;
        more
    }
}

fn kill_group(pid: u32) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_computed_is_counted_once_whatever_a_look_shows() {
        let mut counted = Counted::default();
        let mut sum = Duration::ZERO;
        for (shown_ms, sum_ms) in [(0, 0), (30, 30), (10, 30), (30, 30), (50, 50), (55, 55)] {
            sum += counted.more(Duration::from_millis(shown_ms));
            assert_eq!(sum, Duration::from_millis(sum_ms), "{shown_ms}");
        }
    }
}
