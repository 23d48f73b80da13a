//! Drafts: what somebody has not said yet, kept by its name. Keys and values, in the database as the manifest has it.

use rookery_sdk::{Error, Request, Response, kv};

const PREFIX: &str = "draft/";
/// How many drafts were ever written.
const COUNT: &str = "drafts";

fn key(request: &Request) -> String {
    format!("{PREFIX}{}", request.param("name"))
}

/// Keeps a draft in the place of the one before.
pub fn put(request: &mut Request) -> Result<Response, Error> {
    let key = key(request);
    let bucket = kv::bucket()?;
    bucket.set(&key, &request.bytes()?)?;
    let count = bucket.increment(COUNT, 1)?;
    Ok(Response::text(count.to_string()))
}

/// Adds to a draft, whoever else does at the same time.
pub fn add(request: &mut Request) -> Result<Response, Error> {
    let key = key(request);
    let more = request.bytes()?;
    let whole = kv::bucket()?.update(&key, |before| {
        [before.unwrap_or_default(), more.as_slice()].concat()
    })?;
    Ok(Response::bytes("text/plain; charset=utf-8", whole))
}

/// A draft.
pub fn get(request: &mut Request) -> Result<Response, Error> {
    let draft = kv::bucket()?.get(&key(request))?;
    let draft = draft.ok_or_else(|| Error::not_found("there is no such draft"))?;
    Ok(Response::bytes("text/plain; charset=utf-8", draft))
}

/// The names of all drafts.
pub fn list(_: &mut Request) -> Result<Response, Error> {
    let keys = kv::bucket()?.keys()?;
    let names = keys.iter().filter_map(|key| key.strip_prefix(PREFIX));
    Response::json(&names.collect::<Vec<_>>())
}

/// Forgets a draft.
pub fn delete(request: &mut Request) -> Result<Response, Error> {
    kv::bucket()?.delete(&key(request))?;
    Ok(Response::new(204))
}
