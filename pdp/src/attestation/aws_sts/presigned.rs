//! A presigned URL, as `aws-iam-authenticator` and `aws eks get-token` make tokens: `k8s-aws-v1.` and
//! the URL in base64url. With our header in place of theirs: their tokens are of no use here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_core::time::UnixSeconds;

use super::parameters::Parameters;
use super::signing::{ALGORITHM, LONGEST, Scope, signature, signed_headers};
use super::{AwsStsRefusal, AwsStsSettings, CallerRequest, SERVER_ID_HEADER};
use crate::fetch::{Plaintext, SourceUrl};

/// What such a token begins with.
const PREFIX: &str = "k8s-aws-v1.";
/// The longest token, in bytes, as `aws-iam-authenticator` has it.
const MAX_BYTES: usize = 4096;
/// The parameters that such a URL may have.
const KNOWN: [&str; 9] = [
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// Reads `evidence` and makes its request anew.
pub(super) fn read(
    evidence: &str,
    settings: &AwsStsSettings,
    now: UnixSeconds,
) -> Result<CallerRequest, AwsStsRefusal> {
    if evidence.len() > MAX_BYTES {
        return Err(AwsStsRefusal::TooLong(MAX_BYTES));
    }
    let url = evidence
        .strip_prefix(PREFIX)
        .ok_or(AwsStsRefusal::Unreadable)?;
    let url = URL_SAFE_NO_PAD
        .decode(url)
        .map_err(|_| AwsStsRefusal::Unreadable)?;
    let url = String::from_utf8(url).map_err(|_| AwsStsRefusal::Unreadable)?;
    let (target, query) = url.split_once('?').ok_or(AwsStsRefusal::Url)?;
    if query.contains(['#', '?']) {
        return Err(AwsStsRefusal::Url);
    }
    let parameters = Parameters::read(query, &KNOWN)?;
    let told = |name: &'static str| parameters.get(name).ok_or(AwsStsRefusal::Signing(name));
    if (parameters.get("Action"), parameters.get("Version"))
        != (Some("GetCallerIdentity"), Some("2011-06-15"))
    {
        return Err(AwsStsRefusal::Action);
    }
    if told("X-Amz-Algorithm")? != ALGORITHM {
        return Err(AwsStsRefusal::Signing("X-Amz-Algorithm"));
    }
    let signed = signed_headers(told("X-Amz-SignedHeaders")?)?;
    if let Some(other) = signed
        .iter()
        .find(|name| !matches!(**name, "host" | SERVER_ID_HEADER))
    {
        return Err(AwsStsRefusal::Header((*other).to_owned()));
    }
    let scope = Scope::read(told("X-Amz-Credential")?, told("X-Amz-Date")?)?;
    let place = settings.endpoints.find(scope.region, target)?;
    let lifetime = seconds(told("X-Amz-Expires")?)?;
    let expires_at = scope.expiry(lifetime, now)?;
    let signature = signature(told("X-Amz-Signature")?)?;
    let plaintext = if place.is_https() {
        Plaintext::Refused
    } else {
        Plaintext::Loopback
    };
    let whole = format!("{place}?{}", parameters.canonical());
    Ok(CallerRequest {
        url: SourceUrl::parse(&whole, plaintext).map_err(|_| AwsStsRefusal::Url)?,
        headers: vec![(SERVER_ID_HEADER, settings.server_id.clone())],
        body: None,
        signature,
        expires_at,
    })
}

/// 0 to 900, in digits.
fn seconds(text: &str) -> Result<u64, AwsStsRefusal> {
    let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| is_number && *seconds <= LONGEST);
    seconds.ok_or(AwsStsRefusal::Expires)
}
