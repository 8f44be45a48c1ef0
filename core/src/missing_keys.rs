//! Keys that tokens name and nobody has, on the wire: told by a filter to its PDP.
//!
//! `POST /edgeward/v1/keys/unknown` with `{"keys":[{"issuer":"https://…","kid":"…"},
//! {"trust_domain":"example.org","kid":"…"}]}`. The answer is 204 and changes nothing: keys that
//! the PDP gets come by the sync feed ([`crate::feed`]), as all keys do.
//!
//! What this is not: a request for a key by name. A `kid` is chosen by whoever sent the token; the
//! PDP only ever asks the owner for all its keys, and not more often than it sees fit.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::jose::MAX_KID_BYTES;
use crate::members::{MemberError, Members};
use crate::token::{KeyOwner, MissingKey};

/// The path of the door.
pub const UNKNOWN_KEYS_PATH: &str = "/edgeward/v1/keys/unknown";
/// The most keys of one report.
pub const MAX_MISSING_KEYS: usize = 8;
/// The longest report, in bytes: so many keys, each of the longest names, all escaped.
pub const MAX_REPORT_BYTES: usize = 64 * 1024;

/// Writes a report.
pub fn write(keys: &[MissingKey]) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Report { keys })
}

#[derive(Serialize)]
struct Report<'k> {
    keys: &'k [MissingKey],
}

impl Serialize for MissingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, name) = match &self.owner {
            KeyOwner::Issuer(issuer) => ("issuer", issuer.as_str()),
            KeyOwner::TrustDomain(domain) => ("trust_domain", domain.as_str()),
        };
        let mut members = serializer.serialize_struct("MissingKey", 2)?;
        members.serialize_field(kind, name)?;
        members.serialize_field("kid", &self.key_id)?;
        members.end()
    }
}

/// Reads a report, strictly: one to [`MAX_MISSING_KEYS`] keys, each with one owner and a `kid` that
/// a token may have.
pub fn read(body: &[u8]) -> Result<Vec<MissingKey>, MemberError> {
    let mut members = Members::parse(body, "report")?;
    let keys = members.objects("keys")?;
    if !(1..=MAX_MISSING_KEYS).contains(&keys.len()) {
        let problem = format!("must be a list of 1 to {MAX_MISSING_KEYS} keys");
        return Err(members.error("keys", problem));
    }
    members.finish()?;
    keys.into_iter().map(read_key).collect()
}

fn read_key(mut members: Members) -> Result<MissingKey, MemberError> {
    let owner = match (members.parsed("issuer")?, members.parsed("trust_domain")?) {
        (Some(issuer), None) => KeyOwner::Issuer(issuer),
        (None, Some(domain)) => KeyOwner::TrustDomain(domain),
        _ => return Err(members.error("issuer", "give it or `trust_domain`, one of them")),
    };
    let key_id = members.required_text("kid")?;
    if key_id.len() > MAX_KID_BYTES {
        let problem = format!("must be no longer than {MAX_KID_BYTES} bytes");
        return Err(members.error("kid", problem));
    }
    members.finish()?;
    Ok(MissingKey { owner, key_id })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner() -> impl Strategy<Value = KeyOwner> {
        prop_oneof![
            "[!-{}~]{1,2048}".prop_map(|name| KeyOwner::Issuer(name.parse().unwrap())),
            "[a-z0-9.-]{1,255}".prop_map(|name| KeyOwner::TrustDomain(name.parse().unwrap())),
        ]
    }

    fn key() -> impl Strategy<Value = MissingKey> {
        let key_id = prop_oneof!["\\PC{1,128}", "[\\x00-\\x1f\"\\\\]{1,512}"];
        (owner(), key_id).prop_map(|(owner, key_id)| MissingKey { owner, key_id })
    }

    proptest! {
        #[test]
        fn whatever_kid_a_token_has_the_report_is_read_as_written_and_within_its_bound(
            keys in proptest::collection::vec(key(), 1..=MAX_MISSING_KEYS)
        ) {
            let body = write(&keys).unwrap();
            prop_assert!(body.len() <= MAX_REPORT_BYTES, "{}", body.len());
            prop_assert_eq!(read(&body).unwrap(), keys);
        }
    }

    #[test]
    fn what_is_no_report_is_refused_by_the_name_of_its_fault() {
        let long = "k".repeat(513);
        let nine = [r#"{"issuer":"i","kid":"k"}"#; 9].join(",");
        for (body, fault) in [
            ("", "report: not acceptable JSON"),
            ("[]", "report: JSON is not an object"),
            ("{}", "keys: must be a list of 1 to 8 keys"),
            (r#"{"keys":[]}"#, "keys: must be a list of 1 to 8 keys"),
            (r#"{"keys":{}}"#, "keys: must be a list of objects"),
            (r#"{"keys":["k"]}"#, "keys[0]: must be an object"),
            (
                &format!(r#"{{"keys":[{nine}]}}"#),
                "keys: must be a list of 1 to 8 keys",
            ),
            (
                r#"{"keys":[{"issuer":"i","kid":"k"}],"keys":[]}"#,
                "report: not acceptable JSON",
            ),
            (
                r#"{"keys":[{"issuer":"i","kid":"k"}],"more":1}"#,
                "more: is not known here",
            ),
            (
                r#"{"keys":[{"issuer":"i","kid":"k","more":1}]}"#,
                "keys[0].more: is not known here",
            ),
            (
                r#"{"keys":[{"kid":"k"}]}"#,
                "keys[0].issuer: give it or `trust_domain`",
            ),
            (
                r#"{"keys":[{"issuer":"i","trust_domain":"d","kid":"k"}]}"#,
                "keys[0].issuer: give it or `trust_domain`",
            ),
            (
                r#"{"keys":[{"issuer":"i j","kid":"k"}]}"#,
                "keys[0].issuer: issuer must be",
            ),
            (
                r#"{"keys":[{"trust_domain":"D","kid":"k"}]}"#,
                "keys[0].trust_domain: ",
            ),
            (r#"{"keys":[{"issuer":"i"}]}"#, "keys[0].kid: must be given"),
            (
                r#"{"keys":[{"issuer":"i","kid":""}]}"#,
                "keys[0].kid: must be given",
            ),
            (
                r#"{"keys":[{"issuer":"i","kid":7}]}"#,
                "keys[0].kid: must be text",
            ),
            (
                &format!(r#"{{"keys":[{{"issuer":"i","kid":"{long}"}}]}}"#),
                "keys[0].kid: must be no longer than 512 bytes",
            ),
        ] {
            let error = read(body.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(fault), "{body}: {error}");
        }
    }
}
