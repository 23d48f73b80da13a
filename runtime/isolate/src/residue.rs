//! Claims about what one isolate leaves for the next: not a mark in memory, on the stack or in a table.
//!
//! A guest fills all three. The next one has the only slot that there is, and looks for marks in memory and tables
//! itself; a guest cannot look below its stack, so the host does, from within a call on the guest's stack.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use crate::engine::Thrift;
use crate::house::{House, idle, terminate};

/// No value that a stack has by itself.
const MARK: u64 = 0xA7A7_5C5C_A7A7_5C5C;
/// How far the host looks below its own frame: the fiber's stack has 1 MiB, of which guest and host used a little.
const LOOK_BYTES: usize = 768 * 1024;
/// Frames of the host that are in use, and may hold the mark while it is compared.
const OWN_BYTES: usize = 2 * 1024;
const MINUTE: Duration = Duration::from_secs(60);

/// How much of each a guest fills.
#[derive(Clone, Copy)]
struct Fill {
    pages: u32,
    frames: u32,
    elements: u32,
}

/// Within what a slot keeps and clears by hand.
const SMALL: Fill = Fill {
    pages: 2,
    frames: 300,
    elements: 500,
};
/// Beyond it, where the system takes the pages back.
const LARGE: Fill = Fill {
    pages: 64,
    frames: 6000,
    elements: 15_000,
};

/// `idle` fills memory, table and stack with marks. `terminate` makes memory and table as large as they may be here,
/// counts marks and entries, and reports them.
fn module(fill: Fill) -> String {
    let Fill {
        pages,
        frames,
        elements,
    } = fill;
    format!(
        r#"
        (import "host" "report" (func $report (param i32 i32)))
        (memory 1)
        (table $table 10 funcref)
        (func $entry)
        (elem declare func $entry)

        ;; Each frame keeps the mark for what comes after the call within it.
        (func $dig (param $left i32) (param $mark i64) (result i64)
          (if (result i64) (i32.eqz (local.get $left))
            (then (i64.const 0))
            (else (i64.add
              (call $dig (i32.sub (local.get $left) (i32.const 1)) (local.get $mark))
              (local.get $mark)))))

        (func (export "idle") (local $at i32) (local $end i32)
          (drop (memory.grow (i32.const {pages})))
          (local.set $end (i32.mul (memory.size) (i32.const 65536)))
          (loop $next
            (i64.store (local.get $at) (i64.const {MARK}))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
          (drop (table.grow $table (ref.func $entry) (i32.const {elements})))
          (table.fill $table (i32.const 0) (ref.func $entry) (table.size $table))
          (drop (call $dig (i32.const {frames}) (i64.load (i32.const 8)))))

        (func (export "terminate")
          (local $at i32) (local $end i32) (local $marks i32) (local $entries i32)
          (drop (memory.grow (i32.const {more_pages})))
          (local.set $end (i32.mul (memory.size) (i32.const 65536)))
          (loop $next
            (if (i64.eq (i64.load (local.get $at)) (i64.const {MARK}))
              (then (local.set $marks (i32.add (local.get $marks) (i32.const 1)))))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
          (drop (table.grow $table (ref.null func) (i32.const {more_elements})))
          (local.set $at (i32.const 0))
          (loop $next
            (if (i32.eqz (ref.is_null (table.get $table (local.get $at))))
              (then (local.set $entries (i32.add (local.get $entries) (i32.const 1)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (table.size $table))))
          (call $report (local.get $marks) (local.get $entries)))
        "#,
        more_pages = LARGE.pages,
        more_elements = LARGE.elements,
    )
}

/// How many marks lie below this frame, on the guest's stack.
#[inline(never)]
fn marks_on_the_stack() -> u64 {
    let here = black_box(0_u64);
    let top = (&raw const here).expose_provenance() & !7;
    let words = (top - LOOK_BYTES..top - OWN_BYTES).step_by(size_of::<u64>());
    let found = words.filter(|address| {
        // SAFETY: the stack of a fiber has 1 MiB, and of it this frame and those above use less than the quarter that
        // is not looked at, so the address is mapped. Nothing runs below this frame. The read is volatile, so nothing is
        // concluded from what is found there, and no reference is made.
        #[allow(unsafe_code)]
        let word = unsafe { std::ptr::with_exposed_provenance::<u64>(*address).read_volatile() };
        word == MARK
    });
    found.count() as u64
}

fn house() -> House {
    House::of(1, Thrift::Speed).on_report(marks_on_the_stack)
}

/// The search is worth something: a guest that goes on living finds its own marks in all three places.
#[tokio::test]
async fn a_guest_that_lives_on_finds_its_own_marks() {
    for fill in [SMALL, LARGE] {
        let house = house();
        let mut isolate = house.start(&house.linked(&module(fill))).await;
        assert!(idle(&mut isolate, MINUTE).await);
        assert!(terminate(&mut isolate, MINUTE).await);
        let [(memory, table, stack)] = house.take_reports()[..] else {
            panic!("it reports once");
        };
        assert_eq!(memory, (fill.pages + 1) * 65536 / 8);
        assert_eq!(table, fill.elements + 10);
        // What was nearest to the top is where the host's own frames were since.
        assert!(stack > u64::from(fill.frames) / 4, "{stack} marks");
    }
}

async fn nobody_sees(thrift: Thrift, rounds: usize) {
    let house = House::of(1, thrift).on_report(marks_on_the_stack);
    let tenants = [house.linked(&module(SMALL)), house.linked(&module(LARGE))];
    for round in 0..rounds {
        // The one who looks is of the same revision in every other round.
        let (fills, looks) = (&tenants[round % 2], &tenants[round / 2 % 2]);
        let mut isolate = house.start(fills).await;
        assert!(idle(&mut isolate, MINUTE).await);
        drop(isolate);
        let mut isolate = house.start(looks).await;
        assert!(terminate(&mut isolate, MINUTE).await);
        assert_eq!(house.take_reports(), [(0, 0, 0)], "round {round}");
    }
}

#[tokio::test]
async fn nobody_sees_what_lived_in_its_slot_before() {
    nobody_sees(Thrift::Speed, 40).await;
}

#[tokio::test]
async fn nobody_sees_what_lived_in_a_thrifty_slot_before() {
    nobody_sees(Thrift::Memory, 40).await;
}

/// A guest that was stopped in the middle of its work leaves as little.
#[tokio::test]
async fn nobody_sees_what_a_guest_left_that_was_stopped() {
    let house = house();
    // It traps in its deepest frame.
    let stopped = module(LARGE).replace("(then (i64.const 0))", "(then (unreachable))");
    assert_ne!(stopped, module(LARGE));
    let (stopped, looks) = (house.linked(&stopped), house.linked(&module(SMALL)));
    for _ in 0..10 {
        let mut isolate = house.start(&stopped).await;
        assert!(!idle(&mut isolate, MINUTE).await);
        drop(isolate);
        let mut isolate = house.start(&looks).await;
        assert!(terminate(&mut isolate, MINUTE).await);
        assert_eq!(house.take_reports(), [(0, 0, 0)]);
    }
}
