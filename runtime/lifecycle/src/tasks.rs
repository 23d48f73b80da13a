//! The only place where a task begins.
//!
//! **Invariant:** a task stands in the register from before its first poll until its future is dropped, whatever the way
//! it ends: by returning, by a panic, by an abort or with the runtime.
//! **Absent on purpose:** join handles. A task that has something to tell sends it; one that must end early listens to
//! a [`Shutdown`](crate::Shutdown).

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use pin_project_lite::pin_project;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// The tasks of a server, by name. Clones share one register.
///
/// A spawn costs two short locks more than `tokio::spawn` and an ended task a third: cheap enough for one per connection.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    pub(crate) register: Arc<Register>,
}

#[derive(Debug, Default)]
pub(crate) struct Register {
    running: Mutex<Running>,
    idle: Notify,
}

#[derive(Debug, Default)]
struct Running {
    next_serial: u64,
    entries: HashMap<u64, Entry>,
    /// The grace is over: what is spawned now is aborted at once.
    closed: bool,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    /// Absent for the moment between the registration and the spawn.
    abort: Option<AbortHandle>,
}

impl Tasks {
    /// An empty register.
    pub fn new() -> Tasks {
        Tasks::default()
    }

    /// Runs `future` on the current tokio runtime. The name says what it does, not whom it serves: `"connection"`.
    ///
    /// A panic ends this task alone: it is logged with the name and its message.
    ///
    /// # Panics
    /// Outside a tokio runtime, as `tokio::spawn`.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let registration = Register::enter(&self.register, name);
        let serial = registration.serial;
        // The register is not locked here: on a runtime that is shutting down, `spawn` drops the future, which leaves it.
        let handle = tokio::spawn(Task {
            future,
            registration,
        });
        self.register.attach(serial, handle.abort_handle());
    }

    /// The names of the tasks that run now, each as often as it runs, sorted.
    pub fn running(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .register
            .running
            .lock()
            .entries
            .values()
            .map(|entry| entry.name)
            .collect();
        names.sort_unstable();
        names
    }
}

impl Register {
    fn enter(register: &Arc<Register>, name: &'static str) -> Registration {
        let mut running = register.running.lock();
        let serial = running.next_serial;
        running.next_serial += 1;
        running.entries.insert(serial, Entry { name, abort: None });
        Registration {
            register: Arc::clone(register),
            serial,
            name,
        }
    }

    fn attach(&self, serial: u64, abort: AbortHandle) {
        let mut running = self.running.lock();
        let closed = running.closed;
        // A short task may have left already; serials are never reused, so this cannot hit another one's entry.
        let Some(entry) = running.entries.get_mut(&serial) else {
            return;
        };
        if closed {
            drop(running);
            abort.abort();
        } else {
            entry.abort = Some(abort);
        }
    }

    fn leave(&self, serial: u64) {
        let mut running = self.running.lock();
        running.entries.remove(&serial);
        if running.entries.is_empty() {
            self.idle.notify_waiters();
        }
    }

    /// Waits until no task runs.
    pub(crate) async fn idle(&self) {
        loop {
            let mut notified = std::pin::pin!(self.idle.notified());
            // Listen first, look second: a task that leaves in between is not missed.
            notified.as_mut().enable();
            if self.running.lock().entries.is_empty() {
                return;
            }
            notified.await;
        }
    }

    /// Aborts every task, now and in the future, and says whose names they bore.
    pub(crate) fn abort_all(&self) -> Vec<&'static str> {
        let mut running = self.running.lock();
        running.closed = true;
        let names = running.entries.values().map(|entry| entry.name).collect();
        let aborts: Vec<_> = running
            .entries
            .values_mut()
            .filter_map(|entry| entry.abort.take())
            .collect();
        drop(running);
        // Outside the lock: aborting an idle task may drop its future here, which leaves the register.
        for abort in aborts {
            abort.abort();
        }
        names
    }
}

/// A task's line in the register; dropping it strikes the line out.
struct Registration {
    register: Arc<Register>,
    serial: u64,
    name: &'static str,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.register.leave(self.serial);
    }
}

pin_project! {
    // Fields drop in order: what the future holds is released before the register says that the task is gone.
    struct Task<F> {
        #[pin]
        future: F,
        registration: Registration,
    }
}

impl<F: Future<Output = ()>> Future for Task<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        // Unwind safe: after a panic the future is never polled again, only dropped.
        catch_unwind(AssertUnwindSafe(|| this.future.poll(cx))).unwrap_or_else(|panic| {
            tracing::error!(
                task = this.registration.name,
                panic = message(&*panic),
                "a task panicked"
            );
            Poll::Ready(())
        })
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_task_is_in_the_register_while_it_runs() {
        let tasks = Tasks::new();
        let (release, released) = oneshot::channel::<()>();
        tasks.spawn("reader", async {
            let _ = released.await;
        });
        tasks.spawn("sweeper", std::future::pending());
        assert_eq!(tasks.running(), ["reader", "sweeper"]);
        drop(release);
        while tasks.running().len() > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks.running(), ["sweeper"]);
    }

    #[tokio::test]
    async fn a_panic_ends_one_task_and_frees_its_line() {
        let tasks = Tasks::new();
        let (sender, answer) = oneshot::channel();
        tasks.spawn("faulty", async { panic!("a test's own panic") });
        tasks.spawn("healthy", async move {
            let _ = sender.send(42);
        });
        assert_eq!(answer.await, Ok(42));
        tasks.register.idle().await;
        assert!(tasks.running().is_empty());
    }

    #[test]
    fn a_panic_is_told_by_its_message() {
        let told = |panic: Box<dyn Any + Send>| message(&*panic).to_owned();
        assert_eq!(told(Box::new("literal")), "literal");
        assert_eq!(told(Box::new(String::from("formatted"))), "formatted");
        assert_eq!(told(Box::new(7)), "(no message)");
    }

    #[test]
    fn a_runtime_that_goes_away_empties_the_register() {
        let tasks = Tasks::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async { tasks.spawn("forgotten", std::future::pending()) });
        drop(runtime);
        assert!(tasks.running().is_empty());
    }
}
