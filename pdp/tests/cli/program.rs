//! Runs the real program in a directory of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What a run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A directory with files, in which the program runs.
pub(crate) struct Place(TempDir);

impl Place {
    /// A fresh directory with these files, named by their path in it.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let place = Self(TempDir::new().expect("a directory"));
        for (name, content) in files {
            place.write(name, content);
        }
        place
    }

    pub(crate) fn empty() -> Self {
        Self::with(&[])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        let parent = path.parent().expect("a parent");
        std::fs::create_dir_all(parent).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgeward"));
        command.args(arguments).current_dir(self.0.path());
        command
    }

    /// Runs the program to its end, with nothing on standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, b"")
    }

    /// Runs the program to its end with `input` on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        let input = input.to_vec();
        // It may end before it has read everything, which is its good right.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("the program ends");
        writer.join().expect("the writer ends");
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Said {
            code: output.status.code().expect("no signal ended the program"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// A folder of the repository.
pub(crate) fn repository(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    root.join(path).display().to_string()
}
