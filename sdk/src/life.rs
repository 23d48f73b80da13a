//! What an app does when its instance has nothing to do, and when it ends.
//!
//! **Invariant:** a handler's error is logged and ends nothing: there is nobody who waits for an answer.
//! **Absent on purpose:** a promise. An instance that is stopped for a fault, or that takes longer than its grace, is
//! not told of its end; what matters is written when it happens.

use crate::{App, Error, Outcome, log};

/// What the app does about one kind of notice, if anything.
type Told = Option<Box<dyn Fn() -> Result<(), Error>>>;

/// The app's handlers of notices.
#[derive(Default)]
pub(crate) struct Notices {
    idle: Told,
    terminate: Told,
}

impl App {
    /// The instance had nothing to do for the manifest's `idleTimeout`. Called once, and again when it has worked since.
    /// Only for an app that is exported with `life`; see [`export!`](crate::export!).
    #[must_use]
    pub fn on_idle<O: Outcome>(mut self, handler: impl Fn() -> O + 'static) -> App {
        self.notices.idle = Some(Box::new(move || handler().into_outcome()));
        self
    }

    /// The instance is about to end, and has a tenth of a second. Only for an app that is exported with `life`; see
    /// [`export!`](crate::export!).
    #[must_use]
    pub fn on_terminate<O: Outcome>(mut self, handler: impl Fn() -> O + 'static) -> App {
        self.notices.terminate = Some(Box::new(move || handler().into_outcome()));
        self
    }

    /// Tells the app that its instance is idle. Called by what [`export!`](crate::export!) makes.
    #[doc(hidden)]
    pub fn idle(&self) {
        run("idle", &self.notices.idle);
    }

    /// Tells the app that its instance ends. Called by what [`export!`](crate::export!) makes.
    #[doc(hidden)]
    pub fn terminate(&self) {
        run("terminate", &self.notices.terminate);
    }
}

fn run(what: &str, told: &Told) {
    let Some(handler) = told else { return };
    if let Err(error) = handler() {
        log::write(log::Level::Error, format_args!("{what}: {error:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;
    use crate::testing::Host;

    #[test]
    fn each_notice_reaches_its_own_handler() {
        let (idle, ends) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (counted_idle, counted_ends) = (idle.clone(), ends.clone());
        let app = App::new()
            .on_idle(move || counted_idle.set(counted_idle.get() + 1))
            .on_terminate(move || counted_ends.set(counted_ends.get() + 1));
        let host = Host::new(app);
        host.idle();
        host.idle();
        host.terminate();
        assert_eq!((idle.get(), ends.get()), (2, 1));
    }

    #[test]
    fn an_app_without_handlers_is_told_in_vain() {
        let host = Host::new(App::new());
        host.idle();
        host.terminate();
        assert!(host.log().is_empty());
    }

    #[test]
    fn an_error_of_a_handler_is_logged() {
        let app = App::new().on_terminate(|| Err::<(), _>(Error::not_found("no bucket")));
        let host = Host::new(app);
        host.terminate();
        let log = host.log();
        assert!(log[0].starts_with("[error] terminate: "), "{log:?}");
    }
}
