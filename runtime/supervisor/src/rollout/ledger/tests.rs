//! Claims about what is in force and what is on disk, when both change at once.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::rollout::file;

fn chat() -> AppName {
    AppName::parse("chat").unwrap()
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn ground() -> Ground {
    Ground {
        app: "chat".into(),
        serving: vec![version("1.0.0"), version("1.1.0")],
        unpinned: Some(version("1.1.0")),
        now: 1,
    }
}

type Heard = oneshot::Receiver<Result<RolloutStatus, RolloutError>>;

fn promote(ledger: &mut Ledger, text: &str) -> (Todo, Heard) {
    let (reply, heard) = oneshot::channel();
    let version = Some(version(text));
    let todo = ledger.change(&chat(), Change::Promote { version }, &ground(), reply);
    (todo, heard)
}

fn ledger() -> Ledger {
    Ledger::new(Some("apps".into()))
}

/// The version that has everything.
fn whole(ledger: &Ledger) -> Option<String> {
    let weights = ledger.in_force().pop()?.weights;
    Some(weights.heaviest().to_string())
}

fn on_disk(text: &str) -> BTreeMap<AppName, OnDisk> {
    let file = OnDisk {
        root: "apps".into(),
        text: text.into(),
        read: file::read(text),
        before: None,
    };
    BTreeMap::from([(chat(), file)])
}

/// One that is wrong, and what was kept of it when it was not.
fn broken(before: &str) -> BTreeMap<AppName, OnDisk> {
    let mut files = on_disk("{");
    for file in files.values_mut() {
        file.before = file::read(before).ok();
    }
    files
}

fn all_to(text: &str) -> String {
    format!("{{\"weights\": {{\"{text}\": 100}}}}")
}

fn write_all(ledger: &mut Ledger, todo: Todo) -> Todo {
    let serving = ground().serving;
    let mut last = Todo::default();
    for writing in todo.write {
        last = ledger.wrote(writing, Ok(()), &serving);
    }
    last
}

#[tokio::test(start_paused = true)]
async fn a_look_that_began_before_a_write_does_not_bring_back_what_was_there() {
    let mut ledger = ledger();
    ledger.take_files(on_disk(&all_to("1.1.0")), Instant::now());
    let begun = Instant::now();
    let (todo, mut heard) = promote(&mut ledger, "1.0.0");
    assert_eq!(
        whole(&ledger).as_deref(),
        Some("1.0.0"),
        "before it is written"
    );
    // One comes in the middle of the writing, one after it; both looked before.
    ledger.take_files(on_disk(&all_to("1.1.0")), begun);
    assert!(
        heard.try_recv().is_err(),
        "nobody is told before it is written"
    );
    write_all(&mut ledger, todo);
    heard.try_recv().unwrap().unwrap();
    ledger.take_files(on_disk(&all_to("1.1.0")), begun);
    ledger.take_files(BTreeMap::new(), begun);
    assert_eq!(whole(&ledger).as_deref(), Some("1.0.0"));
    // A later one that finds another text is somebody's wish.
    tokio::time::advance(std::time::Duration::from_millis(1)).await;
    ledger.take_files(on_disk(&all_to("1.1.0")), Instant::now());
    assert_eq!(whole(&ledger).as_deref(), Some("1.1.0"));
    ledger.take_files(BTreeMap::new(), Instant::now());
    assert_eq!(whole(&ledger), None);
}

#[tokio::test(start_paused = true)]
async fn what_changes_while_a_file_is_written_is_written_after_it_and_told_then() {
    let mut ledger = ledger();
    let (first, mut first_heard) = promote(&mut ledger, "1.0.0");
    let (second, mut second_heard) = promote(&mut ledger, "1.1.0");
    assert!(second.write.is_empty(), "one at a time");
    let again = write_all(&mut ledger, first);
    assert!(first_heard.try_recv().is_err() && second_heard.try_recv().is_err());
    let [writing] = &again.write[..] else {
        panic!("{again:?}");
    };
    assert!(writing.text.contains("\"1.1.0\": 100"), "{}", writing.text);
    assert!(
        writing
            .expected
            .as_ref()
            .unwrap()
            .contains("\"1.0.0\": 100")
    );
    write_all(&mut ledger, again);
    for heard in [&mut first_heard, &mut second_heard] {
        let status = heard.try_recv().unwrap().unwrap();
        assert_eq!(status.weights["1.1.0"], 100.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_somebody_else_changed_is_theirs() {
    let mut ledger = ledger();
    let (mut todo, mut heard) = promote(&mut ledger, "1.0.0");
    let writing = todo.write.pop().unwrap();
    ledger.wrote(writing, Err(Unwritten::ChangedMeanwhile), &[]);
    let refused = heard.try_recv().unwrap().unwrap_err();
    assert!(matches!(refused, RolloutError::ChangedMeanwhile { .. }));
    ledger.take_files(on_disk(&all_to("1.1.0")), Instant::now());
    assert_eq!(whole(&ledger).as_deref(), Some("1.1.0"));
}

#[tokio::test(start_paused = true)]
async fn too_many_changes_at_once_are_refused() {
    let mut ledger = ledger();
    let (_todo, _first) = promote(&mut ledger, "1.0.0");
    let mut heard: Vec<Heard> = Vec::new();
    for _ in 1..WAITERS_MAX {
        heard.push(promote(&mut ledger, "1.1.0").1);
    }
    let (_, mut refused) = promote(&mut ledger, "1.0.0");
    assert_eq!(refused.try_recv().unwrap(), Err(RolloutError::Busy));
    assert_eq!(
        whole(&ledger).as_deref(),
        Some("1.1.0"),
        "and changes nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn without_an_apps_directory_there_are_no_rollouts() {
    let mut ledger = Ledger::new(None);
    let (todo, mut heard) = promote(&mut ledger, "1.0.0");
    assert_eq!(heard.try_recv().unwrap(), Err(RolloutError::NoPlace));
    assert!(todo.write.is_empty() && ledger.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_wrong_at_the_start_leaves_in_force_what_was_kept_and_no_later_one_does() {
    let mut ledger = ledger();
    ledger.take_files(broken(&all_to("1.0.0")), Instant::now());
    assert_eq!(whole(&ledger).as_deref(), Some("1.0.0"));
    assert!(ledger.statuses(|_| &[])["chat"].fault.is_some());
    ledger.take_files(on_disk(&all_to("2.0.0")), Instant::now());
    ledger.take_files(broken(&all_to("1.0.0")), Instant::now());
    assert_eq!(whole(&ledger).as_deref(), Some("2.0.0"));
}
