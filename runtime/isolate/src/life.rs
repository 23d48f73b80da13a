//! One notice through a guest's `rookery:app/life`.

use rookery_pool::{Deadline, Notice};

use crate::epoch::Runner;
use crate::instantiate::Isolate;
use crate::trap;

/// Tells the guest. One that fails at it, or is not done in time, is not sound any more; nobody else notices.
pub(crate) async fn tell(isolate: &mut Isolate, notice: Notice, deadline: Deadline) {
    let Some(attentive) = isolate.life.as_ref() else {
        return;
    };
    isolate.sound = false;
    isolate.store.data_mut().begin_invocation(deadline);
    let runner = Runner::of(isolate.store.data());
    let (guest, store) = (attentive.rookery_app_life(), &mut isolate.store);
    let told = match notice {
        Notice::Idle => runner.run(guest.call_idle(store)).await,
        Notice::Terminate => runner.run(guest.call_terminate(store)).await,
    };
    let state = isolate.store.data_mut();
    state.end_invocation();
    match told {
        Ok(()) => isolate.sound = true,
        Err(error) => {
            let fault = trap::fault(state, &error);
            let app = state.guest.bundle().label();
            tracing::warn!(target: "guest", %app, %fault, ?notice, "the guest failed on a notice");
        }
    }
}
