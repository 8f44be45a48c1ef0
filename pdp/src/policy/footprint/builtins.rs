//! Built-in functions by what their answer depends on besides their arguments.
//!
//! A list of what is known. What is not on it counts as not cacheable. What a policy may call at all
//! is for `capability` to say.

use super::super::source;

/// What the answer of a built-in depends on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::policy) enum Depends {
    /// Its arguments alone.
    Arguments,
    /// The time of day.
    Clock,
    /// Anything else: chance, the network, the machine.
    World,
}

/// Families every member of which depends on its arguments alone.
const PURE_FAMILIES: [&str; 18] = [
    "__builtin_sets",
    "array",
    "base64",
    "base64url",
    "bits",
    "crypto",
    "glob",
    "graph",
    "graphql",
    "hex",
    "json",
    "numbers",
    "object",
    "regex",
    "semver",
    "strings",
    "urlquery",
    "yaml",
];

const PURE: [&str; 33] = [
    "io.jwt.decode",
    "io.jwt.verify_eddsa",
    "io.jwt.verify_es256",
    "io.jwt.verify_es384",
    "io.jwt.verify_es512",
    "io.jwt.verify_hs256",
    "io.jwt.verify_hs384",
    "io.jwt.verify_hs512",
    "io.jwt.verify_ps256",
    "io.jwt.verify_ps384",
    "io.jwt.verify_ps512",
    "io.jwt.verify_rs256",
    "io.jwt.verify_rs384",
    "io.jwt.verify_rs512",
    "net.cidr_contains",
    "net.cidr_contains_matches",
    "net.cidr_expand",
    "net.cidr_intersects",
    "net.cidr_is_valid",
    "net.cidr_merge",
    "providers.aws.sign_req",
    "time.add_date",
    "time.clock",
    "time.date",
    "time.diff",
    "time.format",
    "time.parse_duration_ns",
    "time.parse_ns",
    "time.parse_rfc3339_ns",
    "time.weekday",
    "units.parse",
    "units.parse_bytes",
    "uuid.parse",
];

/// What the answer of `name` depends on.
pub(in crate::policy) fn depends_on(name: &str) -> Depends {
    let pure = match name.split_once('.') {
        // `count`, `concat`, `print` …: those without a family have always been pure.
        None => true,
        Some((family, _)) => {
            PURE_FAMILIES.contains(&family)
                || PURE.contains(&name)
                || source::FUNCTIONS.contains(&name)
        }
    };
    match name {
        "time.now_ns" | "io.jwt.decode_verify" => Depends::Clock,
        _ if pure => Depends::Arguments,
        _ => Depends::World,
    }
}

/// Whether `name` is there to look into objects, so that handing it one is worth telling.
pub(super) fn looks_into_objects(name: &str) -> bool {
    name == "walk" || name == "print" || name.starts_with("object.") || name.starts_with("json.")
}
