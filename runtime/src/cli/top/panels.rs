//! The lower part of the screen: one panel of several, as lines.
//!
//! **Invariant:** no text of others passes but through [`safe`].

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::around::{Ended, Namespace, Rollout, Rule, Seen};
use super::board::{Board, Worker};
use super::draw::{Ink, Scene};
use super::keys::Panel;
use super::table::Row;
use super::words::{NONE, bytes, millis, rate, span};
use crate::cli::safe;

/// What a panel says: its name, and its lines, of which there is room for so many.
pub fn say<'a>(scene: &Scene<'a>, room: usize) -> (String, Vec<Line<'a>>) {
    let board = scene.board;
    let (title, lines) = match scene.choice.panel {
        Panel::Faults => (" faults ".to_owned(), faults(scene)),
        Panel::Log => (" log ".to_owned(), log(scene, room)),
        Panel::Workers => workers(scene.rows.get(scene.choice.row), board.now, room),
        Panel::Sessions => (" sessions ".to_owned(), sessions(&board.around.namespaces)),
        Panel::Upstreams => (" upstreams ".to_owned(), upstreams(&board.around.rules)),
        Panel::Rollouts => (" rollouts ".to_owned(), rollouts(board, scene.ink)),
    };
    (title, lines)
}

/// What is said where there is nothing else.
fn or<'a>(lines: Vec<Line<'a>>, nothing: &'static str) -> Vec<Line<'a>> {
    if lines.is_empty() {
        return vec![dim(nothing)];
    }
    lines
}

fn dim<'a>(text: impl Into<std::borrow::Cow<'a, str>>) -> Line<'a> {
    Line::styled(text, Style::new().add_modifier(Modifier::DIM))
}

fn faults<'a>(scene: &Scene<'a>) -> Vec<Line<'a>> {
    let marked = scene.rows.get(scene.choice.row);
    // Why the marked one does not start comes first: it is what one marks it for.
    let why = marked.and_then(|row| Some((row, row.why.as_ref()?)));
    let mut lines: Vec<Line<'_>> = Vec::new();
    if let Some((row, why)) = why {
        let who = format!(" {}@{} does not start: ", row.app, row.version);
        lines.push(Line::from(vec![
            Span::raw(who),
            Span::styled(why.clone(), scene.ink.of(Color::Red)),
        ]));
    }
    for fault in &scene.board.faults {
        let ago = span(scene.board.now.saturating_sub(fault.last));
        let times = format!(" {:>5} × {ago:>9} ago  ", fault.count);
        let who = label(fault.app.as_deref(), fault.version.as_deref());
        lines.push(Line::from(vec![
            Span::styled(times, Style::new().add_modifier(Modifier::DIM)),
            Span::raw(format!("{who}  ")),
            Span::styled(safe::line(&fault.reason), scene.ink.of(Color::Red)),
        ]));
        let said = fault.said.iter();
        lines.extend(said.map(|said| dim(format!("       {}", safe::line(said)))));
    }
    or(lines, " nothing failed")
}

fn log<'a>(scene: &Scene<'a>, room: usize) -> Vec<Line<'a>> {
    let newest = scene.board.lines.iter().rev().take(room).rev();
    let lines = newest.map(|line| {
        let faint = Style::new().add_modifier(Modifier::DIM);
        let style = match line.level.as_str() {
            "error" => scene.ink.of(Color::Red),
            "warn" => scene.ink.of(Color::Yellow),
            _ => faint,
        };
        let who = line.app.as_deref();
        let who = who.map(|app| format!("{} ", label(Some(app), line.version.as_deref())));
        Line::from(vec![
            Span::styled(format!(" {:5} ", safe::line(&line.level)), style),
            Span::styled(who.unwrap_or_default(), scene.ink.of(Color::Cyan)),
            Span::raw(safe::line(&line.message)),
            Span::styled(format!(" {}", safe::line(&line.fields)), faint),
        ])
    });
    lines.collect()
}

/// Each worker of the marked revision.
fn workers<'a>(marked: Option<&Row>, now: u64, room: usize) -> (String, Vec<Line<'a>>) {
    let Some(row) = marked else {
        return (" workers ".to_owned(), vec![dim(" no revision is marked")]);
    };
    let title = format!(" workers of {}@{} ", row.app, row.version);
    if row.worker_list.is_empty() {
        return (title, vec![dim(" no worker lives")]);
    }
    // One line for the heads; and one for those that there is no room for.
    let fits = row.worker_list.len() < room && row.workers_more == 0;
    let shown = if fits { room } else { room.saturating_sub(2) };
    let head = format!(
        " {:>8}  {:<16} {:>9} {:>9} {:>10}  PROCESS",
        "WORKER", "STATE", "AGE", "REQUESTS", "MEMORY"
    );
    let mut lines = vec![dim(head)];
    let listed = row.worker_list.iter().take(shown);
    lines.extend(listed.map(|one| Line::raw(worker(one, now))));
    let listed = row.worker_list.len();
    let more = listed.saturating_sub(shown) as u64 + row.workers_more;
    if more > 0 {
        lines.push(dim(format!(" {:>8}", format!("+ {more}"))));
    }
    (title, lines)
}

fn worker(one: &Worker, now: u64) -> String {
    let ago = |at: u64| span(now.saturating_sub(at));
    let state = match (one.idle_since, one.running) {
        (Some(since), _) => format!("idle {}", ago(since)),
        (None, running @ 2..) => format!("{} with {running}", safe::line(&one.state)),
        (None, _) => safe::line(&one.state),
    };
    let memory = one.memory_bytes.map_or_else(|| NONE.to_owned(), bytes);
    let process = one
        .pid
        .map_or_else(|| NONE.to_owned(), |pid| pid.to_string());
    format!(
        " {:>8}  {state:<16} {:>9} {:>9} {memory:>10}  {process}",
        one.id,
        ago(one.since),
        one.requests
    )
}

fn sessions<'a>(namespaces: &[Namespace]) -> Vec<Line<'a>> {
    let lines = namespaces.iter().map(|one| {
        let closed = one.slow_closed + one.guest_faults;
        Line::raw(format!(
            " {:<24} {:>8} sessions {:>8} topics {:>8}/s published {:>8}/s delivered {closed:>6} closed",
            safe::line(&one.namespace),
            one.sessions,
            one.topics,
            rate(one.published_per_second),
            rate(one.deliveries_per_second),
        ))
    });
    or(lines.collect(), " nobody has opened a session yet")
}

fn upstreams<'a>(rules: &[Rule]) -> Vec<Line<'a>> {
    let lines = rules.iter().map(|rule| {
        let failed = rule.statuses.get(4).copied().unwrap_or_default();
        Line::raw(format!(
            " {:>8}/s {failed:>6} failed  p99 {:>8} {:>5} tunnels  {} {} → {}",
            rate(rule.requests_per_second),
            millis((rule.requests > 0).then_some(rule.answer_ms.p99)),
            rule.tunnels,
            safe::line(&rule.revision),
            safe::line(&rule.pattern),
            safe::line(&rule.target),
        ))
    });
    or(lines.collect(), " no proxy rule has been asked")
}

fn rollouts<'a>(board: &Board, ink: Ink) -> Vec<Line<'a>> {
    let apps = board.apps.values();
    let told = apps.filter_map(|app| Some((&app.name, app.rollout.as_ref()?)));
    let lines = told.flat_map(|(name, rollout)| rollout_lines(name, rollout, board.now, ink));
    or(lines.collect(), " no app has a rollout")
}

fn rollout_lines<'a>(app: &str, rollout: &Rollout, now: u64, ink: Ink) -> Vec<Line<'a>> {
    let weights = rollout.weights.iter();
    let weights: Vec<String> = weights
        .map(|(version, share)| format!("{} {share:.0} %", safe::line(version)))
        .collect();
    let mut lines = vec![Line::raw(format!(
        " {}  {}",
        safe::line(app),
        weights.join(", ")
    ))];
    if let Some(fault) = &rollout.fault {
        let text = format!("   its file is not in force: {}", safe::line(fault));
        lines.push(Line::styled(text, ink.of(Color::Red)));
    }
    if let Some(canary) = &rollout.canary {
        let left = format!("next in {}", span(canary.left_ms));
        let waits = canary.waits.as_deref().map(safe::line);
        let evidence = canary.judgement.evidence.values().copied();
        lines.push(Line::raw(format!(
            "   canary {}, step {} of {}, {}, evidence against it {:.0} %",
            safe::line(&canary.version),
            canary.step + 1,
            canary.steps.len(),
            waits.unwrap_or(left),
            evidence.fold(0.0, f64::max) * 100.0,
        )));
        lines.push(seen("canary", canary.judgement.canary));
        lines.push(seen("stable", canary.judgement.stable));
    } else if let Some(last) = &rollout.last {
        lines.push(ended(last, now));
    }
    lines
}

fn seen<'a>(side: &str, seen: Seen) -> Line<'a> {
    let p99 = millis((seen.p99_ms > 0.0).then_some(seen.p99_ms));
    let (errors, faults, closes) = (seen.errors, seen.faults, seen.closes);
    dim(format!(
        "     {side}: {} answers, {errors} failed, {faults} faults, {closes} sessions closed, p99 {p99}",
        seen.answers
    ))
}

fn ended<'a>(last: &Ended, now: u64) -> Line<'a> {
    let how = match last.how.as_str() {
        "rolledBack" => "rolled back".to_owned(),
        how => safe::line(how),
    };
    dim(format!(
        "   the last canary, {}, was {how} {} ago: {}",
        safe::line(&last.version),
        span(now.saturating_sub(last.at)),
        safe::line(&last.reason)
    ))
}

fn label(app: Option<&str>, version: Option<&str>) -> String {
    let app = safe::line(app.unwrap_or("server"));
    version.map_or_else(
        || app.clone(),
        |version| format!("{app}@{}", safe::line(version)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line<'_>]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    fn row(count: u64, more: u64) -> Row {
        let worker = |id| Worker {
            id,
            state: "busy".to_owned(),
            since: 1_000,
            idle_since: (id == 2).then_some(9_000),
            requests: 7,
            running: if id == 1 { 3 } else { 1 },
            memory_bytes: Some(3 << 20),
            pid: (id == 1).then_some(4711),
        };
        Row {
            app: "chat".to_owned(),
            version: "1.0.0".to_owned(),
            worker_list: (1..=count).map(worker).collect(),
            workers_more: more,
            ..Row::default()
        }
    }

    #[test]
    fn each_worker_has_a_line_as_far_as_there_is_room_and_the_others_are_counted() {
        let said = |row: &Row, room| texts(&workers(Some(row), 11_000, room).1);
        let lines = said(&row(2, 0), 5);
        assert_eq!(lines.len(), 3);
        assert!(
            lines[1].contains("busy with 3")
                && lines[1].ends_with("10 s         7    3.0 MiB  4711"),
            "{lines:?}"
        );
        assert!(
            lines[2].contains("idle 2 s") && lines[2].ends_with('–'),
            "{lines:?}"
        );
        let lines = said(&row(9, 4), 5);
        assert_eq!((lines.len(), lines[4].trim()), (5, "+ 10"));
        assert_eq!(said(&row(4, 0), 5).len(), 5, "they fit");
        assert_eq!(said(&row(0, 0), 5), [" no worker lives"]);
    }

    #[test]
    fn a_canary_is_told_with_what_speaks_against_it_and_one_that_is_over_with_why() {
        let canary = r#"{"weights":{"1.0.0":95,"1.1.0":5},"canary":{"version":"1.1.0","steps":[5,50],"step":0,"leftMs":9000,
            "judgement":{"canary":{"answers":61,"faults":5,"closes":2},"evidence":{"faults":0.4,"errors":0.1}}}}"#;
        let read = |json: &str| serde_json::from_str::<Rollout>(json).unwrap_or_default();
        let said = texts(&rollout_lines("chat", &read(canary), 0, Ink::None));
        assert_eq!(said[0], " chat  1.0.0 95 %, 1.1.0 5 %");
        assert_eq!(
            said[1],
            "   canary 1.1.0, step 1 of 2, next in 9 s, evidence against it 40 %"
        );
        assert!(
            said[2].contains("61 answers, 0 failed, 5 faults, 2 sessions closed"),
            "{said:?}"
        );
        let over = r#"{"weights":{"1.0.0":100},"last":{"version":"1.1.0","how":"reversed","reason":"faults\u001b[2J","at":1000}}"#;
        let said = texts(&rollout_lines("chat", &read(over), 61_000, Ink::None));
        assert!(said[1].starts_with("   the last canary, 1.1.0, was reversed 1 min ago: faults"));
        assert!(!said[1].contains('\u{1b}'));
    }
}
