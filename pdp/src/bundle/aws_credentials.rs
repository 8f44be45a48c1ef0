//! Who we are to an S3-compatible store: keys out of files or the environment, read at every request.
//!
//! INVARIANT: a secret is in no log and no `Debug` output. What this is not: a client of the clouds'
//! metadata services; those addresses are never asked.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Bytes one file with keys may have.
const MAX_BYTES: u64 = 64 * 1024;

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsCredentials {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for temporary ones, `AWS_SESSION_TOKEN`.
    Environment,
    /// An id, and files with what is secret.
    Keys {
        /// The id of the access key.
        access_key_id: String,
        /// The secret that goes with it.
        secret_access_key: PathBuf,
        /// The token of temporary credentials.
        session_token: Option<PathBuf>,
    },
    /// A profile of a file as AWS' tools write it.
    Profile {
        /// The file.
        file: PathBuf,
        /// The section's name.
        profile: String,
    },
}

/// Keys that were read.
pub(super) struct AwsKeys {
    pub(super) access: String,
    pub(super) secret: String,
    /// Empty for lasting ones.
    pub(super) session: String,
}

impl fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKeys")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum AwsCredentialsError {
    /// The operating system said no.
    #[error("`{}`: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
    /// Not in the environment.
    #[error("`{0}` is not in the environment: set it, or `s3.credentials`")]
    Environment(&'static str),
    /// Not in the file.
    #[error("`{}`: profile `{profile}` has no `{name}`", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// The section.
        profile: String,
        /// What is missing.
        name: &'static str,
    },
    /// What is there cannot be a key.
    #[error("{0}: must be visible ASCII characters in one line")]
    Content(String),
}

impl AwsCredentials {
    /// Reads the keys.
    pub(super) fn read(&self) -> Result<AwsKeys, AwsCredentialsError> {
        match self {
            Self::Environment => from_environment(|name| std::env::var(name).ok()),
            Self::Keys {
                access_key_id,
                secret_access_key,
                session_token,
            } => Ok(AwsKeys {
                access: plain(access_key_id, "`access_key_id`")?,
                secret: in_file(secret_access_key)?,
                session: match session_token {
                    Some(path) => in_file(path)?,
                    None => String::new(),
                },
            }),
            Self::Profile { file, profile } => from_profile(file, profile),
        }
    }
}

fn from_environment(
    variable: impl Fn(&'static str) -> Option<String>,
) -> Result<AwsKeys, AwsCredentialsError> {
    let wanted = |name: &'static str| {
        let value = variable(name).filter(|value| !value.is_empty());
        let value = value.ok_or(AwsCredentialsError::Environment(name))?;
        plain(&value, name)
    };
    Ok(AwsKeys {
        access: wanted("AWS_ACCESS_KEY_ID")?,
        secret: wanted("AWS_SECRET_ACCESS_KEY")?,
        session: variable("AWS_SESSION_TOKEN")
            .filter(|token| !token.is_empty())
            .map_or_else(
                || Ok(String::new()),
                |token| plain(&token, "AWS_SESSION_TOKEN"),
            )?,
    })
}

fn from_profile(file: &Path, profile: &str) -> Result<AwsKeys, AwsCredentialsError> {
    let text = read(file)?;
    let mut is_inside = false;
    let (mut access, mut secret, mut session) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            is_inside = section.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_inside) {
            let value = Some(value.trim());
            match name.trim() {
                "aws_access_key_id" => access = value,
                "aws_secret_access_key" => secret = value,
                "aws_session_token" => session = value,
                _ => {}
            }
        }
    }
    let missing = |name| AwsCredentialsError::Profile {
        path: file.to_owned(),
        profile: profile.to_owned(),
        name,
    };
    let shown = format!("`{}`", file.display());
    Ok(AwsKeys {
        access: plain(access.ok_or_else(|| missing("aws_access_key_id"))?, &shown)?,
        secret: plain(
            secret.ok_or_else(|| missing("aws_secret_access_key"))?,
            &shown,
        )?,
        session: session.map_or_else(|| Ok(String::new()), |token| plain(token, &shown))?,
    })
}

/// The one text of a file, without the white space around it.
pub(super) fn in_file(path: &Path) -> Result<String, AwsCredentialsError> {
    plain(read(path)?.trim(), &format!("`{}`", path.display()))
}

fn read(path: &Path) -> Result<String, AwsCredentialsError> {
    let failed = |error| AwsCredentialsError::Io {
        path: path.to_owned(),
        error,
    };
    let bytes = crate::whole_file::read(path, MAX_BYTES).map_err(failed)?;
    let bytes = bytes.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
    String::from_utf8(bytes)
        .map_err(|_| AwsCredentialsError::Content(format!("`{}`", path.display())))
}

/// A text that a header can carry. The error never says which text.
fn plain(text: &str, shown: &str) -> Result<String, AwsCredentialsError> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(AwsCredentialsError::Content(shown.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_where_they_are_said_to_be_and_are_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let keys = AwsCredentials::Keys {
            access_key_id: "AKID".to_owned(),
            secret_access_key: write("secret", "s3cr3t\n"),
            session_token: Some(write("session", " t0ken ")),
        };
        let file = write(
            "credentials",
            "# ours\n[default]\naws_access_key_id = OTHER\n[ edge ]\naws_access_key_id=AKID\n\
             aws_secret_access_key = s3cr3t\naws_session_token=t0ken\n[next]\naws_secret_access_key=x\n",
        );
        let profile = |profile: &str| AwsCredentials::Profile {
            file: file.clone(),
            profile: profile.to_owned(),
        };
        let environment = from_environment(|name| {
            let known = [
                ("AWS_ACCESS_KEY_ID", "AKID"),
                ("AWS_SECRET_ACCESS_KEY", "s3cr3t"),
                ("AWS_SESSION_TOKEN", "t0ken"),
            ];
            let found = known.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        });
        for read in [keys.read(), profile("edge").read(), environment] {
            let read = read.unwrap();
            assert_eq!(
                (&*read.access, &*read.secret, &*read.session),
                ("AKID", "s3cr3t", "t0ken")
            );
            let shown = format!("{read:?}");
            assert!(shown.contains("AKID"), "{shown}");
            assert!(
                !shown.contains("s3cr3t") && !shown.contains("t0ken"),
                "{shown}"
            );
        }
        for (error, says) in [
            (
                profile("default").read(),
                "`default` has no `aws_secret_access_key`",
            ),
            (profile("none").read(), "`none` has no `aws_access_key_id`"),
            (
                from_environment(|_| None),
                "`AWS_ACCESS_KEY_ID` is not in the environment",
            ),
            (
                from_environment(|_| Some("a b".to_owned())),
                "AWS_ACCESS_KEY_ID: must be visible",
            ),
        ] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
