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

/// It may wait with the session that ended, and be said while one looks at what was missed.
#[test]
fn what_is_sent_again_has_the_name_that_it_had() {
    let mut stage = Stage::joined(&[10]);
    let name = |stage: &mut Stage| {
        let effects = std::mem::take(&mut stage.effects);
        let mut sent = effects.iter().filter_map(|effect| match effect {
            Effect::Send(frame) => Some(serde_json::from_str::<Value>(frame).unwrap()),
            _ => None,
        });
        let said = sent.find(|frame| frame["channel"] == "message.send");
        said.unwrap()["requestId"].as_str().unwrap().to_owned()
    };
    stage.say("hi");
    let first = name(&mut stage);
    stage.outage();
    stage.hear_joined(&[10]);
    assert_eq!(name(&mut stage), first);
    // Another message has another.
    let said = json!({"id": "20", "text": "hi", "roomId": "r", "username": "Ada", "timestamp": 20});
    stage.hear("message.received", said);
    stage.say("hi");
    assert_ne!(name(&mut stage), first);
}

#[test]
fn what_the_server_cannot_keep_is_given_up_and_told() {
    let mut stage = Stage::joined(&[10]);
    stage.say("hi");
    stage.effects.clear();
    let error = json!({"code": "NOT_KEPT", "message": "There is no space"});
    stage.hear("error", error);
    let told = Effect::Tell(Told::Problem("There is no space".into()));
    assert_eq!(stage.effects, [told]);
    assert_eq!(stage.chat.outbox.len(), 0);
}

/// In a room of a server that knows positions, at `e:1`, with one message.
fn joined_at_a_position() -> Stage {
    let mut stage = Stage::new(Patience::Endless);
    stage.step(Event::Up);
    let joined = json!({"roomId": "r", "users": ["Ada"], "recentMessages": messages(&[10])});
    stage.hear_at("e:1", "room.joined", joined);
    stage.effects.clear();
    stage
}

/// What `message.recovered` says.
fn missed(timestamps: &[u64], has_more: bool) -> Value {
    json!({"roomId": "r", "messages": messages(timestamps), "hasMore": has_more, "complete": true})
}

/// Down, and up again: the payload with which it joined.
fn join_after_an_outage(stage: &mut Stage) -> Value {
    stage.step(Event::Down("broken".into()));
    stage.wait(20_000);
    stage.effects.clear();
    stage.step(Event::Up);
    let mut sent = stage.sent().into_iter();
    sent.find(|(channel, _)| channel == "room.join").unwrap().1
}

#[test]
fn a_server_that_knows_positions_is_asked_from_where_on() {
    let mut stage = joined_at_a_position();
    let said = json!({"id": "20", "text": "t", "roomId": "r", "username": "Bob", "timestamp": 20});
    stage.hear_at("e:2", "message.received", said);
    stage.say("written-meanwhile");
    let join = join_after_an_outage(&mut stage);
    assert_eq!(
        join,
        json!({"roomId": "r", "username": "Ada", "since": "e:2"})
    );
    let joined = json!({"roomId": "r", "users": ["Ada"], "recentMessages": messages(&[50])});
    stage.hear_at("e:5", "room.joined", joined);
    assert!(stage.sent().is_empty(), "what was missed comes by itself");
    stage.hear_at("e:4+", "message.recovered", missed(&[20, 30], true));
    let asked = json!({"roomId": "r", "since": "e:4+", "limit": 100});
    assert_eq!(stage.sent(), [("message.recover".to_owned(), asked)]);
    stage.hear_at("e:5", "message.recovered", missed(&[40, 50], false));
    assert_eq!(stage.timestamps(), [10, 20, 30, 40, 50]);
    assert_eq!(stage.channels(), ["message.send"]);
    assert_eq!(join_after_an_outage(&mut stage)["since"], "e:5");
}

#[test]
fn a_position_is_only_reached_when_there_is_no_gap_before_it() {
    let mut stage = joined_at_a_position();
    join_after_an_outage(&mut stage);
    let joined = json!({"roomId": "r", "users": ["Ada"], "recentMessages": messages(&[50])});
    stage.hear_at("e:5", "room.joined", joined);
    let said = json!({"id": "60", "text": "t", "roomId": "r", "username": "Bob", "timestamp": 60});
    stage.hear_at("e:6", "message.received", said);
    assert_eq!(join_after_an_outage(&mut stage)["since"], "e:1");
    let joined = json!({"roomId": "r", "users": ["Ada"], "recentMessages": messages(&[50])});
    stage.hear_at("e:6", "room.joined", joined);
    stage.hear_at("e:3+", "message.recovered", missed(&[20], true));
    assert_eq!(join_after_an_outage(&mut stage)["since"], "e:1");
}

#[test]
fn a_server_that_knows_the_position_no_more_is_read_back_by_time() {
    let mut stage = joined_at_a_position();
    join_after_an_outage(&mut stage);
    let joined = json!({"roomId": "r", "users": ["Ada"], "recentMessages": messages(&[50])});
    stage.hear_at("f:9", "room.joined", joined);
    let forgotten = json!({"roomId": "r", "messages": [], "hasMore": false, "complete": false});
    stage.hear_at("f:9", "message.recovered", forgotten);
    assert_eq!(stage.channels(), ["message.history"]);
    let page = json!({"roomId": "r", "messages": messages(&[10, 40]), "hasMore": false});
    stage.hear("message.history", page);
    assert_eq!(stage.timestamps(), [10, 40, 50]);
    assert_eq!(stage.chat.phase, Phase::Ready);
    assert_eq!(join_after_an_outage(&mut stage)["since"], "f:9");
}

#[test]
fn a_server_that_knows_positions_no_more_is_read_back_by_time() {
    let mut stage = joined_at_a_position();
    join_after_an_outage(&mut stage);
    stage.hear_joined(&[50]);
    assert_eq!(stage.channels(), ["message.history"]);
}

/// Places are given out in one order and told in another: what was stamped before the newest may have been missed.
#[test]
fn what_was_under_way_is_found_among_what_was_missed() {
    let mut stage = joined_at_a_position();
    stage.say("hi");
    stage.effects.clear();
    join_after_an_outage(&mut stage);
    let joined = json!({"roomId": "r", "users": ["Ada"], "recentMessages": []});
    stage.hear_at("e:2", "room.joined", joined);
    let own = json!({"id": "9", "text": "hi", "username": "Ada", "timestamp": 9});
    let missed = json!({"roomId": "r", "messages": [own], "hasMore": false, "complete": true});
    stage.hear_at("e:2", "message.recovered", missed);
    assert!(stage.sent().is_empty(), "it is not said twice");
    assert_eq!(stage.chat.outbox.len(), 0);
}
