//! What is done with a request, once its revision is known.
//!
//! **Absent on purpose:** which rule matched, and the request's method: both are for whoever answers.

/// What a revision can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// One of its proxy rules is for the path.
    pub rule: bool,
    /// It has files that the host serves.
    pub static_files: bool,
    /// It has a worker that answers HTTP requests.
    pub worker: bool,
    /// It takes WebSocket sessions.
    pub sessions: bool,
    /// Its worker speaks WebSocket itself.
    pub tunnels: bool,
}

/// What a request wants to become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Upgrade {
    /// Nothing else.
    None,
    /// A WebSocket.
    WebSocket,
}

/// Who answers a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// The upstream of the rule, whatever the request wants to become.
    Proxy,
    /// The host, from the revision's files.
    Static,
    /// The host if there is such a file, else a worker.
    StaticThenWorker,
    /// A worker.
    Worker,
    /// The hub: the request becomes a session.
    Session,
    /// A worker, which the client's connection is joined to.
    Tunnel,
    /// Nobody: the revision has nothing that could.
    NotFound,
}

/// Decides who answers. A revision without sessions answers an upgrade as if it had not been asked for, as a server may
/// (RFC 9110, 7.8); the client sees that from the status.
pub fn choose(facts: Facts, upgrade: Upgrade) -> Route {
    match (upgrade, facts) {
        (_, Facts { rule: true, .. }) => Route::Proxy,
        (Upgrade::WebSocket, Facts { sessions: true, .. }) => Route::Session,
        (Upgrade::WebSocket, Facts { tunnels: true, .. }) => Route::Tunnel,
        (
            _,
            Facts {
                static_files: true,
                worker: true,
                ..
            },
        ) => Route::StaticThenWorker,
        (
            _,
            Facts {
                static_files: true, ..
            },
        ) => Route::Static,
        (_, Facts { worker: true, .. }) => Route::Worker,
        _ => Route::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Facts = Facts {
        rule: false,
        static_files: false,
        worker: false,
        sessions: false,
        tunnels: false,
    };
    const STATIC: Facts = Facts {
        static_files: true,
        ..NOTHING
    };
    const WORKER: Facts = Facts {
        worker: true,
        ..NOTHING
    };
    const CHAT: Facts = Facts {
        static_files: true,
        worker: true,
        sessions: true,
        ..NOTHING
    };
    const SOCKETS_ONLY: Facts = Facts {
        sessions: true,
        ..NOTHING
    };
    const PROCESS: Facts = Facts {
        worker: true,
        tunnels: true,
        ..NOTHING
    };
    const ALL: Facts = Facts {
        rule: true,
        static_files: true,
        worker: true,
        sessions: true,
        tunnels: true,
    };

    #[test]
    fn a_request_goes_to_the_first_who_can_answer_it() {
        let rows = [
            (STATIC, Upgrade::None, Route::Static),
            (WORKER, Upgrade::None, Route::Worker),
            (CHAT, Upgrade::None, Route::StaticThenWorker),
            (SOCKETS_ONLY, Upgrade::None, Route::NotFound),
            (Facts::default(), Upgrade::None, Route::NotFound),
            (CHAT, Upgrade::WebSocket, Route::Session),
            (SOCKETS_ONLY, Upgrade::WebSocket, Route::Session),
            (STATIC, Upgrade::WebSocket, Route::Static),
            (WORKER, Upgrade::WebSocket, Route::Worker),
            (Facts::default(), Upgrade::WebSocket, Route::NotFound),
            (PROCESS, Upgrade::None, Route::Worker),
            (PROCESS, Upgrade::WebSocket, Route::Tunnel),
            (ALL, Upgrade::None, Route::Proxy),
            (ALL, Upgrade::WebSocket, Route::Proxy),
            (
                Facts { rule: false, ..ALL },
                Upgrade::WebSocket,
                Route::Session,
            ),
        ];
        for (facts, upgrade, route) in rows {
            assert_eq!(choose(facts, upgrade), route, "{facts:?} {upgrade:?}");
        }
    }
}
