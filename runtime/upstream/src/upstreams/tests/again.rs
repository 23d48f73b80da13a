//! Requests whose connection fails: which are sent once more, and which come back for somebody else.

use super::*;

async fn second_answer(second: Request<Body>) -> Result<String, Unanswered> {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(closing_on_the_second_request(listener));
    let first = upstreams.send(&target, get(), TIMEOUTS).await?;
    assert_eq!(text(first).await, "ok");
    assert!(upstreams.origin(&target).is_ready());
    let answer = upstreams.send(&target, second, TIMEOUTS).await?;
    let answer = text(answer).await;
    serving.abort();
    Ok(answer)
}

#[tokio::test]
async fn an_idempotent_request_without_a_body_is_sent_again_when_a_rested_connection_dies() {
    assert_eq!(second_answer(get()).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_request_that_may_have_had_an_effect_is_not_sent_again() {
    for second in [request(Method::POST, ""), request(Method::PUT, "body")] {
        let refused = second_answer(second).await.unwrap_err();
        let error = refused.error;
        assert!(matches!(error, UpstreamError::Broken { .. }), "{error}");
        assert!(refused.unsent.is_none());
    }
}

#[tokio::test]
async fn a_new_connection_that_dies_is_not_tried_again() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
    });
    let refused = upstreams
        .send(&target, get(), TIMEOUTS)
        .await
        .unwrap_err()
        .error;
    assert!(matches!(refused, UpstreamError::Broken { .. }), "{refused}");
    serving.await.unwrap();
}

/// The text of a request's body that was not sent.
async fn unsent(refused: Unanswered) -> String {
    let request = refused.unsent.expect("nothing of it was sent");
    assert_eq!(request.uri(), "/x?y=1");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

fn post() -> Request<Body> {
    request(Method::POST, "hello")
}

#[tokio::test]
async fn a_request_for_nobody_comes_back_with_its_body() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    drop(listener);
    let refused = upstreams.send(&target, post(), TIMEOUTS).await.unwrap_err();
    let error = &refused.error;
    assert!(matches!(error, UpstreamError::Connect { .. }), "{error}");
    assert_eq!(unsent(refused).await, "hello");
}

#[tokio::test]
async fn a_request_comes_back_when_the_connection_that_rested_is_closed_and_nobody_is_there() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
        (listener, stream)
    });
    let first = upstreams.send(&target, get(), TIMEOUTS).await.unwrap();
    assert_eq!(text(first).await, "ok");
    let (listener, stream) = serving.await.unwrap();
    let origin = upstreams.origin(&target);
    assert!(origin.is_ready());
    drop((listener, stream));
    while origin.is_ready() {
        tokio::task::yield_now().await;
    }
    let refused = upstreams.send(&target, post(), TIMEOUTS).await.unwrap_err();
    assert_eq!(unsent(refused).await, "hello");
}

/// It is sent once more where it was; nobody else may have it.
#[tokio::test]
async fn a_request_that_was_written_does_not_come_back_even_when_nobody_is_there_any_more() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
        head(&mut stream).await;
        drop(listener);
    });
    let first = upstreams.send(&target, get(), TIMEOUTS).await.unwrap();
    assert_eq!(text(first).await, "ok");
    let refused = upstreams.send(&target, get(), TIMEOUTS).await.unwrap_err();
    let error = &refused.error;
    assert!(matches!(error, UpstreamError::Connect { .. }), "{error}");
    assert!(refused.unsent.is_none());
    serving.await.unwrap();
}
