//! The inventory's file: written whole, read once. One that cannot be read is set aside: what it says is of use
//! to people, and to no decision.

use std::io;
use std::path::Path;

use thiserror::Error;

use super::entries::Report;
use super::{Held, MAX_IDENTITIES, MAX_SECRETS};
use crate::whole_file;

const FILE: &str = "inventory.json";
/// The longest file: a hundred thousand identities of the longest names.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// Why there is no inventory.
#[derive(Debug, Error)]
#[error("`{path}`: {error}")]
pub struct OpenError {
    path: String,
    error: io::Error,
}

pub(super) fn open(directory: &Path) -> Result<Held, OpenError> {
    let path = directory.join(FILE);
    let failed = |error| OpenError {
        path: path.display().to_string(),
        error,
    };
    whole_file::make_directory(directory).map_err(failed)?;
    let Some(bytes) = whole_file::read(&path, MAX_FILE_BYTES).map_err(failed)? else {
        return Ok(Held::default());
    };
    match serde_json::from_slice::<Report>(&bytes) {
        Ok(report) => Ok(held(report)),
        Err(error) => {
            let aside = directory.join(format!("{FILE}.broken"));
            tracing::error!(%error, file = %path.display(), aside = %aside.display(),
                "the inventory cannot be read: it is set aside, and begins anew");
            std::fs::rename(&path, &aside).map_err(failed)?;
            Ok(Held::default())
        }
    }
}

fn held(report: Report) -> Held {
    let identities = report.identities.into_iter().take(MAX_IDENTITIES);
    let secrets = report.secrets.into_iter().take(MAX_SECRETS);
    Held {
        identities: identities.map(|seen| (seen.who, seen.identity)).collect(),
        secrets: secrets
            .map(|noticed| (noticed.at, noticed.secret))
            .collect(),
        dropped: report.dropped,
        is_changed: false,
    }
}

pub(super) fn save(directory: &Path, report: &Report) -> io::Result<()> {
    let text = serde_json::to_vec(report).map_err(io::Error::other)?;
    whole_file::replace(directory, FILE, &text)
}
