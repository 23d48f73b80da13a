//! Runs a simulation for many seeds, on all processors, and says which one failed.
//!
//! **Invariant:** seeds are independent: each has a runtime, a clock and a thread of its own while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use parking_lot::Mutex;

/// What a seed came to.
pub struct Day {
    /// Everything that happened, for whoever looks at a failure.
    pub trace: String,
    /// What should not have happened.
    pub wrong: Vec<String>,
}

/// How much of the trace of a failure is printed, from its end, in lines.
const LINES: usize = 120;

/// Runs so many seeds, or those that the environment names.
///
/// # Panics
/// When one of them went wrong; the message has its seed, what was wrong and the end of its trace.
pub fn run(simulation: &str, count: u64, simulate: impl Fn(u64) -> Day + Sync) {
    if let Some(seed) = number("ROOKERY_SIM_SEED") {
        let day = simulate(seed);
        println!("{}", day.trace);
        return judge(simulation, seed, &day);
    }
    let count = number("ROOKERY_SIM_SEEDS").unwrap_or(count);
    let (next, failed) = (AtomicU64::new(0), Mutex::new(None));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count || failed.lock().is_some() {
                        return;
                    }
                    let day = simulate(seed);
                    if !day.wrong.is_empty() {
                        failed.lock().get_or_insert((seed, day));
                    }
                }
            });
        }
    });
    if let Some((seed, day)) = failed.into_inner() {
        judge(simulation, seed, &day);
    }
}

fn judge(simulation: &str, seed: u64, day: &Day) {
    if day.wrong.is_empty() {
        return;
    }
    let lines: Vec<&str> = day.trace.lines().collect();
    let tail = lines[lines.len().saturating_sub(LINES)..].join("\n");
    panic!(
        "seed {seed} of {simulation}:\n  {}\n\nthe end of its trace:\n{tail}\n\nagain: \
         ROOKERY_SIM_SEED={seed} cargo test -p rookery-sim --test {simulation} -- --nocapture",
        day.wrong.join("\n  ")
    );
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is a whole number, not {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(wrong: &[&str]) -> Day {
        Day {
            trace: "it rained\n".into(),
            wrong: wrong.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    #[should_panic(expected = "seed 7 of weather:\n  too wet")]
    fn the_seed_that_failed_is_named() {
        judge("weather", 7, &day(&["too wet"]));
    }

    #[test]
    fn every_seed_is_run_once() {
        let seen = Mutex::new(Vec::new());
        run("weather", 100, |seed| {
            seen.lock().push(seed);
            day(&[])
        });
        let mut seen = seen.into_inner();
        seen.sort_unstable();
        assert!(seen.windows(2).all(|two| two[0] + 1 == two[1]));
    }
}
