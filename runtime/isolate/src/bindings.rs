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

/// Keys and values for a guest whose manifest has them in the database: the same interfaces, and calls that wait.
pub(crate) mod lasting {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        inline: "
            package rookery:lasting;
            world lasting-keys {
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
            }
        ",
        world: "rookery:lasting/lasting-keys",
        imports: { default: async | trappable },
        require_store_data_send: true,
        with: {
            "wasi:keyvalue/store.bucket": crate::lasting_keys::OpenKeys,
            "wasi:keyvalue/atomics.cas": crate::lasting_keys::SeenKey,
        },
    });
}

/// The world of a guest that hears of its life. It exports this beside whatever else it exports.
pub(crate) mod attentive {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "rookery:app/attentive",
        exports: { default: async },
        require_store_data_send: true,
    });
}
