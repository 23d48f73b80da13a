//! One revision's side of the door: who it is and what it may.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rookery_bundle::{Bundle, Namespace};
use rookery_hub::Hub;
use rookery_lifecycle::Tasks;
use rookery_storage::migrate::{self, TableName};
use rookery_storage::{
    Bucket, BucketLimits, Database, Databases, KeyTable, OpenError, SqlError, Stores,
};
use tokio::sync::OnceCell;

use crate::hub::GuestHub;
use crate::log::{self, Stream};
use crate::outgoing::Outgoing;
use crate::password::Passwords;
use crate::sql::GuestSql;

/// What the machine offers to guests.
#[derive(Clone)]
pub struct Services {
    /// Sessions and topics.
    pub hub: Arc<Hub>,
    /// Keys and values.
    pub stores: Arc<Stores>,
    /// The environment that manifests may be granted names of.
    pub environment: Arc<BTreeMap<String, String>>,
}

/// One revision, as the machine knows it. Shared by all its workers.
pub struct Guest {
    bundle: Arc<Bundle>,
    namespace: Namespace,
    hub: Arc<Hub>,
    bucket: Arc<Bucket>,
    databases: Arc<Databases>,
    /// Opened when it is first asked for.
    database: OnceCell<Arc<dyn Database>>,
    /// The keys in it, once it is open.
    lasting_keys: OnceLock<Arc<KeyTable>>,
    key_limits: BucketLimits,
    config: Vec<(String, String)>,
}

impl Guest {
    /// The door for the workers of a bundle.
    pub fn new(bundle: Arc<Bundle>, services: &Services) -> Arc<Guest> {
        let namespace = bundle.namespace();
        let grants = &bundle.manifest.grants;
        let granted = |name: &String| Some((name.clone(), services.environment.get(name)?.clone()));
        Arc::new(Guest {
            hub: Arc::clone(&services.hub),
            bucket: services.stores.bucket(namespace.as_str()),
            databases: Arc::clone(services.stores.databases()),
            database: OnceCell::new(),
            lasting_keys: OnceLock::new(),
            key_limits: services.stores.bucket_limits(),
            config: grants.env.iter().filter_map(granted).collect(),
            namespace,
            bundle,
        })
    }

    /// The bundle that the guest runs from.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The granted names that the environment has, in the manifest's order.
    pub fn config(&self) -> &[(String, String)] {
        &self.config
    }

    /// The namespace's keys and values in memory.
    pub fn bucket(&self) -> &Arc<Bucket> {
        &self.bucket
    }

    /// The namespace's database, opened if it is not.
    ///
    /// # Errors
    /// [`OpenError`], for the operator.
    pub async fn database(&self) -> Result<&Arc<dyn Database>, OpenError> {
        let url = self.bundle.manifest.database.url.as_deref();
        let open = || self.databases.open(self.namespace.as_str(), url);
        self.database.get_or_try_init(open).await
    }

    /// The database for one invocation.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`]; the log says why.
    pub async fn sql(&self, outgoing: &Outgoing) -> Result<GuestSql, SqlError> {
        let database = self.database().await.map_err(|reason| {
            let app = self.bundle.label();
            tracing::error!(target: "guest", %app, %reason, "there is no database");
            SqlError::Unavailable("the database does not open".to_owned())
        })?;
        let keys = self.lasting_keys.get_or_init(|| {
            let keys = KeyTable::new(Arc::clone(database), self.key_limits);
            Arc::new(keys)
        });
        let (database, keys) = (Arc::clone(database), Arc::clone(keys));
        Ok(GuestSql::new(database, keys, outgoing.clone()))
    }

    /// Runs the bundle's migrations that were not run in this namespace, and names them. Blocks nobody: a file is read on a
    /// thread for that.
    ///
    /// # Errors
    /// What the operator has to mend. Nothing of a migration that failed is left.
    pub async fn migrate(&self) -> Result<Vec<String>, String> {
        let root = self.bundle.dir.clone();
        let read = tokio::task::spawn_blocking(move || rookery_bundle::read_migrations(&root));
        let read = read.await.map_err(|stopped| stopped.to_string())?;
        let migrations = read.map_err(|faults| {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            faults.join("; ")
        })?;
        if migrations.is_empty() {
            return Ok(Vec::new());
        }
        let database = self.database().await.map_err(|error| error.to_string())?;
        let ran = migrate::up(&**database, &migrations, &TableName::default()).await;
        ran.map_err(|error| error.to_string())
    }

    /// Hashes and checks passwords.
    pub fn passwords(&self) -> &'static Passwords {
        Passwords::of_the_machine()
    }

    /// Where output that waits is waited with.
    pub fn tasks(&self) -> &Tasks {
        self.databases.tasks()
    }

    /// Sessions and topics for one invocation. What was published reaches the subscribers when it is dropped, at the
    /// latest.
    pub fn hub(&self) -> GuestHub {
        GuestHub::new(
            self.hub.publisher(&self.namespace),
            Arc::clone(&self.bundle),
        )
    }

    /// Logs a line that the guest wrote.
    pub fn log(&self, stream: Stream, line: &str) {
        log::line(&self.bundle, None, stream, line);
    }

    /// Logs a line that a process of the guest wrote.
    pub fn log_of(&self, pid: u32, stream: Stream, line: &str) {
        log::line(&self.bundle, Some(pid), stream, line);
    }
}
