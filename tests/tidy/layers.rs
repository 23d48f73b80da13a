//! Dependencies point down, and only down (docs/architecture.md).

use std::collections::BTreeMap;

use crate::files::none;
use crate::metadata::{Arrow, arrows, workspace};

/// The layers of the server, from the ground. A crate may use those of a lower layer.
const LAYERS: &[(&str, &[&str])] = &[
    ("ground", &["rookery-lifecycle", "rookery-telemetry"]),
    (
        "nouns",
        &["rookery-contract", "rookery-proxy-rules", "rookery-bundle"],
    ),
    (
        "mechanisms",
        &[
            "rookery-pool",
            "rookery-hub",
            "rookery-storage",
            "rookery-upstream",
            "rookery-routing",
        ],
    ),
    ("grants", &["rookery-host"]),
    (
        "guests and control",
        &[
            "rookery-isolate",
            "rookery-subprocess",
            "rookery-supervisor",
        ],
    ),
    ("edges", &["rookery-gateway", "rookery-admin"]),
    ("wiring", &["rookery"]),
];

/// What runs inside, or is built for it. Nothing of the server is used there, and nothing of it by the server.
const GUESTS: &[(&str, &[&str])] = &[
    ("sdk", &["rookery-sdk"]),
    ("what apps share", &["chat-protocol"]),
    (
        "apps",
        &[
            "chat-1-0",
            "chat-1-1",
            "example-hello",
            "example-echo",
            "example-room",
            "example-notes",
            "example-native",
            "kitchen",
        ],
    ),
    // On the other end of the wire; shares nothing with the server.
    ("clients", &["chat-client"]),
];

/// What may use anything.
const PROOF: &[&str] = &["rookery-tests", "rookery-sim"];

/// Arrows within a layer that are right, and why.
const SIDEWAYS: &[(&str, &str, &str)] = &[(
    "rookery-bundle",
    "rookery-proxy-rules",
    "a manifest holds proxy rules, and an invalid one has to refuse the bundle",
)];

/// Which of the two houses, and how high in it.
fn places() -> BTreeMap<&'static str, (&'static str, usize)> {
    let house = |name, layers: &'static [(&str, &[&'static str])]| {
        let floors = layers.iter().enumerate();
        floors.flat_map(move |(floor, (_, crates))| {
            crates.iter().map(move |one| (*one, (name, floor)))
        })
    };
    house("server", LAYERS)
        .chain(house("guests", GUESTS))
        .collect()
}

/// Why an arrow may not be, if it may not.
fn objection(arrow: &Arrow) -> Option<&'static str> {
    let places = places();
    // Crates from outside are of no layer.
    let (to_house, to_floor) = places.get(arrow.to.as_str())?;
    if PROOF.contains(&&*arrow.from) {
        return None;
    }
    let Some((from_house, from_floor)) = places.get(arrow.from.as_str()) else {
        return Some("is of a crate that has no layer: name it in tests/tidy/layers.rs");
    };
    if from_house != to_house {
        return Some("leads from the server into the guests, or the other way");
    }
    if from_floor > to_floor {
        return None;
    }
    let excused = SIDEWAYS
        .iter()
        .any(|(from, to, _)| (*from, *to) == (&*arrow.from, &*arrow.to));
    let known = excused && from_floor == to_floor;
    (!known).then_some("does not point down")
}

#[test]
fn every_dependency_points_down() {
    let arrows = arrows(&workspace());
    let wrong = arrows.iter().filter_map(|arrow| {
        let objection = objection(arrow)?;
        Some(format!("{} → {} {objection}", arrow.from, arrow.to))
    });
    none(&wrong.collect::<Vec<_>>(), "dependencies that may not be");
}

#[test]
fn every_crate_has_a_layer_and_every_layer_its_crates() {
    let places = places();
    let metadata = workspace();
    let known: Vec<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let homeless = known
        .iter()
        .filter(|name| !PROOF.contains(*name) && !places.contains_key(**name));
    let homeless: Vec<String> = homeless.map(ToString::to_string).collect();
    none(&homeless, "crates without a layer in tests/tidy/layers.rs");
    let gone = places.keys().filter(|name| !known.contains(*name));
    let gone: Vec<String> = gone.map(ToString::to_string).collect();
    none(&gone, "crates in tests/tidy/layers.rs that are not there");
}

#[test]
fn an_excuse_is_used() {
    let arrows = arrows(&workspace());
    for (from, to, _) in SIDEWAYS {
        let is_used = arrows
            .iter()
            .any(|arrow| (&*arrow.from, &*arrow.to) == (*from, *to));
        assert!(
            is_used,
            "{from} does not use {to} any more: take the excuse away"
        );
    }
}

#[test]
fn an_arrow_up_sideways_or_across_is_seen() {
    let check = |from: &str, to: &str, expected: bool| {
        let arrow = Arrow {
            from: from.into(),
            to: to.into(),
            for_tests: false,
        };
        assert_eq!(objection(&arrow).is_some(), expected, "{from} → {to}");
    };
    check("rookery-gateway", "rookery-pool", false);
    check("rookery-bundle", "rookery-proxy-rules", false);
    check("rookery-gateway", "serde", false);
    check("rookery-tests", "rookery-pool", false);
    check("rookery-pool", "rookery-gateway", true);
    check("rookery-proxy-rules", "rookery-bundle", true);
    check("rookery-pool", "rookery-hub", true);
    check("rookery-gateway", "rookery-sdk", true);
    check("kitchen", "rookery-contract", true);
    check("somebody", "rookery-pool", true);
}
