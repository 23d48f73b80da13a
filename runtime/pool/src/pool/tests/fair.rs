//! Claims about pools that want each other's places.

use super::*;

const FLOOD: usize = 100;

/// Asks and writes down who was answered.
fn asks(pool: &Arc<Pool>, name: &'static str, answered: &Arc<Mutex<Vec<&'static str>>>) {
    let (pool, answered) = (Arc::clone(pool), Arc::clone(answered));
    tokio::spawn(async move {
        ask(&pool).await.unwrap();
        answered.lock().push(name);
    });
}

fn patient(policy: &mut Policy) {
    policy.queue_length = FLOOD;
    policy.queue_timeout = Duration::from_secs(60);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_app_does_not_keep_out_another() {
    let house = House::of(FLOOD);
    let ((busy, in_busy), (a, _), (b, _)) =
        (house.pool(|_| ()), house.pool(patient), house.pool(patient));
    let (gate, answered) = (Arc::new(Semaphore::new(0)), Arc::default());
    for _ in 0..FLOOD {
        in_busy.then(Step::AnswerAfter(Arc::clone(&gate)));
        asks(&busy, "busy", &Arc::default());
    }
    while in_busy.alive() < FLOOD {
        tokio::task::yield_now().await;
    }
    for _ in 0..FLOOD {
        asks(&a, "a", &answered);
    }
    while a.waiting() < FLOOD {
        tokio::task::yield_now().await;
    }
    asks(&b, "b", &answered);
    while b.waiting() < 1 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(1);
    while answered.lock().len() < FLOOD + 1 {
        tokio::task::yield_now().await;
    }
    let before_b = answered
        .lock()
        .iter()
        .position(|name| *name == "b")
        .unwrap();
    assert!(before_b <= 1, "{before_b} were answered before b");
}

#[tokio::test(start_paused = true)]
async fn two_versions_of_an_app_get_no_more_than_another_app() {
    let house = House::of(2);
    let named = |label| house.labelled(label, patient, |_| ()).0;
    let (busy, in_busy) = house.pool(patient);
    let (gate, answered) = (Arc::new(Semaphore::new(0)), Arc::default());
    for _ in 0..2 {
        in_busy.then(Step::AnswerAfter(Arc::clone(&gate)));
        asks(&busy, "busy", &Arc::default());
    }
    while in_busy.alive() < 2 {
        tokio::task::yield_now().await;
    }
    for (label, name) in [("a@1.0.0", "a1"), ("a@2.0.0", "a2"), ("b@1.0.0", "b")] {
        let pool = named(label);
        for waiting in 1..=2 {
            asks(&pool, name, &answered);
            while pool.waiting() < waiting {
                tokio::task::yield_now().await;
            }
        }
    }
    // One place goes from hand to hand; the other one stays taken.
    gate.add_permits(1);
    while answered.lock().len() < 6 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*answered.lock(), ["a1", "b", "a2", "b", "a1", "a2"]);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_for_a_place_takes_none_with_him() {
    let house = House::of(1);
    let ((busy, in_busy), (other, _)) = (house.pool(|_| ()), house.pool(|_| ()));
    let gate = Arc::new(Semaphore::new(0));
    in_busy.then(Step::AnswerAfter(Arc::clone(&gate)));
    asks(&busy, "busy", &Arc::default());
    while in_busy.alive() < 1 {
        tokio::task::yield_now().await;
    }
    let refused = ask(&other).await.unwrap_err();
    assert!(
        matches!(
            refused,
            InvokeError::Acquire(AcquireError::QueueTimeout { .. })
        ),
        "{refused}"
    );
    gate.add_permits(1);
    while house.totals.response_time.snapshot().count() < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(in_busy.alive(), 1, "nobody wants its place any more");
    assert_eq!(ask(&other).await.unwrap(), "1/1");
}
