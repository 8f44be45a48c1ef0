//! A rule's head in its parts, whatever kind of rule it is.

use regorus::unstable::{Expr, Ref, RuleAssign, RuleHead};

/// The parts of a rule's head.
pub(in crate::policy) struct Head<'a> {
    /// What it declares.
    pub refr: &'a Ref<Expr>,
    /// Arguments of a function.
    pub args: &'a [Ref<Expr>],
    /// Element of a set rule.
    pub key: Option<&'a Ref<Expr>>,
    /// Its value.
    pub assign: Option<&'a RuleAssign>,
}

/// Takes a rule's head apart.
pub(in crate::policy) fn parts_of(head: &RuleHead) -> Head<'_> {
    let (refr, args, key, assign) = match head {
        RuleHead::Compr { refr, assign, .. } => (refr, &[][..], None, assign.as_ref()),
        RuleHead::Set { refr, key, .. } => (refr, &[][..], key.as_ref(), None),
        RuleHead::Func {
            refr, args, assign, ..
        } => (refr, args.as_slice(), None, assign.as_ref()),
    };
    Head {
        refr,
        args,
        key,
        assign,
    }
}
