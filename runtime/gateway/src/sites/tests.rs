//! Claims about sessions that begin, go back and come again while tables change. No guest runs: who is where is looked at.

#![allow(clippy::unwrap_used)]

use rookery_bundle::{AppName, Bundle, Expect};
use rookery_contract::{Event, Opened};
use rookery_hub::{Arrival, Attach, Hub, HubConfig, SessionLimits};
use rookery_pool::{
    Budget, Deadline, Effect, EventsOutcome, Invocation, Policy, Pool, Spawn, SpawnError, Totals,
    Verdict, Worker,
};
use rookery_routing::{Address, Lot, Sessions, Share, Weights};
use rookery_supervisor::Revision;

use super::*;

/// A guest that takes sessions and has nothing to say.
struct Silent;

#[async_trait::async_trait]
impl Spawn for Silent {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        Ok(Box::new(Silent))
    }

    fn serves_sessions(&self) -> bool {
        true
    }
}

#[async_trait::async_trait]
impl Worker for Silent {
    async fn request(&mut self, _: Invocation) -> Verdict {
        Verdict::Spent
    }

    async fn events(&mut self, events: &[Event], _: Deadline) -> EventsOutcome {
        EventsOutcome {
            began: events.len().checked_sub(1),
            effect: Effect::Left,
            verdict: Verdict::Spent,
        }
    }
}

struct House {
    sites: Sites,
    hub: Arc<Hub>,
    tasks: Tasks,
    folder: tempfile::TempDir,
    revisions: u64,
}

impl House {
    fn new() -> House {
        let tasks = Tasks::new();
        House {
            sites: Sites {
                table: ArcSwap::default(),
                kept: Mutex::default(),
                cache: Arc::new(FileCache::default()),
                moves: Arc::default(),
                rules: SessionRules {
                    fallback: Fallback::None,
                    grace: Duration::from_secs(30),
                    keep: Duration::from_secs(300),
                    trial: Duration::from_secs(10),
                },
                tasks: tasks.clone(),
            },
            hub: Hub::new(HubConfig::default(), &tasks, Shutdown::new()),
            tasks,
            folder: tempfile::tempdir().unwrap(),
            revisions: 0,
        }
    }

    fn bundle(&self, version: &str) -> Bundle {
        let folder = self.folder.path().join(version);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("app.wasm"), "not looked at").unwrap();
        let expect = Expect {
            name: AppName::parse("chat").unwrap(),
            version: rookery_bundle::parse_version(version),
        };
        rookery_bundle::open(&folder, expect).unwrap()
    }

    fn site(&mut self, version: &str) -> Arc<Site> {
        self.revisions += 1;
        let bundle = Arc::new(self.bundle(version));
        let policy = Policy::from_manifest(&bundle.manifest);
        let (budget, totals) = (Budget::new(4), Arc::<Totals>::default());
        let spawn = Arc::new(Silent);
        let pool = Pool::new("chat", policy, spawn, &budget, &totals, &self.tasks);
        let revision = Revision {
            id: RevisionId(self.revisions),
            bundle,
            pool: Some(pool),
            rules: None,
            tally: Arc::default(),
        };
        Arc::new(Site::new(
            Arc::new(revision),
            &self.sites.cache,
            &self.sites.moves,
        ))
    }

    /// Replaces the table, as `follow` does.
    fn serve(&self, sites: &[&Arc<Site>], rollout: Rollout) {
        let mut table = Table::builder();
        for site in sites {
            table.insert(
                "chat",
                site.revision.bundle.version.clone(),
                Arc::clone(site),
            );
        }
        match rollout {
            Rollout::None => {}
            Rollout::Whole(to) => {
                table.roll(
                    "chat",
                    Weights::whole(to.revision.bundle.version.clone()),
                    Sessions::Follow,
                );
            }
            Rollout::Canary(stable, canary, percent) => {
                let without = Weights::whole(stable.revision.bundle.version.clone());
                let share = Share::of_percent(percent).unwrap();
                let with = without
                    .with(&canary.revision.bundle.version.clone(), share)
                    .unwrap();
                table.roll("chat", with, Sessions::Follow);
                table.try_out("chat", canary.revision.bundle.version.clone(), without);
            }
        }
        let table = table.build();
        for site in tried(&table) {
            site.trial.set_judged(Judged::Yes);
        }
        self.sites.table.store(Arc::new(table));
    }

    fn settle(&self) {
        self.sites.move_sessions();
        self.sites.end_trials();
    }

    /// Somebody who is about to begin in this site.
    fn arrival(&self, site: &Arc<Site>) -> Arrival {
        self.hub.arrive(Attach {
            namespace: site.revision.bundle.namespace(),
            ready: Arc::clone(site.ready(&self.tasks).unwrap()),
            opened: Opened::default(),
            limits: SessionLimits::default(),
        })
    }

    /// A session that is there.
    fn session(&self, path: &str) -> (Arrival, Arc<Berth>) {
        let asked = asked(path);
        let (site, _) = self.sites.place(&asked).unwrap();
        let arrival = self.arrival(&site);
        let berth = self.sites.admit(&site, arrival.session(), asked).unwrap();
        (arrival, berth)
    }
}

enum Rollout<'a> {
    None,
    Whole(&'a Arc<Site>),
    /// Beside the stable version the canary, with so many percent.
    Canary(&'a Arc<Site>, &'a Arc<Site>, f64),
}

fn asked(path: &str) -> Asked {
    Asked::of(&Address::parse(path).unwrap(), Lot::drawn(1))
}

#[track_caller]
fn is_at(berth: &Berth, expected: &Arc<Site>) {
    let site = berth.site().unwrap();
    let label = |site: &Site| site.revision.bundle.label();
    assert_eq!(label(&site), label(expected));
    assert!(Arc::ptr_eq(&site, expected));
    assert!(expected.members.get(berth.id()).is_some());
}

/// The handshake was answered by a version that is not there any more when the connection has changed over.
#[tokio::test(start_paused = true)]
async fn a_session_whose_version_leaves_while_it_comes_begins_where_its_path_leads_then() {
    let mut house = House::new();
    let (one, next) = (house.site("1.0.0"), house.site("2.0.0"));
    house.serve(&[&one], Rollout::None);
    let (sent_to, _) = house.sites.place(&asked("/chat/")).unwrap();
    is_same(&sent_to, &one);
    let arrival = house.arrival(&sent_to);
    house.serve(&[&next], Rollout::None);
    // Before and after the site was told that it left: it is not in the table, and has other data than what is.
    for has_left in [false, true] {
        if has_left {
            one.leave_table();
        }
        let admitted = house.sites.admit(&one, arrival.session(), asked("/chat/"));
        assert!(admitted.is_none());
        assert!(one.members.is_empty());
    }
    assert!(arrival.withdraw().is_some(), "no guest was told of it");
    let (_arrival, berth) = house.session("/chat/");
    is_at(&berth, &next);
    assert!(house.sites.place(&asked("/chat@1/")).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_comes_just_before_its_version_leaves_is_moved_like_the_others() {
    let mut house = House::new();
    let (one, next) = (house.site("1.0.0"), house.site("1.1.0"));
    house.serve(&[&one], Rollout::None);
    let arrival = house.arrival(&one);
    house.serve(&[&one, &next], Rollout::None);
    let admitted = house.sites.admit(&one, arrival.session(), asked("/chat/"));
    is_at(&admitted.unwrap(), &next);
    let (_arrival, berth) = house.session("/chat@1.0.0/");
    house.serve(&[&next], Rollout::None);
    house.settle();
    one.leave_table();
    is_at(&berth, &one);
    assert!(house.sites.place(&asked("/chat@1.0.0/")).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_opened_on_a_canary_goes_back_to_where_it_would_be_without_it() {
    let mut house = House::new();
    let (stable, canary) = (house.site("1.0.0"), house.site("1.1.0"));
    house.serve(
        &[&stable, &canary],
        Rollout::Canary(&stable, &canary, 100.0),
    );
    let (_here, berth) = house.session("/chat/");
    let (_there, pinned) = house.session("/chat@1.1.0/");
    let (_and, ranged) = house.session("/chat@~1.1/");
    is_at(&berth, &canary);
    assert!(berth.go_back(&canary));
    is_at(&berth, &stable);
    for named in [pinned, ranged] {
        assert!(!named.go_back(&canary), "it asked for it");
        is_at(&named, &canary);
    }
    assert!(canary.members.get(berth.id()).is_none());
    // It is not sent there again as long as that one is tried out.
    house.settle();
    is_at(&berth, &stable);
    house.serve(&[&stable, &canary], Rollout::Whole(&canary));
    house.settle();
    is_at(&berth, &canary);
}

#[tokio::test(start_paused = true)]
async fn sessions_that_a_canary_took_over_go_back_one_by_one_however_long_it_is_judged() {
    let mut house = House::new();
    let (stable, canary) = (house.site("1.0.0"), house.site("1.1.0"));
    house.serve(&[&stable, &canary], Rollout::Whole(&stable));
    let sessions = [house.session("/chat/"), house.session("/chat/")];
    house.serve(
        &[&stable, &canary],
        Rollout::Canary(&stable, &canary, 100.0),
    );
    house.settle();
    tokio::time::advance(Duration::from_secs(600)).await;
    for (_, berth) in &sessions {
        is_at(berth, &canary);
        assert!(berth.go_back(&canary));
        is_at(berth, &stable);
    }
    assert!(!canary.trial.has_failed());
}

/// Whichever was deployed first.
#[tokio::test(start_paused = true)]
async fn a_canary_of_an_earlier_deployment_is_on_trial_and_the_way_back_from_it_is_none() {
    let mut house = House::new();
    let (canary, stable) = (house.site("1.0.0"), house.site("1.1.0"));
    house.serve(&[&stable, &canary], Rollout::Whole(&stable));
    let (_one, first) = house.session("/chat/");
    let (_two, second) = house.session("/chat/");
    house.serve(
        &[&stable, &canary],
        Rollout::Canary(&stable, &canary, 100.0),
    );
    house.settle();
    assert!(first.go_back(&canary));
    house.serve(&[&stable, &canary], Rollout::Whole(&stable));
    house.settle();
    for berth in [first, second] {
        is_at(&berth, &stable);
        assert!(!berth.is_on_trial());
    }
}

/// A site that leaves looks at who is there, and then tells them. Who is moved in between is at home elsewhere.
#[tokio::test(start_paused = true)]
async fn a_session_that_moves_away_from_a_site_that_closes_is_not_told_of_it() {
    let mut house = House::new();
    let (one, next) = (house.site("1.0.0"), house.site("1.1.0"));
    house.serve(&[&one], Rollout::None);
    let (moves, moved) = house.session("/chat/");
    let (stays, staying) = house.session("/chat@1.0.0/");
    let there = one.members.close();
    assert_eq!(there.len(), 2);
    house.serve(&[&one, &next], Rollout::None);
    house.settle();
    is_at(&moved, &next);
    for berth in there {
        let is_there = berth.id() == staying.id();
        assert_eq!(berth.close_at(&one, close::RESTART), is_there);
    }
    assert!(moves.session().closing().is_none());
    assert!(stays.session().closing().is_some());
}

#[track_caller]
fn is_same(one: &Arc<Site>, other: &Arc<Site>) {
    assert!(Arc::ptr_eq(one, other));
}
