//! Policies and questions by chance: the shapes that the bytecode machine is wrong about as written, and
//! a few that must not be let through. The same seed gives the same ones.
//!
//! length: one grammar, whose rules call each other.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What the generated policies find in data.
pub(super) const DATA: &str =
    r#"{"d": {"a": {"b": 1, "c": "a"}, "b": ["a", 1, {"a": true}], "c": "b", "1": "one"}}"#;

const MEMBERS: &[&str] = &["a", "b", "c"];

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the grammar"
)]
pub(super) struct Generator {
    state: u64,
    /// Variables in scope.
    names: Vec<String>,
    count: usize,
    /// Whether constructs may come that are never let through.
    wild: bool,
    /// Whether a loop is open in this body, so that its value is none that may be undefined.
    looping: bool,
    /// Whether a name bound by `every` is no index here.
    in_not: bool,
    /// Whether no name is an index here.
    in_output: bool,
    /// Whether every name is used, and nothing has a known type: OPA takes no other policies.
    uses_all: bool,
    /// Whether `<` and `>=` come: the engine has sets before objects, OPA behind.
    orders: bool,
    every: Vec<String>,
    /// Rules and functions that may be used.
    rules: Vec<&'static str>,
    functions: Vec<(&'static str, usize)>,
}

impl Generator {
    /// `uses_all` adds what changes no answer, and lets OPA take the policies; without `orders` terms are
    /// compared for being equal only.
    pub(super) fn new(seed: u64, uses_all: bool, orders: bool) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            names: Vec::new(),
            count: 0,
            wild: false,
            looping: false,
            in_not: false,
            in_output: false,
            uses_all,
            orders,
            every: Vec::new(),
            rules: Vec::new(),
            functions: Vec::new(),
        }
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 16).unwrap() % bound
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A question: mostly an object of objects.
    pub(super) fn question(&mut self) -> Value {
        let mut question = json!({});
        for member in MEMBERS {
            if self.chance(85) {
                question[member] = self.value(3);
            }
        }
        question
    }

    fn value(&mut self, depth: usize) -> Value {
        let bound = match depth {
            0 => 6,
            3 => 120,
            _ => 24,
        };
        match self.below(bound) {
            0 => Value::Null,
            1 => json!(false),
            2 => json!(true),
            3 => json!(1),
            4 => json!("a"),
            5 => json!(self.pick(&["b", "", "1"])),
            6 | 7 => {
                let items = self.below(3);
                (0..items).map(|_| self.value(depth - 1)).collect()
            }
            _ => {
                let mut object = json!({});
                for member in MEMBERS {
                    if self.chance(60) {
                        object[member] = self.value(depth - 1);
                    }
                }
                object
            }
        }
    }

    /// The texts of `package edgeward.authz` and of `package lib`.
    pub(super) fn policy(&mut self) -> (String, String) {
        self.wild = self.chance(10);
        let mut text =
            String::from("package edgeward.authz\nimport data.lib.r\nimport input.b as alias\n");
        self.function(&mut text, "f", 1);
        self.functions.push(("f", 1));
        self.function(&mut text, "g", 2);
        self.functions.push(("g", 2));
        self.rules.extend(["r", "alias", "data.lib.s"]);
        self.complete(&mut text, "q");
        self.rules.push("q");
        self.constant(&mut text, "k");
        self.rules.push("k");
        for _ in 0..=self.below(2) {
            let (body, value) = self.member();
            let _ = writeln!(text, "p contains {value} if {{ {body} }}");
        }
        self.rules.push("p");
        for number in 0..2 {
            let (body, value) = self.member();
            let _ = writeln!(
                text,
                "decision contains {{\"n\": {number}, \"v\": {value}}} if {{ {body} }}"
            );
        }
        for rule in ["q", "k", "count(p) > 0"] {
            let _ = writeln!(text, "decision contains {rule:?} if not {rule}");
        }
        if self.uses_all {
            // No question has a member `z`.
            text.push_str(
                "f(x) := input.z[x] if input.z\ng(x, y) := input.z[x][y] if input.z\n\
                 q := input.z if input.z\nk := input.z if input.z\np contains input.z if input.z\n\
                 imports := [r, alias]\n",
            );
        }
        let mut library =
            "package lib\nr := input.a\ns contains x if { some x in input.b }\n".to_owned();
        if self.uses_all {
            library.push_str("s contains input.z if input.z\n");
        }
        (text, library)
    }

    /// A statement that uses `names` and always holds.
    fn used(&self, names: &[&str]) -> String {
        if !self.uses_all {
            return String::new();
        }
        let names = names.join(", ");
        format!("; [{names}] == [{names}]")
    }

    fn function(&mut self, text: &mut String, name: &str, arguments: usize) {
        let parameters = ["x", "y"][..arguments].join(", ");
        self.names = ["x", "y"][..arguments]
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let clauses = 1 + self.below(3);
        let kind = self.below(4);
        for clause in 0..clauses {
            let last = clause + 1 == clauses;
            let (mut body, value) = self.body_with_value();
            body.push_str(&self.used(&["x", "y"][..arguments]));
            let dynamic = last && (kind == 0 || clauses == 1) && !self.looping;
            let value = if dynamic { value } else { "1".to_owned() };
            if !last && kind < 2 && self.looping {
                // No `else` after a loop.
                let _ = write!(text, "\n{name}({parameters}) := 1 if {{ {body} }}");
                break;
            }
            let value = if self.wild && self.chance(20) {
                "2".to_owned()
            } else {
                value
            };
            match (kind, clause) {
                (0 | 1, 1..) => {
                    let _ = write!(text, " else := {value} if {{ {body} }}");
                }
                _ => {
                    let _ = write!(text, "\n{name}({parameters}) := {value} if {{ {body} }}");
                }
            }
        }
        text.push('\n');
        self.names.clear();
    }

    fn complete(&mut self, text: &mut String, name: &str) {
        if self.chance(50) {
            let _ = writeln!(
                text,
                "default {name} := {}",
                self.clone_of(&["1", "[1]", "{\"a\": false}"])
            );
        }
        let (body, value) = self.body_with_value();
        let value = if self.looping && !self.wild {
            "{}".to_owned()
        } else {
            value
        };
        let _ = writeln!(text, "{name} := {value} if {{ {body} }}");
        if self.wild && self.chance(20) {
            let _ = writeln!(text, "{name} := input.c");
        }
    }

    fn constant(&mut self, text: &mut String, name: &str) {
        for _ in 0..=self.below(3) {
            let (body, _) = self.body_with_value();
            let _ = writeln!(text, "{name} if {{ {body} }}");
        }
    }

    fn clone_of(&mut self, of: &[&str]) -> String {
        self.pick(of).to_owned()
    }

    /// Statements, and a term that may use what they name.
    fn body_with_value(&mut self) -> (String, String) {
        let names = self.names.len();
        self.looping = false;
        let body = self.statements(2);
        let looping = self.looping;
        let value = self.output(1);
        self.names.truncate(names);
        self.looping = looping;
        (body, value)
    }

    /// A body and a member of a set, which is defined where the body loops.
    fn member(&mut self) -> (String, String) {
        let (body, value) = self.body_with_value();
        if !self.looping || self.wild {
            return (body, value);
        }
        self.count += 1;
        let name = format!("m{}", self.count);
        (
            format!("{body}; {name} := object.get({{\"a\": {value}}}, \"a\", 0)"),
            name,
        )
    }

    fn statements(&mut self, depth: usize) -> String {
        let count = 1 + self.below(3);
        let statements: Vec<String> = (0..count).map(|_| self.statement(depth)).collect();
        statements.join("; ")
    }

    fn fresh(&mut self) -> String {
        self.count += 1;
        format!("v{}", self.count)
    }

    fn statement(&mut self, depth: usize) -> String {
        let kind = self.below(if depth == 0 { 80 } else { 95 });
        self.in_not = matches!(kind, 15..=24 | 35..=49);
        let term = if kind >= 65 {
            self.collection(depth)
        } else {
            self.term(depth)
        };
        let kind = if self.wild && self.chance(10) {
            95 + self.below(5)
        } else {
            kind
        };
        let statement = self.statement_of(kind, term, depth);
        self.in_not = false;
        statement
    }

    fn statement_of(&mut self, kind: usize, term: String, depth: usize) -> String {
        match kind {
            0..=14 => term,
            15..=24 => format!("not {term}"),
            25..=34 => {
                let operators = ["==", "!=", "<", ">="];
                let among = if self.orders { 4 } else { 2 };
                format!(
                    "{term} {} {}",
                    self.pick(&operators[..among]),
                    self.term(depth)
                )
            }
            35..=42 => format!("{term} in {}", self.term(depth)),
            43..=49 => format!("not {term} in {}", self.term(depth)),
            50..=64 => {
                let name = self.fresh();
                let is_name = self.names.contains(&term) || term.starts_with(['[', '{']);
                self.names.push(name.clone());
                if is_name && !self.wild {
                    let used = self.used(&[&name]);
                    return format!("{name} := object.get({{}}, \"a\", {term}){used}");
                }
                format!("{name} := {term}{}", self.used(&[&name]))
            }
            65..=79 => {
                let (key, name) = (self.fresh(), self.fresh());
                self.looping = true;
                self.names.push(name.clone());
                if self.chance(40) {
                    self.names.push(key.clone());
                    let used = self.used(&[&key, &name]);
                    format!("some {key}, {name} in {term}{used}")
                } else {
                    format!("some {name} in {term}{}", self.used(&[&name]))
                }
            }
            80..=94 => self.every(&term, depth - 1),
            95 => {
                let name = self.fresh();
                format!("[{name}] := {term}{}", self.used(&[&name]))
            }
            96 => format!("{term} = {}", self.term(depth)),
            97 => format!("{term} with input.a as 1"),
            _ => format!("{term} + 1 > 1"),
        }
    }

    fn every(&mut self, domain: &str, depth: usize) -> String {
        let (names, looping) = (self.names.len(), self.looping);
        let (key, value) = (self.fresh(), self.fresh());
        self.names.extend([key.clone(), value.clone()]);
        self.every.extend([key.clone(), value.clone()]);
        let body = self.statements(depth);
        self.names.truncate(names);
        self.looping = looping;
        let used = self.used(&[&key, &value]);
        format!("every {key}, {value} in {domain} {{ {body}{used} }}")
    }

    fn reference(&mut self) -> String {
        let mut starts: Vec<String> = ["input.a", "input.b", "input.c", "input", "data.d"]
            .iter()
            .map(|start| (*start).to_owned())
            .collect();
        starts.extend(self.rules.iter().map(|rule| (*rule).to_owned()));
        starts.extend(self.names.iter().cloned());
        starts.extend(self.names.iter().rev().take(3).cloned());
        let mut text = starts[self.below(starts.len())].clone();
        // A member of a set of texts has no members: OPA takes no such reference.
        let steps = if ["p", "data.lib.s"].contains(&&*text) {
            2
        } else {
            3
        };
        for _ in 0..self.below(steps) {
            match self.below(12) {
                0 | 1 if !self.names.is_empty() && !self.in_output => {
                    let at = self.below(self.names.len());
                    let name = &self.names[at];
                    if self.every.contains(name) && (self.in_not || self.below(2) == 0) {
                        continue;
                    }
                    let name = &self.names[at];
                    let _ = write!(text, "[{name}]");
                }
                2 if !text.starts_with("data") => text.push_str("[0]"),
                2 if self.wild => text.push_str("[_]"),
                3 => text.push_str("[input.c]"),
                _ => {
                    let _ = write!(text, ".{}", self.pick(MEMBERS));
                }
            }
        }
        text
    }

    fn term(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(6) {
                0 => self.clone_of(&["1", "\"a\"", "[]", "{}", "null", "false"]),
                _ => self.reference(),
            };
        }
        let inner = self.term(depth - 1);
        match self.below(24) {
            0 => format!("count({})", self.collection(depth - 1)),
            1 => format!("count({}) - 1", self.collection(depth - 1)),
            2 => format!("[{inner}, {}]", self.term(depth - 1)),
            3 => format!("{{{inner}, {}}}", self.term(depth - 1)),
            4 => format!("{{\"a\": {inner}, \"b\": {}}}", self.term(depth - 1)),
            5 if !self.functions.is_empty() => {
                let (name, arguments) = self.pick(&self.functions.clone());
                let more = if arguments == 2 {
                    format!(", {}", self.term(depth - 1))
                } else {
                    String::new()
                };
                format!("{name}({inner}{more})")
            }
            6 => format!("object.get({inner}, \"a\", {})", self.term(depth - 1)),
            7 => format!(
                "{}({inner})",
                self.pick(&["is_string", "is_object", "type_name", "json.marshal"])
            ),
            8 if self.chance(15) => format!("startswith({inner}, \"a\")"),
            9 => format!("numbers.range(0, count({}))", self.collection(depth - 1)),
            10..=12 => self.comprehension(depth - 1),
            _ => self.reference(),
        }
    }

    /// A term that mostly can be looped over.
    fn output(&mut self, depth: usize) -> String {
        let hidden = std::mem::replace(&mut self.in_output, !self.wild);
        let term = self.term(depth);
        self.in_output = hidden;
        term
    }

    fn collection(&mut self, depth: usize) -> String {
        match self.below(20) {
            0 => self.term(depth),
            1..=4 if depth > 0 => self.comprehension(depth - 1),
            5..=7 => format!("[{}, {}]", self.term(0), self.term(0)),
            8..=10 => "data.d".to_owned(),
            11..=12 if self.rules.contains(&"p") => "p".to_owned(),
            _ => self.clone_of(&[
                "input",
                "input.a",
                "input.b",
                "data.d.b",
                "data.d.a",
                "input.absent",
            ]),
        }
    }

    fn comprehension(&mut self, depth: usize) -> String {
        let (names, looping) = (self.names.len(), self.looping);
        let body = self.statements(depth);
        let term = self.output(0);
        self.names.truncate(names);
        self.looping = looping;
        if self.chance(50) {
            format!("[{term} | {body}]")
        } else {
            format!("{{{term} | {body}}}")
        }
    }
}
