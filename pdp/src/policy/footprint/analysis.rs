//! The result of the analysis, in words for people and programs. It computes nothing.

use std::fmt;

use edgeward_core::footprint::Footprint;
use regorus::unstable::Span;
use serde::Serialize;
use serde_json::Value;

/// What a policy set's entry point can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// Of `input`. The engine is given the projection on this and nothing else.
    pub input: Footprint,
    /// Of `data` as loaded from files. A part may have been read or not: it is an upper bound.
    pub data: Footprint,
    /// Where the clock is read first, if it is.
    pub clock: Option<Place>,
    /// The first thing that forbids remembering any answer, if there is one.
    pub uncacheable: Option<Uncacheable>,
    /// Every place that makes [`Analysis::input`] wider than the members the policy names, by path.
    pub widenings: Vec<Widening>,
}

/// A part of a document that may be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// As Rego writes it: `input.subject["x-y"]`.
    pub path: String,
    /// Only whether it is there, and not what is in it.
    pub presence: bool,
}

/// A place in a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// File below the policy folder.
    pub file: String,
    /// Line, from 1; 0 in a file that has none.
    pub line: u32,
}

/// A call whose answer depends on neither `input` nor `data` nor time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uncacheable {
    /// The built-in.
    pub function: String,
    /// Where it is called.
    #[serde(flatten)]
    pub place: Place,
}

/// Something that reads a part of `input` with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widening {
    /// The member names that lead to the part; none is all of `input`.
    pub path: Vec<String>,
    /// Where.
    pub place: Place,
    /// What is done with it there.
    pub why: Why,
}

/// What is done with a value that reads all of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its member is chosen by something other than a literal name.
    ComputedKey,
    /// It is looped over or searched.
    Loop,
    /// It is handed to a built-in.
    Argument(String),
    /// It is compared, calculated with or matched with a pattern.
    Compared,
    /// It becomes part of a collection.
    Collected,
    /// It is the decision, or a part of it.
    Returned,
    /// It is the value of a rule or function with several bodies, which the engine compares.
    SeveralBodies,
    /// `with` puts something else in the place of a document or a function.
    With,
    /// The analysis lost track of it.
    Unbounded,
    /// It is asked of a compiled policy, and its bundle does not declare what that can read.
    Compiled,
}

impl Analysis {
    /// The names directly below `data` of which something may be read; none is any of them.
    pub fn data_roots(&self) -> Option<Vec<&str>> {
        match &self.data {
            Footprint::Whole => None,
            Footprint::Members(members) => Some(members.keys().map(String::as_str).collect()),
        }
    }

    /// The parts of `input` that may be read, in order.
    pub fn input_parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        collect(&self.input, "input", &mut Vec::new(), &mut parts);
        parts
    }

    /// The parts of `data` that may be read, in order.
    pub fn data_parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        collect(&self.data, "data", &mut Vec::new(), &mut parts);
        parts
    }

    /// Whether an answer may change with time alone: the clock is read, or the time of the question.
    pub fn reads_time(&self) -> bool {
        self.clock.is_some() || self.input.at(["context", "time"]).is_some()
    }

    /// Whether answers may be remembered: not when they depend on chance or the world, and to no use
    /// when every question is a new one.
    pub fn is_cacheable(&self) -> bool {
        self.uncacheable.is_none() && self.input != Footprint::Whole
    }
}

impl Place {
    pub(in crate::policy) fn of(span: &Span) -> Self {
        Self {
            file: span.source.file().clone(),
            line: span.line,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.path, if self.presence { "?" } else { "" })
    }
}

impl fmt::Display for Widening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: all of `{}`: {}", self.place, self.part(), self.why)
    }
}

impl Widening {
    /// The part that is read whole, as Rego writes it.
    pub fn part(&self) -> String {
        let names: Vec<&str> = self.path.iter().map(String::as_str).collect();
        written("input", &names)
    }
}

fn collect<'f>(
    footprint: &'f Footprint,
    root: &str,
    path: &mut Vec<&'f str>,
    parts: &mut Vec<Part>,
) {
    match footprint {
        Footprint::Members(members) if !members.is_empty() => {
            for (name, below) in members.iter() {
                path.push(name);
                collect(below, root, path, parts);
                path.pop();
            }
        }
        // Nothing at all.
        Footprint::Members(_) if path.is_empty() => {}
        footprint => parts.push(Part {
            path: written(root, path),
            presence: *footprint != Footprint::Whole,
        }),
    }
}

/// The place `path` below `root` as Rego writes it.
fn written(root: &str, path: &[&str]) -> String {
    let mut text = root.to_owned();
    for name in path {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.is_empty() && name.bytes().all(plain) {
            text.push('.');
            text.push_str(name);
        } else {
            text.push('[');
            text.push_str(&Value::from(*name).to_string());
            text.push(']');
        }
    }
    text
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ComputedKey => f.write_str("a member of it is chosen by a computed key"),
            Self::Loop => f.write_str("it is looped over or searched"),
            Self::Argument(function) => write!(f, "it is handed to `{function}`"),
            Self::Compared => f.write_str("it is compared as a whole"),
            Self::Collected => f.write_str("it is put into a collection"),
            Self::Returned => f.write_str("it is part of the decision"),
            Self::SeveralBodies => {
                f.write_str("it is the value of a rule with several bodies, which are compared")
            }
            Self::With => f.write_str("`with` replaces a document or a function"),
            Self::Unbounded => f.write_str("it is passed on in too many ways to follow"),
            Self::Compiled => {
                f.write_str("the manifest does not declare what of it the compiled policy can read")
            }
        }
    }
}
