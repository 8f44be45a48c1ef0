//! Why a policy is refused at the gate, with the place and what to do instead.

use thiserror::Error;

use super::{MAX_FRAMES, nesting};

/// Why a policy was refused at the gate.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// A function that does not exist here.
    #[error("{file}:{line}: calls `{function}`, which is {why}: {fix}")]
    Function {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The name as written.
        function: String,
        /// What is wrong with it.
        why: &'static str,
        /// What to do instead.
        fix: &'static str,
    },
    /// A head by which the engine loses what it has gathered.
    #[error(
        "{file}:{line}: the engine loses members where `{written}` of a rule's head is undefined for one element of a loop: bind it in the body, as in `member := {written}`"
    )]
    LosesMembers {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The part of the head.
        written: String,
    },
    /// A body to the engine and a set comprehension to OPA, or the other way round.
    #[error(
        "{file}:{line}: a body that begins with `… | …` is a set comprehension to OPA, which holds always, and none behind `else`: put the union in parentheses, or give it a name"
    )]
    BodyOrComprehension {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A parameter that the engine cannot match.
    #[error(
        "{file}:{line}: a parameter of a function must not be a call or a template string: name it, and compare in the body"
    )]
    CallInParameter {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A call of `walk` of which the engine makes nothing.
    #[error(
        "{file}:{line}: the engine finds nothing by `walk` as a value here: write `walk(x, [path, value])` as a statement of its own"
    )]
    WalkAsValue {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A pattern that the engine takes for more than it says.
    #[error(
        "{file}:{line}: an object as a pattern: the engine would take objects with more members for it: bind the object, and read its members"
    )]
    ObjectPattern {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// An index that OPA looks up in a document otherwise than in another value, where it may be in either.
    #[error(
        "{file}:{line}: something computed as an index of what may be a document of data, where a number and its text are one, or else a rule or what `with` puts in the place of a document: give what is indexed a name first (`found := …`)"
    )]
    RuleOrDocument {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A name in two parameters, or for the key and the member of a loop.
    #[error(
        "{file}:{line}: `{name}` is there twice: the engine would not compare the two values: give the second a name of its own, and compare by `==`"
    )]
    NamedTwice {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The name.
        name: String,
    },
    /// A wildcard where it could mean "for one" or "for all".
    #[error(
        "{file}:{line}: `_` must not be inside of `not`: loop with `some … in`, or give the set or the rule that is negated a name"
    )]
    WildcardNegated {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// Rules that need each other.
    #[error("{file}:{line}: `{rule}` depends on itself: {cycle}: break the cycle")]
    Recursion {
        /// File of the first rule of the cycle.
        file: String,
        /// Its line.
        line: u32,
        /// The rule.
        rule: String,
        /// The way round, `a -> b -> a`.
        cycle: String,
    },
    /// Rules that would need more stack than a worker has.
    #[error(
        "{file}:{line}: `{rule}` needs {depth} steps inside each other, more than {MAX_FRAMES}: split its body, shorten its expressions or the chain of rules below it"
    )]
    TooDeep {
        /// File of the rule.
        file: String,
        /// Its line.
        line: u32,
        /// The rule.
        rule: String,
        /// How deep.
        depth: usize,
    },
    /// Text that the engine's parser would take for ever to read.
    #[error(
        "{file}:{line}: nests brackets more than {} levels deep: name the inner parts",
        nesting::MAX_NESTING
    )]
    Nesting {
        /// File of the bracket.
        file: String,
        /// Its line.
        line: u32,
    },
    /// A value that holds another again and again, each step twice as often as the one before.
    #[error(
        "{file}:{line}: `{rule}` puts a value into others so often that it is there a million times: do not put the same value twice into each step of a chain"
    )]
    Grows {
        /// File of the rule.
        file: String,
        /// Its line.
        line: u32,
        /// The rule.
        rule: String,
    },
    /// A number of which the engine would write out every digit.
    #[error("{file}:{line}: a number with an exponent above 4096: no such number is of use here")]
    Number {
        /// File of the number.
        file: String,
        /// Its line.
        line: u32,
    },
    /// Nothing to ask.
    #[error(
        "no policy file declares the entry point `{entry_point}`: declare it or set `policies.entrypoint`"
    )]
    NoEntryPoint {
        /// As configured.
        entry_point: String,
    },
    /// A function cannot be asked without arguments.
    #[error(
        "{file}:{line}: the entry point `{entry_point}` is a function: make it a rule without arguments"
    )]
    EntryPointIsFunction {
        /// File of the function.
        file: String,
        /// Its line.
        line: u32,
        /// As configured.
        entry_point: String,
    },
    /// A rule in the place of an entry point of a compiled policy, or on the way to it.
    #[error(
        "{file}:{line}: `{rule}` is a rule, and `{entry_point}` is an entry point of a compiled policy: keep one of them"
    )]
    AlsoCompiled {
        /// File of the rule.
        file: String,
        /// Its line.
        line: u32,
        /// The rule.
        rule: String,
        /// The entry point.
        entry_point: String,
    },
    /// A rule that needs what only a compiled policy can say, which no rule can ask.
    #[error(
        "{file}:{line}: reads `{entry_point}`, which is an entry point of a compiled policy: compile this rule too (`opa build -e`), or leave it out of the bundle"
    )]
    ReadsCompiled {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The entry point.
        entry_point: String,
    },
}
