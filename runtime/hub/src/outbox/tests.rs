//! What an outbox takes, gives and drops.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn push(outbox: &Outbox, length: usize) -> SendStatus {
    let chunk = Bytes::from(vec![0; length]);
    let (holds, mut wakes) = (Holds::default(), WakeList::default());
    outbox
        .push(chunk, None, &holds, Writer::Wakes, &mut wakes)
        .status
}

fn close(outbox: &Outbox, code: u16) -> bool {
    let frame = CloseFrame::new(code, "");
    outbox.close(frame, &Holds::default(), &mut WakeList::default())
}

fn take(outbox: &Outbox) -> usize {
    outbox.take(&mut VecDeque::new(), usize::MAX)
}

#[test]
fn the_bound_holds_for_what_waits_and_what_is_being_written() {
    let outbox = Outbox::new(10);
    assert_eq!(push(&outbox, 6), SendStatus::Queued);
    assert_eq!(take(&outbox), 1);
    assert_eq!(push(&outbox, 4), SendStatus::Queued);
    assert_eq!(take(&outbox), 1);
    assert_eq!(push(&outbox, 6), SendStatus::Queued);
    assert_eq!(push(&outbox, 1), SendStatus::Full);
}

#[test]
fn an_empty_outbox_takes_a_chunk_of_any_size() {
    let outbox = Outbox::new(10);
    assert_eq!(push(&outbox, 100), SendStatus::Queued);
    assert_eq!(push(&outbox, 1), SendStatus::Full);
}

#[test]
fn an_overflow_drops_what_waits_and_leaves_the_close_frame() {
    let outbox = Outbox::new(10);
    push(&outbox, 8);
    assert_eq!(push(&outbox, 8), SendStatus::Full);
    assert_eq!(push(&outbox, 1), SendStatus::Gone);
    assert!(!close(&outbox, 1000));
    let mut chunks = VecDeque::new();
    outbox.take(&mut chunks, usize::MAX);
    assert_eq!(chunks, [frame::close(&CloseFrame::from(SLOW_CONSUMER))]);
    assert_eq!(outbox.closing(), Some(CloseFrame::from(SLOW_CONSUMER)));
}

#[test]
fn a_close_lets_what_waits_go_first() {
    let outbox = Outbox::new(100);
    push(&outbox, 8);
    assert!(close(&outbox, 4000));
    assert_eq!(push(&outbox, 1), SendStatus::Gone);
    assert_eq!(take(&outbox), 2);
}

#[test]
fn a_writer_is_woken_once_for_many_chunks_and_not_at_all_while_it_writes() {
    let woken = std::sync::Arc::new(Woken::default());
    let waker = Waker::from(std::sync::Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let count = || woken.0.load(Ordering::Relaxed);
    let outbox = Outbox::new(20);

    assert!(outbox.poll_chunks(&mut cx).is_pending());
    push(&outbox, 1);
    push(&outbox, 1);
    assert_eq!(count(), 1);
    assert!(outbox.poll_chunks(&mut cx).is_ready());
    take(&outbox);

    assert!(outbox.poll_closing(&mut cx).is_pending());
    push(&outbox, 1);
    assert_eq!(count(), 1);
    push(&outbox, 100);
    assert_eq!(count(), 2);
    assert!(outbox.poll_closing(&mut cx).is_ready());
}
