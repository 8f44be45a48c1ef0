//! From the text of a query to an expression: the list of what its variables stand for.
//!
//! The query becomes the body of a comprehension, on lines of its own, in a module that is read by itself:
//! what is more than a body there is no query. As OPA captures the value of a query that is one bare
//! expression, such a one holds whatever its value is, as long as it has one.

use regorus::unstable::{Module as Tree, Ref};

use super::names::{Bound, bound_by};
use super::{Fault, NoAnswer};
use crate::policy::gate::paths::Path;
use crate::policy::gate::{Refusal, pass_query};
use crate::policy::parse::{self, Unread};
use crate::policy::sources::Module;
use crate::policy::{engine_error, source};

/// The longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;

/// How errors name it; no policy file is called so.
const FILE: &str = "query";
/// What stands before the comprehension. The package has a part in brackets, so that no rule of another is
/// read through an import (`source::rules_by_path`), for which an expression has no place.
const HEAD: &str = "package edgeward[\"query\"]\n\nvalue := ";
/// The engine would leave the defaults of rules out of it.
const WHOLE_DATA: &str = "`data` as a whole is not to be had in a query: name its first part, as in \
                          `data.shop[x]`, or ask for it at `/v1/data`";
/// Lines before the query, in the module and in the expression.
const LINES_IN_MODULE: u32 = 3;
const LINES_IN_EXPRESSION: u32 = 1;

/// What the engine is asked for `text`, which may name the rules of `policies`, read as `trees`, but
/// not what compiled policies say at the paths `compiled`, in an engine that is guarded where `is_guarded`.
pub(super) fn read(
    text: &str,
    policies: &[&Module],
    trees: &[Ref<Tree>],
    compiled: &[Path],
    is_guarded: bool,
) -> Result<String, NoAnswer> {
    if text.len() > MAX_QUERY_BYTES {
        let message = format!("the query is longer than {MAX_QUERY_BYTES} bytes");
        return Err(no_query(message));
    }
    let code = source::code_of(text).ok_or(NoAnswer::Empty)?;
    let plain = module("1", text);
    let (_, tree) = parse::alone(&plain, policies, trees).map_err(|why| unread(why, text))?;
    if let Some((row, column)) = code.whole_data {
        return Err(NoAnswer::Compile(Fault {
            code: "rego_compile_error",
            message: WHOLE_DATA.to_owned(),
            row,
            column: Some(column),
        }));
    }
    let more = || no_query("is more than a query: one body, without rules around it".to_owned());
    let Bound {
        variables,
        unbound,
        is_bare,
    } = bound_by(&tree, &code.names).ok_or_else(more)?;
    if let Some(span) = unbound {
        let row = row(span.line, LINES_IN_MODULE, text);
        let place = (row, Some(span.col));
        return Err(NoAnswer::Compile(unsafe_fault(span.text(), place)));
    }
    let term: Vec<String> = variables
        .iter()
        .map(|name| format!("\"{name}\": {name}"))
        .collect();
    let mut body = text.to_owned();
    if is_bare {
        body.insert_str(code.start, &format!("{} := ", unused_in(text)));
    }
    let whole = module(&format!("{{{}}}", term.join(", ")), &body);
    let (written, tree) = parse::alone(&whole, policies, trees).map_err(|why| unread(why, text))?;
    pass_query(&tree, trees, compiled).map_err(|refusal| refused(&refusal, text))?;
    let guarded = source::operands::guarded(&tree).filter(|_| is_guarded);
    let written = guarded.unwrap_or(written);
    let expression = written.strip_prefix(HEAD).ok_or_else(more)?;
    Ok(expression.to_owned())
}

fn module(term: &str, query: &str) -> Module {
    Module {
        file: FILE.to_owned(),
        text: format!("{HEAD}[{term} |\n{query}\n]\n"),
        roots: None,
    }
}

/// A name for the value of the query, which is not in it.
fn unused_in(text: &str) -> String {
    let mut name = "__value".to_owned();
    while text.contains(&name) {
        name.push('_');
    }
    name
}

fn no_query(message: String) -> NoAnswer {
    NoAnswer::Parse(Fault {
        code: "rego_parse_error",
        message,
        row: 1,
        column: None,
    })
}

/// The row of the query that is line `line`; what is wrong behind its end is told of its end.
fn row(line: u32, before: u32, text: &str) -> u32 {
    let last = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    line.saturating_sub(before).clamp(1, last.max(1))
}

fn unread(why: Unread, text: &str) -> NoAnswer {
    match why {
        Unread::Syntax {
            line,
            column,
            message,
        } => NoAnswer::Parse(Fault {
            code: "rego_parse_error",
            message,
            row: row(line, LINES_IN_MODULE, text),
            column: Some(column),
        }),
        Unread::Refused(refusal) => refused(&refusal, text),
        Unread::Several => no_query("has names that rules cannot have here".to_owned()),
    }
}

fn refused(refusal: &Refusal, text: &str) -> NoAnswer {
    let code = match refusal {
        Refusal::Function { .. } => "rego_type_error",
        Refusal::Recursion { .. } => "rego_recursion_error",
        _ => "rego_compile_error",
    };
    let said = refusal.to_string();
    // `query:LINE: …`
    let placed = said
        .strip_prefix(FILE)
        .and_then(|said| said.strip_prefix(':'))
        .and_then(|said| said.split_once(": "))
        .and_then(|(line, said)| Some((line.parse().ok()?, said.to_owned())));
    let (line, message) = placed.unwrap_or((0, said));
    NoAnswer::Compile(Fault {
        code,
        message,
        row: row(line, LINES_IN_MODULE, text),
        column: None,
    })
}

/// What is wrong with the query itself, if the engine says that: it finds some of it only when it begins to
/// evaluate.
pub(super) fn fault(error: &impl std::fmt::Display) -> Option<Fault> {
    let (line, _, message) = engine_error::located(error)?;
    // Columns are those of the text that was written for the engine.
    let (row, column) = (line.saturating_sub(LINES_IN_EXPRESSION).max(1), None);
    if message.starts_with("incompatible destructuring patterns")
        || message.contains("used before definition below")
    {
        return Some(Fault {
            code: "rego_compile_error",
            message,
            row,
            column,
        });
    }
    let named = message
        .strip_prefix("use of undefined variable `")
        .and_then(|said| said.strip_suffix("` is unsafe"));
    let looked_up = || {
        let said = message.strip_prefix("var ")?;
        said.split_once(" is unsafe").map(|(name, _)| name)
    };
    let name = named.or_else(looked_up)?;
    Some(unsafe_fault(name, (row, column)))
}

fn unsafe_fault(name: &str, (row, column): (u32, Option<u32>)) -> Fault {
    Fault {
        code: "rego_unsafe_var_error",
        message: format!("var {name} is unsafe"),
        row,
        column,
    }
}
