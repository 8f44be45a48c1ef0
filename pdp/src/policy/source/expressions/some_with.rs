//! `some x in xs with input.a as 1`: in OPA what is replaced is so while `xs` is evaluated, to the engine while all
//! that comes behind in the body is too, and the head. So `xs` gets a name in front, which has the replacements:
//! `b := xs with input.a as 1; some x in b`.

use regorus::unstable::{Expr, LiteralStmt, Ref};

use super::Walk;
use super::spans::{all_of, whole};

impl Walk<'_> {
    /// Puts a name in the place of the `collection` of `statement`, if that is evaluated with replacements.
    pub(super) fn some_with(&mut self, statement: &LiteralStmt, collection: &Ref<Expr>) {
        if statement.with_mods.is_empty() {
            return;
        }
        let (start, end) = all_of(statement);
        let place = self.object(collection);
        let (from, to) = self.in_parentheses(place.unwrap_or_else(|| whole(collection)));
        let name = self.next_name();
        let some = self.cut(start, from);
        let bound = self.cut(from, to);
        let with = self.cut(to, end);
        self.edits.insert(
            start,
            (end, format!("{name} := {bound}{with}; {some}{name}")),
        );
    }
}
