//! SQL as guests know it, whatever database answers: values, statements, limits, and the traits that a database has to
//! implement.
//!
//! **Invariant:** a guest writes `?` for its values, never a number or a name, so its statements mean the same to every
//! database.
//! **Absent on purpose:** a type of any database's driver.

mod client;
mod database;
mod durable;
mod lexer;
mod limits;
mod statement;
mod value;

pub use client::{Owed, SqlClient};
pub use database::{Applied, Database, Decide, Dialect, Done, Rows, Transaction};
pub use durable::{CommitError, Durable, Group};
pub(crate) use lexer::{Kind, inspect, split};
pub use limits::SqlLimits;
pub use statement::Statement;
pub use value::Value;
