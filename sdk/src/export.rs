//! What makes a component of an app.

/// Exports an app, given the function that builds it. `export!(app)` is for one that only answers requests; what else it
/// exports is named behind it:
///
/// - `sessions`: it holds sessions. The server opens sessions only on a component that exports them.
/// - `life`: it is told when it is idle and when it ends; see [`App::on_idle`](crate::App::on_idle).
///
/// So `export!(app, sessions, life)` has all of it. The app is built once for as long as its isolate lives. In a native
/// build this only checks the function's type.
#[macro_export]
macro_rules! export {
    ($app:path $(, $also:ident)* $(,)?) => {
        #[allow(unsafe_code, reason = "a component's exports are raw functions")]
        const _: () = {
            $crate::export!(@app $app);
            $($crate::export!(@also $also);)*
        };
    };
    (@app $app:path) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::App = $app;

        #[cfg(target_arch = "wasm32")]
        ::std::thread_local! {
            static APP: $crate::App = $app();
        }

        #[cfg(target_arch = "wasm32")]
        struct Component;

        #[cfg(target_arch = "wasm32")]
        impl $crate::bindings::HttpGuest for Component {
            fn handle(
                request: $crate::bindings::IncomingRequest,
                response: $crate::bindings::ResponseOutparam,
            ) {
                APP.with(|app| $crate::bindings::answer(app, request, response));
            }
        }

        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export_http!(Component);
    };
    (@also sessions) => {
        #[cfg(target_arch = "wasm32")]
        impl $crate::bindings::SessionsGuest for Component {
            fn handle(events: ::std::vec::Vec<$crate::bindings::SessionEvent>) {
                APP.with(|app| $crate::bindings::deliver(app, events));
            }
        }

        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export!(Component with_types_in $crate::bindings);
    };
    (@also life) => {
        #[cfg(target_arch = "wasm32")]
        impl $crate::bindings::LifeGuest for Component {
            fn idle() {
                APP.with($crate::App::idle);
            }

            fn terminate() {
                APP.with($crate::App::terminate);
            }
        }

        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export_life!(Component with_types_in $crate::bindings::life);
    };
}
