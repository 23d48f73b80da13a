//! The guest contract's WIT as host traits. Generated; `link` implements them.
#![allow(missing_docs)]

wasmtime::component::bindgen!({
    path: "../../sdk/wit",
    world: "rookery:app/app",
    imports: {
        // These wait for the database and for a thread; everything else answers at once.
        "rookery:app/sql": async | trappable,
        "rookery:app/password": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    // What a guest is given is lent: it is copied once, into the guest's memory.
    ownership: Borrowing { duplicate_if_necessary: true },
    require_store_data_send: true,
    with: {
        "rookery:app/sql.transaction": crate::sql::OpenTransaction,
        "wasi:keyvalue/store.bucket": crate::keyvalue::OpenBucket,
        "wasi:keyvalue/atomics.cas": crate::keyvalue::Cas,
    },
});

/// The world of a guest that hears of its life. It exports this beside whatever else it exports.
pub(crate) mod attentive {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "rookery:app/attentive",
        exports: { default: async },
        require_store_data_send: true,
    });
}
