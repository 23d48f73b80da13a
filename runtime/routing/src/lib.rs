//! From a path to a version of an app: what is asked for, what there is, and what is done with the request.
//!
//! A request passes the files in order: its path is parsed ([`Address`]), the version that it asks for ([`Selector`]) is
//! looked up among those that are live ([`Table`]), where a rollout may spread who asks for no one version over several
//! ([`Weights`], [`Lot`]), and what that version can do decides the [`Route`].
//!
//! **Invariant:** pure. The same path and the same table always give the same answer, no input panics, and a lookup
//! allocates nothing.
//! **Absent on purpose:** the file system, HTTP and status codes; a name never becomes a path here.

mod address;

mod selector;

mod partial;

mod range;

mod resolve;

mod rollout;

mod table;

mod choose;

mod error;

pub use address::Address;
pub use choose::{Facts, Route, Upgrade, choose};
pub use error::{AddressError, SelectorError};
pub use range::Range;
pub use resolve::{By, Fallback, Resolved};
pub use rollout::{Lot, Sessions, Share, Weights, WeightsError};
pub use selector::{SELECTOR_BYTES_MAX, Selector};
pub use table::{LATEST, Table, TableBuilder};
