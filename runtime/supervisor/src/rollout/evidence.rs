//! Evidence that a version is worse than it may be, gathered look by look, and never too often looked at.
//!
//! Both tests here multiply, for every look, how much likelier what was seen is if the version is bad than if it is not.
//! While it is not, the product is a supermartingale that begins at 1, so that it *ever* reaches `1 / α` has a
//! probability of at most `α` (Ville, 1939): whoever looks four times a second needs no correction for that.
//!
//! - [`Above`]: a rate is above a limit. The likelihood ratio of Wald's sequential test ("Sequential tests of statistical
//!   hypotheses", 1945), averaged over several rates that it may be.
//! - [`Worse`]: a rate is above that of others over the same time. The ratio of Turner, Ly and Grünwald ("Generic
//!   E-variables for exact sequential k-sample tests that allow for optional stopping", 2024), where each look is a block:
//!   it is exact for whatever rate both have in common in that look, so an outage that hits everybody is no evidence.
//!
//! A version may become bad late, after a thousand good looks. So a new product is begun with every look, with the weight
//! `1 / t(t+1)` for the one that begins with look `t`; the weights add up to 1, so the sum is as good a product as each of
//! them ("mixture over starting times", as in Shin, Ramdas and Rinaldo, "E-detectors", 2023).
//!
//! **Invariant:** what is assumed about a look (the rates that are compared) comes from earlier looks alone.
//! **Absent on purpose:** clocks, and what the trials are.

/// Something that was tried, and how often it went wrong. Within one look each is taken to fail by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trials {
    /// How often.
    pub all: u64,
    /// How often it went wrong; at most as often.
    pub bad: u64,
}

/// How many rates are held for possible at once.
const ALTERNATIVES: usize = 5;
/// By how much the rates are above the limit.
const ABOVE: [f64; ALTERNATIVES] = [1.5, 3.0, 10.0, 40.0, 160.0];
/// By how much the odds are above those of the others.
const WORSE: [f64; 3] = [2.0, 5.0, 25.0];
/// Or, when next to nothing is known of the others, which rates these are.
const WORSE_RATES: [f64; 2] = [0.02, 0.2];
/// No rate is taken to be nearer to never or to always.
const RATE_BOUNDS: (f64, f64) = (1e-6, 0.95);
/// What is known of the others before anything was seen: one failure in 400 trials, as if 50 had been seen.
const BEFORE: (f64, f64) = (0.125, 50.0);

/// Products of likelihood ratios, as logarithms, for each alternative and all beginnings.
#[derive(Clone, Debug)]
struct Products {
    logs: [f64; ALTERNATIVES],
    looks: f64,
}

impl Products {
    fn new() -> Products {
        Products {
            logs: [f64::NEG_INFINITY; ALTERNATIVES],
            looks: 0.0,
        }
    }

    /// Multiplies with the ratio that each alternative has in this look.
    fn multiply(&mut self, log_ratios: [f64; ALTERNATIVES]) {
        self.looks += 1.0;
        let begins = -(self.looks * (self.looks + 1.0)).ln();
        for (log, ratio) in self.logs.iter_mut().zip(log_ratios) {
            *log = log_sum(*log, begins) + ratio;
        }
    }

    /// The logarithm of their mean.
    fn log(&self) -> f64 {
        let sum = self.logs.iter().copied().fold(f64::NEG_INFINITY, log_sum);
        sum - (ALTERNATIVES as f64).ln()
    }
}

/// The logarithm of the sum of two numbers, of which the logarithms are known.
fn log_sum(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY {
        return large;
    }
    large + (small - large).exp().ln_1p()
}

/// The logarithm of how much likelier some trials are at one rate than at another.
fn log_ratio(trials: Trials, rate: f64, than: f64) -> f64 {
    let (bad, good) = (trials.bad as f64, (trials.all - trials.bad) as f64);
    bad * (rate / than).ln() + good * ((1.0 - rate) / (1.0 - than)).ln()
}

fn bounded(rate: f64) -> f64 {
    rate.clamp(RATE_BOUNDS.0, RATE_BOUNDS.1)
}

/// Evidence that a rate is above a limit.
#[derive(Clone, Debug)]
pub struct Above {
    limit: f64,
    products: Products,
}

impl Above {
    /// Against this limit, above 0. Of one that is 95 % or more nothing is ever above it.
    pub fn new(limit: f64) -> Above {
        Above {
            limit: bounded(limit),
            products: Products::new(),
        }
    }

    /// Takes what was seen since the look before.
    pub fn look(&mut self, seen: Trials) {
        if seen.all > 0 {
            let ratio = |by: f64| log_ratio(seen, bounded(self.limit * by), self.limit);
            self.products.multiply(ABOVE.map(ratio));
        }
    }

    /// The logarithm of the evidence: 0 says nothing.
    pub fn log(&self) -> f64 {
        self.products.log()
    }
}

/// Evidence that a rate is above that of others.
#[derive(Clone, Debug)]
pub struct Worse {
    /// What was seen of the others in earlier looks.
    others: Trials,
    products: Products,
}

impl Worse {
    /// Without anything seen.
    pub fn new() -> Worse {
        Worse {
            others: Trials::default(),
            products: Products::new(),
        }
    }

    /// Takes what was seen of both since the look before.
    pub fn look(&mut self, seen: Trials, others: Trials) {
        if seen.all > 0 && others.all > 0 {
            let theirs = self.rate_of_others();
            let share = seen.all as f64 / (seen.all + others.all) as f64;
            self.products.multiply(alternatives(theirs).map(|rate| {
                // What both would have together, if they were as the alternative says.
                let both = share * rate + (1.0 - share) * theirs;
                log_ratio(seen, rate, both) + log_ratio(others, theirs, both)
            }));
        }
        self.others.all += others.all;
        self.others.bad += others.bad;
    }

    fn rate_of_others(&self) -> f64 {
        let (bad, all) = (self.others.bad as f64, self.others.all as f64);
        bounded((bad + BEFORE.0) / (all + BEFORE.1))
    }

    /// The logarithm of the evidence: 0 says nothing.
    pub fn log(&self) -> f64 {
        self.products.log()
    }
}

fn alternatives(theirs: f64) -> [f64; ALTERNATIVES] {
    let odds = theirs / (1.0 - theirs);
    let times = |by: f64| bounded(odds * by / (1.0 + odds * by));
    let [a, b, c] = WORSE.map(times);
    let [d, e] = WORSE_RATES.map(|rate| rate.max(a));
    [a, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(all: u64, bad: u64) -> Trials {
        Trials { all, bad }
    }

    /// The mean of the evidence over everything that one look can bring, each with its probability.
    fn mean_above(limit: f64, rate: f64, looks: &[Trials], all: u64) -> f64 {
        let outcomes = (0..=all).map(|bad| {
            let mut evidence = Above::new(limit);
            looks.iter().for_each(|seen| evidence.look(*seen));
            evidence.look(trials(all, bad));
            probability(all, bad, rate) * evidence.log().exp()
        });
        outcomes.sum()
    }

    fn probability(all: u64, bad: u64, rate: f64) -> f64 {
        let ways = (0..bad).fold(1.0, |ways, at| ways * (all - at) as f64 / (bad - at) as f64);
        let (bad, all) = (bad as i32, all as i32);
        ways * rate.powi(bad) * (1.0 - rate).powi(all - bad)
    }

    /// What a product may grow by in one look, in the mean: not at all, but for the product that begins with it.
    fn begins(looks: usize) -> f64 {
        let t = looks as f64 + 1.0;
        1.0 / (t * (t + 1.0))
    }

    #[test]
    fn in_the_mean_a_rate_within_the_limit_gains_no_evidence() {
        let looks = [trials(10, 0), trials(3, 1), trials(40, 0)];
        for count in 0..=looks.len() {
            let before = &looks[..count];
            let mut evidence = Above::new(0.05);
            before.iter().for_each(|seen| evidence.look(*seen));
            let was = evidence.log().exp();
            for rate in [0.05, 0.03, 0.001] {
                let mean = mean_above(0.05, rate, before, 12);
                assert!(
                    mean <= was + begins(count) + 1e-9,
                    "{rate}: {was} to {mean}"
                );
            }
            assert!(mean_above(0.05, 0.2, before, 12) > was + begins(count));
        }
    }

    #[test]
    fn in_the_mean_two_alike_gain_no_evidence_whatever_their_rate() {
        let looks = [
            (trials(2, 0), trials(30, 0)),
            (trials(5, 1), trials(50, 3)),
            (trials(9, 0), trials(9, 2)),
        ];
        for count in 0..=looks.len() {
            let after = |seen: Option<(Trials, Trials)>| {
                let mut evidence = Worse::new();
                let looks = looks[..count].iter().copied();
                looks
                    .chain(seen)
                    .for_each(|(ours, theirs)| evidence.look(ours, theirs));
                evidence.log().exp()
            };
            let (ours, theirs) = (6, 9);
            let mean = |rate: f64, worse: f64| -> f64 {
                let mut mean = 0.0;
                for bad in 0..=ours {
                    for their_bad in 0..=theirs {
                        let seen = (trials(ours, bad), trials(theirs, their_bad));
                        let chance =
                            probability(ours, bad, worse) * probability(theirs, their_bad, rate);
                        mean += chance * after(Some(seen));
                    }
                }
                mean
            };
            let was = after(None);
            // Also a rate that is quite another than it was before.
            for rate in [0.0001, 0.01, 0.1, 0.5, 0.9] {
                let mean = mean(rate, rate);
                assert!(
                    mean <= was + begins(count) + 1e-9,
                    "{rate}: {was} to {mean}"
                );
            }
            assert!(mean(0.01, 0.4) > was + begins(count));
        }
    }

    #[test]
    fn without_anybody_to_compare_with_nothing_is_said() {
        let mut evidence = Worse::new();
        for _ in 0..100 {
            evidence.look(trials(10, 10), trials(0, 0));
            evidence.look(trials(0, 0), trials(10, 0));
        }
        assert!(evidence.log() < 0.0, "{}", evidence.log());
    }

    #[test]
    fn a_few_failures_are_enough_also_after_a_long_good_time() {
        let mut above = Above::new(0.001);
        let mut worse = Worse::new();
        for _ in 0..10_000 {
            above.look(trials(3, 0));
            worse.look(trials(3, 0), trials(30, 0));
        }
        for _ in 0..20 {
            above.look(trials(3, 1));
            worse.look(trials(3, 1), trials(30, 0));
        }
        assert!(above.log() > 10.0, "{}", above.log());
        assert!(worse.log() > 10.0, "{}", worse.log());
    }
}
