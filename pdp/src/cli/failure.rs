//! The one way a subcommand can fail to do its work: exit code 2 and a message that teaches.

use std::io;

/// Why a subcommand could not do its work, as one or more lines for standard error.
#[derive(Debug)]
pub struct Failure {
    message: Option<String>,
    closed_pipe: bool,
}

impl Failure {
    /// A failure with a message of its own.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: Some(format!("error: {}", message.into())),
            closed_pipe: false,
        }
    }

    /// A failure whose message was part of the answer, as with `--output json`.
    pub(super) fn said_already() -> Self {
        Self {
            message: None,
            closed_pipe: false,
        }
    }

    /// Tells it on standard error.
    pub(super) fn report(&self) {
        if let Some(message) = &self.message {
            eprintln!("{message}");
        }
    }

    /// Whether it only says that nobody reads standard output any more.
    pub(super) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        // Its lines begin with the file's name already, as a compiler's do.
        Self {
            message: Some(error.to_string()),
            closed_pipe: false,
        }
    }
}

impl From<io::Error> for Failure {
    /// For standard output and input; files are named by whoever opens them.
    fn from(error: io::Error) -> Self {
        Self {
            closed_pipe: error.kind() == io::ErrorKind::BrokenPipe,
            ..Self::new(error.to_string())
        }
    }
}
