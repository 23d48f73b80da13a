//! What a manifest says about its topics is done, whatever a guest asks for.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use rookery_bundle::{AppName, Expect};
use rookery_contract::Opened;
use rookery_hub::{Attach, Hub, HubConfig, ReadyQueue, SessionLimits};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_storage::Stores;

use super::*;
use crate::guest::{Guest, Services};

struct Door {
    guest: Arc<Guest>,
    hub: Arc<Hub>,
}

fn door(manifest: &str) -> Door {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    write("worker.config.json", manifest);
    write("app.wasm", "not looked at");
    let expect = Expect {
        name: AppName::parse("test").unwrap(),
        version: None,
    };
    let bundle = rookery_bundle::open(folder.path(), expect).unwrap();
    let hub = Hub::new(HubConfig::default(), &Tasks::new(), Shutdown::new());
    let services = Services {
        hub: Arc::clone(&hub),
        stores: Arc::new(Stores::default()),
        environment: Arc::new(BTreeMap::new()),
    };
    Door {
        guest: Guest::new(Arc::new(bundle), &services),
        hub,
    }
}

fn text(text: &str) -> Payload {
    Payload::Text(text.into())
}

#[tokio::test(start_paused = true)]
async fn a_topic_keeps_no_more_than_the_manifest_says() {
    let door =
        door(r#"{"version": "1.0.0", "sessions": {"history": {"messages": 2, "age": "10s"}}}"#);
    let mut hub = door.guest.hub();
    let mut publish = || {
        let options = PublishOptions {
            history: Some(Retention {
                messages: 100,
                seconds: 3_600,
            }),
            ..PublishOptions::default()
        };
        hub.publish("a", &text("x"), options).unwrap()
    };
    let [first, second, _] = [publish(), publish(), publish()];
    let mut hub = door.guest.hub();
    let since_none = Position { offset: 0, ..first };
    assert_eq!(hub.recover("a", since_none, 10), Err(Gap::Dropped));
    assert_eq!(hub.recover("a", first, 10).unwrap().messages.len(), 2);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(hub.recover("a", second, 10), Err(Gap::Dropped));
}

#[tokio::test]
async fn what_is_not_granted_has_nobody_present() {
    let door = door(r#"{"version": "1.0.0", "grants": {"topics": ["room.*"]}}"#);
    let ada = door.hub.attach(Attach {
        namespace: door.guest.bundle().namespace(),
        ready: ReadyQueue::new(),
        opened: Opened::default(),
        limits: SessionLimits::default(),
    });
    let mut hub = door.guest.hub();
    assert_eq!(hub.track(ada.id(), "room.1", "ada"), Ok(()));
    assert_eq!(hub.track(ada.id(), "other", "ada"), Err(TopicError::Denied));
    assert_eq!(hub.list("room.1", None, 10).count, 1);
    assert_eq!(hub.list("other", None, 10), Roster::default());
}
