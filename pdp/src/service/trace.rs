//! The trace that a call belongs to, so that its decision is found from there: W3C Trace Context, level 2.
//!
//! Records of such a call have `trace_id` and `parent_id`. What is no `traceparent`, or is there twice, is as
//! if it were not there: it decides nothing.
//!
//! What this is not: a tracer. No spans are sent anywhere.

use http::{HeaderMap, HeaderName};
use tracing::Span;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `00-` trace id `-` parent id `-` flags.
const LENGTH: usize = 55;

/// The span for records of a call with these headers; none where it belongs to no trace.
pub(super) fn of_call(headers: &HeaderMap) -> Span {
    let mut lines = headers.get_all(TRACEPARENT).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => span(line.as_bytes()),
        _ => Span::none(),
    }
}

/// The same for a request that somebody tells of.
pub(super) fn of_fields(fields: &[(String, Vec<u8>)]) -> Span {
    let mut lines = fields
        .iter()
        .filter(|(name, _)| *name == TRACEPARENT.as_str());
    match (lines.next(), lines.next()) {
        (Some((_, line)), None) => span(line),
        _ => Span::none(),
    }
}

fn span(line: &[u8]) -> Span {
    match parse(line) {
        Some((trace_id, parent_id)) => tracing::info_span!("trace", trace_id, parent_id),
        None => Span::none(),
    }
}

/// Trace id and parent id (section 3.2).
fn parse(line: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(line).ok()?;
    let (known, rest) = text.split_at_checked(LENGTH)?;
    let mut parts = known.split('-');
    let [version, trace, parent, flags] =
        [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let is_hex = |part: &str, length: usize| {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        part.len() == length && part.bytes().all(is_digit)
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let is_whole =
        is_hex(version, 2) && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2);
    // A later version may have more behind.
    let ends = rest.is_empty() || (version != "00" && rest.starts_with('-'));
    let is_good = is_whole && version != "ff" && !is_zero(trace) && !is_zero(parent) && ends;
    is_good.then_some((trace, parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn a_traceparent_is_read_as_the_standard_has_it_or_not_at_all() {
        let good = |line: String| {
            assert_eq!(parse(line.as_bytes()), Some((TRACE, PARENT)), "{line}");
        };
        good(format!("00-{TRACE}-{PARENT}-01"));
        good(format!("00-{TRACE}-{PARENT}-00"));
        good(format!("cc-{TRACE}-{PARENT}-01"));
        good(format!("cc-{TRACE}-{PARENT}-01-more"));
        let zero = "0".repeat(32);
        for bad in [
            String::new(),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{TRACE}-{PARENT}-01-more"),
            format!("cc-{TRACE}-{PARENT}-01more"),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("00-{zero}-{PARENT}-01"),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{PARENT}-0g"),
            format!("0-{TRACE}0-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-1é"),
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
