//! What a signature of version 4 says of itself: whose key, which day, region and service, when, and
//! over which headers.

use edgeward_core::time::UnixSeconds;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{AwsStsRefusal, SERVER_ID_HEADER};

/// The one algorithm.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How long a signed request is honoured at the most, in seconds: STS takes them no longer.
pub(super) const LONGEST: u64 = 900;
/// How far the workload's clock, or ours, may be wrong.
const LEEWAY: u64 = 300;

/// Where and when a request was signed for.
#[derive(Debug)]
pub(super) struct Scope<'s> {
    /// Such as `eu-central-1`.
    pub(super) region: &'s str,
    /// When.
    pub(super) signed_at: UnixSeconds,
}

impl<'s> Scope<'s> {
    /// Reads `KEY/DAY/REGION/sts/aws4_request` and the time of the request, which must agree.
    pub(super) fn read(credential: &'s str, date: &str) -> Result<Self, AwsStsRefusal> {
        let wrong = AwsStsRefusal::Signing("Credential");
        let parts: Vec<&str> = credential.split('/').collect();
        let [key, day, region, "sts", "aws4_request"] = parts.as_slice() else {
            return Err(wrong);
        };
        let is_key =
            (16..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_key || !date.starts_with(day) || day.len() != 8 {
            return Err(wrong);
        }
        let is_written_so = date.len() == 16 && date.is_ascii();
        let time = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok();
        let time = time.filter(|_| is_written_so);
        let time = time.and_then(|time| time.to_zoned(TimeZone::UTC).ok());
        let time = time.and_then(|time| u64::try_from(time.timestamp().as_second()).ok());
        Ok(Self {
            region,
            signed_at: UnixSeconds(time.ok_or(AwsStsRefusal::Signing("X-Amz-Date"))?),
        })
    }

    /// When it ends to be honoured, `lifetime` seconds after it was signed; it must be honoured now.
    pub(super) fn expiry(
        &self,
        lifetime: u64,
        now: UnixSeconds,
    ) -> Result<UnixSeconds, AwsStsRefusal> {
        let expires_at = self.signed_at.plus(lifetime.min(LONGEST));
        if self.signed_at > now.plus(LEEWAY) || expires_at <= now {
            return Err(AwsStsRefusal::Time);
        }
        Ok(expires_at)
    }
}

/// The names of signed headers, in lower case and in order, ours among them.
pub(super) fn signed_headers(text: &str) -> Result<Vec<&str>, AwsStsRefusal> {
    let names: Vec<&str> = text.split(';').collect();
    let is_name = |name: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !name.is_empty() && name.bytes().all(allowed)
    };
    // In order, so that none is there twice: as AWS wants them.
    if !names.iter().all(|name| is_name(name)) || !names.is_sorted_by(|one, next| one < next) {
        return Err(AwsStsRefusal::Signing("SignedHeaders"));
    }
    if !names.contains(&"host") {
        return Err(AwsStsRefusal::Signing("SignedHeaders"));
    }
    if !names.contains(&SERVER_ID_HEADER) {
        return Err(AwsStsRefusal::ServerIdUnsigned);
    }
    Ok(names)
}

/// A signature: one spelling only, as it is remembered.
pub(super) fn signature(text: &str) -> Result<String, AwsStsRefusal> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 64 || !text.bytes().all(is_digit) {
        return Err(AwsStsRefusal::Signing("Signature"));
    }
    Ok(text.to_owned())
}
