//! Bodies in braces that begin with `x | …`. To OPA they are a set comprehension, which holds always:
//! `deny if {x | input.xs[x] > 1}` denies everything; the engine reads a body, whose first statement is about a
//! union. Behind `else` it is the other way round. Whoever wrote one meant something else than one of them reads.
//!
//! Syntax only.

use regorus::unstable::{BinOp, Expr, Literal, Rule, RuleBody};

use super::Refusal;

/// Refuses such a body of `rule`.
pub(super) fn check(rule: &Rule, file: &str) -> Result<(), Refusal> {
    let Rule::Spec { bodies, .. } = rule else {
        return Ok(());
    };
    match bodies.iter().find(|body| is_read_in_two_ways(body)) {
        Some(body) => Err(Refusal::BodyOrComprehension {
            file: file.to_owned(),
            line: body.query.span.line,
        }),
        None => Ok(()),
    }
}

fn is_read_in_two_ways(body: &RuleBody) -> bool {
    let Some(first) = body.query.stmts.first() else {
        return false;
    };
    let Literal::Expr { expr, .. } = &first.literal else {
        return false;
    };
    let source = first.span.source.contents();
    let start = usize::try_from(first.span.start).unwrap_or(usize::MAX);
    let (before, behind) = source.split_at_checked(start).unwrap_or_default();
    let is_behind_brace = before.trim_end().ends_with('{');
    if body.is_else {
        return matches!(expr.as_ref(), Expr::SetCompr { .. }) && !is_behind_brace;
    }
    let is_in_braces = is_behind_brace || body.query.span.start < first.span.start;
    (is_in_braces || behind.starts_with('{')) && begins_with_union(expr)
}

/// Whether `expr` begins with a union that no parentheses are around.
fn begins_with_union(expr: &Expr) -> bool {
    let start = expr.span().start;
    let mut first = expr;
    loop {
        first = match first {
            Expr::BinExpr {
                op: BinOp::Union,
                span,
                ..
            } => return span.start == start,
            Expr::BoolExpr { lhs, .. }
            | Expr::AssignExpr { lhs, .. }
            | Expr::BinExpr { lhs, .. } => lhs,
            Expr::Membership { key, value, .. } => key.as_ref().unwrap_or(value),
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use regorus::Engine;

    use crate::policy::gate::{Refusal, pass};

    fn is_refused(body: &str) -> bool {
        let mut engine = Engine::new();
        let text = format!("package p\nallow := true\nr {body}\n");
        engine.add_policy("p.rego".to_owned(), text).unwrap();
        let passed = pass(engine.get_modules(), "data.p.allow", &[]);
        let (file, line) = ("p.rego".to_owned(), 3);
        match passed {
            Err(refusal) => {
                assert_eq!(refusal, Refusal::BodyOrComprehension { file, line });
                true
            }
            Ok(_) => false,
        }
    }

    /// OPA 1.4.2 and 1.20 answer otherwise than the engine.
    #[test]
    fn a_body_that_opa_reads_as_a_comprehension_or_the_other_way_round_is_refused() {
        for body in [
            "if {x | input.l[x] > 1}",
            "if { input.a | {1} == {2} }",
            "if {\n\t{1} | input.l == {2}\n}",
            "if { # why\n\tinput.a | input.b == {1}\n\tinput.c\n}",
            "if { 1 | input.b in input.c }",
            ":= 1 if { false } else := 2 if { input.a | input.b }",
        ] {
            assert!(is_refused(body), "{body}");
        }
    }

    #[test]
    fn what_both_read_alike_passes() {
        for body in [
            "if { input.a | input.b }",
            "if {\n\t({1} | input.l) == {2}\n}",
            "if {\n\ttrue\n\t{1} | input.l == {2}\n}",
            "if {\n\tz := {1} | input.l\n\tz\n}",
            "if {\n\tnot {1} | input.l == {2}\n}",
            "if input.a | input.b == {1}",
            "if count({1} | input.a) == 1",
            ":= 1 if { false } else := 2 if { {x | x := input.b} == {1} }",
            ":= 1 if { false } else := 2 if { input.a | input.b == {1} }",
        ] {
            assert!(!is_refused(body), "{body}");
        }
    }
}
