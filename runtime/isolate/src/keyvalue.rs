//! wasi:keyvalue and wasi:config for a guest: the namespace's bucket, and the granted names.

use std::sync::Arc;

use bytes::Bytes;
use rookery_storage::{Bucket, KvError, Revision};
use wasmtime::component::Resource;

use crate::bindings::wasi::config::store as config;
use crate::bindings::wasi::keyvalue::{atomics, store};
use crate::state::State;

/// An open bucket. There is one a namespace; every handle means the same.
pub struct OpenBucket(Arc<Bucket>);

/// A value as it was when it was read, to be swapped if it still is.
pub struct Cas {
    bucket: Arc<Bucket>,
    key: String,
    value: Option<Bytes>,
    revision: Revision,
}

impl Cas {
    fn read(bucket: Arc<Bucket>, key: String) -> Result<Cas, KvError> {
        let (value, revision) = bucket.get_with_revision(&key)?;
        Ok(Cas {
            bucket,
            key,
            value,
            revision,
        })
    }
}

fn other(error: KvError) -> store::Error {
    store::Error::Other(error.to_string())
}

impl State {
    fn bucket(&self, handle: &Resource<OpenBucket>) -> wasmtime::Result<Arc<Bucket>> {
        Ok(Arc::clone(&self.table.get(handle)?.0))
    }
}

impl store::Host for State {
    fn open(
        &mut self,
        identifier: String,
    ) -> wasmtime::Result<Result<Resource<OpenBucket>, store::Error>> {
        if !matches!(identifier.as_str(), "" | "default") {
            return Ok(Err(store::Error::NoSuchStore));
        }
        let bucket = OpenBucket(Arc::clone(self.guest.bucket()));
        Ok(Ok(self.table.push(bucket)?))
    }
}

impl store::HostBucket for State {
    fn get(
        &mut self,
        handle: Resource<OpenBucket>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, store::Error>> {
        let found = self.bucket(&handle)?.get(&key).map_err(other);
        Ok(found.map(|value| value.map(Vec::from)))
    }

    fn set(
        &mut self,
        handle: Resource<OpenBucket>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), store::Error>> {
        self.effects.note();
        Ok(self.bucket(&handle)?.set(&key, value.into()).map_err(other))
    }

    fn delete(
        &mut self,
        handle: Resource<OpenBucket>,
        key: String,
    ) -> wasmtime::Result<Result<(), store::Error>> {
        self.effects.note();
        Ok(self.bucket(&handle)?.delete(&key).map_err(other))
    }

    fn exists(
        &mut self,
        handle: Resource<OpenBucket>,
        key: String,
    ) -> wasmtime::Result<Result<bool, store::Error>> {
        Ok(self.bucket(&handle)?.exists(&key).map_err(other))
    }

    fn list_keys(
        &mut self,
        handle: Resource<OpenBucket>,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<store::KeyResponse, store::Error>> {
        let page = self.bucket(&handle)?.list_keys(cursor.as_deref());
        Ok(Ok(store::KeyResponse {
            keys: page.keys,
            cursor: page.cursor,
        }))
    }

    fn drop(&mut self, handle: Resource<OpenBucket>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl atomics::Host for State {
    fn increment(
        &mut self,
        handle: Resource<OpenBucket>,
        key: String,
        delta: i64,
    ) -> wasmtime::Result<Result<i64, store::Error>> {
        self.effects.note();
        let bucket = self.bucket(&handle)?;
        Ok(bucket.increment(&key, delta).map_err(other))
    }

    fn swap(
        &mut self,
        handle: Resource<Cas>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), atomics::CasError>> {
        self.effects.note();
        let cas = self.table.delete(handle)?;
        let swapped = cas.bucket.swap(&cas.key, cas.revision, value.into());
        let refusal = match swapped {
            Ok(()) => return Ok(Ok(())),
            Err(KvError::Conflict) => match Cas::read(cas.bucket, cas.key) {
                Ok(fresh) => atomics::CasError::CasFailed(self.table.push(fresh)?),
                Err(error) => atomics::CasError::StoreError(other(error)),
            },
            Err(error) => atomics::CasError::StoreError(other(error)),
        };
        Ok(Err(refusal))
    }
}

impl atomics::HostCas for State {
    fn new(
        &mut self,
        handle: Resource<OpenBucket>,
        key: String,
    ) -> wasmtime::Result<Result<Resource<Cas>, store::Error>> {
        match Cas::read(self.bucket(&handle)?, key) {
            Ok(cas) => Ok(Ok(self.table.push(cas)?)),
            Err(error) => Ok(Err(other(error))),
        }
    }

    fn current(
        &mut self,
        handle: Resource<Cas>,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, store::Error>> {
        let value = self.table.get(&handle)?.value.as_ref();
        Ok(Ok(value.map(|value| value.to_vec())))
    }

    fn drop(&mut self, handle: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl config::Host for State {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, config::Error>> {
        let granted = self.guest.config();
        let found = granted.iter().find(|(name, _)| *name == key);
        Ok(Ok(found.map(|(_, value)| value.clone())))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, config::Error>> {
        Ok(Ok(self.guest.config().to_vec()))
    }
}
