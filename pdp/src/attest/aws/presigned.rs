//! A presigned `GetCallerIdentity`, as `aws-iam-authenticator` makes one, with the token service's name
//! signed in a header: the server's rules are in `crate::attestation::aws_sts`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_core::time::UnixSeconds;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::keys::Keys;
use crate::attestation::aws_sts::SERVER_ID_HEADER;
use crate::crypto::AwsScope;
use crate::fetch::SourceUrl;

/// The SHA-256 of no body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// How long the request is good, in seconds: STS takes none for longer, and the token that is made of it
/// lives no longer.
const LIFETIME: u64 = 900;
/// What AWS leaves as it is in a query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The request as a token; none where `now` is no time.
pub(super) fn token(
    keys: &Keys,
    region: &str,
    place: &SourceUrl,
    server_id: &str,
    now: UnixSeconds,
) -> Option<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(now.0).ok()?).ok()?;
    let time = time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let (day, _) = time.split_once('T')?;
    let scope = AwsScope {
        access: &keys.id,
        secret: &keys.secret,
        session: &keys.session,
        region,
        service: "sts",
    };
    let signed = BTreeMap::from([("host", place.authority()), (SERVER_ID_HEADER, server_id)]);
    let mut parameters = vec![
        ("Action", "GetCallerIdentity".to_owned()),
        ("Version", "2011-06-15".to_owned()),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        (
            "X-Amz-Credential",
            format!("{}/{day}/{region}/sts/aws4_request", keys.id),
        ),
        ("X-Amz-Date", time.clone()),
        ("X-Amz-Expires", LIFETIME.to_string()),
    ];
    if !keys.session.is_empty() {
        parameters.push(("X-Amz-Security-Token", keys.session.clone()));
    }
    parameters.push(("X-Amz-SignedHeaders", format!("host;{SERVER_ID_HEADER}")));
    // They stand in the order of their names, as AWS signs them.
    let query: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED)))
        .collect();
    let query = query.join("&");
    let start = format!("GET\n/\n{query}").into_bytes();
    let signature = scope.signature(&time, start, &signed, EMPTY);
    let url = format!("{place}?{query}&X-Amz-Signature={signature}");
    Some(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url)))
}
