//! Claims about a component's sleep, on a paused clock.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use rookery_lifecycle::{Shutdown, Tasks};
use tempfile::TempDir;
use tokio::sync::watch;
use wasmtime::{Config, Engine};

use super::*;
use crate::engine::{EngineConfig, Slots};
use crate::rest::Components;

/// Exports a session handler that nobody calls here.
const GUEST: &str = r#"
    (component
      (core module $m (func (export "h")))
      (core instance $i (instantiate $m))
      (func $h (canon lift (core func $i "h")))
      (instance $s (export "handle" (func $h)))
      (export "rookery:app/sessions@1.0.0" (instance $s)))
"#;

struct House {
    folder: TempDir,
    component: Arc<Component>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cache {
    Folder,
    Off,
}

fn house(cache: Cache) -> House {
    house_of(cache, Thrift::Speed)
}

fn house_of(cache: Cache, thrift: Thrift) -> House {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.wasm");
    let wasm = wat::parse_str(GUEST).unwrap();
    fs::write(&path, &wasm).unwrap();
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).unwrap();
    let cache = match cache {
        Cache::Folder => CompileCache::in_folder(&folder.path().join("cache")),
        Cache::Off => CompileCache::off(),
    };
    let origin = Origin {
        workshop: Workshop::on(engine).unwrap(),
        cache,
        path,
        thrift,
    };
    let linked = origin.link(&wasm).unwrap();
    let kept = origin.kept(&wasm);
    House {
        folder,
        component: Arc::new(Component::new(origin, kept, linked)),
    }
}

impl House {
    fn is_awake(&self) -> bool {
        self.component.linked.load().is_some()
    }

    fn empty_the_cache(&self) {
        fs::remove_dir_all(self.folder.path().join("cache")).unwrap();
        fs::create_dir(self.folder.path().join("cache")).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_component_sleeps_until_it_is_used_and_again_after_a_while() {
    let house = house(Cache::Folder);
    assert!(!house.is_awake());
    house.component.linked().await.unwrap();
    assert!(house.is_awake());
    let second = Duration::from_secs(1);
    tokio::time::advance(awake_for(Thrift::Speed, Pressure::None) - second).await;
    assert!(!house.component.rest(Pressure::None));
    assert!(house.is_awake());
    tokio::time::advance(second).await;
    assert!(house.component.rest(Pressure::None));
    assert!(!house.is_awake());
    assert!(!house.component.rest(Pressure::Scarce), "it sleeps already");
    house.component.linked().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_component_rests_sooner_when_memory_is_short() {
    let house = house(Cache::Folder);
    house.component.linked().await.unwrap();
    assert!(!house.component.rest(Pressure::Short), "it was just used");
    tokio::time::advance(awake_for(Thrift::Speed, Pressure::Short)).await;
    assert!(!house.component.rest(Pressure::None));
    assert!(house.component.rest(Pressure::Short));
    house.component.linked().await.unwrap();
    assert!(house.component.rest(Pressure::Scarce));
    assert!(!house.is_awake());
}

/// What the isolate has would not be given back, and the next one would map it again.
#[tokio::test(start_paused = true)]
async fn a_component_that_an_isolate_has_stays_awake() {
    let house = house(Cache::Folder);
    let of_an_isolate = house.component.linked().await.unwrap();
    tokio::time::advance(2 * awake_for(Thrift::Speed, Pressure::None)).await;
    assert!(!house.component.rest(Pressure::Scarce));
    let of_the_next = house.component.linked().await.unwrap();
    assert!(Arc::ptr_eq(&of_an_isolate, &of_the_next));
    drop((of_an_isolate, of_the_next));
    assert!(house.component.rest(Pressure::Scarce));
}

/// The clock stands still unless all wait, and within this second no look is due without any pressure.
#[tokio::test(start_paused = true)]
async fn components_rest_at_the_look_that_finds_memory_short() {
    let (house, components) = (house(Cache::Folder), Components::default());
    components.add(&house.component);
    let (look, pressure) = watch::channel(Pressure::None);
    let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
    let slots = Slots::new(&EngineConfig::default()).unwrap();
    let keeps = components.keep_rested(slots, pressure, shutdown.clone());
    tasks.spawn("resting components", keeps);
    house.component.linked().await.unwrap();
    look.send_replace(Pressure::Scarce);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!house.is_awake());
    shutdown.request();
    assert!(tasks.drain(Duration::from_secs(1)).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_component_that_is_thrifty_rests_at_the_next_look() {
    let house = house_of(Cache::Folder, Thrift::Memory);
    house.component.linked().await.unwrap();
    assert!(house.is_awake());
    assert!(house.component.rest(Pressure::None));
    assert!(!house.is_awake());
    house.component.linked().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_component_that_is_not_kept_stays_awake() {
    let house = house(Cache::Off);
    assert!(house.is_awake());
    tokio::time::advance(2 * awake_for(Thrift::Speed, Pressure::None)).await;
    assert!(!house.component.rest(Pressure::Scarce));
    assert!(house.is_awake());
}

#[tokio::test(start_paused = true)]
async fn an_emptied_cache_is_filled_again_from_the_bundle() {
    let house = house(Cache::Folder);
    house.empty_the_cache();
    assert!(house.component.linked().await.is_ok());
}

/// Each would map it, and where the cache is empty compile it, for itself.
#[tokio::test]
async fn many_who_come_at_once_wake_it_once() {
    let house = house(Cache::Folder);
    house.empty_the_cache();
    let wake = || house.component.linked();
    let (one, two, three) = tokio::join!(wake(), wake(), wake());
    let one = one.unwrap();
    assert!(Arc::ptr_eq(&one, &two.unwrap()) && Arc::ptr_eq(&one, &three.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn another_component_never_takes_the_place_of_the_one_that_slept() {
    let house = house(Cache::Folder);
    house.empty_the_cache();
    let other = GUEST.replace("$m", "$other");
    fs::write(
        house.folder.path().join("app.wasm"),
        wat::parse_str(other).unwrap(),
    )
    .unwrap();
    let refused = house.component.linked().await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("replaced"), "{refused}");
}
