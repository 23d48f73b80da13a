//! Who is present at a topic.
//!
//! [`Session::track`](crate::Session::track) makes a session present, [`Topic::present`](crate::Topic::present) lists who
//! is. The host tells the topic's subscribers of changes: together, at most twice a second, as
//! `{"presence": "room", "version": 7, "count": 2, "joined": [{"session": 1, "about": "ada"}], "left": [3]}`, or with
//! `"reset": true` in place of the lists when so much changed that a new list is better.

use serde::{Deserialize, Serialize};

use crate::SessionId;

/// A session that is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Which.
    pub session: SessionId,
    /// What the app said about it.
    pub about: String,
}

/// Who is present, or some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// In the order of their ids.
    pub sessions: Vec<Present>,
    /// How many are present in all.
    pub count: u32,
    /// Counts the topic's changes. News of a higher version came later than this list.
    pub version: u64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::testing::Host;
    use crate::{App, Message, Opened, Session, topic};

    const ROOM: &str = "room";

    fn app() -> App {
        App::new()
            .on_open(|session: &mut Session, opened: &Opened| {
                session.subscribe(ROOM)?;
                session.track(ROOM, &opened.raw_query)
            })
            .on_message(|session: &mut Session, message: &Message| {
                match message.text() {
                    Some("leave") => session.untrack(ROOM),
                    _ => {
                        let roster = topic(ROOM).present(None, 2);
                        session.send_json(&roster).expect("a roster is JSON");
                    }
                };
            })
    }

    #[test]
    fn who_comes_and_goes_is_told_together_and_later() {
        let host = Host::new(app());
        let (ada, bob) = (host.open("/?ada"), host.open("/?bob"));
        assert!(ada.frames().is_empty());
        host.advance(Duration::from_millis(500));
        let told = r#"{"presence":"room","version":2,"count":2,"joined":[{"session":1,"about":"ada"},{"session":2,"about":"bob"}],"left":[]}"#;
        assert_eq!(ada.frames(), [told]);
        bob.close(1000, "");
        host.advance(Duration::from_secs(60));
        let told = r#"{"presence":"room","version":3,"count":1,"joined":[],"left":[2]}"#;
        assert_eq!(ada.frames(), [told]);
        host.advance(Duration::from_secs(60));
        assert!(ada.frames().is_empty(), "nothing changed");
    }

    #[test]
    fn a_list_has_who_is_there_now_and_how_many_in_all() {
        let host = Host::new(app());
        let ada = host.open("/?ada");
        let others = ["/?bob", "/?cem"].map(|path| host.open(path));
        ada.text("who?");
        let list = r#"{"sessions":[{"session":1,"about":"ada"},{"session":2,"about":"bob"}],"count":3,"version":3}"#;
        assert_eq!(ada.frames(), [list]);
        others[0].text("leave");
        ada.text("who?");
        assert!(ada.frames()[0].contains(r#""about":"cem"}],"count":2"#));
    }
}
