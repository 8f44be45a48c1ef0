//! The JSON Schema of the configuration, for editors and for `edgeward schema`.

use super::RawConfig;

/// The schema as indented JSON with a final line break; `pdp/config.schema.json` is this text.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(RawConfig);
    // INVARIANT: a schema is a plain JSON value, which always has a text.
    let text = serde_json::to_string_pretty(schema.as_value()).unwrap_or_default();
    text + "\n"
}
