//! Rules that can be used, and which of them a path is for.
//!
//! **Invariant:** the first rule in the file's order that matches is the one that is found. Everything that can be wrong
//! with a rule is found when the set is compiled, not when it is asked.
//! **Absent on purpose:** the methods and headers of a request; a rule looks at the path alone.

use regex::{RegexSet, RegexSetBuilder};

use crate::compiled::Rule;
use crate::engine::{Filter, NEST_MAX, Verdict};
use crate::error::{Cause, RuleFault};
use crate::matched::Matched;
use crate::path;
use crate::rule::RuleSpec;
use crate::template::Variables;

/// How many steps one rule may take on one path. About half a millisecond.
const STEPS_MAX: u64 = 100_000;
/// How many steps all rules together may take on one path.
const STEPS_OF_ALL_MAX: u64 = 4 * STEPS_MAX;

/// The rules of one bundle.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// Lets a path through to each rule that may match it.
    filter: RegexSet,
}

/// What came of asking.
#[derive(Debug)]
pub struct Lookup<'a> {
    /// The rule that the path is for, if any.
    pub matched: Option<Matched<'a>>,
    /// Rules that came to their limit of steps before they knew. They count as not matching.
    pub gave_up: Vec<GaveUp<'a>>,
}

/// A rule that came to its limit.
#[derive(Debug)]
pub struct GaveUp<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Whether it is the first time, which is the time to write it to the log.
    pub is_first: bool,
}

impl RuleSet {
    /// Prepares rules. `granted` are the names of variables that the manifest grants; every other one is a fault, and so is
    /// one that `environment` does not have.
    pub fn compile(
        specs: &[RuleSpec],
        granted: &[String],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<RuleFault>> {
        let variables = Variables {
            granted,
            environment,
        };
        let mut faults = Vec::new();
        let mut rules = Vec::new();
        let mut filters = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let filter = Filter::new(spec.pattern.tree());
            match Rule::compile(index, spec, &filter, &variables) {
                Ok(rule) => rules.push(rule),
                Err(found) => faults.extend(found),
            }
            filters.push(filter.text);
        }
        let filter = RegexSetBuilder::new(filters)
            .unicode(false)
            .size_limit(usize::MAX)
            .nest_limit(NEST_MAX)
            .build();
        match filter {
            Ok(filter) if faults.is_empty() => return Ok(Self { rules, filter }),
            Ok(_) => {}
            Err(error) => faults.push(RuleFault {
                at: String::new(),
                reason: format!("the patterns cannot be compiled: {error}"),
                cause: Cause::Rule,
            }),
        }
        Err(faults)
    }

    /// All rules, in the file's order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule for a path below the app, as it stood in the request, without the query.
    pub fn find(&self, path: &str) -> Lookup<'_> {
        let path = path::normal(path);
        let mut lookup = Lookup {
            matched: None,
            gave_up: Vec::new(),
        };
        let mut steps_left = STEPS_OF_ALL_MAX;
        for index in &self.filter.matches(&path) {
            let rule = &self.rules[index];
            let outcome = rule.matcher.run(&path, steps_left.min(STEPS_MAX));
            steps_left -= outcome.steps;
            match outcome.verdict {
                Verdict::Missed => {}
                Verdict::GaveUp => lookup.gave_up.push(GaveUp {
                    rule,
                    is_first: rule.count_giving_up(),
                }),
                Verdict::Matched(groups) => {
                    lookup.matched = Some(Matched::new(rule, &path, &groups));
                    break;
                }
            }
        }
        lookup
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod catastrophes;
