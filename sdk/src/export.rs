//! What makes a component of an app.

/// Exports an app, given the function that builds it: `export!(app)` for one that only answers requests,
/// `export!(app, sessions)` for one that also holds sessions.
///
/// A component exports only what is asked for here, and the server opens sessions only on one that exports them. The
/// app is built once for as long as its isolate lives. In a native build this only checks the function's type.
#[macro_export]
macro_rules! export {
    ($app:path) => {
        #[allow(unsafe_code, reason = "a component's exports are raw functions")]
        const _: () = {
    $crate::export!(@app $app);

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::export_http!(Component);
        };
    };
    ($app:path, sessions) => {
        #[allow(unsafe_code, reason = "a component's exports are raw functions")]
        const _: () = {
    $crate::export!(@app $app);

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::SessionsGuest for Component {
                fn handle(events: ::std::vec::Vec<$crate::bindings::SessionEvent>) {
                    APP.with(|app| $crate::bindings::deliver(app, events));
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::export_http!(Component);
            #[cfg(target_arch = "wasm32")]
    $crate::bindings::export!(Component with_types_in $crate::bindings);
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
    };
}
