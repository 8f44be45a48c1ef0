//! Keeps the token of the moment in a file: replaced whole, for its owner's eyes, gone when the token is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{error, info};

use super::exchange::Token;
use super::socket::{Tokens, shown};

/// The wait after a file could not be written.
const AGAIN: Duration = Duration::from_secs(5);

/// What the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The token alone.
    Token,
    /// What the socket answers.
    Json,
}

/// Where, and what.
#[derive(Debug, Clone)]
pub(crate) struct TokenFile {
    path: PathBuf,
    content: Content,
}

impl TokenFile {
    /// The file at `path`; the reason where nothing can be written there.
    pub(crate) fn new(path: &Path, content: Content) -> Result<Self, String> {
        let file = Self {
            path: path.to_owned(),
            content,
        };
        if path.file_name().is_none() || path.is_dir() {
            return Err(format!("`{}` is no file's name", path.display()));
        }
        if !file.directory().is_dir() {
            let folder = file.directory().display();
            return Err(format!("there is no folder `{folder}`: make it"));
        }
        Ok(file)
    }

    /// Writes a token: mode 0600, whole or not at all.
    pub(crate) fn write(&self, token: &Token) -> std::io::Result<()> {
        let text = match self.content {
            Content::Token => token.text.clone(),
            Content::Json => format!("{}\n", shown(token, token.issued_at)),
        };
        let name = self.path.file_name().unwrap_or_default();
        crate::whole_file::replace(self.directory(), name, text.as_bytes())
    }

    /// Writes each token that comes, for ever.
    pub(crate) async fn keep(self, mut tokens: Tokens) {
        // What another run has left may still be good: it stays until there is a token.
        while tokens.borrow_and_update().is_none() {
            if tokens.changed().await.is_err() {
                return;
            }
        }
        loop {
            let token = tokens.borrow_and_update().clone();
            let written = match &token {
                Some(token) => self.write(token),
                None => self.remove(),
            };
            if let Err(error) = written {
                error!(path = %self.path.display(), %error, "token file not written: trying again");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            if token.is_some() {
                info!(path = %self.path.display(), "token file written");
            }
            if tokens.changed().await.is_err() {
                return;
            }
        }
    }

    fn remove(&self) -> std::io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn directory(&self) -> &Path {
        let parent = self
            .path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }
}
