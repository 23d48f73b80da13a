//! Claims about what a guest may say.

#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn reads_and_writes_are_told_apart() {
    let check = |sql: &str, kind, places| {
        let seen = inspect(sql).unwrap();
        assert_eq!((seen.kind, seen.places), (kind, places), "{sql}");
    };
    check("SELECT 1", Kind::Read, 0);
    check(
        "  select a from t where b = ? and c in (?, ?);  ",
        Kind::Read,
        3,
    );
    check("-- why\nVALUES (1) /* and ? so on", Kind::Read, 0);
    check("EXPLAIN QUERY PLAN SELECT ?", Kind::Read, 1);
    check("WITH x AS (SELECT 1) SELECT * FROM x", Kind::Read, 0);
    check(
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
        Kind::Insert,
        0,
    );
    check(
        "insert into t values (?, '?;?', \"a?\", [b;?], x'00', `c?`)",
        Kind::Insert,
        1,
    );
    check(
        "UPDATE t SET a = 'it''s; fine' WHERE b = ?;;",
        Kind::Change,
        1,
    );
    check("DELETE FROM t", Kind::Change, 0);
    check("REPLACE INTO t VALUES (1)", Kind::Insert, 0);
    check("WITH x AS (SELECT 1) DELETE FROM t", Kind::Change, 0);
    check("CREATE TABLE trigger (a, begin, [end])", Kind::Schema, 0);
    check(
        "CREATE TABLE t (a DEFAULT 'TEMP', temp INTEGER)",
        Kind::Schema,
        0,
    );
}

#[test]
fn what_adds_one_row_is_told_from_what_may_give_many() {
    for one in [
        "INSERT INTO t VALUES (?)",
        "insert into \"t\" (a, [b]) values (?, (1 + 2) * f(?)) returning id, \"a\";",
        "INSERT OR IGNORE INTO main.t (a) VALUES (')') RETURNING *",
        "REPLACE INTO t VALUES (1)",
    ] {
        assert!(inspect(one).unwrap().one_row, "{one}");
    }
    for many in [
        "INSERT INTO t VALUES (1), (2) RETURNING id",
        "INSERT INTO t VALUES (1) RETURNING zeroblob(1000000)",
        "INSERT INTO t VALUES (1) RETURNING a || a",
        "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = a || a RETURNING a",
        "INSERT INTO t VALUES ((SELECT 1)) RETURNING id",
        "INSERT INTO t SELECT * FROM values",
        "INSERT INTO t DEFAULT VALUES",
        "WITH x AS (VALUES (1)) INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1 RETURNING a",
        "DELETE FROM t RETURNING a",
        "SELECT 1",
        "VALUES (1)",
        "CREATE TABLE t (a)",
    ] {
        assert!(!inspect(many).unwrap().one_row, "{many}");
    }
}

#[test]
fn what_is_not_for_guests_is_refused() {
    let check = |sql: &str, says: &str| match inspect(sql) {
        Err(SqlError::Syntax(text)) => assert!(text.contains(says), "{sql}: {text}"),
        other => panic!("{sql}: {other:?}"),
    };
    check("", "no statement");
    check(" ; -- nothing", "no statement");
    check("SELECT 1; SELECT 2", "one statement");
    check("SELECT 1;;DROP TABLE t", "one statement");
    check("BEGIN", "use a transaction");
    check("end", "use a transaction");
    check("COMMIT", "use a transaction");
    check("SAVEPOINT x", "use a transaction");
    check("ROLLBACK", "use a transaction");
    check("INSERT OR ROLLBACK INTO t VALUES (1)", "use a transaction");
    check(
        "CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)",
        "use a transaction",
    );
    check("PRAGMA writable_schema = 1", "not for guests");
    check("/**/ATTACH 'other.db' AS other", "not for guests");
    check("VACUUM INTO 'copy.db'", "not for guests");
    check("SELECT * FROM pragma_database_list", "not for guests");
    check("SELECT * FROM \"PRAGMA_database_list\"", "not for guests");
    check("SELECT * FROM 'pragma_database_list'", "not for guests");
    check("INSERT OR FAIL INTO t VALUES (1), (2)", "half way");
    check("update or /**/ fail t SET a = 1", "half way");
    check("CREATE TABLE t (a UNIQUE ON CONFLICT FAIL)", "half way");
    check(
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT RAISE (FAIL, 'x'); END",
        "half way",
    );
    check(
        "CREATE TABLE t (a REFERENCES u DEFERRABLE INITIALLY DEFERRED)",
        "with its statement",
    );
    check("create temp table t (a)", "temporary");
    check("CREATE TEMPORARY TRIGGER t", "temporary");
    check("SELECT ?1", "without a name");
    check("SELECT :a", "without a name");
    check("SELECT 'open", "not closed");
    check("SELECT [open", "not closed");
    check("SELECT 1\0; DROP TABLE t", "zero bytes");
    check("HELLO", "cannot begin with HELLO");
}

/// They are names, too.
#[test]
fn words_that_are_refused_in_one_place_are_allowed_in_another() {
    for sql in [
        "SELECT fail FROM t WHERE done OR fail",
        "INSERT OR IGNORE INTO fail (deferred) VALUES ('fail')",
        "UPDATE t SET a = 1 WHERE b OR fail",
        "CREATE TABLE t (a UNIQUE ON CONFLICT ABORT, fail, deferred, conflict, initially)",
        "CREATE TABLE t (a REFERENCES u DEFERRABLE INITIALLY IMMEDIATE)",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT RAISE(ABORT, 'fail'); END",
    ] {
        assert!(inspect(sql).is_ok(), "{sql}");
    }
}

#[test]
fn a_trigger_is_one_statement_and_hides_no_other() {
    let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN \
                   SELECT CASE WHEN 1 THEN 2 END; INSERT INTO b VALUES (';'); END";
    assert_eq!(inspect(trigger).unwrap().kind, Kind::Schema);
    assert_eq!(inspect(&format!("{trigger};")).unwrap().kind, Kind::Schema);
    let hides = |tail: &str| inspect(&format!("{trigger}; {tail}")).unwrap_err();
    hides("DROP TABLE a");
    hides("END");
    hides("ATTACH 'x' AS x");
    // A trigger may be called like a keyword, and a table like a trigger.
    for begin in [
        "CREATE TRIGGER begin AFTER INSERT ON a BEGIN SELECT 1; END",
        "CREATE TRIGGER end AFTER INSERT ON a BEGIN SELECT 1; END",
        "CREATE TABLE trigger (a)",
    ] {
        assert!(inspect(begin).is_ok(), "{begin}");
        for tail in ["ATTACH 'x' AS x", "END", "COMMIT", "PRAGMA x"] {
            let both = format!("{begin}; {tail}");
            assert!(inspect(&both).is_err(), "{both}");
        }
    }
    assert!(inspect("CREATE TRIGGER t AFTER INSERT ON a BEGIN PRAGMA x; END").is_ok());
    assert!(inspect("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; PRAGMA x; END").is_err());
}

#[test]
fn a_script_is_split_at_the_ends_of_its_statements() {
    let check = |script: &str, expected: &[&str]| {
        assert_eq!(split(script).unwrap(), expected, "{script}");
    };
    check("", &[]);
    check("-- only a comment\n;;", &[]);
    check(
        "CREATE TABLE a (x); CREATE TABLE b (y)",
        &["CREATE TABLE a (x)", "CREATE TABLE b (y)"],
    );
    check(
        "INSERT INTO a VALUES ('a;b'); -- ; \nSELECT 1 /* ; */;",
        &["INSERT INTO a VALUES ('a;b')", "SELECT 1 /* ; */"],
    );
    check(
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END; SELECT 3",
        &[
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END",
            "SELECT 3",
        ],
    );
    assert!(split("SELECT 'open").is_err());
}
