//! A server whose disk is full: what it was to write is refused or told, and nothing of it stays.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rookery_tests::{Apps, Bundle, rookery, until};
use serde_json::{Value, json};

/// A server on a small disk, in a mount namespace of its own.
struct Cramped {
    child: Child,
    url: String,
    /// Its apps directory, as it is seen from here.
    disk: PathBuf,
}

impl Cramped {
    /// `None` where the system lets nobody mount anything.
    fn start(apps: &Apps, size: &str) -> Option<Cramped> {
        const SCRIPT: &str =
            "mount -t tmpfs -o \"$3\" none \"$1\" && exec \"$2\" serve --port 0 --apps-dir \"$1\"";
        let may_mount = Command::new("unshare").args(["-Urm", "true"]).status();
        if !may_mount.is_ok_and(|status| status.success()) {
            eprintln!("nothing can be mounted here, so no disk is full");
            return None;
        }
        let mut child = Command::new("unshare")
            .args(["-Urm", "sh", "-c", SCRIPT, "sh"])
            .arg(apps.dir())
            .arg(rookery())
            .arg(size)
            .current_dir(apps.outside())
            .env_remove("ROOKERY_ADMIN_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        let disk = format!("/proc/{}/root{}", child.id(), apps.dir().display());
        Some(Cramped {
            child,
            url,
            disk: disk.into(),
        })
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(rookery());
        command.args(args).args(["--server", &self.url]);
        command.env_remove("ROOKERY_ADMIN_TOKEN").output().unwrap()
    }

    fn deploy(&self, dir: &Path) -> Value {
        let output = self.run(&["deploy", "--json", dir.to_str().unwrap()]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    fn staged(&self) -> Vec<PathBuf> {
        let staging = fs::read_dir(self.disk.join(".rookery-staging")).unwrap();
        staging.map(|entry| entry.unwrap().path()).collect()
    }

    /// Leaves no room for anything, until the file is removed.
    fn fill(&self) -> PathBuf {
        let path = self.disk.join(".ballast");
        let mut ballast = fs::File::create(&path).unwrap();
        while ballast.write_all(&[1; 512]).is_ok() {}
        path
    }
}

impl Drop for Cramped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_full_disk_refuses_a_deploy_and_is_free_again_after_it() {
    let (apps, sources) = (Apps::new(), Apps::new());
    let Some(server) = Cramped::start(&apps, "size=1m") else {
        return;
    };
    // Hashes of numbers do not get smaller.
    let noise: Vec<u8> = (0..400_000_u64)
        .flat_map(|n| {
            n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(23)
                .to_le_bytes()
        })
        .collect();
    sources.publish("big/1.0.0", &Bundle::site("x").file("noise", noise));
    sources.publish("small/1.0.0", &Bundle::site("x"));
    for _ in 0..3 {
        let full = server.deploy(&sources.path("big/1.0.0"));
        assert_eq!(full[0]["reasons"], json!(["the disk is full"]), "{full}");
    }
    let small = server.deploy(&sources.path("small/1.0.0"));
    assert_eq!(small[0]["state"], "live", "{small}");
}

/// Room for the disk's own folder, the one for what is staged, and one thing in it: less than a deploy begins with.
#[tokio::test]
async fn a_deploy_that_cannot_even_begin_leaves_nothing() {
    let (apps, sources) = (Apps::new(), Apps::new());
    let Some(server) = Cramped::start(&apps, "size=1m,nr_inodes=3") else {
        return;
    };
    sources.publish("small/1.0.0", &Bundle::site("x"));
    for _ in 0..2 {
        let full = server.deploy(&sources.path("small/1.0.0"));
        assert_eq!(full[0]["reasons"], json!(["the disk is full"]), "{full}");
        assert_eq!(server.staged(), Vec::<PathBuf>::new());
    }
}

/// The weights that were said are in force, the file that was there stays whole, and is written when there is room.
#[tokio::test]
async fn a_rollout_that_finds_no_room_is_told_and_written_later() {
    let (apps, sources) = (Apps::new(), Apps::new());
    let Some(server) = Cramped::start(&apps, "size=1m") else {
        return;
    };
    for version in ["site/1.0.0", "site/1.1.0"] {
        sources.publish(version, &Bundle::site(version));
        let told = server.deploy(&sources.path(version));
        assert_eq!(told[0]["state"], "live", "{told}");
    }
    let promoted = server.run(&["promote", "site@1.0.0"]);
    assert!(promoted.status.success(), "{promoted:?}");
    let file = server.disk.join("site.rollout.json");
    let before = fs::read_to_string(&file).unwrap();
    let ballast = server.fill();
    let told = server.run(&["promote", "site@1.1.0"]);
    let reason = String::from_utf8(told.stderr).unwrap();
    assert!(!told.status.success(), "{reason}");
    assert!(reason.contains("site.rollout.json"), "{reason}");
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let listed = server.run(&["list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("site  1.1.0 *"), "{listed}");
    fs::remove_file(ballast).unwrap();
    until("it is written", async || {
        let now = fs::read_to_string(&file).unwrap();
        (now != before && now.contains("1.1.0")).then_some(())
    })
    .await;
    let expected = [
        ".rookery-staging",
        ".site.rollout.json.good",
        "site",
        "site.rollout.json",
    ];
    until("nothing else is left", async || {
        let names = fs::read_dir(&server.disk).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        (names == expected).then_some(())
    })
    .await;
}
