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

/// The longest path that rules are asked about, in bytes, as they see it. All of them together take a few milliseconds for
/// it at the worst; with some tens of bad patterns a path four times as long takes a fifth of a second.
pub const PATH_BYTES_MAX: usize = 16 * 1024;

/// So few rules are asked one after the other, if their patterns run in linear time.
const FEW: usize = 2;

/// The rules of one bundle.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// Lets a path through to each rule that may match it.
    filter: RegexSet,
    /// Whether asking the rules themselves costs less than asking the filter first.
    asks_each: bool,
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
            Ok(filter) if faults.is_empty() => {
                let asks_each =
                    rules.len() <= FEW && rules.iter().all(|rule| rule.matcher.needs_no_filter());
                return Ok(Self {
                    rules,
                    filter,
                    asks_each,
                });
            }
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
    ///
    /// A path of more than [`PATH_BYTES_MAX`] bytes is shown to no rule, and passes none by either: the first one has it,
    /// and says that it is [too long](crate::UriTooLong).
    pub fn find(&self, path: &str) -> Lookup<'_> {
        let path = path::normal(path);
        let mut lookup = Lookup {
            matched: None,
            gave_up: Vec::new(),
        };
        if path.len() > PATH_BYTES_MAX {
            lookup.matched = self.rules.first().map(Matched::too_long);
            return lookup;
        }
        if self.asks_each {
            self.look(self.rules.iter(), &path, &mut lookup);
        } else {
            let filtered = self.filter.matches(&path);
            let rules = filtered.iter().map(|index| &self.rules[index]);
            self.look(rules, &path, &mut lookup);
        }
        lookup
    }

    fn look<'a>(
        &'a self,
        rules: impl Iterator<Item = &'a Rule>,
        path: &str,
        lookup: &mut Lookup<'a>,
    ) {
        let mut steps_left = STEPS_OF_ALL_MAX;
        for rule in rules {
            let outcome = rule.matcher.run(path, steps_left.min(STEPS_MAX));
            steps_left -= outcome.steps;
            match outcome.verdict {
                Verdict::Missed => {}
                Verdict::GaveUp => lookup.gave_up.push(GaveUp {
                    rule,
                    is_first: rule.count_giving_up(),
                }),
                Verdict::Matched(groups) => {
                    lookup.matched = Some(Matched::new(rule, path, &groups));
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod catastrophes;
