//! Claims about the end of a connection: what a client has time for.

use super::*;

/// A socket that is closed with something unread in it takes the close frame back.
#[tokio::test(start_paused = true)]
async fn who_breaks_a_rule_may_end_what_it_says_and_reads_why_it_is_closed() {
    let line = Line::new();
    let mut theirs = line.connect(&[], LIMITS);
    line.opened().await;
    // A message of a mebibyte, more than the pipe holds.
    let header = [0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0];
    theirs.write_all(&header).await.unwrap();
    theirs.write_all(&vec![0; 1024 * 1024]).await.unwrap();
    let mut answer = Vec::new();
    theirs.read_to_end(&mut answer).await.unwrap();
    assert_eq!(u16::from_be_bytes([answer[2], answer[3]]), 1009);
    assert_eq!(closed(line.event().await).0, 1009);
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_sending_after_it_broke_a_rule_is_cut_off() {
    let line = Line::new();
    let mut theirs = line.connect(&[], LIMITS);
    line.opened().await;
    let began = Instant::now();
    theirs.write_all(&[0x81, 0x01, b'x']).await.unwrap();
    while theirs.write_all(&[0; 4096]).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() >= CLOSE_GRACE, "{:?}", began.elapsed());
    assert!(began.elapsed() < 2 * CLOSE_GRACE, "{:?}", began.elapsed());
}

/// However soon the next look at its silence would be.
#[tokio::test(start_paused = true)]
async fn who_reads_slowly_has_the_whole_grace_to_take_its_close_frame() {
    for idle_timeout in [LIMITS.idle_timeout, Duration::ZERO] {
        let limits = WireLimits {
            idle_timeout,
            ..LIMITS
        };
        let line = Line::new();
        let mut theirs = line.connect(&[], limits);
        line.opened().await;
        let mut publisher = line.hub.publisher(&namespace());
        let chunk = Payload::Binary(Bytes::from(vec![0; 1000]));
        // A little more than the pipe holds, and much less than the outbox does.
        for _ in 0..67 {
            publisher.send(SessionId(1), &chunk);
            publisher.flush();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(29)).await;
        publisher.close(SessionId(1), 4000, "");
        tokio::time::sleep(CLOSE_GRACE - Duration::from_millis(1)).await;
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).await.unwrap();
        assert_eq!(all[all.len() - 2..], 4000_u16.to_be_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_waits_for_a_write_is_not_the_clients_delay() {
    let line = Line::new();
    let mut theirs = line.connect(&[], LIMITS);
    line.opened().await;
    let mut publisher = line.hub.publisher(&namespace());
    let keeper = publisher.hold();
    publisher.send(SessionId(1), &Payload::Text("kept".into()));
    publisher.close(SessionId(1), 4000, "");
    drop(publisher);
    tokio::time::sleep(LIMITS.idle_timeout).await;
    keeper.keep();
    let mut all = Vec::new();
    theirs.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"\x81\x04kept\x88\x02\x0f\xa0");
}
