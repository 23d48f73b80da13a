//! How long somebody waits for what a worker owes him.

use super::*;

/// As an answer is left to whoever waits for what the guest wrote.
#[tokio::test(start_paused = true)]
async fn an_answer_that_a_worker_left_to_others_has_its_deadline_too() {
    let house = House::of(1);
    let (pool, spawn) = house.pool(|policy| policy.timeout = Duration::from_secs(5));
    let left = Arc::default();
    spawn.then(Step::LeaveAnswer(Arc::clone(&left)));
    let begun = Instant::now();
    let late = ask(&pool).await.unwrap_err();
    let is_late = matches!(
        late,
        InvokeError::Fault {
            fault: Fault::Timeout(_),
            ..
        }
    );
    assert!(is_late, "{late}");
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert!(left.lock().is_some());
    assert_eq!(ask(&pool).await.unwrap(), "1/2", "the worker did its work");
}
