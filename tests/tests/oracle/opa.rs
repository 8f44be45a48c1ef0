//! OPA's own engine, in a process beside the test (`opa.py`): policies and questions in, answers out.
//!
//! `./just setup-oracle` fetches it. Where it is absent, tests say so and pass.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use edgeward_tests::built::workspace;
use serde_json::{Value, json};

/// What OPA says to one question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Value(Value),
    Undefined,
    Error(String),
}

/// A running OPA.
pub(crate) struct Opa {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// The folder with the engine: `$EDGEWARD_ORACLE`, else `.tools/opa-engine`.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("EDGEWARD_ORACLE")
        .map_or_else(|| workspace().join(".tools/opa-engine"), PathBuf::from);
    if folder.join("opa_bindings").is_dir() {
        return Some(folder);
    }
    println!(
        "skipped: no OPA in {} (./just setup-oracle)",
        folder.display()
    );
    None
}

impl Opa {
    pub(crate) fn start(folder: &Path) -> Self {
        let script = workspace().join("tests/tests/oracle/opa.py");
        let mut child = Command::new("python3")
            .arg(script)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let to = child.stdin.take().expect("a pipe");
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, to, from }
    }

    /// What OPA says of `query` for each of `inputs`; an error where it does not take the policies.
    pub(crate) fn ask(
        &mut self,
        modules: &[(String, String)],
        data: &Value,
        query: &str,
        inputs: &[Value],
    ) -> Result<Vec<Said>, String> {
        let asked = json!({"modules": modules, "data": data, "query": query, "inputs": inputs});
        writeln!(self.to, "{asked}").expect("OPA listens");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("OPA answers");
        let answer: Value = serde_json::from_str(&line).expect("OPA's answer is JSON");
        if let Some(refused) = answer["refused"].as_str() {
            return Err(refused.to_owned());
        }
        let answers = answer["answers"].as_array().expect("OPA's answers");
        assert_eq!(answers.len(), inputs.len(), "one answer for each question");
        Ok(answers.iter().map(said).collect())
    }
}

fn said(answer: &Value) -> Said {
    match (answer.get("value"), answer["message"].as_str()) {
        (Some(value), _) => Said::Value(value.clone()),
        (None, Some(message)) => Said::Error(message.to_owned()),
        (None, None) => Said::Undefined,
    }
}

impl Drop for Opa {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
