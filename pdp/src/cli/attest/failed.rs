//! How it is told that there is no token: what was tried, what each said, what to do.

use std::io::Write as _;

use serde_json::{Value, json};

use super::is_refusal;
use crate::attest::attestor::AttestError;
use crate::attest::exchange::ExchangeError;
use crate::cli::output::OutputFormat;
use crate::cli::{Failure, Verdict};

/// Tells it, for people or programs. A refusal of the token service is a no, anything else a failure.
pub(super) fn tell(error: &AttestError, format: OutputFormat) -> Result<Verdict, Failure> {
    if format == OutputFormat::Json {
        writeln!(std::io::stdout().lock(), "{}", as_json(error))?;
    }
    let message = format!("{error}{}", help(error));
    if is_refusal(error) {
        if format == OutputFormat::Text {
            eprintln!("error: {message}");
        }
        return Ok(Verdict::No);
    }
    Err(match format {
        OutputFormat::Text => Failure::new(message),
        OutputFormat::Json => Failure::said_already(),
    })
}

fn help(error: &AttestError) -> String {
    match error {
        AttestError::NoPlatform(_) => {
            "\nwhat to do: see the line of the platform that this runs on, or name evidence by \
             --evidence-file or --evidence-env"
                .to_owned()
        }
        AttestError::Probe { .. } => {
            "\nno other platform was tried: name another by --platform".to_owned()
        }
        AttestError::Exchange { error, .. } => match error {
            ExchangeError::Refused { code, .. } => {
                format!("\nwhat `{code}` means and what to do: docs/reason-codes.md")
            }
            _ => String::new(),
        },
    }
}

fn as_json(error: &AttestError) -> Value {
    match error {
        AttestError::NoPlatform(probed) => {
            let probed = probed
                .iter()
                .map(|(platform, said)| json!({ "platform": platform.as_str(), "said": said }));
            let probed: Vec<Value> = probed.collect();
            json!({ "result": "failed", "detail": "no platform was found", "probed": probed })
        }
        AttestError::Probe { platform, error } => json!({
            "result": "failed", "platform": platform.as_str(), "detail": error.to_string(),
        }),
        AttestError::Exchange { platform, error } => {
            let platform = platform.as_str();
            match error {
                ExchangeError::Refused {
                    code,
                    description,
                    error,
                    status,
                } => json!({
                    "result": "refused", "platform": platform, "reason": code, "error": error,
                    "detail": description, "status": status,
                }),
                error => json!({
                    "result": "failed", "platform": platform, "detail": error.to_string(),
                }),
            }
        }
    }
}
