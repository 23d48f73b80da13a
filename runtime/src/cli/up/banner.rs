//! What `up` prints when it serves: where everything is.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::cli::check::{Verdict, check};
use crate::cli::discover::discover;
use crate::cli::serve::Addresses;
use crate::style::{BAD, BOLD, DIM, KEY, paint};

/// Prints the addresses of everything in the apps folder.
pub fn print(apps_dir: &Path, addresses: Addresses) {
    let found = discover(&[apps_dir.to_owned()]).unwrap_or_default();
    // The server compiles them too; for a list of addresses their files are enough.
    let verdicts: Vec<Verdict> = found
        .iter()
        .map(|bundle| check(bundle, &|_| Ok(())))
        .collect();
    anstream::println!("{}", banner(&verdicts, addresses));
}

fn banner(verdicts: &[Verdict], addresses: Addresses) -> String {
    let apps_base = base(addresses.apps);
    let admin_base = addresses.admin.map_or_else(|| apps_base.clone(), base);
    let mut apps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (app, version) in verdicts
        .iter()
        .filter(|verdict| verdict.faults.is_empty())
        .filter_map(split)
    {
        apps.entry(app).or_default().push(version);
    }
    let width = apps
        .keys()
        .map(|app| app.len())
        .max()
        .unwrap_or_default()
        .max("dashboard".len());
    let mut text = format!(
        "\n{}\n",
        paint(
            BOLD,
            format_args!("rookery {} is up", env!("CARGO_PKG_VERSION"))
        )
    );
    let mut line = |base: &str, name: &str, path: &str, note: &str| {
        let url = paint(KEY, format_args!("{base}{path}")).to_string();
        // Writing to a String cannot fail.
        let _ = match note {
            "" => writeln!(text, "  {name:width$}  {url}"),
            _ => writeln!(text, "  {name:width$}  {url}  {}", paint(DIM, note)),
        };
    };
    for (app, versions) in &apps {
        // Found in the order of their versions; people look for the newest.
        let newest_first: Vec<&str> = versions.iter().rev().copied().collect();
        let path = format!("/{app}/");
        line(&apps_base, app, &path, &newest_first.join(", "));
    }
    line(&admin_base, "dashboard", "/_/", "");
    line(&admin_base, "metrics", "/_/metrics", "");
    for verdict in verdicts.iter().filter(|verdict| !verdict.faults.is_empty()) {
        let _ = writeln!(
            text,
            "  {} {} is not served; `rookery check` says why",
            paint(BAD, "✗"),
            verdict.label
        );
    }
    text
}

/// `@acme/chat@1.0.0` → `@acme/chat` and `1.0.0`.
fn split(verdict: &Verdict) -> Option<(&str, &str)> {
    verdict.label.rsplit_once('@')
}

/// An address that a browser on this machine can open.
fn base(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn verdict(label: &str, faults: &[&str]) -> Verdict {
        let faults = faults.iter().map(ToString::to_string).collect();
        Verdict {
            label: label.to_owned(),
            dir: "/apps".into(),
            faults,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn every_app_has_a_line_and_what_is_refused_is_named() {
        let verdicts = [
            verdict("@acme/api@2.0.0", &[]),
            verdict("chat@1.0.0", &[]),
            verdict("chat@1.1.0", &[]),
            verdict("chat@1.2.0", &["no entrypoint"]),
        ];
        let addresses = Addresses {
            apps: "0.0.0.0:9000".parse().unwrap(),
            admin: None,
        };
        let banner = banner(&verdicts, addresses);
        let text = anstream::adapter::strip_str(&banner).to_string();
        for expected in [
            "  @acme/api  http://127.0.0.1:9000/@acme/api/  2.0.0",
            "  chat       http://127.0.0.1:9000/chat/  1.1.0, 1.0.0",
            "  dashboard  http://127.0.0.1:9000/_/",
            "  ✗ chat@1.2.0 is not served; `rookery check` says why",
        ] {
            assert!(
                text.lines().any(|line| line.trim_end() == expected),
                "{expected}\n{text}"
            );
        }
    }

    #[test]
    fn an_address_can_be_opened_in_a_browser() {
        assert_eq!(
            base("127.0.0.1:8080".parse().unwrap()),
            "http://127.0.0.1:8080"
        );
        assert_eq!(base("[::]:1".parse().unwrap()), "http://[::1]:1");
    }
}
