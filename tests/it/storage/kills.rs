//! The server's sudden end under load: whatever anybody was told of is in the database, and the database is whole.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rookery_tests::{Apps, Options, Server, Ws};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::notes::notes;

const ROOMS: usize = 3;
/// How many messages a client has under way at a time.
const WINDOW: usize = 4;

/// How a client may be told of a note.
#[derive(Clone, Copy)]
enum Way {
    /// By a session's message: its own note, or another's.
    Session,
    /// By the answer to its request.
    Answer,
    /// By a piece of an answer.
    Piece,
}

/// How many notes clients were told of, by each way.
#[derive(Clone)]
struct Told {
    counts: Arc<[AtomicUsize; 3]>,
    enough: Arc<Notify>,
    /// The server is killed when sessions were told of so many, and the others of one at least.
    at: usize,
}

/// A note that somebody was told of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Note {
    room: String,
    id: i64,
    text: String,
}

impl Told {
    fn by(&self, way: Way) {
        self.counts[way as usize].fetch_add(1, Ordering::Relaxed);
        let [session, answer, piece] =
            [0, 1, 2].map(|way| self.counts[way].load(Ordering::Relaxed));
        if session >= self.at && answer > 0 && piece > 0 {
            self.enough.notify_one();
        }
    }
}

fn note(room: &str, told: &str) -> Note {
    let told: Value = serde_json::from_str(told).unwrap();
    Note {
        room: room.to_owned(),
        id: told["id"].as_i64().unwrap(),
        text: told["text"].as_str().unwrap().to_owned(),
    }
}

/// Says notes, a few at a time, and hears everybody's, until the server is gone.
async fn speaks(mut ws: Ws, room: String, told: Told) -> Vec<Note> {
    let mut heard = Vec::new();
    for nth in 0.. {
        if !ws
            .try_say(json!({"text": format!("{nth}")}).to_string())
            .await
        {
            break;
        }
        if nth < WINDOW {
            continue;
        }
        match ws.try_hear().await {
            Some(text) => {
                told.by(Way::Session);
                heard.push(note(&room, &text));
            }
            None => break,
        }
    }
    // What was sent before the end is heard still.
    heard.extend(listens(ws, room, told).await);
    heard
}

async fn listens(mut ws: Ws, room: String, told: Told) -> Vec<Note> {
    let mut heard = Vec::new();
    while let Some(text) = ws.try_hear().await {
        told.by(Way::Session);
        heard.push(note(&room, &text));
    }
    heard
}

/// Posts notes one by one, until the server is gone.
async fn posts(server: &Server, room: &str, told: &Told) -> Vec<Note> {
    let mut answered = Vec::new();
    loop {
        let call = server.call("POST", &format!("/notes/notes/{room}"));
        match call.body(r#"{"text":"posted"}"#).try_send().await {
            Ok(answer) if answer.status == 201 => {
                told.by(Way::Answer);
                answered.push(note(room, answer.text()));
            }
            _ => return answered,
        }
    }
}

/// Has many notes taken by one request, and is told of each in a piece of the answer.
async fn imports(server: &Server, room: &str, told: &Told) -> Vec<Note> {
    let lines = "imported\n".repeat(100_000);
    let call = server.call("POST", &format!("/notes/notes/{room}/import"));
    let Ok(mut reading) = call.body(lines).try_open().await else {
        return Vec::new();
    };
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = reading.try_chunk().await {
        bytes.extend_from_slice(&piece);
        told.by(Way::Piece);
    }
    let text = String::from_utf8(bytes).unwrap();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| note(room, line)).collect()
}

/// Loads a server until sessions were told of `at` notes, kills it, and gives all that anybody was told of.
async fn killed_at(server: &mut Server, round: usize, at: usize) -> Vec<Note> {
    let told = Told {
        counts: Arc::default(),
        enough: Arc::default(),
        at,
    };
    let mut clients = JoinSet::new();
    for nth in 0..ROOMS {
        let room = format!("{round}-{nth}");
        let path = format!("/notes/ws?room={room}&name=x");
        for _ in 0..2 {
            let ws = Ws::open(server, &path).await;
            clients.spawn(speaks(ws, room.clone(), told.clone()));
        }
        let ws = Ws::open(server, &path).await;
        clients.spawn(listens(ws, room, told.clone()));
    }
    let (posted, imported) = (format!("{round}-posted"), format!("{round}-imported"));
    let kill = async {
        told.enough.notified().await;
        server.signal("KILL");
    };
    let (by_post, by_import, ()) = tokio::join!(
        posts(server, &posted, &told),
        imports(server, &imported, &told),
        kill
    );
    server.exited().await;
    let mut all: Vec<Note> = clients.join_all().await.into_iter().flatten().collect();
    all.extend(by_post);
    all.extend(by_import);
    all
}

/// Opens the database as it was left behind, and looks for everything that was told of.
async fn has_all(data: &Path, told: &[Note]) {
    let file = data.join("notes@1/data.db");
    let url = format!("sqlite:{}", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    let check = sqlx::query_scalar::<_, String>("PRAGMA integrity_check");
    assert_eq!(check.fetch_all(&mut database).await.unwrap(), ["ok"]);
    let mut missing = Vec::new();
    for note in told {
        let count = "SELECT count(*) FROM notes WHERE room = ? AND id = ? AND text = ?";
        let found = sqlx::query_scalar::<_, i64>(count)
            .bind(&note.room)
            .bind(note.id)
            .bind(&note.text)
            .fetch_one(&mut database)
            .await;
        if found.unwrap() != 1 {
            missing.push(note);
        }
    }
    database.close().await.unwrap();
    assert!(missing.is_empty(), "told of, and lost: {missing:?}");
}

async fn rounds(count: usize) {
    let data = tempfile::tempdir().unwrap();
    let mut told_in_all = 0;
    for round in 0..count {
        let options = Options::new().set("ROOKERY_DATA_DIR", data.path().display());
        let manifest = json!({"ttl": 60, "workers": {"max": 4}});
        let apps = Apps::new().with("notes/1.0.0", notes().manifest(manifest));
        let mut server = Server::start_with(apps, options).await;
        // Another moment in each round: early ones and late ones, and none a multiple of a group.
        let told = killed_at(&mut server, round, 10 + (round * 37) % 301).await;
        has_all(data.path(), &told).await;
        told_in_all += told.len();
    }
    println!("{count} rounds, {told_in_all} notes told of, none lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_anybody_was_told_survives_the_servers_sudden_end() {
    rounds(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; docs/performance.md says how it is run"]
async fn what_anybody_was_told_survives_200_sudden_ends() {
    rounds(200).await;
}
