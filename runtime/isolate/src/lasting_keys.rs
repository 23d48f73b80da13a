//! wasi:keyvalue for a guest whose keys are in the database. These calls wait, and only their isolate does.
//!
//! A component is linked to these or to those of `keyvalue`, as its manifest says; so keys in memory stay ordinary calls.

use bytes::Bytes;
use rookery_storage::{KvError, Revision, SqlError};
use wasmtime::component::Resource;

use crate::bindings::lasting::wasi::keyvalue::{atomics, store};
use crate::state::State;

/// An open bucket. There is one a namespace; every handle means the same.
pub struct OpenKeys;

/// A value as it was when it was read, to be swapped if it still is.
pub struct SeenKey {
    key: String,
    value: Option<Bytes>,
    revision: Revision,
}

type Answer<T> = wasmtime::Result<Result<T, store::Error>>;

fn other(error: KvError) -> store::Error {
    store::Error::Other(error.to_string())
}

fn closed(error: SqlError) -> store::Error {
    other(KvError::Database(error))
}

impl State {
    async fn see_key(&mut self, key: String) -> Result<SeenKey, store::Error> {
        let (database, hub) = self.database().await.map_err(closed)?;
        let (value, revision) = database.see_key(hub, &key).await.map_err(other)?;
        Ok(SeenKey {
            key,
            value,
            revision,
        })
    }
}

impl store::Host for State {
    async fn open(&mut self, identifier: String) -> Answer<Resource<OpenKeys>> {
        if !matches!(identifier.as_str(), "" | "default") {
            return Ok(Err(store::Error::NoSuchStore));
        }
        Ok(Ok(self.table.push(OpenKeys)?))
    }
}

impl store::HostBucket for State {
    async fn get(&mut self, handle: Resource<OpenKeys>, key: String) -> Answer<Option<Vec<u8>>> {
        self.table.get(&handle)?;
        let found = match self.database().await {
            Ok((database, hub)) => database.get_key(hub, &key).await.map_err(other),
            Err(error) => Err(closed(error)),
        };
        Ok(found.map(|value| value.map(Vec::from)))
    }

    async fn set(&mut self, handle: Resource<OpenKeys>, key: String, value: Vec<u8>) -> Answer<()> {
        self.table.get(&handle)?;
        self.effects.note();
        Ok(match self.database().await {
            Ok((database, hub)) => {
                let set = database.set_key(hub, &key, value.into()).await;
                set.map_err(other)
            }
            Err(error) => Err(closed(error)),
        })
    }

    async fn delete(&mut self, handle: Resource<OpenKeys>, key: String) -> Answer<()> {
        self.table.get(&handle)?;
        self.effects.note();
        Ok(match self.database().await {
            Ok((database, hub)) => database.delete_key(hub, &key).await.map_err(other),
            Err(error) => Err(closed(error)),
        })
    }

    async fn exists(&mut self, handle: Resource<OpenKeys>, key: String) -> Answer<bool> {
        self.table.get(&handle)?;
        Ok(match self.database().await {
            Ok((database, hub)) => database.has_key(hub, &key).await.map_err(other),
            Err(error) => Err(closed(error)),
        })
    }

    async fn list_keys(
        &mut self,
        handle: Resource<OpenKeys>,
        cursor: Option<String>,
    ) -> Answer<store::KeyResponse> {
        self.table.get(&handle)?;
        let page = match self.database().await {
            Ok((database, hub)) => {
                let page = database.list_keys(hub, cursor.as_deref()).await;
                page.map_err(other)
            }
            Err(error) => Err(closed(error)),
        };
        Ok(page.map(|page| store::KeyResponse {
            keys: page.keys,
            cursor: page.cursor,
        }))
    }

    async fn drop(&mut self, handle: Resource<OpenKeys>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl atomics::Host for State {
    async fn increment(
        &mut self,
        handle: Resource<OpenKeys>,
        key: String,
        delta: i64,
    ) -> Answer<i64> {
        self.table.get(&handle)?;
        self.effects.note();
        Ok(match self.database().await {
            Ok((database, hub)) => {
                let sum = database.increment_key(hub, &key, delta).await;
                sum.map_err(other)
            }
            Err(error) => Err(closed(error)),
        })
    }

    async fn swap(
        &mut self,
        handle: Resource<SeenKey>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), atomics::CasError>> {
        let SeenKey { key, revision, .. } = self.table.delete(handle)?;
        self.effects.note();
        let swapped = match self.database().await {
            Ok((database, hub)) => database.swap_key(hub, &key, revision, value.into()).await,
            Err(error) => Err(KvError::Database(error)),
        };
        let refusal = match swapped {
            Ok(()) => return Ok(Ok(())),
            Err(KvError::Conflict) => match self.see_key(key).await {
                Ok(fresh) => atomics::CasError::CasFailed(self.table.push(fresh)?),
                Err(error) => atomics::CasError::StoreError(error),
            },
            Err(error) => atomics::CasError::StoreError(other(error)),
        };
        Ok(Err(refusal))
    }
}

impl atomics::HostCas for State {
    async fn new(&mut self, handle: Resource<OpenKeys>, key: String) -> Answer<Resource<SeenKey>> {
        self.table.get(&handle)?;
        Ok(match self.see_key(key).await {
            Ok(seen) => Ok(self.table.push(seen)?),
            Err(error) => Err(error),
        })
    }

    async fn current(&mut self, handle: Resource<SeenKey>) -> Answer<Option<Vec<u8>>> {
        let value = self.table.get(&handle)?.value.as_ref();
        Ok(Ok(value.map(|value| value.to_vec())))
    }

    async fn drop(&mut self, handle: Resource<SeenKey>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
