//! An answer as JSON, within a size: a document is as long as policies and data make it.

use std::io::{self, Write};

use http::StatusCode;
use serde::Serialize;

use super::errors::Trouble;
use crate::service::reply::{self, Reply};

/// The longest answer.
pub(super) const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > MAX_ANSWER_BYTES.saturating_sub(self.0.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `value` as JSON, for people to read where it is `pretty`; nothing where it is too long.
pub(super) fn bytes<T: Serialize>(value: &T, pretty: bool) -> Result<Vec<u8>, Trouble> {
    let mut body = Bounded(Vec::new());
    let written = if pretty {
        serde_json::to_writer_pretty(&mut body, value)
    } else {
        serde_json::to_writer(&mut body, value)
    };
    written.map_err(|_| Trouble::TooLong)?;
    Ok(body.0)
}

/// As [`bytes`], as a reply.
pub(super) fn reply<T: Serialize>(
    status: StatusCode,
    value: &T,
    pretty: bool,
) -> Result<Reply, Trouble> {
    let body = bytes(value, pretty)?;
    Ok(reply::reply(status, "application/json", body))
}
