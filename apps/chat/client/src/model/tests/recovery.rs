//! Claims about what was said while the connection was lost: nothing is missed, doubled or out of order.

use super::*;

#[test]
fn what_was_missed_is_read_back_to_what_was_known() {
    let mut stage = Stage::joined(&[10, 20]);
    stage.outage();
    stage.hear_joined(&[50, 60]);
    let asked = json!({"roomId": "r", "limit": 100, "before": 50});
    assert_eq!(stage.sent(), [("message.history".to_owned(), asked)]);
    stage.hear(
        "message.history",
        json!({"roomId": "r", "messages": messages(&[30, 40]), "hasMore": true}),
    );
    let asked = json!({"roomId": "r", "limit": 100, "before": 30});
    assert_eq!(stage.sent(), [("message.history".to_owned(), asked)]);
    stage.hear(
        "message.history",
        json!({"roomId": "r", "messages": messages(&[20]), "hasMore": true}),
    );
    assert!(stage.sent().is_empty());
    assert_eq!(stage.chat.phase, Phase::Ready);
    assert_eq!(stage.timestamps(), [10, 20, 30, 40, 50, 60]);
}

#[test]
fn what_was_missed_is_told_in_its_order_when_it_is_whole() {
    let mut stage = Stage::joined(&[10]);
    stage.outage();
    stage.hear_joined(&[40, 50]);
    stage.hear_said(60, "Bob", "t60");
    assert_eq!(stage.told(), [0; 0]);
    stage.hear(
        "message.history",
        json!({"roomId": "r", "messages": messages(&[10, 20, 30]), "hasMore": true}),
    );
    assert_eq!(stage.told(), [20, 30, 40, 50, 60]);
    stage.hear_said(70, "Bob", "t70");
    assert_eq!(stage.told(), [70]);
}

#[test]
fn who_knew_of_nothing_before_an_outage_reads_everything() {
    let mut stage = Stage::joined(&[]);
    stage.outage();
    stage.hear_joined(&[50, 60]);
    assert_eq!(stage.channels(), ["message.history"]);
    stage.hear(
        "message.history",
        json!({"roomId": "r", "messages": messages(&[40]), "hasMore": false}),
    );
    assert_eq!(stage.told(), [40, 50, 60]);
    let is_told = stage
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Tell(Told::Notice(_))));
    assert!(!is_told, "there was no gap");
    let mut stage = Stage::joined(&[]);
    stage.outage();
    stage.hear_joined(&[]);
    assert_eq!(stage.chat.phase, Phase::Ready);
}

#[test]
fn who_comes_back_to_a_room_reads_what_was_said_meanwhile() {
    let mut stage = Stage::joined(&[10]);
    stage.step(Event::Command(Command::Join("s".into())));
    stage.hear(
        "room.joined",
        json!({"roomId": "s", "users": ["Ada"], "recentMessages": []}),
    );
    stage.step(Event::Command(Command::Join("r".into())));
    stage.effects.clear();
    stage.hear_joined(&[50, 60]);
    let asked = json!({"roomId": "r", "limit": 100, "before": 50});
    assert_eq!(stage.sent(), [("message.history".to_owned(), asked)]);
}

#[test]
fn a_connection_lost_during_recovery_does_not_lose_its_beginning() {
    let mut stage = Stage::joined(&[10]);
    stage.outage();
    stage.hear_joined(&[50, 60]);
    stage.effects.clear();
    stage.outage();
    stage.hear_joined(&[50, 60]);
    assert_eq!(stage.channels(), ["message.history"]);
}

#[test]
fn a_gap_is_told_when_the_server_forgot() {
    for recent in [&[][..], &[50]] {
        let mut stage = Stage::joined(&[10]);
        stage.outage();
        stage.hear_joined(recent);
        if !recent.is_empty() {
            stage.hear(
                "message.history",
                json!({"roomId": "r", "messages": [], "hasMore": false}),
            );
        }
        let is_told = stage.effects.iter().any(
            |effect| matches!(effect, Effect::Tell(Told::Notice(text)) if text.contains("may be missing")),
        );
        assert!(is_told, "{recent:?}");
        assert_eq!(stage.chat.phase, Phase::Ready);
    }
}

#[test]
fn what_was_under_way_is_sent_again_unless_it_arrived() {
    for arrived in [false, true] {
        let mut stage = Stage::joined(&[10]);
        stage.say("hi");
        assert_eq!(stage.channels(), ["message.send"]);
        stage.outage();
        let mut recent = messages(&[10]);
        if arrived {
            recent.push(json!({"id": "20", "text": "hi", "username": "Ada", "timestamp": 20}));
        }
        stage.hear(
            "room.joined",
            json!({"roomId": "r", "users": ["Ada"], "recentMessages": recent}),
        );
        let expected: &[&str] = if arrived { &[] } else { &["message.send"] };
        assert_eq!(stage.channels(), expected);
    }
}
