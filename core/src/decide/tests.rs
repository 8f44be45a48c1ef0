//! What is read is what was written, and nothing else is read.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cache_key::write_value;
use crate::decision::{Decision, Obligations};
use crate::time::UnixSeconds;

fn question(program: &str, about: &Value, input: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    write_question(&mut body, program);
    write_value(&mut body, about);
    write_value(&mut body, input);
    body
}

fn answer(allow: bool, headers: &[(&str, &str)], holds: Option<(u64, u64)>) -> Vec<u8> {
    let id = "d-1".parse().unwrap();
    let reasons = vec!["granted".to_owned(), String::new()];
    let headers = headers
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    let headers: BTreeMap<_, _> = headers.collect();
    let decision = if allow {
        Decision::Allow {
            id,
            reasons,
            obligations: Obligations {
                request_headers: headers.clone(),
                response_headers: headers,
            },
        }
    } else {
        Decision::Deny { id, reasons }
    };
    let mut body = Vec::new();
    let holds = holds.map(|(now, until)| (UnixSeconds(now), UnixSeconds(until)));
    write_answer(&mut body, &decision, holds);
    body
}

#[test]
fn an_answer_says_what_was_decided_and_how_long_it_holds() {
    let headers = [("x-a", "1"), ("x-b", "ü")];
    let read = read_answer(&answer(true, &headers, Some((7, 9)))).unwrap();
    assert_eq!(read.holds, Some((UnixSeconds(7), UnixSeconds(9))));
    let Decision::Allow {
        id,
        reasons,
        obligations,
    } = read.decision
    else {
        panic!("not an allow");
    };
    assert_eq!((id.as_str(), reasons.len()), ("d-1", 2));
    assert_eq!(obligations.request_headers["x-b"], "ü");
    let read = read_answer(&answer(false, &[], None)).unwrap();
    assert!(!read.decision.is_allow() && read.holds.is_none());
}

#[test]
fn an_answer_that_is_cut_lengthened_or_changed_in_its_verdict_is_none() {
    let whole = answer(true, &[("x-a", "1")], Some((7, 9)));
    for end in 0..whole.len() {
        assert_eq!(read_answer(&whole[..end]), Err(WireError), "{end}");
    }
    let longer = [&whole[..], &[0]].concat();
    assert_eq!(read_answer(&longer), Err(WireError));
    for verdict in 2..=u8::MAX {
        let mut changed = whole.clone();
        changed[1] = verdict;
        assert_eq!(read_answer(&changed), Err(WireError));
    }
    for headers in [[("host", "x")], [("x-a", "a\r\nb: c")], [("X-A", "x")]] {
        assert_eq!(read_answer(&answer(true, &headers, None)), Err(WireError));
    }
}

#[test]
fn a_question_that_is_cut_or_lengthened_or_no_object_is_none() {
    let input = json!({"a": [1, {"b": null}], "c": {"d": "e", "f": 1.5}});
    let whole = question("p:q", &json!({}), &input);
    assert_eq!(read_question(&whole).unwrap().input, input);
    for end in 0..whole.len() {
        assert_eq!(read_question(&whole[..end]), Err(WireError), "{end}");
    }
    assert_eq!(read_question(&[&whole[..], &[0]].concat()), Err(WireError));
    assert!(read_question(&question("p", &json!(1), &input)).is_err());
    assert!(read_question(&question("p", &json!({}), &json!([]))).is_err());
}

#[test]
fn nothing_is_there_twice_and_nothing_is_nested_without_end() {
    use crate::cache_key::{END, LIST, NULL, OBJECT, TEXT};
    let mut twice = question("p", &json!({}), &json!({}));
    twice.pop();
    twice.extend([TEXT, 1, b'a', NULL, TEXT, 1, b'a', NULL, END]);
    assert_eq!(read_question(&twice), Err(WireError));
    let mut deep = question("p", &json!({}), &json!({}));
    deep.pop();
    deep.extend([TEXT, 1, b'a']);
    deep.extend(std::iter::repeat_n(LIST, 100_000));
    assert_eq!(read_question(&deep), Err(WireError));
    assert_eq!(read_question(&[VERSION, TEXT, 0, OBJECT]), Err(WireError));
}

#[test]
fn questions_and_answers_one_after_the_other_are_told_apart() {
    let one = question("p", &json!({}), &json!({"a": 1}));
    let other = question("q", &json!({"b": []}), &json!({}));
    let body = [&one[..], &other, &one].concat();
    let read = read_questions(&body).unwrap();
    let programs: Vec<&str> = read.iter().map(|question| question.program).collect();
    assert_eq!(programs, ["p", "q", "p"]);
    assert_eq!(read[2].input, json!({"a": 1}));
    for end in 0..body.len() {
        let whole = end == one.len() || end == one.len() + other.len();
        assert_eq!(read_questions(&body[..end]).is_ok(), whole, "{end}");
    }
    assert_eq!(
        read_questions(&one.repeat(MAX_QUESTIONS)).unwrap().len(),
        32
    );
    assert_eq!(
        read_questions(&one.repeat(MAX_QUESTIONS + 1)),
        Err(WireError)
    );

    let allow = answer(true, &[("x-a", "1")], Some((7, 9)));
    let deny = answer(false, &[], None);
    let body = [&allow[..], &deny].concat();
    let read = read_answers(&body, 2).unwrap();
    assert!(read[0].decision.is_allow() && !read[1].decision.is_allow());
    assert_eq!(
        read_answers(&allow, 2).unwrap().len(),
        1,
        "the other is asked again"
    );
    for (body, questions) in [(&body[..], 1), (&allow, 0), (&[], 2)] {
        assert_eq!(read_answers(body, questions), Err(WireError));
    }
    for end in 0..body.len() {
        let whole = end == allow.len();
        assert_eq!(read_answers(&body[..end], 2).is_ok(), whole, "{end}");
    }
}

#[test]
fn what_a_caller_may_nest_is_read() {
    let deepest = format!("{}1{}", "[".repeat(127), "]".repeat(127));
    let deepest = crate::json::parse(deepest.as_bytes()).unwrap();
    let input = json!({"subject": {"properties": {"claims": {"x": deepest}}}});
    let body = question("p", &json!({}), &input);
    assert_eq!(read_question(&body).unwrap().input, input);
}

#[test]
fn what_it_is_about_is_enough_to_find_a_revocation_and_to_record_a_decision() {
    let input = json!({
        "subject": {"id": "s", "type": "workload", "properties": {
            "issuer": "i", "trust_domain": "t", "claims": {"jti": "j", "sid": "z", "sub": "s"}}},
        "action": {"name": "GET"},
        "resource": {"id": "h", "type": "http", "properties": {"path": "/"}},
        "context": {"tls": {"peer": "spiffe://t/p"}, "source": {"address": "192.0.2.1"}},
    });
    assert_eq!(
        about().project(input),
        json!({
            "subject": {"id": "s", "properties": {
                "issuer": "i", "trust_domain": "t", "claims": {"jti": "j", "sid": "z"}}},
            "action": {"name": "GET"},
            "resource": {"id": "h"},
            "context": {"tls": {"peer": "spiffe://t/p"}},
        })
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Others lose their last digit on the way, in JSON too.
        any::<i16>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        "\\PC{0,4}|[\u{0}-\u{8}]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,3}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_question_is_read_as_it_was_written(input in any_value(), program in "\\PC{0,200}") {
        let input = json!({ "input": input });
        let body = question(&program, &json!({"a": 1}), &input);
        let read = read_question(&body).unwrap();
        prop_assert_eq!(read.program, program);
        prop_assert_eq!(read.input, input);
    }

    #[test]
    fn arbitrary_bytes_never_take_the_reader_down(body in prop::collection::vec(0_u8..=9, 0..64), first in any::<bool>()) {
        let body = if first { [&[VERSION][..], &body].concat() } else { body };
        let _ = read_question(&body);
        let _ = read_answer(&body);
        let _ = read_questions(&body);
        let _ = read_answers(&body, 2);
    }
}
