//! The chat's client on a whole screen, driven by keys.

use super::stage::{Plain, Terminal, Way, server, url};

#[tokio::test]
async fn two_talk_and_one_press_of_ctrl_c_leaves_cleanly() {
    let server = server().await;
    for app in ["chat@1.0.0", "chat@1.1.0"] {
        let url = url(&server, app);
        let mut ada = Terminal::open(&["--url", &url, "--user", "Ada", "--room", app]);
        ada.sees("· connected").await;
        let mut bob = Terminal::open(&["--url", &url, "--user", "Bob", "--room", app]);
        bob.sees("· connected").await;
        ada.press("hello-from-ada\r");
        bob.sees("Ada: hello-from-ada").await;
        bob.press("hello-from-bob\r");
        ada.sees("Bob: hello-from-bob").await;
        let mut eve = Plain::join(&server, "Eve", app).await;
        assert!(ada.is_taken());
        ada.press("\u{3}");
        assert_eq!(ada.ended().await, 0);
        assert_eq!(eve.hear("room.userLeft").await["username"], "Ada");
        ada.is_restored().await;
        bob.sees("Bob: hello-from-bob").await;
        bob.press("/quit\r");
        assert_eq!(bob.ended().await, 0);
    }
}

#[tokio::test]
async fn a_half_written_line_survives_what_others_say_and_tab_completes_it() {
    let server = server().await;
    let mut bob = Plain::join(&server, "Bobby", "r").await;
    let mut ada = Terminal::open(&[
        "--url",
        &url(&server, "chat"),
        "--user",
        "Ada",
        "--room",
        "r",
    ]);
    ada.sees("· connected").await;
    ada.press("half-a-");
    assert_eq!(bob.hear("typing.update").await["usersTyping"][0], "Ada");
    bob.say("r", "meanwhile").await;
    ada.sees("Bobby: meanwhile").await;
    ada.sees("> half-a-").await;
    ada.press("line @bo\tdone\r");
    assert_eq!(bob.hear_text("half-a-line @Bobby done").await, "Ada");
    // A room is not left before one's own words have come back.
    ada.sees("Ada: half-a-line @Bobby done").await;
    ada.press("/joi\tnew-room\r");
    assert_eq!(bob.hear("room.userLeft").await["username"], "Ada");
    ada.sees("new-room · Ada · connected").await;
}

#[tokio::test]
async fn what_was_said_during_an_outage_is_read_and_what_was_written_is_sent() {
    let server = server().await;
    let mut way = Way::to(&server).await;
    let mut bob = Plain::join(&server, "Bob", "r").await;
    let mut ada = Terminal::open(&["--url", &way.url("chat"), "--user", "Ada", "--room", "r"]);
    ada.sees("· connected").await;
    bob.say("r", "before-it").await;
    ada.sees("Bob: before-it").await;
    way.cut().await;
    assert_eq!(bob.hear("room.userLeft").await["username"], "Ada");
    ada.press("written-meanwhile\r");
    for number in 0..3 {
        bob.say("r", &format!("missed-{number}")).await;
    }
    way.mend(&server).await;
    for number in 0..3 {
        ada.sees(&format!("Bob: missed-{number}")).await;
    }
    assert_eq!(bob.hear_text("written-meanwhile").await, "Ada");
}

#[tokio::test]
async fn a_server_that_was_killed_and_came_back_is_joined_again() {
    let first = server().await;
    let mut way = Way::to(&first).await;
    let mut ada = Terminal::open(&["--url", &way.url("chat"), "--user", "Ada", "--room", "r"]);
    ada.sees("· connected").await;
    way.cut().await;
    // Killed, not drained; nothing of it is left.
    drop(first);
    ada.press("written-meanwhile\r");
    let second = server().await;
    let mut bob = Plain::join(&second, "Bob", "r").await;
    way.mend(&second).await;
    assert_eq!(bob.hear_text("written-meanwhile").await, "Ada");
    bob.say("r", "welcome-back").await;
    ada.sees("Bob: welcome-back").await;
}
