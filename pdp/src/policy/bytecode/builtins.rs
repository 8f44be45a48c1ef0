//! The built-ins that a lowered policy may call: those whose answer depends on their arguments alone.
//!
//! The interpreter fails where a built-in does; the machine goes on with "undefined". So each is wrapped:
//! where it fails, the evaluation is in doubt, and what the machine makes of it is not used.

use std::cell::Cell;
use std::sync::LazyLock;

use regorus::Value;
use regorus::unstable::{BUILTINS, BuiltinFcn};

use super::super::{
    bounded::{self, Cost},
    builtins::{self, Function},
    source,
};
use super::terms::Sort;

/// Where the lowered policy finds data.
pub(super) const DATA: &str = "data[\"base\"]";

// Names of built-ins that lowered policies do not call, for what they do not have in Rego.

/// Becomes a guard (`patch`): what is undefined here fails the body.
pub(super) const DEFINED: &str = "uuid.parse";
/// Its argument, made a copy (`patch`): a bare variable as an index may be taken for a loop.
pub(super) const COPY: &str = "yaml.is_valid";
/// Its argument, which must be one that can be looped over.
pub(super) const COLLECTION: &str = "units.parse";
/// What lies in its first argument, a document of data, at the second.
pub(super) const FOUND: &str = "bits.xor";
/// Whether its first argument is in the second.
pub(super) const MEMBER: &str = "bits.or";

thread_local! {
    static DOUBT: Cell<bool> = const { Cell::new(false) };
}

/// Forgets the doubt, and says whether there was one on this thread.
pub(super) fn take_doubt() -> bool {
    DOUBT.replace(false)
}

fn doubt() -> Value {
    DOUBT.set(true);
    Value::Undefined
}

/// Whatever a built-in answered; remembers that it failed.
fn noted<E>(answer: Result<Value, E>) -> Result<Value, E> {
    if answer.is_err() {
        doubt();
    }
    answer
}

macro_rules! wrapped {
    ($($name:literal),* $(,)?) => {
        /// The wrapped built-in `name`.
        pub(super) fn wrapped(name: &str) -> Option<BuiltinFcn> {
            match name {
                $($name => {
                    static OWN: LazyLock<Option<(BuiltinFcn, Option<Cost>)>> =
                        LazyLock::new(|| Some((*BUILTINS.get($name)?, bounded::cost($name))));
                    let arity = OWN.as_ref()?.0.1;
                    Some((
                        |span, params, args, _| match &*OWN {
                            Some(((call, _), None)) => noted(call(span, params, args, true)),
                            Some(((call, _), Some(cost))) => noted(bounded::within(*cost, args, || {
                                call(span, params, args, true)
                            })),
                            None => Ok(doubt()),
                        },
                        arity,
                    ))
                })*
                _ => own(name).or_else(|| special(name)),
            }
        }
    };
}

wrapped![
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "base64.decode",
    "base64.encode",
    "base64.is_valid",
    "base64url.decode",
    "base64url.encode",
    "base64url.encode_no_pad",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "glob.match",
    "glob.quote_meta",
    "hex.decode",
    "hex.encode",
    "indexof",
    "indexof_n",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "json.filter",
    "json.marshal",
    "json.remove",
    "json.unmarshal",
    "lower",
    "max",
    "min",
    "net.cidr_is_valid",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.subset",
    "object.union",
    "object.union_n",
    "product",
    "replace",
    "round",
    "semver.compare",
    "semver.is_valid",
    "sort",
    "split",
    "sprintf",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "strings.replace_n",
    "strings.reverse",
    "substring",
    "sum",
    "time.clock",
    "time.date",
    "time.diff",
    "time.parse_duration_ns",
    "time.parse_ns",
    "time.parse_rfc3339_ns",
    "time.weekday",
    "to_number",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "upper",
];

macro_rules! own {
    ($($name:literal),* $(,)?) => {
        /// The built-in `name` of `builtins`.
        fn own(name: &str) -> Option<BuiltinFcn> {
            match name {
                $($name => {
                    static OWN: LazyLock<Option<Function>> =
                        LazyLock::new(|| builtins::function($name));
                    let arity = u8::try_from(builtins::arity($name)?).ok()?;
                    Some((
                        |_, _, args, _| match &*OWN {
                            Some(call) => Ok(builtins::answer(*call, args).unwrap_or_else(doubt)),
                            None => Ok(doubt()),
                        },
                        arity,
                    ))
                })*
                _ => None,
            }
        }
    };
}

own![
    "net.cidr_contains",
    "regex.find_n",
    "regex.is_valid",
    "regex.match",
    "regex.replace",
    "regex.split",
    "strings.count",
];

/// What is the interpreter's extension (`bounded`), and what takes the place of [`COLLECTION`],
/// [`FOUND`] and [`MEMBER`].
fn special(name: &str) -> Option<BuiltinFcn> {
    match name {
        "numbers.range" => Some((
            |_, _, args, _| Ok(bounded::range(args, None).unwrap_or_else(|_| doubt())),
            2,
        )),
        "numbers.range_step" => Some((
            |_, _, args, _| Ok(bounded::range(args, args.get(2)).unwrap_or_else(|_| doubt())),
            3,
        )),
        COLLECTION => Some((
            |_, _, args, _| {
                Ok(match args.first() {
                    Some(it @ (Value::Array(_) | Value::Set(_) | Value::Object(_))) => it.clone(),
                    _ => doubt(),
                })
            },
            1,
        )),
        FOUND => Some((
            |_, _, args, _| {
                Ok(match args {
                    [document, index] => source::found(document, index),
                    _ => doubt(),
                })
            },
            2,
        )),
        MEMBER => Some((
            |_, _, args, _| {
                Ok(match args {
                    [value, collection] => Value::from(source::is_member(value, collection)),
                    _ => doubt(),
                })
            },
            2,
        )),
        _ => None,
    }
}

/// In the place of what must not be called.
pub(super) fn forbidden() -> BuiltinFcn {
    (|_, _, _, _| Ok(doubt()), 1)
}

/// How many arguments the built-in `name` takes, if a policy that is lowered may call it.
pub(super) fn arity(name: &str) -> Option<usize> {
    if matches!(name, COLLECTION | FOUND | MEMBER) {
        return None;
    }
    wrapped(name).map(|(_, arity)| usize::from(arity))
}

/// What `name` gives, if anything.
pub(super) fn gives(name: &str) -> Sort {
    match name {
        "count" => Sort::Number,
        "array.concat" | "array.reverse" | "array.slice" | "numbers.range"
        | "numbers.range_step" | "object.keys" | "sort" | "split" => Sort::Collection,
        _ => Sort::Any,
    }
}
