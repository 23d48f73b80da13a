//! The chat's client on a whole screen, driven by keys.

use std::num::NonZero;

use rookery_tests::until;

use super::stage::{Plain, Terminal, server, url};
use super::way::Way;

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

#[tokio::test]
async fn every_command_of_the_first_client_does_what_it_did_there() {
    let server = server().await;
    let mut bob = Plain::join(&server, "Bob", "r").await;
    let mut ada = Terminal::join(&url(&server, "chat"), "Ada", "r").await;
    for (line, seen) in [
        ("/help", "/history [N] – N older messages"),
        ("/rooms", "· general ("),
        ("/create made a room of mine", "Made made: /join made"),
        ("/users", "2 here: Bob, Ada"),
        ("/HISTORY 101", "takes a number from 1 to 100"),
        ("/nope", "There is no /nope"),
        ("//slash", "Ada: /slash"),
    ] {
        ada.press(&format!("{line}\r"));
        ada.sees(seen).await;
    }
    for (line, status) in [("/away", "away"), ("/dnd", "dnd"), ("/online", "online")] {
        ada.press(&format!("{line}\r"));
        assert_eq!(bob.presence_of("Ada").await, status);
    }
    ada.press("/nick Adele\r");
    ada.sees("r · Adele ·").await;
    ada.press("/clear\r");
    ada.sees_no("Ada: /slash").await;
    ada.press("/history 5\r");
    ada.sees("Ada: /slash").await;
    ada.press("/leave\r");
    ada.sees("You left r").await;
    bob.hear("room.userLeft").await;
    ada.press("to-nobody\r");
    ada.sees("Join a room first").await;
    ada.press("/exit\r");
    assert_eq!(ada.ended().await, 0);
}

#[tokio::test]
async fn the_past_is_read_page_by_page_and_what_is_said_meanwhile_is_counted() {
    let server = server().await;
    let mut people = Vec::new();
    for name in ["Bob", "Eve", "Zoe", "Kim", "Lee", "Max"] {
        people.push(Plain::join(&server, name, "r").await);
    }
    // More than a join tells, and more than a page has.
    let count = people.len();
    for number in 0..156 {
        people[number % count]
            .say("r", &format!("said-{number:03}"))
            .await;
    }
    let mut ada = Terminal::join(&url(&server, "chat"), "Ada", "r").await;
    ada.sees("said-155").await;
    // Each page is asked for when its end is reached, and comes when it comes.
    until("the first is read", async || {
        ada.press("\u{1b}[5~");
        (!ada.texts("said-000").is_empty()).then_some(())
    })
    .await;
    people[0].say("r", "Ada, are you there?").await;
    ada.sees("1 new below (End)").await;
    ada.sees("said-000").await;
    ada.press("\u{1b}[F");
    ada.sees("are you there?").await;
}

#[tokio::test]
async fn news_of_another_room_and_ones_own_name_in_it_are_marked() {
    let server = server().await;
    let mut bob = Plain::join(&server, "Bob", "left").await;
    let mut ada = Terminal::join(&url(&server, "chat"), "Ada", "left").await;
    bob.say("left", "before").await;
    ada.sees("Bob: before").await;
    ada.press("/join here\r");
    ada.sees("here · Ada · connected").await;
    bob.say("left", "after").await;
    bob.say("left", "where is Ada?").await;
    ada.sees("left 1 @2").await;
    ada.press("/join left\r");
    ada.sees("Bob: where is Ada?").await;
    ada.sees_no("@2").await;
}

#[tokio::test]
async fn presence_typing_and_the_panes_are_seen_and_a_small_terminal_keeps_the_talk() {
    let server = server().await;
    let mut bob = Plain::join(&server, "Bob", "r").await;
    let mut ada = Terminal::join(&url(&server, "chat"), "Ada", "r").await;
    ada.sees("● Bob").await;
    bob.be("away").await;
    ada.sees("◐ Bob").await;
    bob.begin_typing("r").await;
    ada.sees("Bob is typing…").await;
    bob.say("r", "something").await;
    ada.sees_no("is typing").await;
    ada.sees("People 2").await;
    ada.resize(NonZero::new(10).unwrap(), NonZero::new(40).unwrap());
    ada.sees_no("People").await;
    ada.sees("Bob: something").await;
    ada.resize(NonZero::new(24).unwrap(), NonZero::new(90).unwrap());
    ada.sees("People 2").await;
    assert_eq!(ada.press_and_end("\u{3}").await, 0);
}

#[tokio::test]
async fn one_ctrl_c_leaves_where_nothing_comes_through_and_says_what_is_lost() {
    let server = server().await;
    let way = Way::to(&server).await;
    let mut ada = Terminal::join(&way.url("chat"), "Ada", "r").await;
    way.stall();
    assert_eq!(ada.press_and_end("\u{3}").await, 0);
    ada.is_restored().await;
    way.unstall();
    let mut ada = Terminal::join(&way.url("chat"), "Ada", "r").await;
    way.stall();
    ada.press("into-the-void\r");
    ada.sees("1 to send").await;
    assert_eq!(ada.press_and_end("\u{3}").await, 5);
    ada.is_restored().await;
    ada.sees("1 of your messages").await;
}

#[tokio::test]
async fn control_characters_of_others_do_nothing_to_the_terminal() {
    let server = server().await;
    let evil = "\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{8}\u{202e}";
    let mut bob = Plain::join(&server, &format!("Bob{evil}"), "r").await;
    let ada = Terminal::join(&url(&server, "chat"), "Ada", "r").await;
    bob.say("r", &format!("a{evil}z")).await;
    // The terminal of this test shows nothing where others show a mark.
    ada.sees("a[2J]0;t31mz").await;
    ada.sees("Ada · connected").await;
    for command in ["\u{1b}]", "\u{7}", "\u{8}", "\u{9b}", "\u{202e}"] {
        assert!(!ada.was_sent(command), "{command:?}");
    }
    assert!(ada.was_sent("\u{fffd}"), "this is what one would look for");
}

#[tokio::test]
async fn without_a_screen_lines_are_commands_and_ctrl_c_leaves() {
    let server = server().await;
    let url = url(&server, "chat");
    let arguments = ["--url", &url, "--user", "Ada", "--room", "r", "--plain"];
    let mut ada = Terminal::open(&arguments);
    ada.sees("* in r with Ada").await;
    ada.press("hello\r");
    ada.sees("Ada: hello").await;
    ada.press("/users\r");
    ada.sees("* 1 here: Ada").await;
    assert_eq!(ada.press_and_end("\u{3}").await, 0);
    let mut ada = Terminal::open(&arguments);
    ada.sees("* in r with Ada").await;
    // The end of the input, on a line of its own.
    assert_eq!(ada.press_and_end("\u{4}").await, 0);
}
