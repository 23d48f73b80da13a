//! Claims about routes, methods and errors of an app.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde::Deserialize;

use super::*;
use crate::testing::{Host, Request as Call};
use crate::{BodyWriter, Json, SessionId, SseEvent, sleep, topic};

fn status_and_text(app: App, call: Call) -> (u16, String) {
    let answer = Host::new(app).request(call);
    (answer.status(), answer.text())
}

#[test]
fn a_handler_reads_parameters_and_query_and_answers_text() {
    let app = App::new().get("/hello/:name", |request: &mut Request| {
        let shout = request.query().parse::<u8>("shout")?.unwrap_or(0);
        Ok::<_, Error>(format!(
            "Hello, {}{}",
            request.param("name"),
            "!".repeat(shout.into())
        ))
    });
    let call = Call::get("/hello/ada%20l?shout=2");
    assert_eq!(status_and_text(app, call), (200, "Hello, ada l!!".into()));
}

#[test]
fn json_goes_in_and_out() {
    #[derive(Deserialize)]
    struct Sum {
        a: i64,
        b: i64,
    }
    let app = || {
        App::new().post("/sum", |request: &mut Request| {
            let sum: Sum = request.json()?;
            Ok::<_, Error>((201, Json(sum.a + sum.b)))
        })
    };
    let good = Call::post("/sum").json(&serde_json::json!({"a": 2, "b": 3}));
    assert_eq!(status_and_text(app(), good), (201, "5".into()));
    let wrong = Call::post("/sum").json(&serde_json::json!({"a": "secret"}));
    let (status, text) = status_and_text(app(), wrong);
    assert_eq!(status, 422);
    assert!(
        !text.contains("secret"),
        "an answer never repeats what was sent: {text}"
    );
    assert_eq!(status_and_text(app(), Call::post("/sum").chunk("{")).0, 400);
}

#[test]
fn what_no_route_knows_is_404_or_405_as_json() {
    let host = Host::new(App::new().get("/", |_: &mut Request| "here"));
    let answer = host.request(Call::get("/nowhere").header("x-request-id", "r1"));
    assert_eq!(answer.status(), 404);
    assert_eq!(
        answer.text(),
        r#"{"error":"Not found","code":"NOT_FOUND","requestId":"r1"}"#
    );
    let answer = host.request(Call::post("/"));
    assert_eq!(
        (answer.status(), answer.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

#[test]
fn head_is_get_without_the_body() {
    let host = Host::new(App::new().get("/", |_: &mut Request| "four"));
    let answer = host.request(Call::new(Method::Head, "/"));
    assert_eq!((answer.status(), answer.text().as_str()), (200, ""));
    assert_eq!(answer.header("content-length"), Some("4"));
}

#[test]
fn any_error_is_500_and_only_the_log_says_why() {
    let host = Host::new(App::new().get("/", |_: &mut Request| -> Result<(), Error> {
        "x".parse::<u8>()?;
        Ok(())
    }));
    let answer = host.request(Call::get("/"));
    assert_eq!(answer.status(), 500);
    assert_eq!(
        answer.text(),
        r#"{"error":"Internal server error","code":"INTERNAL"}"#
    );
    assert!(host.log()[0].contains("invalid digit"), "{:?}", host.log());
}

#[test]
fn an_app_maps_every_error_in_one_place() {
    let app = App::new()
        .get("/", |_: &mut Request| "x".parse::<u8>().map(|_| ()))
        .on_error(|_, error| {
            let status = match error.source_as::<std::num::ParseIntError>() {
                Some(_) => 422,
                None => error.status(),
            };
            Response::text("mapped").with_status(status)
        });
    let host = Host::new(app);
    assert_eq!(host.request(Call::get("/")).status(), 422);
    let unknown = host.request(Call::get("/unknown"));
    assert_eq!((unknown.status(), unknown.text().as_str()), (404, "mapped"));
}

#[test]
fn a_body_streams_through_piece_by_piece() {
    let app = App::new().post("/upper", |request: &mut Request| {
        let mut body = request.body();
        Response::stream("text/plain", move |out: &mut BodyWriter<'_>| {
            while let Some(chunk) = body.chunk()? {
                out.send(chunk.to_ascii_uppercase())?;
            }
            Ok(())
        })
    });
    let answer = Host::new(app).request(Call::post("/upper").chunk("one ").chunk("two"));
    assert_eq!(answer.chunks(), [b"ONE ".to_vec(), b"TWO".to_vec()]);
    assert_eq!(answer.header("content-length"), None);
}

#[test]
fn a_body_larger_than_the_bound_is_refused() {
    let app = App::new().post("/", |request: &mut Request| request.bytes_within(4));
    let answer = Host::new(app).request(Call::post("/").chunk("abc").chunk("de"));
    assert_eq!(answer.status(), 413);
}

#[test]
fn events_leave_one_by_one() {
    let app = App::new().get("/ticks", |_: &mut Request| {
        Response::sse(|events| {
            for tick in 0..3 {
                events.send(&SseEvent::data(tick.to_string()))?;
                sleep(Duration::from_secs(1));
            }
            Ok(())
        })
    });
    let answer = Host::new(app).request(Call::get("/ticks"));
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.chunks().len(), 3);
    assert_eq!(answer.chunks()[2], b"data: 2\n\n");
}

fn counting() -> App {
    App::new().on_message(|session: &mut Session, _: &Message| {
        let count: u32 = session.state()?.unwrap_or(0) + 1;
        session.set_state(&count)?;
        session.send(count.to_string());
        Ok::<_, Error>(())
    })
}

#[test]
fn a_session_sees_its_own_changes_within_a_batch() {
    let host = Host::new(counting());
    let (ada, bob) = (host.open("/"), host.open("/"));
    host.batch(&[(&ada, "x"), (&bob, "x"), (&ada, "x"), (&ada, "x")]);
    assert_eq!(ada.frames(), ["1", "2", "3"]);
    assert_eq!(bob.frames(), ["1"]);
    ada.text("x");
    assert_eq!(ada.frames(), ["4"], "the attachment outlives the batch");
}

#[test]
fn a_topic_reaches_its_subscribers_but_not_the_one_left_out() {
    let app = App::new()
        .on_open(|session: &mut Session, _: &Opened| session.subscribe("all"))
        .on_message(|session: &mut Session, message: &Message| {
            topic("all").except(session.id()).publish(&message.payload)
        });
    let host = Host::new(app);
    let (ada, bob) = (host.open("/"), host.open("/"));
    ada.text("hi");
    assert!(ada.frames().is_empty());
    assert_eq!(bob.frames(), ["hi"]);
    bob.close(1000, "");
    ada.text("again");
    assert!(bob.frames().is_empty());
}

#[test]
fn an_error_closes_its_session_alone() {
    let host = Host::new(counting());
    let (ada, bob) = (host.open("/"), host.open("/"));
    host.run(|| Session::new(SessionId(1), Vec::new()).attach(b"no number".to_vec()))
        .unwrap();
    ada.text("x");
    bob.text("x");
    assert_eq!(ada.closed().unwrap().code, 1011);
    assert_eq!(bob.frames(), ["1"]);
}

#[test]
fn timers_run_when_their_time_has_come_and_only_then() {
    let app = App::new()
        .on_open(|session: &mut Session, _: &Opened| {
            session.set_timer("late", Duration::from_secs(3));
            session.set_timer("early", Duration::from_secs(1));
            session.set_timer("never", Duration::from_secs(1));
            session.cancel_timer("never");
        })
        .on_timer(|session: &mut Session, name: &str| {
            session.send(name);
        });
    let host = Host::new(app);
    let ada = host.open("/");
    host.advance(Duration::from_secs(2));
    assert_eq!(ada.frames(), ["early"]);
    host.advance(Duration::from_secs(1));
    assert_eq!(ada.frames(), ["late"]);
}

#[test]
fn a_session_moves_to_another_version_with_its_state() {
    let one = Host::new(counting());
    let two = one.beside(counting().on_resume(|session: &mut Session, from: &str| {
        session.send(format!("from {from}"));
    }));
    let ada = one.open("/");
    ada.text("x");
    let ada = ada.resume_on(&two, "1.0.0");
    ada.text("x");
    assert_eq!(ada.frames(), ["1", "from 1.0.0", "2"]);
}

#[test]
fn the_host_answers_where_the_app_sleeps_on() {
    let app = App::new()
        .on_open(|session: &mut Session, _: &Opened| session.auto_reply("ping", "pong"))
        .on_message(|session: &mut Session, _: &Message| {
            session.send("awake");
        });
    let host = Host::new(app);
    let ada = host.open("/");
    ada.text("ping");
    ada.text("pin");
    assert_eq!(ada.frames(), ["pong", "awake"]);
}

#[test]
fn what_a_topic_kept_is_recovered_whole_or_not_at_all() {
    let host = Host::new(App::new());
    host.run(|| {
        let keep = |text: &str| {
            topic("t")
                .keep(2, Duration::from_secs(60))
                .publish_text(text)
        };
        let first = keep("1").unwrap();
        keep("2").unwrap();
        keep("3").unwrap();
        let page = topic("t").recover(first, 1).unwrap();
        assert_eq!((page.messages.len(), page.more), (1, true));
        let rest = topic("t").recover(page.position, 10).unwrap();
        assert_eq!((rest.messages.len(), rest.more), (1, false));
        keep("4").unwrap();
        assert_eq!(topic("t").recover(first, 10), Err(crate::Gap::Dropped));
        let other = crate::Position {
            epoch: 99,
            offset: 1,
        };
        assert_eq!(topic("t").recover(other, 10), Err(crate::Gap::Epoch));
    });
}

#[test]
fn a_client_cannot_write_log_entries_of_its_own() {
    let host = Host::new(App::new());
    host.run(|| crate::info!("name: {}", "ada\n[error] forged"));
    assert_eq!(host.log(), ["[info] name: ada\\n[error] forged"]);
}
