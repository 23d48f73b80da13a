//! Workers that are child processes: scripts under Bun, Deno or Node, and servers of any kind.
//!
//! A start, in the order of the files: the revision has a spare or needs a new one (`revision`), a folder, an environment
//! and a program are put together (`start`), a guard is launched (`launch`), which confines itself and becomes the program
//! (`guard`, `confine`), until it says that it can answer (`control`) or is found to (`ready`). From then on it is a
//! `process`, which its `keeper` sees through and `worker`s hold.
//!
//! **Invariant:** a process ends with the last that holds it, and no later than the server, however that ends.
//! **Invariant:** a process finds nothing of the server in its environment but what its manifest was granted.
//! **Absent on purpose:** clients' sockets, routing, and who may have a worker. Restarts: the pool starts the next one.

mod house;

mod revision;

mod start;

mod runtimes;

mod shim;

mod folders;

mod environment;

mod launch;

mod guard;

mod confine;

mod control;

mod ready;

mod process;

mod keeper;

mod kin;

mod output;

mod worker;

mod body;

mod tunnel;

mod secrets;

mod config;

mod error;

pub use config::ProcessConfig;
pub use error::StartError;
pub use folders::FOLDER_BYTES_MAX;
pub use guard::{GUARD, take_over};
pub use house::Processes;
pub use secrets::keep_secrets;
