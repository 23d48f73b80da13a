//! The databases of all namespaces.
//!
//! **Invariant:** a database is open once, however many revisions share it, and closed with the last of them.
//! **Invariant:** what a manifest says about its database leads to no file but those of its own namespace.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rookery_lifecycle::Tasks;
use tokio::sync::Mutex;

use crate::error::SqlError;
use crate::sql::{Database, SqlLimits};
use crate::sqlite::{Place, Sqlite};

/// The file of a namespace whose manifest names none.
const FILE: &str = "data.db";

/// Why a namespace has no database. The text is for the operator.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL leads somewhere else.
    #[error("database.url: a file of SQLite is sqlite:NAME without a folder, or sqlite::memory:")]
    Elsewhere,
    /// It is of a kind that is not served yet.
    #[error("database.url: {0} is not served yet, only sqlite:")]
    Unserved(String),
    /// The folder cannot be made.
    #[error("the folder of the namespace's data cannot be made: {0}")]
    Folder(String),
    /// The database does not open.
    #[error("the database does not open: {0}")]
    Database(#[from] SqlError),
}

/// Opens databases and shares them.
pub struct Databases {
    /// Absent when all of them live in memory.
    folder: Option<PathBuf>,
    limits: SqlLimits,
    tasks: Tasks,
    // Held while one is opened, so that two who want the same get the same.
    open: Mutex<HashMap<(String, Place), Weak<dyn Database>>>,
}

impl Databases {
    /// All databases lie below `folder`, which is made with the first of them.
    pub fn in_folder(folder: PathBuf, limits: SqlLimits, tasks: &Tasks) -> Arc<Databases> {
        Databases::new(Some(folder), limits, tasks)
    }

    /// All databases live in memory, whatever the manifests say.
    pub fn in_memory(limits: SqlLimits, tasks: &Tasks) -> Arc<Databases> {
        Databases::new(None, limits, tasks)
    }

    fn new(folder: Option<PathBuf>, limits: SqlLimits, tasks: &Tasks) -> Arc<Databases> {
        Arc::new(Databases {
            folder,
            limits,
            tasks: tasks.clone(),
            open: Mutex::default(),
        })
    }

    /// Where the ends of writes are waited for.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The database of a namespace, as its manifest's `database.url` says.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open(
        &self,
        namespace: &str,
        url: Option<&str>,
    ) -> Result<Arc<dyn Database>, OpenError> {
        let place = self.place(namespace, url)?;
        let key = (namespace.to_owned(), place.clone());
        let mut open = self.open.lock().await;
        if let Some(database) = open.get(&key).and_then(Weak::upgrade) {
            return Ok(database);
        }
        if let Place::File(path) = &place
            && let Some(folder) = path.parent()
        {
            make_folder(folder).await?;
        }
        let database: Arc<dyn Database> = Sqlite::open(&place, self.limits, &self.tasks).await?;
        open.retain(|_, known| known.strong_count() > 0);
        open.insert(key, Arc::downgrade(&database));
        Ok(database)
    }

    /// Whether a namespace has anything in such a database: whether opening it would not make it.
    ///
    /// # Errors
    /// [`OpenError`], for a URL that leads nowhere.
    pub fn is_there(&self, namespace: &str, url: Option<&str>) -> Result<bool, OpenError> {
        Ok(match self.place(namespace, url)? {
            Place::File(path) => path.exists(),
            Place::Memory => false,
        })
    }

    /// Closes all of them, once nobody writes any more. False when that took longer than `grace`.
    pub async fn close(&self, grace: Duration) -> bool {
        let open: Vec<_> = self.open.lock().await.drain().collect();
        for database in open
            .into_iter()
            .filter_map(|(_, database)| database.upgrade())
        {
            database.close().await;
        }
        self.tasks.drain(grace).await.is_empty()
    }

    fn place(&self, namespace: &str, url: Option<&str>) -> Result<Place, OpenError> {
        let name = match url {
            None => FILE,
            Some("sqlite::memory:") => return Ok(Place::Memory),
            Some(url) => {
                let scheme = url.split(':').next().unwrap_or_default();
                let unserved = || OpenError::Unserved(format!("{scheme}:"));
                url.strip_prefix("sqlite:").ok_or_else(unserved)?
            }
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(OpenError::Elsewhere);
        }
        let Some(folder) = &self.folder else {
            return Ok(Place::Memory);
        };
        // The slash of a scope is the only character of a namespace that no file's name has; `+` is in no namespace.
        let folder = folder.join(namespace.replace('/', "+"));
        Ok(Place::File(folder.join(name)))
    }
}

/// Nobody else on the machine reads what guests keep.
async fn make_folder(folder: &Path) -> Result<(), OpenError> {
    let made = tokio::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .await;
    made.map_err(|error| OpenError::Folder(error.kind().to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sql::SqlClient;

    #[tokio::test]
    async fn a_namespace_has_a_database_of_its_own_and_its_revisions_share_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let databases = Databases::in_folder(data.clone(), SqlLimits::default(), &Tasks::new());
        let one = databases.open("chat@1", None).await.unwrap();
        let same = databases.open("chat@1", None).await.unwrap();
        assert!(Arc::ptr_eq(&one, &same));
        let other = databases.open("@team/chat@1", None).await.unwrap();
        let mut client = SqlClient::new(one);
        client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
        client.durable().await.unwrap();
        assert!(
            SqlClient::new(other)
                .query("SELECT * FROM t", vec![])
                .await
                .is_err()
        );
        assert!(data.join("chat@1/data.db").exists());
        assert!(data.join("@team+chat@1/data.db").exists());
    }

    #[tokio::test]
    async fn what_was_written_before_the_end_is_there_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let limits = SqlLimits::default();
            Databases::in_folder(folder.path().to_owned(), limits, &Tasks::new())
        };
        let databases = open();
        let database = databases.open("chat@1", None).await.unwrap();
        let mut client = SqlClient::new(Arc::clone(&database));
        client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
        assert!(
            databases.close(Duration::from_secs(60)).await,
            "although somebody holds it"
        );
        assert_eq!(client.durable().await, Ok(()));
        let refused = client.execute("CREATE TABLE u (a)", vec![]).await;
        assert!(
            matches!(refused, Err(SqlError::Unavailable(_))),
            "{refused:?}"
        );
        let again = open().open("chat@1", None).await.unwrap();
        let rows = SqlClient::new(again).query("SELECT * FROM t", vec![]).await;
        assert!(rows.is_ok());
    }

    #[tokio::test]
    async fn a_manifest_cannot_lead_out_of_its_namespace() {
        let folder = tempfile::tempdir().unwrap();
        let databases = Databases::in_folder(
            folder.path().to_owned(),
            SqlLimits::default(),
            &Tasks::new(),
        );
        for url in [
            "sqlite:../other@1/data.db",
            "sqlite:/etc/passwd",
            "sqlite:..",
            "sqlite:",
            "sqlite:a?mode=rw",
        ] {
            let refused = databases.open("chat@1", Some(url)).await.err();
            assert_eq!(refused, Some(OpenError::Elsewhere), "{url}");
        }
        let postgres = databases
            .open("chat@1", Some("postgres://secret@host/db"))
            .await;
        assert_eq!(
            postgres.err(),
            Some(OpenError::Unserved("postgres:".to_owned()))
        );
        assert!(
            databases
                .open("chat@1", Some("sqlite:own.db"))
                .await
                .is_ok()
        );
        assert!(
            databases
                .open("chat@1", Some("sqlite::memory:"))
                .await
                .is_ok()
        );
    }
}
