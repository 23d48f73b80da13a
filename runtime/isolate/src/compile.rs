//! From a component's bytes to machine code, through a cache on disk.
//!
//! **Invariant:** machine code is only ever loaded from a file that this server wrote, in a folder that only its user
//! can enter. A `.cwasm` from a bundle is refused.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Precompiled};

use crate::error::IsolateError;

/// Where compiled components are kept.
#[derive(Clone, Debug)]
pub struct CompileCache {
    folder: Option<PathBuf>,
}

/// Finds a compiled component again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kept(PathBuf);

impl Kept {
    /// The component, if it is still there. Reads from disk.
    pub fn load(&self, engine: &Engine) -> Option<Component> {
        load(engine, &self.0)
    }
}

/// Makes temporary names unique within the process; the process id does it between processes.
static SERIAL: AtomicU64 = AtomicU64::new(0);

impl CompileCache {
    /// Keeps compiled code in a folder, which is made when it is missing. When the folder cannot be used safely, the
    /// cache does nothing and the log says why.
    pub fn in_folder(folder: &Path) -> Self {
        let usable = private_folder(folder);
        if let Err(reason) = &usable {
            tracing::warn!(%reason, "the compile cache is off: every start compiles every component anew");
        }
        CompileCache {
            folder: usable.is_ok().then(|| folder.to_owned()),
        }
    }

    /// Keeps nothing.
    pub fn off() -> Self {
        CompileCache { folder: None }
    }

    /// Where the component of these bytes is kept, once it was compiled; `None` when nothing is kept.
    pub(crate) fn kept(&self, engine: &Engine, wasm: &[u8]) -> Option<Kept> {
        self.entry(engine, wasm).map(Kept)
    }

    /// The component of these bytes. Takes a while when they are new; call it where blocking is allowed.
    pub fn component(&self, engine: &Engine, wasm: &[u8]) -> Result<Component, IsolateError> {
        check(wasm)?;
        let entry = self.entry(engine, wasm);
        if let Some(component) = entry.as_deref().and_then(|entry| load(engine, entry)) {
            return Ok(component);
        }
        let Some(entry) = entry else {
            return Component::from_binary(engine, wasm).map_err(IsolateError::Compile);
        };
        let code = engine
            .precompile_component(wasm)
            .map_err(IsolateError::Compile)?;
        if let Err(reason) = publish(&entry, &code) {
            tracing::warn!(%reason, "a compiled component cannot be kept");
        }
        match load(engine, &entry) {
            Some(component) => Ok(component),
            None => Component::from_binary(engine, wasm).map_err(IsolateError::Compile),
        }
    }

    /// Named after what was compiled and by which engine with which settings.
    fn entry(&self, engine: &Engine, wasm: &[u8]) -> Option<PathBuf> {
        use std::hash::{Hash, Hasher};
        let folder = self.folder.as_ref()?;
        let mut hasher = std::hash::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let digest = Sha256::digest(wasm);
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(folder.join(format!("{name}-{:016x}.cwasm", hasher.finish())))
    }
}

fn check(wasm: &[u8]) -> Result<(), IsolateError> {
    match Engine::detect_precompiled(wasm) {
        Some(Precompiled::Component | Precompiled::Module) => {
            return Err(IsolateError::Precompiled);
        }
        None => {}
    }
    // The version field of a core module is 1 in layer 0, of a component 13 in layer 1.
    if wasm.starts_with(b"\0asm\x01\0\0\0") {
        return Err(IsolateError::CoreModule);
    }
    Ok(())
}

fn load(engine: &Engine, entry: &Path) -> Option<Component> {
    if !entry.exists() {
        return None;
    }
    // SAFETY: the folder is ours alone (0700, checked in `private_folder`), the file was written by `publish` under
    // another name and renamed, and nothing writes to it afterwards, so these are bytes that this engine's compiler
    // made. An engine with other settings has another name, and `deserialize_file` checks that again.
    #[allow(unsafe_code)]
    let loaded = unsafe { Component::deserialize_file(engine, entry) };
    match loaded {
        Ok(component) => Some(component),
        Err(reason) => {
            tracing::warn!(%reason, "a cached component does not load and is compiled anew");
            let _ = fs::remove_file(entry);
            None
        }
    }
}

/// Writes under another name and renames, so that no reader ever maps half a file.
fn publish(entry: &Path, code: &[u8]) -> std::io::Result<()> {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let temporary = entry.with_extension(format!("{}-{serial}.tmp", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(code)?;
        file.sync_all()?;
        fs::rename(&temporary, entry)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn private_folder(folder: &Path) -> Result<(), String> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(format!("the cache folder cannot be made: {error}"));
        }
        _ => {}
    }
    let metadata = fs::symlink_metadata(folder).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("the cache folder is not a folder of its own".into());
    }
    // A process owns its own entry in /proc. Root could enter anybody's folder, and its owner could then write there.
    let own = fs::metadata("/proc/self").map(|own| own.uid());
    if own.is_ok_and(|own| own != metadata.uid()) {
        return Err("the cache folder belongs to another user".into());
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(|error| format!("others can enter the cache folder: {error}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
