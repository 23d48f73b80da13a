//! A request's place in a trace that spans many servers: the `traceparent` header.
//!
//! W3C Trace Context level 1, <https://www.w3.org/TR/trace-context-1/>, sections 3.2 and 4.
//!
//! **Invariant:** neither id is zero, and what is written is version 00.
//! **Absent on purpose:** `tracestate`. It is other vendors' and passes through untouched with the other headers.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::hex::write_hex;
use crate::random::{random_u64, random_u128};

/// Bit 0 of the flags. The other bits mean nothing in level 1 and are not passed on (section 3.2.2.5).
const SAMPLED: u8 = 1;
/// `00-` + 32 + `-` + 16 + `-` + 2.
const LENGTH: usize = 55;

/// Which trace a request belongs to, and which span of it we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

impl TraceContext {
    /// The header that carries it.
    pub const HEADER: HeaderName = HeaderName::from_static("traceparent");

    /// A new trace, marked as sampled: we log every request of it that fails, and a guest that asks its parent whether
    /// to record would otherwise never do so.
    pub fn start() -> TraceContext {
        TraceContext {
            trace_id: nonzero(random_u128),
            span_id: nonzero(random_u64),
            sampled: true,
        }
    }

    /// The caller's context, when it is well-formed; then [`child`](TraceContext::child) continues it.
    pub fn parse(value: &HeaderValue) -> Option<TraceContext> {
        let bytes = value.as_bytes();
        if bytes.len() < LENGTH || [2, 35, 52].iter().any(|&dash| bytes[dash] != b'-') {
            return None;
        }
        match hex(&bytes[..2])? {
            0xff => return None,
            0 if bytes.len() > LENGTH => return None,
            // A later version may say more, after another dash; what we know of it stands where it always stood.
            _ if bytes.get(LENGTH).is_some_and(|&next| next != b'-') => return None,
            _ => {}
        }
        let trace_id = hex(&bytes[3..35])?;
        let span_id = hex(&bytes[36..52])? as u64;
        let flags = hex(&bytes[53..55])? as u8;
        (trace_id != 0 && span_id != 0).then_some(TraceContext {
            trace_id,
            span_id,
            sampled: flags & SAMPLED != 0,
        })
    }

    /// The same trace with a span of our own.
    pub fn child(&self) -> TraceContext {
        TraceContext {
            span_id: nonzero(random_u64),
            ..*self
        }
    }

    /// Our span of the caller's trace, or of a new one when the caller sent none, two, or a malformed one.
    pub fn of(headers: &HeaderMap) -> TraceContext {
        let mut values = headers.get_all(TraceContext::HEADER).iter();
        match (values.next(), values.next()) {
            (Some(only), None) => {
                TraceContext::parse(only).map_or_else(TraceContext::start, |caller| caller.child())
            }
            _ => TraceContext::start(),
        }
    }

    /// The trace's id as the 32 digits that a log and a tracing server show.
    pub fn trace_id(&self) -> impl fmt::Display + use<> {
        let trace_id = self.trace_id;
        fmt::from_fn(move |f| write!(f, "{trace_id:032x}"))
    }

    /// As the value of [`TraceContext::HEADER`].
    pub fn header_value(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.digits()).expect("digits and dashes are visible ASCII")
    }

    fn digits(&self) -> [u8; LENGTH] {
        let mut digits = [b'-'; LENGTH];
        write_hex(&mut digits[..2], 0);
        write_hex(&mut digits[3..35], self.trace_id);
        write_hex(&mut digits[36..52], self.span_id.into());
        write_hex(&mut digits[53..], u128::from(self.sampled));
        digits
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        f.write_str(std::str::from_utf8(&digits).expect("digits and dashes are ASCII"))
    }
}

/// Lower-case digits only (section 3.2.1); at most 32 of them.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| match digit {
        b'0'..=b'9' => Some(value << 4 | u128::from(digit - b'0')),
        b'a'..=b'f' => Some(value << 4 | u128::from(digit - b'a' + 10)),
        _ => None,
    })
}

fn nonzero<T: Default + PartialEq>(draw: impl Fn() -> T) -> T {
    loop {
        let drawn = draw();
        if drawn != T::default() {
            return drawn;
        }
    }
}

#[cfg(test)]
mod tests;
