//! One block of metadata: YAML in comments, as the object that OPA makes of it.
//!
//! OPA reads YAML by another library than this, which takes some scalars for other things (`010` is 8 to it,
//! `2020-01-01` a time). A block with anything that the two could read in two ways is none: OPA's answer is
//! not guessed. Not read either: `schemas` and `compile`, and members that OPA does not know.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::policy::builtins::written_url;

/// Bytes of one block.
const MAX_BLOCK: usize = 1 << 16;

/// What a block says.
#[derive(Debug)]
pub(super) struct Block {
    /// What it says it is of.
    pub(super) scope: Option<String>,
    pub(super) entrypoint: bool,
    /// The members of the annotation, without the scope.
    pub(super) members: Map<String, Json>,
}

/// The block as OPA's annotation has it; none where that is not known.
#[derive(Deserialize)]
struct Raw {
    scope: Option<String>,
    title: Option<String>,
    description: Option<String>,
    entrypoint: Option<bool>,
    organizations: Option<Vec<String>>,
    related_resources: Option<Vec<Json>>,
    authors: Option<Vec<Json>>,
    custom: Option<Map<String, Json>>,
    schemas: Option<serde::de::IgnoredAny>,
    compile: Option<serde::de::IgnoredAny>,
}

impl Block {
    pub(super) fn read(yaml: &str) -> Option<Self> {
        if yaml.len() > MAX_BLOCK || yaml.trim().is_empty() || !is_plain(yaml) {
            return None;
        }
        let options = options();
        let all: Json = serde_saphyr::from_str_with_options(yaml, options.clone()).ok()?;
        if !all.is_object() || !is_certain(&all) {
            return None;
        }
        let raw: Raw = serde_saphyr::from_str_with_options(yaml, options).ok()?;
        if raw.schemas.is_some() || raw.compile.is_some() {
            return None;
        }
        let mut members = Map::new();
        let mut put = |name: &str, value: Json| members.insert(name.to_owned(), value);
        for (name, text) in [("title", raw.title), ("description", raw.description)] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                put(name, Json::from(text));
            }
        }
        let entrypoint = raw.entrypoint.unwrap_or_default();
        if entrypoint {
            put("entrypoint", Json::from(true));
        }
        let authors: Option<Vec<Json>> = raw.authors.iter().flatten().map(author).collect();
        let related: Option<Vec<Json>> = raw
            .related_resources
            .iter()
            .flatten()
            .map(resource)
            .collect();
        let organizations = raw
            .organizations
            .into_iter()
            .flatten()
            .map(Json::from)
            .collect();
        for (name, list) in [
            ("authors", authors?),
            ("organizations", organizations),
            ("related_resources", related?),
        ] {
            if !list.is_empty() {
                put(name, Json::from(list));
            }
        }
        if let Some(custom) = raw.custom.filter(|custom| !custom.is_empty()) {
            put("custom", Json::Object(custom));
        }
        Some(Self {
            scope: raw.scope,
            entrypoint,
            members,
        })
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000,
            max_nodes: 10_000,
            max_depth: 32,
            max_documents: 1,
            max_aliases: 0,
            max_anchors: 0,
        },
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
    }
}

/// Whether the text has nothing but lists, mappings, strings and plain scalars, and no number but decimals.
fn is_plain(yaml: &str) -> bool {
    let odd = |character: char| character.is_control() && character != '\n';
    let marks = yaml.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with(['%', '?']) || line.starts_with("---") || line.starts_with("...")
    });
    let word = |word: &str| {
        let word = word.trim_start_matches(['[', '{', '-', '+', '"', '\'']);
        let digits: Vec<u8> = word.bytes().take(2).collect();
        word.starts_with(['&', '*', '!'])
            || matches!(
                digits.as_slice(),
                [b'0', b'0'..=b'9' | b'_' | b'a'..=b'z' | b'A'..=b'Z']
            )
    };
    !yaml.contains(odd)
        && !yaml.contains(['\u{feff}', '\u{85}', '\u{2028}', '\u{2029}'])
        && !marks
        && !yaml.split([' ', '\n', ',', ':']).any(word)
}

/// Whether the two libraries read the same: names are words, numbers whole, and no text is one that could
/// be something else without quotes.
fn is_certain(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(_) => true,
        Json::Number(number) => number.is_i64(),
        Json::String(text) => is_text(text),
        Json::Array(items) => items.iter().all(is_certain),
        Json::Object(members) => (members.iter()).all(|(name, value)| {
            let word = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
            word && is_text(name) && is_certain(value)
        }),
    }
}

/// Whether it would be a text to everyone.
fn is_text(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n",
    ];
    let lower = text.to_ascii_lowercase();
    let of_number = |c: char| c.is_ascii_hexdigit() || "_.+-:xo".contains(c);
    let number = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        && text.chars().all(of_number)
        && text.matches('.').count() < 2;
    let special = matches!(&*lower, ".inf" | "+.inf" | "-.inf" | ".nan" | "<<" | "=");
    let year = text.len() > 4 && text.bytes().take(4).all(|byte| byte.is_ascii_digit());
    let date = year && text.as_bytes().get(4) == Some(&b'-');
    !(WORDS.contains(&&*lower) || number || special || date)
}

/// A text without what is around it; empty where it is none.
fn trimmed<'j>(members: &'j Map<String, Json>, name: &str) -> &'j str {
    members
        .get(name)
        .and_then(Json::as_str)
        .unwrap_or_default()
        .trim()
}

/// `Name of Author <mailbox>`, or an object.
fn author(value: &Json) -> Option<Json> {
    let (name, mailbox) = match value {
        Json::String(text) => {
            let mut words: Vec<&str> = text.split_whitespace().collect();
            let last = words.last()?;
            let mailbox = last
                .strip_prefix('<')
                .and_then(|rest| rest.strip_suffix('>'));
            if mailbox.is_some() {
                words.pop();
            }
            (words.join(" "), mailbox.unwrap_or_default().to_owned())
        }
        Json::Object(members) => {
            let text = |name| trimmed(members, name).to_owned();
            let (name, mailbox) = (text("name"), text("email"));
            if name.is_empty() && mailbox.is_empty() {
                return None;
            }
            (name, mailbox)
        }
        _ => return None,
    };
    let mut author = Map::new();
    for (member, text) in [("name", name), ("email", mailbox)] {
        if !text.is_empty() {
            author.insert(member.to_owned(), Json::from(text));
        }
    }
    Some(Json::Object(author))
}

/// A URL, or an object that has one.
fn resource(value: &Json) -> Option<Json> {
    let (url, description) = match value {
        Json::String(url) => (url.as_str(), ""),
        Json::Object(members) => (trimmed(members, "ref"), trimmed(members, "description")),
        _ => return None,
    };
    let mut resource = Map::new();
    let url = Some(url)
        .filter(|url| !url.is_empty())
        .and_then(written_url)?;
    resource.insert("ref".to_owned(), Json::from(url));
    if !description.is_empty() {
        resource.insert("description".to_owned(), Json::from(description));
    }
    Some(Json::Object(resource))
}
