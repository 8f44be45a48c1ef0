//! From a file's bytes to a [`RawConfig`]: size cap, YAML, types, unknown and duplicate keys.
//!
//! What this is not: a judgement about values; see `super::check`.

use std::io::Read;
use std::path::Path;

use serde::Deserialize as _;
use serde_path_to_error::{Segment, Track};
use serde_saphyr::{
    DeserializeError, MergeKeyPolicy, MessageFormatter, Options, UserMessageFormatter,
};

use super::problem::{ConfigError, Field, Problem};
use super::raw::RawConfig;

/// The longest configuration file read, in bytes.
pub const MAX_CONFIG_BYTES: u64 = 1024 * 1024;

/// Reads at most [`MAX_CONFIG_BYTES`] of text from `file`.
pub(super) fn read_text(file: &Path) -> Result<String, ConfigError> {
    let read_error = |source| ConfigError::Read {
        file: file.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(read_error)?;
    opened
        .take(MAX_CONFIG_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(read_error)?;
    let refused = |message: String| ConfigError::Refused {
        file: file.to_owned(),
        problems: vec![Problem {
            field: Field::default(),
            message,
            line: None,
        }],
    };
    if bytes.len() as u64 > MAX_CONFIG_BYTES {
        return Err(refused(format!(
            "is longer than {MAX_CONFIG_BYTES} bytes: keep policies and data in the policy folder"
        )));
    }
    String::from_utf8(bytes).map_err(|_| refused("is not UTF-8: save it as UTF-8".to_owned()))
}

/// Parses YAML text; the first problem of shape ends it, since what follows has no meaning.
pub(super) fn parse(text: &str) -> Result<RawConfig, Problem> {
    let mut track = Track::new();
    // A file of comments is a document of null, which a struct would refuse; here it is all defaults.
    let parsed =
        serde_saphyr::with_deserializer_from_str_with_options(text, yaml_options(), |yaml| {
            Option::<RawConfig>::deserialize(serde_path_to_error::Deserializer::new(
                yaml, &mut track,
            ))
        });
    match parsed {
        Ok(raw) => Ok(raw.unwrap_or_default()),
        Err(error) => Err(shape_problem(&known_path(&track.path()), &error)),
    }
}

/// Strict YAML 1.2 with tight budgets: a configuration needs no merge keys and few aliases.
pub(super) fn yaml_options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 100_000,
            max_nodes: 50_000,
            max_depth: 32,
            max_documents: 1,
            max_aliases: 64,
            max_anchors: 64,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 4,
        },
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
    }
}

fn shape_problem(place: &Field, error: &DeserializeError) -> Problem {
    let error = error.without_snippet();
    let line = error
        .location()
        .map(|location| location.line())
        .filter(|line| *line > 0);
    let (field, message) = match error {
        // The path ends with the unknown key already.
        DeserializeError::SerdeUnknownField { expected, .. } => (
            place.clone(),
            format!("is not known: it must be one of {}", backticked(expected)),
        ),
        DeserializeError::SerdeMissingField { field, .. } => {
            (place.key(field), "is missing: it has no default".to_owned())
        }
        DeserializeError::DuplicateMappingKey { key: Some(key), .. } => {
            (place.key(key), "stands here twice: remove one".to_owned())
        }
        DeserializeError::Unexpected { expected, .. } => {
            (place.clone(), format!("must be {}", in_words(expected)))
        }
        other => (
            place.clone(),
            UserMessageFormatter.format_message(other).into_owned(),
        ),
    };
    Problem {
        field,
        message,
        line,
    }
}

/// The parser's names for kinds of values, as people call them.
fn in_words(expected: &str) -> &str {
    match expected {
        "sequence start" => "a list",
        "mapping start" => "a mapping of names to values",
        "string scalar" => "text",
        other => other,
    }
}

fn backticked(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The path up to the last segment that has a name; `?` stands where the parser was at a key.
fn known_path(path: &serde_path_to_error::Path) -> Field {
    path.iter()
        .fold(Field::default(), |field, segment| match segment {
            Segment::Seq { index } => field.index(*index),
            Segment::Map { key } => field.key(key),
            Segment::Enum { .. } | Segment::Unknown => field,
        })
}
