//! Claims about what reaches the host, and in which order.

#![allow(clippy::unwrap_used)]
use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::App;
use crate::testing::Host;

fn recording(fails_at: &'static str) -> (Host, Rc<RefCell<Vec<String>>>) {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let host = Host::new(App::new()).answer_sql(move |sql, values| {
        log.borrow_mut().push(format!("{sql} {values:?}"));
        if sql == fails_at {
            return Err(SqlError::Conflict);
        }
        Ok((vec!["n".to_owned()], vec![vec![Value::Integer(1)]]))
    });
    (host, seen)
}

#[test]
fn values_of_many_types_reach_the_host_in_order() {
    let (host, seen) = recording("");
    host.run(|| {
        let values = values![
            "a",
            String::from("b"),
            1,
            2_i64,
            0.5,
            true,
            None::<i64>,
            vec![7_u8]
        ];
        query_one("SELECT ?", &values).unwrap().unwrap()
    });
    let expected = r#"SELECT ? [Text("a"), Text("b"), Integer(1), Integer(2), Real(0.5), Boolean(true), Null, Blob([7])]"#;
    assert_eq!(*seen.borrow(), [expected]);
}

#[test]
fn a_transaction_is_kept_when_its_steps_succeed_and_undone_when_one_fails() {
    let steps = |transaction: &mut Transaction| {
        transaction.execute("one", &[])?;
        transaction.query("two", &[]).map(|rows| rows.len())
    };
    let (host, seen) = recording("");
    assert_eq!(host.run(|| transaction(steps)), Ok(1));
    assert_eq!(
        *seen.borrow(),
        ["BEGIN []", "one []", "two []", "COMMIT []"]
    );
    let (host, seen) = recording("two");
    assert_eq!(host.run(|| transaction(steps)), Err(SqlError::Conflict));
    assert_eq!(
        *seen.borrow(),
        ["BEGIN []", "one []", "two []", "ROLLBACK []"]
    );
}
