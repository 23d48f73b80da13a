//! What `rookery deploy` shows while it deploys: on a terminal, in a pipe, and to a program.

use std::io::Read;
use std::num::NonZero;
use std::process::Command;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rookery_tests::{Apps, Bundle, Server, kitchen, rookery};
use serde_json::{Value, json};

const STEPS: [&str; 8] = [
    "received",
    "unpacked",
    "manifest",
    "entrypoint",
    "compiled",
    "world",
    "migrations",
    "health",
];

fn args(server: &Server, sources: &Apps) -> Vec<String> {
    let place = sources.path("kitchen/1.0.0").display().to_string();
    let url = format!("http://{}", server.address());
    ["deploy", &place, "--server", &url]
        .map(str::to_owned)
        .to_vec()
}

fn source() -> Apps {
    Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()))
}

#[tokio::test]
async fn in_a_pipe_each_step_is_a_plain_line() {
    let (server, sources) = (Server::start(Apps::new()).await, source());
    let mut deploy = Command::new(rookery());
    deploy
        .args(args(&server, &sources))
        .env_remove("ROOKERY_ADMIN_TOKEN");
    let output = tokio::task::spawn_blocking(move || deploy.output().unwrap());
    let output = output.await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let told: Vec<&str> = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("✓ ")?.split(' ').next())
        .collect();
    assert_eq!(told, STEPS);
    let said = String::from_utf8(output.stdout).unwrap();
    let address = format!("http://{}/kitchen@1.0.0/", server.address());
    assert!(
        said.starts_with(&format!("✓ kitchen@1.0.0 live at {address}")),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'), "no colours in a pipe");
}

#[tokio::test]
async fn a_program_gets_the_steps_with_the_outcome() {
    let (server, sources) = (Server::start(Apps::new()).await, source());
    let mut deploy = Command::new(rookery());
    deploy
        .args(args(&server, &sources))
        .arg("--json")
        .env_remove("ROOKERY_ADMIN_TOKEN");
    let output = tokio::task::spawn_blocking(move || deploy.output().unwrap());
    let output = output.await.unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let outcomes: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = outcomes[0]["steps"].as_array().unwrap().iter();
    let names: Vec<&Value> = steps.map(|step| &step["step"]).collect();
    assert_eq!(json!(names), json!(STEPS));
    assert_eq!(outcomes[0]["state"], "live");
}

#[tokio::test]
async fn on_a_terminal_the_lines_stay_and_what_moves_is_gone_at_the_end() {
    let (server, sources) = (Server::start(Apps::new()).await, source());
    let size = PtySize {
        rows: 40,
        cols: 120,
        ..PtySize::default()
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut deploy = CommandBuilder::new(rookery());
    deploy.args(args(&server, &sources));
    deploy.env_remove("ROOKERY_ADMIN_TOKEN");
    deploy.env_remove("NO_COLOR");
    deploy.env("TERM", "xterm-256color");
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut child = pair.slave.spawn_command(deploy).unwrap();
    drop(pair.slave);
    let reading = tokio::task::spawn_blocking(move || {
        let mut output = Vec::new();
        // The other end of a terminal that is gone is an error on Linux.
        let _ = reader.read_to_end(&mut output);
        output
    });
    let output = reading.await.unwrap();
    assert!(child.wait().unwrap().success());
    assert!(
        output.windows(2).any(|pair| pair == b"\x1b["),
        "it is drawn"
    );
    let drawn = String::from_utf8_lossy(&output);
    let is_bar = |piece: &str| piece.contains("kitchen@1.0.0") && piece.contains("B/");
    assert!(drawn.split('\r').any(is_bar), "{drawn:?}");
    let cells = |count| NonZero::new(count).unwrap();
    let mut screen = vt100::Parser::new(cells(size.rows), cells(size.cols), 0);
    screen.process(&output);
    let shown = screen.screen().contents();
    let lines: Vec<&str> = shown
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(lines.len(), STEPS.len() + 1, "{shown}");
    for (line, step) in lines.iter().zip(STEPS) {
        assert!(line.starts_with(&format!("  ✓ {step}")), "{shown}");
    }
    let last = lines[STEPS.len()];
    assert!(
        last.starts_with("✓ kitchen@1.0.0 live at http://"),
        "{shown}"
    );
}
