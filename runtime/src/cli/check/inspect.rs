//! Looks into a component as a deploy does: it is compiled, its imports are linked, its exports are found.
//!
//! **Absent on purpose:** the compile cache. A check leaves nothing behind, and says what is true of the file now; and what
//! a process finds on the machine that it is started on, which may be another one.

use std::sync::Arc;

use rookery_bundle::{Bundle, Kind};
use rookery_host::Services;
use rookery_hub::{Hub, HubConfig};
use rookery_isolate::{CompileCache, EngineConfig, Isolates, Slots};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::Prepare;
use rookery_storage::Stores;
use tokio::runtime::Runtime;

use crate::cli::Failure;

/// An engine that nothing is ever run on.
pub struct Inspector {
    runtime: Runtime,
    isolates: Isolates,
}

impl Inspector {
    /// Starts the engine.
    pub fn start() -> Result<Inspector, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::Failed(format!("components cannot be checked: {error}"))
        };
        let runtime = Runtime::new().map_err(|error| failed(&error))?;
        let slots = Slots::new(&EngineConfig {
            isolates_max: 1,
            ..EngineConfig::default()
        })
        .map_err(|error| failed(&error))?;
        let hub = {
            let _context = runtime.enter();
            Hub::new(HubConfig::default(), &Tasks::new(), Shutdown::new())
        };
        let services = Services {
            hub,
            stores: Arc::new(Stores::default()),
            environment: Arc::default(),
        };
        let isolates = Isolates::new(slots, CompileCache::off(), services);
        let isolates = isolates.map_err(|error| failed(&error))?;
        Ok(Inspector { runtime, isolates })
    }

    /// Why the server would refuse what is in the bundle, if it would.
    pub fn inspect(&self, bundle: &Bundle) -> Result<(), String> {
        if bundle.kind() != Kind::Wasm {
            return Ok(());
        }
        let preparing = self.isolates.prepare(Arc::new(bundle.clone()));
        let prepared = self.runtime.block_on(preparing);
        prepared.map(drop).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::cli::check::check;
    use crate::cli::discover::discover;

    fn faults(dir: &Path, component: &[u8]) -> Vec<String> {
        let bundle = dir.join("chat/1.0.0");
        fs::create_dir_all(&bundle).unwrap();
        fs::write(bundle.join("worker.config.json"), "{}").unwrap();
        fs::write(bundle.join("app.wasm"), component).unwrap();
        let inspector = Inspector::start().unwrap();
        let found = discover(&[bundle]).unwrap();
        check(&found[0], &|bundle| inspector.inspect(bundle)).faults
    }

    #[test]
    fn what_is_no_component_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let core_module = faults(dir.path(), b"\0asm\x01\0\0\0");
        assert_eq!(core_module.len(), 1);
        assert!(
            core_module[0].contains("build for wasm32-wasip2"),
            "{core_module:?}"
        );
    }

    #[test]
    fn a_server_or_a_script_is_no_component_and_is_accepted() {
        let dir = tempfile::tempdir().unwrap();
        for (name, manifest) in [
            ("server", r#"{"command": "./serve"}"#),
            ("script", r#"{"ttl": 60}"#),
        ] {
            let bundle = dir.path().join(name).join("1.0.0");
            fs::create_dir_all(&bundle).unwrap();
            fs::write(bundle.join("worker.config.json"), manifest).unwrap();
            fs::write(bundle.join("index.ts"), "export default {}").unwrap();
        }
        let inspector = Inspector::start().unwrap();
        let found = discover(&[dir.path().to_owned()]).unwrap();
        let verdicts = found
            .iter()
            .map(|found| check(found, &|bundle| inspector.inspect(bundle)));
        let faults: Vec<_> = verdicts.flat_map(|verdict| verdict.faults).collect();
        assert_eq!((found.len(), faults), (2, Vec::<String>::new()));
    }

    #[test]
    fn a_component_without_exports_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let empty = faults(dir.path(), b"\0asm\x0d\0\x01\0");
        assert_eq!(empty.len(), 1);
        assert!(empty[0].contains("nothing to call"), "{empty:?}");
    }
}
