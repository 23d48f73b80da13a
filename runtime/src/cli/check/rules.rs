//! A bundle's proxy rules, with the variables of this machine.

use rookery_bundle::Bundle;
use rookery_proxy_rules::{Cause, RuleFault, RuleSet};

use super::Verdict;
use crate::wire::environment;

/// What a variable is that is granted, and not set here.
#[derive(Clone, Copy)]
pub enum Unset {
    /// A warning: a check may run where the server does not.
    Warned,
    /// A fault, as it is where the bundle is served.
    Refused,
}

/// Compiles the rules as a server would that had this environment.
pub fn compiled(bundle: &Bundle) -> Result<RuleSet, Vec<RuleFault>> {
    let variables = environment();
    let environment = |name: &str| variables.get(name).cloned();
    let manifest = &bundle.manifest;
    RuleSet::compile(&manifest.proxy, &manifest.grants.env, &environment)
}

/// Puts what is wrong with the rules into the verdict.
pub fn judge(bundle: &Bundle, unset: Unset, verdict: &mut Verdict) {
    if bundle.manifest.proxy.is_empty() {
        return;
    }
    for fault in compiled(bundle).err().into_iter().flatten() {
        let line = format!("proxy{fault}");
        match (&fault.cause, unset) {
            (Cause::NotSet(_), Unset::Warned) => {
                verdict.warnings.push(format!("{line} of this machine"));
            }
            (Cause::NotSet(_), Unset::Refused) | (Cause::Rule, _) => verdict.faults.push(line),
        }
    }
}
