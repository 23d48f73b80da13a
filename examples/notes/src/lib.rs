//! Notes that last: kept in the namespace's database, told to everybody in the room.
//!
//! `POST /notes/:room` and the sessions at `/ws?room=R&name=N` take `{"text": "hi"}`; `GET /notes/:room?after=0` lists.
//! `POST /notes/:room/import` takes a line a note, and tells of each when it is taken. Drafts are under `/drafts`.
//! Whoever is told that a note was taken can count on it: the server tells nobody before it is durable.

mod drafts;

use std::io;

use rookery_sdk::{App, Error, Message, Opened, Request, Response, Session};
use rookery_sdk::{password, sql, topic, values};
use serde::{Deserialize, Serialize};

/// How many notes a list has at most.
const PAGE: i64 = 100;
/// 4000 and the HTTP status that it would be.
const BAD_REQUEST: u16 = 4400;

#[derive(Deserialize)]
struct Said {
    text: String,
}

#[derive(Serialize, Deserialize)]
struct Note {
    id: i64,
    name: String,
    text: String,
}

#[derive(Deserialize)]
struct Secret {
    password: String,
    hash: Option<String>,
}

fn notes() -> App {
    App::new()
        .get("/notes/:room", list)
        .post("/notes/:room", add)
        .post("/notes/:room/import", import)
        .get("/drafts", drafts::list)
        .get("/drafts/:name", drafts::get)
        .put("/drafts/:name", drafts::put)
        .post("/drafts/:name", drafts::add)
        .delete("/drafts/:name", drafts::delete)
        .post("/password", secret)
        .on_open(enter)
        .on_message(say)
}

rookery_sdk::export!(notes, sessions);

fn list(request: &mut Request) -> Result<Response, Error> {
    let after = request.query().get("after").unwrap_or("0").parse::<i64>();
    let after = after.map_err(|_| Error::bad_request("after is a note's number"))?;
    let found = sql::query(
        "SELECT id, name, text FROM notes WHERE room = ? AND id > ? ORDER BY id LIMIT ?",
        &values![request.param("room"), after, PAGE],
    )?;
    let notes = found.iter().map(|row| {
        Ok(Note {
            id: row.get("id")?,
            name: row.get("name")?,
            text: row.get("text")?,
        })
    });
    let notes: Result<Vec<Note>, sql::WrongType> = notes.collect();
    Response::json(&notes?)
}

fn add(request: &mut Request) -> Result<Response, Error> {
    let said: Said = request.json()?;
    let room = request.param("room").to_owned();
    let note = keep(&room, "somebody", said)?;
    Ok(Response::json(&note)?.with_status(201))
}

/// Keeps each line, and tells of each as soon as it is kept.
fn import(request: &mut Request) -> Result<Response, Error> {
    let room = request.param("room").to_owned();
    let lines = request.text()?;
    Ok(Response::stream("application/x-ndjson", move |body| {
        for text in lines.lines() {
            let said = Said {
                text: text.to_owned(),
            };
            let note = keep(&room, "somebody", said);
            let note = note.map_err(|error| io::Error::other(error.message().to_owned()))?;
            let mut line = serde_json::to_vec(&note)?;
            line.push(b'\n');
            body.send(&line)?;
        }
        Ok(())
    }))
}

/// Hashes a password, or checks one.
fn secret(request: &mut Request) -> Result<Response, Error> {
    let Secret { password, hash } = request.json()?;
    Ok(match hash {
        None => Response::text(password::hash(&password)?),
        Some(hash) => Response::text(password::verify(&password, &hash)?.to_string()),
    })
}

fn enter(session: &mut Session, opened: &Opened) -> Result<(), Error> {
    let query = opened.query();
    match (query.get("room"), query.get("name")) {
        (Some(room), Some(name)) => {
            session.attach(format!("{room}\n{name}").into_bytes())?;
            session.subscribe(room)?;
        }
        _ => session.close(BAD_REQUEST, "where, and who? /ws?room=…&name=…"),
    }
    Ok(())
}

fn say(session: &mut Session, message: &Message) -> Result<(), Error> {
    let Ok(said) = message.json::<Said>() else {
        session.close(BAD_REQUEST, "expected {\"text\": …}");
        return Ok(());
    };
    let attached = String::from_utf8_lossy(session.attachment()).into_owned();
    let (room, name) = attached.split_once('\n').unwrap_or_default();
    match keep(room, name, said) {
        Ok(note) => {
            topic(room).publish_json(&note)?;
            Ok(())
        }
        // The sender's mistake, and no reason to end the session.
        Err(error) if error.status() == 422 => {
            session.send(error.message().to_owned());
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn keep(room: &str, name: &str, said: Said) -> Result<Note, Error> {
    let kept = sql::query_one(
        "INSERT INTO notes (room, name, text) VALUES (?, ?, ?) RETURNING id",
        &values![room, name, &said.text],
    );
    let row = match kept {
        Err(sql::SqlError::Constraint(_)) => {
            return Err(Error::invalid("a note has 1 to 1000 characters"));
        }
        kept => kept?.ok_or_else(|| Error::internal("a new row has a number"))?,
    };
    Ok(Note {
        id: row.get("id")?,
        name: name.to_owned(),
        text: said.text,
    })
}

#[cfg(test)]
mod tests {
    use rookery_sdk::Method;
    use rookery_sdk::sql::{SqlError, Value};
    use rookery_sdk::testing::{Host, Request};

    #[test]
    fn a_note_that_breaks_the_rules_is_the_senders_mistake() {
        let host = Host::new(super::notes())
            .answer_sql(|_, _| Err(SqlError::Constraint("CHECK".to_owned())));
        let answer = host.request(Request::post("/notes/a").chunk(r#"{"text":""}"#));
        assert_eq!(answer.status(), 422);
        let client = host.open("/ws?room=a&name=ada");
        client.text(r#"{"text":""}"#);
        assert_eq!(client.frames(), ["a note has 1 to 1000 characters"]);
        assert!(client.closed().is_none());
    }

    #[test]
    fn a_draft_is_added_to_and_forgotten() {
        let host = Host::new(super::notes());
        let add = |text: &str| host.request(Request::post("/drafts/a").chunk(text)).text();
        assert_eq!(
            (add("one, "), add("two")),
            ("one, ".into(), "one, two".into())
        );
        assert_eq!(host.request(Request::get("/drafts")).text(), r#"["a"]"#);
        let delete = Request::new(Method::Delete, "/drafts/a");
        assert_eq!(host.request(delete).status(), 204);
        assert_eq!(host.request(Request::get("/drafts/a")).status(), 404);
    }

    #[test]
    fn a_note_reaches_the_room_with_its_number() {
        let host = Host::new(super::notes()).answer_sql(|sql, values| {
            assert!(sql.starts_with("INSERT") && values.len() == 3);
            Ok((vec!["id".to_owned()], vec![vec![Value::Integer(7)]]))
        });
        let client = host.open("/ws?room=a&name=ada");
        client.text(r#"{"text":"hi"}"#);
        assert_eq!(client.frames(), [r#"{"id":7,"name":"ada","text":"hi"}"#]);
    }
}
