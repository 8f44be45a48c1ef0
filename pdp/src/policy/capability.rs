//! The built-in functions a policy may call, and what to do instead of those it may not.
//!
//! Engine fact (regorus 0.14.1): a built-in that is missing fails only when it is reached, and
//! `http.send` is a stub that returns undefined, so a deny rule using it silently never fires.
//! That is why names are checked when a policy is loaded. Nothing here evaluates.

use regorus::unstable::BUILTINS;

use super::{builtins, source};

/// Registered by the engine, but not fit for a decision: the name, and what is wrong with it.
const STUBS: [(&str, &str); 3] = [
    ("http.send", "always undefined in this engine"),
    (
        "json.match_schema",
        "explained by this engine in other words than OPA's",
    ),
    (
        "opa.runtime",
        "a description of the engine, not of the configuration",
    ),
];

/// Whether a policy may call `name`.
pub fn is_callable(name: &str) -> bool {
    name == "print"
        || source::FUNCTIONS.contains(&name)
        || builtins::arity(name).is_some()
        || (BUILTINS.contains_key(name) && stub(name).is_none())
}

/// Whether the engine only pretends to have `name`.
pub fn is_stub(name: &str) -> bool {
    stub(name).is_some()
}

/// Every built-in a policy may call, sorted.
pub fn callable() -> Vec<&'static str> {
    let mut names: Vec<&str> = BUILTINS
        .keys()
        .copied()
        .filter(|name| is_callable(name) && is_public(name))
        .chain(builtins::names())
        .collect();
    names.push("print");
    names.sort_unstable();
    names.dedup();
    names
}

/// Why `name` may not be called, as the middle of a sentence, and the fix.
pub fn refusal(name: &str) -> (&'static str, &'static str) {
    let why = stub(name).unwrap_or("not among the functions this engine or the policies define");
    let family = name.split('.').next().unwrap_or(name);
    let fix = match family {
        "http" | "providers" => {
            "a policy does not reach the network: publish what it would fetch as a data file"
        }
        "crypto" => {
            "use `crypto.x509.parse_certificates`, or compare with values kept in data; certificates are verified before the policy"
        }
        "opa" => "put what the policy needs to know into a data file",
        "graph" => "use `graph.reachable`",
        "json" => "check types with `is_string`, `is_object` and their like",
        "net" => "use `net.cidr_contains` with literal networks",
        "rego" => {
            "`rego.metadata.chain()` and `.rule()` are for rules without `else`, where all metadata is plain YAML; keep other metadata in data files"
        }
        _ => "check the spelling and the imports, or define the function",
    };
    (why, fix)
}

fn stub(name: &str) -> Option<&'static str> {
    STUBS
        .iter()
        .find(|(stub, _)| *stub == name)
        .map(|(_, why)| *why)
}

/// The engine keeps set operators in the same table under names no policy can write.
fn is_public(name: &str) -> bool {
    !name.starts_with("__")
}
