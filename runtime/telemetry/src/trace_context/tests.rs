//! The rules of the recommendation, as rows.

use proptest::prelude::*;

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn parse(value: &str) -> Option<TraceContext> {
    TraceContext::parse(&HeaderValue::from_str(value).expect("a header value"))
}

#[test]
fn the_example_of_the_recommendation_is_read_and_written_back() {
    let context = parse(EXAMPLE).expect("well-formed");
    assert_eq!(context.to_string(), EXAMPLE);
    assert_eq!(context.trace_id().to_string(), TRACE);
    assert_eq!(context.header_value(), EXAMPLE);
}

#[test]
fn a_child_keeps_the_trace_and_the_decision_with_a_span_of_its_own() {
    for flags in ["00", "01"] {
        let caller = parse(&format!("00-{TRACE}-00f067aa0ba902b7-{flags}")).expect("well-formed");
        let child = caller.child();
        assert_ne!(child.span_id, caller.span_id);
        assert_eq!(
            (child.trace_id, child.sampled),
            (caller.trace_id, caller.sampled)
        );
        assert!(child.to_string().ends_with(flags));
    }
}

#[test]
fn flags_that_level_1_does_not_know_are_dropped() {
    let context = parse(&format!("00-{TRACE}-00f067aa0ba902b7-ff")).expect("well-formed");
    assert!(context.to_string().ends_with("-01"));
    let context = parse(&format!("00-{TRACE}-00f067aa0ba902b7-fe")).expect("well-formed");
    assert!(context.to_string().ends_with("-00"));
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    for later in [
        "cc-{}-00f067aa0ba902b7-01",
        "cc-{}-00f067aa0ba902b7-01-what-the-future-will-be",
    ] {
        let context = parse(&later.replace("{}", TRACE)).expect("a later version");
        assert_eq!(context.to_string(), EXAMPLE);
    }
    assert_eq!(parse(&format!("cc-{TRACE}-00f067aa0ba902b7-01.what")), None);
}

#[test]
fn malformed_headers_are_no_context() {
    let rows = [
        "",
        "00",
        // Version ff; a version that is no number; one of version 00 with more than it may have.
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
        // Zero ids.
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        // Upper case, a character that is no digit, a short id, a dash in the wrong place.
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-701",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
    ];
    for row in rows {
        assert_eq!(parse(row), None, "{row}");
    }
}

#[test]
fn a_request_continues_one_context_and_starts_anew_on_none_or_two() {
    let mut headers = HeaderMap::new();
    assert_ne!(
        TraceContext::of(&headers).trace_id,
        TraceContext::of(&headers).trace_id
    );
    headers.append(TraceContext::HEADER, HeaderValue::from_static(EXAMPLE));
    assert_eq!(TraceContext::of(&headers).trace_id().to_string(), TRACE);
    headers.append(TraceContext::HEADER, HeaderValue::from_static(EXAMPLE));
    assert_ne!(TraceContext::of(&headers).trace_id().to_string(), TRACE);
}

proptest! {
    #[test]
    fn no_header_panics(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let _ = TraceContext::parse(&value);
        }
    }

    #[test]
    fn what_is_written_is_read_back(trace_id in 1_u128.., span_id in 1_u64.., sampled: bool) {
        let context = TraceContext { trace_id, span_id, sampled };
        prop_assert_eq!(TraceContext::parse(&context.header_value()), Some(context));
    }
}
