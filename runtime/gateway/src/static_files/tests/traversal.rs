//! Nobody gets out of the root, by path or by link.

use proptest::prelude::*;

use super::super::StaticOptions;
use super::Site;

const NAVIGATES: &[&str] = &["accept: text/html"];

fn site() -> Site {
    let files = [
        ("index.html", "<head></head>"),
        ("dir/inside.txt", "inside"),
        (".hidden.txt", "SECRET"),
    ];
    Site::new(&files, StaticOptions::default())
}

#[tokio::test]
async fn no_spelling_of_a_climb_reaches_the_secret() {
    let site = site();
    for tail in [
        "/../secret.txt",
        "/../../secret.txt",
        "/dir/../../secret.txt",
        "/dir/../dir/inside.txt",
        "/./index.html",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/dir/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/..%252fsecret.txt",
        "/..;/secret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/..%c0%afsecret.txt",
        "/..%00/secret.txt",
        "/secret.txt%00.html",
        "//secret.txt",
        "/dir//inside.txt",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/..",
        "/../",
        "/../public-of-another/secret.txt",
        "/public-of-another/secret.txt",
        "/C:/secret.txt",
        "/file:///etc/passwd",
        "../secret.txt",
        "..",
    ] {
        if let Some(answer) = site.ask(&format!("GET {tail}"), NAVIGATES).await {
            assert!(
                answer.text().starts_with("<head>"),
                "{tail} gave something else than the entry page"
            );
            assert!(
                !tail.contains("..") || tail.contains("%25"),
                "{tail} did not end in nothing"
            );
        }
    }
    let deep = format!("/{}", "a/".repeat(5_000));
    assert!(
        site.get(&deep).await.is_none(),
        "a path longer than the system takes is missing"
    );
    assert!(site.get(&format!("/{}", "n".repeat(300))).await.is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_followed_inside_and_refused_outside() {
    let site = site();
    site.link("out.txt", "../secret.txt");
    site.link("absolute.txt", site.dir.path().join("secret.txt"));
    site.link("outdir", "../public-of-another");
    site.link("up", "..");
    site.link("dotfile.txt", ".hidden.txt");
    site.link("turn", "turn");
    site.link("dangling.txt", "nowhere");
    site.link("in.txt", "dir/inside.txt");
    site.link("indir", "dir");
    for tail in [
        "/out.txt",
        "/absolute.txt",
        "/outdir/secret.txt",
        "/up/secret.txt",
        "/up/public/dotfile.txt",
        "/dotfile.txt",
        "/turn",
        "/turn/x",
        "/dangling.txt",
    ] {
        assert!(site.get(tail).await.is_none(), "{tail}");
    }
    for tail in ["/in.txt", "/indir/inside.txt"] {
        assert_eq!(site.get(tail).await.unwrap().text(), "inside", "{tail}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_the_private_code_is_as_private() {
    let private = vec!["code/app.wasm".into()];
    let options = StaticOptions {
        private,
        ..StaticOptions::default()
    };
    let site = Site::new(&[("code/app.wasm", "SECRET")], options);
    site.link("public.wasm", "code/app.wasm");
    assert!(site.get("/public.wasm").await.is_none());
    assert!(site.get("/code/app.wasm").await.is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_missing_and_stops_nobody() {
    let site = site();
    let socket = std::os::unix::net::UnixListener::bind(site.path("socket.txt")).unwrap();
    assert!(site.get("/socket.txt").await.is_none());
    drop(socket);
    site.link("pipe.txt", "/dev/stdin");
    assert!(site.get("/pipe.txt").await.is_none());
}

#[test]
fn arbitrary_tails_never_escape_and_never_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let site = site();
    let tails =
        "(/|\\.\\.|%2[eEfF]|%5c|%00|\\.|\\\\|dir|secret\\.txt|public-of-another|\\PC){0,30}";
    proptest!(|(tail in tails, method in "GET|HEAD|POST")| {
        // The request line of the harness ends the tail at a question mark, as a URI does.
        let answer = runtime.block_on(site.ask(&format!("{method} /{}", tail.replace('?', "")), NAVIGATES));
        if let Some(answer) = answer {
            prop_assert!(!answer.text().contains("SECRET"), "{tail}");
        }
    });
}
