//! Parse, resolve and choose with 1,000 bundles: 100 apps of 10 versions. The target is 1 µs in all.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rookery_routing::{
    Address, Facts, Fallback, Lot, Route, Sessions, Share, Table, Upgrade, Weights, choose,
};
use semver::Version;

const FACTS: Facts = Facts {
    rule: false,
    static_files: true,
    worker: true,
    sessions: false,
    tunnels: false,
};

fn table() -> Table<Facts> {
    let versions = |app: u64| {
        (0..10).map(move |minor| {
            (
                format!("app-{app}"),
                Version::new(1 + minor / 5, minor, 0),
                FACTS,
            )
        })
    };
    (0..100).flat_map(versions).collect()
}

fn route(table: &Table<Facts>, path: &str) -> Option<Route> {
    let address = Address::parse(path).ok()?;
    // Asked for only where a rollout decides.
    let lot = || Lot::drawn(path.len() as u64);
    let (app, asked) = (address.app(), address.selector());
    let resolved = table.resolve_for(app, asked, Fallback::Highest, lot)?;
    black_box(address.tail());
    Some(choose(*resolved.value, Upgrade::None))
}

/// The same, each app with a canary.
fn rolled() -> Table<Facts> {
    let mut table = Table::builder();
    for (app, version, facts) in self::table().iter() {
        table.insert(app, version.clone(), *facts);
    }
    let five = Share::of_percent(5.0).expect("a share");
    let canary = Version::new(2, 9, 0);
    let weights = Weights::whole(Version::new(2, 8, 0)).with(&canary, five);
    let weights = weights.expect("two versions have weights");
    for app in 0..100 {
        table.roll(&format!("app-{app}"), weights.clone(), Sessions::Follow);
    }
    table.build()
}

/// One shape of path for all apps in turn, so that no app's entry stays in the first cache.
fn shape(c: &mut Criterion, name: &str, selector: &str) {
    shape_of(c, name, selector, &table());
}

fn shape_of(c: &mut Criterion, name: &str, selector: &str, table: &Table<Facts>) {
    let paths: Vec<_> = (0..100)
        .map(|app| format!("/app-{app}{selector}/api/v1/rooms/general"))
        .collect();
    assert!(
        paths
            .iter()
            .all(|path| route(table, path) == Some(Route::StaticThenWorker)),
        "{name}"
    );
    let mut turn = paths.iter().cycle();
    c.bench_function(&format!("parse_resolve_choose/{name}"), |b| {
        b.iter_batched(
            || turn.next().map_or("", String::as_str),
            |path| route(black_box(table), black_box(path)),
            BatchSize::SmallInput,
        );
    });
}

fn routing(c: &mut Criterion) {
    shape(c, "bare", "");
    shape(c, "major", "@1");
    shape(c, "exact", "@1.3.0");
    shape(c, "encoded_caret", "@%5E1.2.0");
    shape(c, "two_comparators", "@%3E=1%20%3C2");
    shape(c, "fallback", "@9.9.9");
    shape_of(c, "canary", "", &rolled());
    shape_of(c, "canary_major", "@2", &rolled());
}

criterion_group!(benches, routing);
criterion_main!(benches);
