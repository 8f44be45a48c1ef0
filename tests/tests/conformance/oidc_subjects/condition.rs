//! A vendor's condition as selectors, or why it cannot be one.
//!
//! Vendors' `*` is any run of all characters, which is `**` here. Audiences are no selectors: a trust
//! provider takes only tokens for its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{attribute, kind};
use crate::data::{list, text};

/// What must hold of a token.
pub(super) struct Condition {
    pub(super) selectors: BTreeMap<String, Vec<String>>,
    /// Where an audience is asked for: those that will do.
    pub(super) audiences: Option<Vec<String>>,
}

/// A claim, and the patterns of which one must match it.
type Term = (String, Vec<String>);

const STAR: &str = "a literal `*`; here it always stands for a run of characters";
const QUESTION_MARK: &str = "`?` for one character";
const TYPE: &str = "a comparison of a claim's type; here values are texts";
const NEGATION: &str = "a value that must not be";
const REGEX: &str = "a regular expression";

impl Condition {
    pub(super) fn read(vector: &Value) -> Result<Self, &'static str> {
        let mut condition = Self {
            selectors: BTreeMap::new(),
            audiences: None,
        };
        for (claim, patterns) in terms(&vector["condition"])? {
            if claim == "aud" {
                condition.audiences = Some(patterns);
                continue;
            }
            let name = attribute(kind(vector), &claim);
            let before = condition.selectors.insert(name, patterns);
            assert!(before.is_none(), "the suite asks for {claim} twice");
        }
        Ok(condition)
    }
}

fn terms(condition: &Value) -> Result<Vec<Term>, &'static str> {
    match text(condition, "/consumer") {
        "aws-stringequals" | "azure-fic-exact" => {
            let patterns = patterns(condition).into_iter().map(exact);
            Ok(vec![(
                claim(condition),
                patterns.collect::<Result<_, _>>()?,
            )])
        }
        "aws-stringlike" => {
            let patterns = patterns(condition).into_iter().map(wild);
            Ok(vec![(
                claim(condition),
                patterns.collect::<Result<_, _>>()?,
            )])
        }
        "aws-all" => {
            let all = list(condition, "/of").iter().map(terms);
            let all: Vec<Vec<Term>> = all.collect::<Result<_, _>>()?;
            Ok(all.into_iter().flatten().collect())
        }
        "azure-fic-flexible" => {
            let all = text(condition, "/pattern").split(" and ");
            all.map(flexible).collect()
        }
        "gcp-cel" => {
            let all = text(condition, "/pattern").split(" && ");
            all.map(cel).collect()
        }
        other => panic!("the suite has a consumer {other}"),
    }
}

fn claim(condition: &Value) -> String {
    text(condition, "/claim").to_owned()
}

fn patterns(condition: &Value) -> Vec<&str> {
    match &condition["pattern"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn exact(text: &str) -> Result<String, &'static str> {
    match text {
        text if text.contains('*') => Err(STAR),
        text if text.contains('?') => Err(QUESTION_MARK),
        text => Ok(text.to_owned()),
    }
}

fn wild(text: &str) -> Result<String, &'static str> {
    if text.contains('?') {
        return Err(QUESTION_MARK);
    }
    Ok(text.replace('*', "**"))
}

/// `claims['sub'] eq 'text'`, `claims['sub'] matches 'pattern'`.
fn flexible(term: &str) -> Result<Term, &'static str> {
    let (claim, operator, value) = quoted(term, "claims");
    let pattern = match operator {
        "eq" => exact(value?)?,
        "matches" => wild(value?)?,
        other => panic!("the suite has an operator {other}"),
    };
    Ok((claim.to_owned(), vec![pattern]))
}

/// `assertion.sub == 'text'`, `assertion['sub'].startsWith('text')`, `assertion.sub in ['a', 'b']`.
fn cel(term: &str) -> Result<Term, &'static str> {
    if term.contains(".matches(") {
        return Err(REGEX);
    }
    if let Some((claim, prefix)) = term.split_once(".startsWith(") {
        let claim = quoted(claim, "assertion").0.to_owned();
        let prefix = unquoted(prefix.trim_end_matches(')')).ok_or(TYPE)?;
        return Ok((claim, vec![format!("{}**", exact(prefix)?)]));
    }
    let (claim, operator, value) = quoted(term, "assertion");
    let patterns = match operator {
        "==" => vec![exact(value?)?],
        // Told at all: no attribute is empty.
        "!=" if value?.is_empty() => vec!["**".to_owned()],
        "!=" => return Err(NEGATION),
        "in" => {
            let (_, values) = term.split_once(" in ").expect("a list");
            let values = values.trim_matches(['[', ']']).split(", ");
            let values = values.map(|value| exact(unquoted(value).ok_or(TYPE)?));
            values.collect::<Result<_, _>>()?
        }
        other => panic!("the suite has an operator {other}"),
    };
    Ok((claim.to_owned(), patterns))
}

/// Claim, operator and the text in quotes behind it; an error for what is no text.
fn quoted<'t>(term: &'t str, object: &str) -> (&'t str, &'t str, Result<&'t str, &'static str>) {
    let (claim, rest) = term.split_once(' ').unwrap_or((term, ""));
    let (operator, value) = rest.split_once(' ').unwrap_or((rest, ""));
    let claim = claim.strip_prefix(object).expect("the suite's object");
    let in_brackets = claim
        .strip_prefix("['")
        .and_then(|one| one.strip_suffix("']"));
    let claim = in_brackets.or_else(|| claim.strip_prefix('.'));
    (
        claim.expect("a claim"),
        operator,
        unquoted(value).ok_or(TYPE),
    )
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}
