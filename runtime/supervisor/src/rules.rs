//! A bundle's proxy rules, made ready with the operator's variables before the bundle is live.
//!
//! **Invariant:** a revision that is live has a rule set whose every variable is filled in.
//! **Absent on purpose:** asking the rules. Who serves requests does.

use std::collections::BTreeMap;
use std::sync::Arc;

use rookery_bundle::Bundle;
use rookery_proxy_rules::RuleSet;

use crate::revision::{Refusal, Until};

/// What the operator's environment has for manifests.
pub type Variables = Arc<BTreeMap<String, String>>;

/// Compiles the rules, if there are any. Thousands of them take a while, so they do not hold up the runtime.
pub(crate) async fn compile(
    bundle: &Arc<Bundle>,
    variables: &Variables,
) -> Result<Option<Arc<RuleSet>>, Refusal> {
    if bundle.manifest.proxy.is_empty() {
        return Ok(None);
    }
    let (bundle, variables) = (Arc::clone(bundle), Arc::clone(variables));
    let compiled = tokio::task::spawn_blocking(move || {
        let manifest = &bundle.manifest;
        let environment = |name: &str| variables.get(name).cloned();
        RuleSet::compile(&manifest.proxy, &manifest.grants.env, &environment)
    });
    let refused = |reason: String| Refusal {
        reason: reason.into(),
        lacks: None,
        // The environment is that of this process: only another bundle changes anything.
        until: Until::Changed,
    };
    match compiled.await {
        Ok(Ok(rules)) => Ok(Some(Arc::new(rules))),
        Ok(Err(faults)) => {
            let lines: Vec<String> = faults.iter().map(|fault| format!("proxy{fault}")).collect();
            Err(refused(lines.join("\n  ")))
        }
        Err(_panicked) => Err(refused("the proxy rules could not be compiled".to_owned())),
    }
}
