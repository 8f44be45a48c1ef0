//! Parameters of functions that the engine cannot match: calls, template strings among them.
//!
//! OPA evaluates them in the body. The engine fails when such a function is called.

use regorus::unstable::{Expr, Ref, Rule};

use super::Refusal;
use super::head::parts_of;

/// Refuses a parameter with a call in it.
pub(super) fn check(rule: &Rule, file: &str) -> Result<(), Refusal> {
    let Rule::Spec { head, .. } = rule else {
        return Ok(());
    };
    let mut pending: Vec<&Ref<Expr>> = parts_of(head).args.iter().collect();
    while let Some(part) = pending.pop() {
        match part.as_ref() {
            Expr::Call { span, .. } => {
                return Err(Refusal::CallInParameter {
                    file: file.to_owned(),
                    line: span.line,
                });
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => pending.extend(items),
            Expr::Object { fields, .. } => {
                pending.extend(fields.iter().flat_map(|(_, name, value)| [name, value]));
            }
            _ => {}
        }
    }
    Ok(())
}
