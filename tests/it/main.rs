//! Claims about the server, each shown over real sockets. Read the names of the tests.

#![allow(clippy::unwrap_used)]

mod paths {
    //! From a path to the version that answers.

    mod selectors;

    mod tags;

    mod hostile;

    mod names;

    mod seen;
}

mod deploys {
    //! Bundles that come, change and go while the server serves.

    mod versions;

    mod broken;

    mod starts;

    mod manifests;
}

mod http {
    //! The front door.

    mod exchange;

    mod limits;

    mod deadlines;

    mod protocol;

    mod streaming;

    mod site;
}

mod guests {
    //! What a guest may do to others: nothing.

    mod containment;

    mod lives;

    mod pool;

    mod health;

    mod residue;

    mod notices;

    mod foreign;

    mod memory;
}

mod process {
    //! Scripts and servers that run as processes, hosted as they are.

    mod stage;

    mod answers;

    mod streams;

    mod sockets;

    mod tunnels;

    mod lives;

    mod deaths;

    mod servers;

    mod examples;

    mod computed;
}

mod proxy {
    //! Paths that a rule sends to another server.

    mod stage;

    mod cases;

    mod answers;

    mod sockets;

    mod tls;

    mod nginx;

    mod guards;

    mod counted;
}

mod sessions {
    //! WebSockets.

    mod open;

    mod room;

    mod moves;

    mod back;

    mod stay;

    mod upgrades;

    mod fault;

    mod keep;

    mod presence;

    mod history;

    mod slow;

    mod protocol;

    mod echo;

    mod idle;

    mod noise;
}

mod storage {
    //! What guests keep.

    mod notes;

    mod keys;

    mod kills;

    mod migrate;
}

mod operating {
    //! What an operator sees and does.

    mod internal;

    mod figures;

    mod files;

    mod login;

    mod deploys;

    mod rollouts;

    mod gate;

    mod progress;

    mod abuse;

    mod full_disk;

    mod roles;

    mod listener;

    mod dashboard;

    mod top;

    mod logs;

    mod shutdown;

    mod commands;

    mod explain;
}

mod shipped {
    //! The apps and examples of the repository.

    mod chat;

    mod writing;

    mod examples;

    mod dev;
}

mod chat {
    //! The chat's protocol, and its client in a terminal.

    pub mod stage;

    mod way;

    mod client;

    mod pipes;

    mod terminal;

    mod outage;

    mod wire;

    mod recorded;

    mod person;

    mod beyond;

    mod upgrade;
}
