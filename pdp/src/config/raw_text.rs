//! Texts of the file that have a form, which the published schema tells to editors.
//!
//! What this is not: their parsers; see `super::check`, whose messages say what to write instead.

use edgeward_core::jose::Algorithm;
use schemars::JsonSchema;
use serde::Deserialize;

/// A number with a unit, such as `100ms`, `60s`, `5m` or `24h`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "Duration")]
pub struct DurationText(
    #[schemars(regex(pattern = r"^[0-9]+(ms|s|m|h|d)( ?[0-9]+(ms|s|m|h|d))*$"))] pub String,
);

/// A number of bytes, or text with a unit, such as `512KiB` or `1MiB`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "Size", extend("type" = ["integer", "string"]))]
pub struct SizeText(#[schemars(regex(pattern = "^[0-9]+(B|KiB|MiB)?$"))] pub String);

/// Permissions in octal, in quotes, such as `"0660"`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "Mode")]
pub struct ModeText(#[schemars(regex(pattern = "^0?[0-7]{3}$"))] pub String);

/// A signature algorithm by its JOSE name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "Algorithm", extend("enum" = Algorithm::ALL))]
pub struct AlgorithmName(pub String);

/// A signature algorithm that JWT-SVIDs may have, by its JOSE name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "SvidAlgorithm", extend("enum" = Algorithm::JWT_SVID))]
pub struct SvidAlgorithmName(pub String);
