//! One definition of a rule: its head, and its bodies with their values.
//!
//! A rule may have several bodies only where they cannot disagree, since the machine makes "undefined"
//! of what is an error.

use std::fmt::Write as _;

use regorus::unstable::{Expr, Ref, RuleBody, RuleHead, Span};

use super::super::footprint::Place;
use super::super::gate::head::parts_of;
use super::Obstacle;
use super::body::{Body, Clause};
use super::index::Indexed;
use super::rules::obstacle;

/// What a rule is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Complete,
    Function(usize),
    Set,
}

/// One definition of a rule, written.
pub(super) struct Definition {
    kind: Kind,
    pub text: String,
    /// What its bodies give, where that is a constant.
    values: Vec<Option<String>>,
    place: Place,
    /// Where it may be found by what it compares.
    pub indexed: Option<Indexed>,
}

/// Whether the definitions of one rule can only ever agree.
pub(super) fn agree(definitions: &[Definition], has_default: bool) -> Result<(), Obstacle> {
    let Some(first) = definitions.first() else {
        return Ok(());
    };
    let at = |definition: &Definition, construct: &str| {
        Err(Obstacle::Construct {
            place: definition.place.clone(),
            construct: construct.to_owned(),
        })
    };
    if has_default && first.kind != Kind::Complete {
        return at(first, "a default of something that is not a complete rule");
    }
    let expected = first.values.first().and_then(Option::as_ref);
    for definition in definitions {
        if definition.kind != first.kind {
            return at(definition, "a rule of several kinds");
        }
        let same = |value: &Option<String>| value.is_some() && value.as_ref() == expected;
        if definitions.len() > 1
            && definition.kind != Kind::Set
            && !definition.values.iter().all(same)
        {
            return at(
                definition,
                "several definitions that may give different values",
            );
        }
    }
    Ok(())
}

pub(super) fn definition_of<'p>(
    body: &mut Body<'_, 'p>,
    number: usize,
    head: &'p RuleHead,
    bodies: &'p [RuleBody],
    span: &'p Span,
) -> Result<Definition, Obstacle> {
    let parts = parts_of(head);
    if !matches!(parts.refr.as_ref(), Expr::Var { .. }) {
        return Err(obstacle(span, "a rule with a reference as its name"));
    }
    let kind = match head {
        RuleHead::Set { key: Some(_), .. } => Kind::Set,
        RuleHead::Set { .. } => return Err(obstacle(span, "a set rule without `contains`")),
        RuleHead::Compr { .. } => Kind::Complete,
        RuleHead::Func { args, .. } => Kind::Function(args.len()),
    };
    let mut name = format!("r{number}");
    if let Kind::Function(_) = kind {
        name = format!("{name}({})", body.parameters(parts.args)?.join(", "));
    }
    let mut definition = Definition {
        kind,
        text: String::new(),
        values: Vec::new(),
        place: Place::of(span),
        indexed: None,
    };
    let mut clauses = match bodies.len() {
        0 => vec![body.clause(None, parts.key.or(parts.assign.map(|a| &a.value)))?],
        _ => clauses(body, bodies, parts.key, parts.assign.map(|a| &a.value))?,
    };
    let last = clauses.len().saturating_sub(1);
    for (position, clause) in clauses.iter().enumerate() {
        if kind != Kind::Set {
            check(clause, position == last, span)?;
        } else if clause.loops && !clause.value.defined {
            // The machine leaves it out, as it should; the interpreter loses others or fails.
            return Err(obstacle(
                span,
                "a member that may be undefined, from a body with a loop (bind it in the body)",
            ));
        }
        let (before, operator) = match (position, kind) {
            (0, Kind::Set) => (name.as_str(), "contains"),
            (0, _) => (name.as_str(), ":="),
            _ => (" else", ":="),
        };
        let text = &mut definition.text;
        let _ = write!(text, "{before} {operator} {}", clause.value.text);
        if !clause.statements.is_empty() {
            let _ = write!(text, " if {{\n{}\n}}", clause.statements.join(";\n"));
        }
        let constant = clause.value.constant;
        definition
            .values
            .push(constant.then(|| clause.value.text.clone()));
    }
    definition.text.push('\n');
    if let (Kind::Complete, [clause]) = (kind, &mut clauses[..]) {
        definition.indexed = indexed(&name, clause);
    }
    Ok(definition)
}

fn indexed(name: &str, clause: &mut Clause) -> Option<Indexed> {
    let keys = std::mem::take(&mut clause.keys);
    let head = format!("{name} := {}", clause.value.text);
    let body = clause.statements.join("; ");
    clause
        .value
        .constant
        .then(|| Indexed::new(head, body, keys))?
}

fn clauses<'p>(
    body: &mut Body<'_, 'p>,
    bodies: &'p [RuleBody],
    key: Option<&'p Ref<Expr>>,
    value: Option<&'p Ref<Expr>>,
) -> Result<Vec<Clause>, Obstacle> {
    let mut clauses = Vec::new();
    for (position, written) in bodies.iter().enumerate() {
        if written.is_else == (position == 0) || (key.is_some() && position > 0) {
            return Err(obstacle(&written.span, "bodies beside each other"));
        }
        // The head's value is that of the first body only; without one it is `true`.
        let own = written.assign.as_ref().map(|assign| &assign.value);
        let value = own.or(key).or(if position == 0 { value } else { None });
        clauses.push(body.clause(Some(&written.query), value)?);
    }
    Ok(clauses)
}

/// The machine takes the value of a loop's last turn, even an undefined one, and leaves a rule after a
/// body that ran to its end, whether a loop in it ever held or not.
fn check(clause: &Clause, is_last: bool, span: &Span) -> Result<(), Obstacle> {
    if clause.loops && !clause.value.constant {
        return Err(obstacle(span, "a value from a body with a loop"));
    }
    if !is_last && clause.loops {
        return Err(obstacle(span, "`else` after a body with a loop"));
    }
    if !is_last && !clause.value.constant {
        return Err(obstacle(span, "`else` after a value that may be undefined"));
    }
    Ok(())
}
