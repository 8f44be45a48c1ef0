//! Expressions of the engine's syntax tree: what they are made of, and which bytes are theirs.

use regorus::unstable::{Expr, Literal, LiteralStmt, Ref, Span};

/// The bytes of `expr`. The engine's spans leave the quotes of a text out, those of expressions that start
/// or end with one as well.
pub(in crate::policy::source) fn whole(expr: &Expr) -> (usize, usize) {
    let (start, end) = range(expr.span());
    let is_text = |leaf: &Expr| matches!(leaf, Expr::String { .. } | Expr::RawString { .. });
    let (mut first, mut last) = (expr, expr);
    while let Expr::BinExpr { lhs, .. }
    | Expr::BoolExpr { lhs, .. }
    | Expr::ArithExpr { lhs, .. }
    | Expr::AssignExpr { lhs, .. }
    | Expr::RefDot { refr: lhs, .. }
    | Expr::RefBrack { refr: lhs, .. } = first
    {
        first = lhs;
    }
    if let Expr::Membership { key, value, .. } = first {
        first = key.as_ref().unwrap_or(value);
    }
    while let Expr::BinExpr { rhs, .. }
    | Expr::BoolExpr { rhs, .. }
    | Expr::ArithExpr { rhs, .. }
    | Expr::AssignExpr { rhs, .. }
    | Expr::Membership {
        collection: rhs, ..
    } = last
    {
        last = rhs;
    }
    // Of `set()` the engine's span has the next token in it.
    if let Expr::Set { items, span, .. } = expr
        && items.is_empty()
    {
        let text = span.source.contents().get(start..).unwrap_or_default();
        let length = text.find(')').map_or(0, |length| length + 1);
        return (start, start + length);
    }
    let opens = is_text(first) && range(first.span()).0 == start;
    let closes = is_text(last) && range(last.span()).1 == end;
    (
        start - usize::from(opens && start > 0),
        end + usize::from(closes),
    )
}

/// The bytes of `statement`, what it is evaluated `with` among them. To the end of what is last in it, or of
/// the brackets around that.
pub(super) fn all_of(statement: &LiteralStmt) -> (usize, usize) {
    let (start, end) = range(&statement.span);
    let expr = match &statement.literal {
        Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => Some(expr),
        _ => None,
    };
    let last = statement.with_mods.last().map(|with| &with.r#as).or(expr);
    (start, last.map_or(end, |last| end.max(whole(last).1)))
}

/// Whether `_` is in `expr`, comprehensions apart.
pub(super) fn has_wildcard(expr: &Expr) -> bool {
    match expr {
        Expr::Var { span, .. } => span.text() == "_",
        other => parts(other).into_iter().any(|part| has_wildcard(part)),
    }
}

/// The bytes of what `span` covers.
pub(super) fn range(span: &Span) -> (usize, usize) {
    let of = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
    (of(span.start), of(span.end))
}

/// Whether `expr` is a comprehension.
pub(super) fn is_comprehension(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. }
    )
}

/// The expressions that `expr` is made of; none of a comprehension.
pub(in crate::policy::source) fn parts(expr: &Expr) -> Vec<&Ref<Expr>> {
    match expr {
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().collect(),
        Expr::Object { fields, .. } => fields
            .iter()
            .flat_map(|(_, name, value)| [name, value])
            .collect(),
        Expr::Call { fcn, params, .. } => [fcn].into_iter().chain(params).collect(),
        Expr::UnaryExpr { expr, .. } => vec![expr],
        Expr::RefDot { refr, .. } => vec![refr],
        Expr::RefBrack { refr, index, .. } => vec![refr, index],
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => vec![lhs, rhs],
        Expr::Membership {
            key,
            value,
            collection,
            ..
        } => key.iter().chain([value, collection]).collect(),
        _ => Vec::new(),
    }
}
