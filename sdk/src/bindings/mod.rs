//! The component side: what `wit/` generates, and the translation between that and the SDK's own types.
//!
//! Public only because [`export!`](crate::export!) expands in the author's crate; not part of the SDK's interface.

mod http;
pub(crate) mod seam;
mod sessions;

/// Generated code is unsafe by nature: it lowers and lifts values at the component's edge.
#[allow(unsafe_code, missing_docs, clippy::all)]
mod generated {
    wit_bindgen::generate!({
        world: "app",
        path: "wit",
        // Imports take `&str` and `&[u8]`: what is sent is not copied once more on its way out.
        ownership: Borrowing { duplicate_if_necessary: true },
        pub_export_macro: true,
        generate_all,
    });
}

pub use generated::export;
pub use generated::exports;
pub use generated::exports::rookery::app::sessions::{
    Event as SessionEvent, Guest as SessionsGuest,
};
pub use http::answer;
pub use sessions::deliver;
pub use wasip2::exports::http::incoming_handler::Guest as HttpGuest;
pub use wasip2::http::proxy::export as export_http;
pub use wasip2::http::types::{IncomingRequest, ResponseOutparam};
