//! The component side: what `wit/` generates, and the translation between that and the SDK's own types.
//!
//! Public only because [`export!`](crate::export!) expands in the author's crate; not part of the SDK's interface.

mod http;
pub(crate) mod seam;
mod sessions;
mod sql;

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

/// The same for `life`, in a world of its own since an app exports it only when it is asked to.
#[allow(unsafe_code, missing_docs, clippy::all)]
pub mod life {
    wit_bindgen::generate!({
        world: "attentive",
        path: "wit",
        pub_export_macro: true,
        export_macro_name: "export_life",
    });
}

pub use generated::export;
pub use generated::exports;
pub use generated::exports::rookery::app::sessions::{
    Event as SessionEvent, Guest as SessionsGuest,
};
pub use http::answer;
pub use life::export_life;
pub use life::exports::rookery::app::life::Guest as LifeGuest;
pub use sessions::deliver;
pub use wasip2::exports::http::incoming_handler::Guest as HttpGuest;
pub use wasip2::http::proxy::export as export_http;
pub use wasip2::http::types::{IncomingRequest, ResponseOutparam};
