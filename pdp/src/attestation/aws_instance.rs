//! AWS instance identity documents: signed by AWS with a key of the region, as an instance's metadata
//! service gives them at `/latest/dynamic/instance-identity/rsa2048`.
//!
//! Everything is read out of the signed content. The certificates of the regions are pinned by the
//! operator, who downloads them; none come with Edgeward:
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/regions-certs.html>, "RSA-2048".
//!
//! What this is not: proof that the bearer is the instance. Whoever can read the document, which has
//! neither nonce nor audience, can show it: it counts for who shows it first (`Once`). The other two
//! forms are not taken: `pkcs7` is signed by DSA with SHA-1, `signature` by RSA of 1024 bits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use edgeward_core::json;
use edgeward_core::time::UnixSeconds;
use jiff::Timestamp;
use serde_json::{Map, Value};
use thiserror::Error;

use super::cms::{CmsRefusal, Message, SignerCertificate, bytes_of};
use super::{Attested, AttributeError, Attributes, AwsAccount, Once};

/// The most regions, and the most certificates of one.
pub const MAX_REGIONS: usize = 128;
/// AWS has one for each region, and a second while it changes.
pub const MAX_CERTIFICATES_OF_A_REGION: usize = 8;
/// How far an instance's clock, or ours, may be wrong.
const LEEWAY: u64 = 300;

/// The checked settings of one provider.
#[derive(Debug, Clone)]
pub struct AwsInstanceSettings {
    /// Who signs for which region.
    pub certificates: RegionCertificates,
    /// The accounts whose instances are known; never empty.
    pub accounts: BTreeSet<AwsAccount>,
    /// How long after its start an instance may show its document; none for as long as it runs.
    pub max_age: Option<Duration>,
}

/// The pinned certificates of each region, with no doubt whose a signature is.
#[derive(Debug, Clone)]
pub struct RegionCertificates(BTreeMap<String, Vec<SignerCertificate>>);

/// Why certificates cannot be pinned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegionCertificatesError {
    /// Not such as `eu-central-1`.
    #[error("`{0}` is no region: it must be such as `eu-central-1`")]
    Region(String),
    /// No regions, or more than [`MAX_REGIONS`].
    #[error("there must be 1 to {MAX_REGIONS} regions")]
    Regions,
    /// None, or more than [`MAX_CERTIFICATES_OF_A_REGION`].
    #[error("region `{0}` must have 1 to {MAX_CERTIFICATES_OF_A_REGION} certificates")]
    Certificates(String),
    /// Two that differ have the same issuer and serial number.
    #[error("a certificate of `{0}` and another of `{1}` differ, but have the same serial number")]
    Alike(String, String),
}

impl RegionCertificates {
    /// Pins `of`: regions, each with its certificates.
    pub fn new(
        of: BTreeMap<String, Vec<SignerCertificate>>,
    ) -> Result<Self, RegionCertificatesError> {
        Self::check_regions(&of.keys().map(String::as_str).collect())?;
        for (region, certificates) in &of {
            if certificates.is_empty() || certificates.len() > MAX_CERTIFICATES_OF_A_REGION {
                return Err(RegionCertificatesError::Certificates(region.clone()));
            }
        }
        let all = || {
            of.iter()
                .flat_map(|(region, list)| list.iter().map(move |one| (region, one)))
        };
        for (region, one) in all() {
            let alike =
                all().find(|(_, other)| one.is_named_like(other) && one.der() != other.der());
            if let Some((other, _)) = alike {
                return Err(RegionCertificatesError::Alike(
                    region.clone(),
                    other.clone(),
                ));
            }
        }
        Ok(Self(of))
    }

    /// Whether these may be the regions: 1 to [`MAX_REGIONS`], well written.
    pub fn check_regions(regions: &BTreeSet<&str>) -> Result<(), RegionCertificatesError> {
        if regions.is_empty() || regions.len() > MAX_REGIONS {
            return Err(RegionCertificatesError::Regions);
        }
        match regions.iter().find(|region| !is_region(region)) {
            Some(wrong) => Err(RegionCertificatesError::Region((*wrong).to_owned())),
            None => Ok(()),
        }
    }

    fn all(&self) -> impl Iterator<Item = &SignerCertificate> {
        self.0.values().flatten()
    }

    fn signs_for(&self, region: &str, signer: &SignerCertificate) -> bool {
        let of_region = self.0.get(region).map_or(&[][..], Vec::as_slice);
        of_region.iter().any(|pinned| pinned.der() == signer.der())
    }
}

/// Whether the text is written as AWS names regions.
pub(crate) fn is_region(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=32).contains(&text.len())
        && text.bytes().all(allowed)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
}

/// Why an instance identity document does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AwsInstanceRefusal {
    /// The signed message around it.
    #[error(transparent)]
    Message(#[from] CmsRefusal),
    /// The pinned certificate's time has not come, or is over.
    #[error("the pinned certificate of the region is not valid at this time")]
    SignerExpired,
    /// Not strict JSON, or a member is missing or of a wrong form.
    #[error("instance identity document: `{0}` is missing or not as it must be")]
    Document(&'static str),
    /// Signed by another region's key than the document says.
    #[error("document is of region `{0}`, but was not signed with a key of that region")]
    Region(String),
    /// Of an account that is not configured.
    #[error("account {0} is not configured")]
    Account(AwsAccount),
    /// The instance was started too long ago, or has not been yet.
    #[error("the instance was started too long ago, or in the future")]
    Age,
    /// Something that cannot be an attribute.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
}

impl AwsInstanceRefusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Message(refusal) => refusal.code(),
            Self::SignerExpired => "evidence-signer-expired",
            Self::Document(_) => "evidence-document-invalid",
            Self::Region(_) => "evidence-region-mismatch",
            Self::Account(_) => "evidence-account-unknown",
            Self::Age => "evidence-too-old",
            Self::Attribute(_) => "evidence-attribute-invalid",
        }
    }
}

/// Checks `evidence`: what the metadata service answered at `rsa2048`, base64 in lines.
///
/// Attributes: `account`, `region`, `instance_id`, `availability_zone`, `image_id`, `instance_type`,
/// `architecture`, `pending_time`, and `private_ip` where the instance has one of IPv4.
pub fn verify(
    evidence: &str,
    settings: &AwsInstanceSettings,
    now: UnixSeconds,
) -> Result<Attested, AwsInstanceRefusal> {
    let bytes = bytes_of(evidence)?;
    let verified = Message::read(&bytes)?.verify(settings.certificates.all())?;
    if !verified.signer.holds_at(now) {
        return Err(AwsInstanceRefusal::SignerExpired);
    }
    let document = Document(
        json::parse_object(&verified.content)
            .map_err(|_| AwsInstanceRefusal::Document("the whole"))?,
    );
    let region = document.text("region")?;
    if !settings.certificates.signs_for(region, verified.signer) {
        return Err(AwsInstanceRefusal::Region(region.to_owned()));
    }
    let account: AwsAccount = document
        .text("accountId")?
        .parse()
        .map_err(|_| AwsInstanceRefusal::Document("accountId"))?;
    if !settings.accounts.contains(&account) {
        return Err(AwsInstanceRefusal::Account(account));
    }
    let started = document.text("pendingTime")?;
    let expires_at = expiry(started, settings.max_age, now)?;
    let instance = document.text("instanceId")?;
    let attributes = document.attributes()?;
    Ok(Attested {
        once: Some(Once {
            id: format!("aws-instance:{account}:{region}:{instance}"),
            until: None,
        }),
        attributes,
        expires_at,
    })
}

/// When a document of an instance that was `started` then ends to count.
fn expiry(
    started: &str,
    max_age: Option<Duration>,
    now: UnixSeconds,
) -> Result<UnixSeconds, AwsInstanceRefusal> {
    let started: Timestamp = started
        .parse()
        .map_err(|_| AwsInstanceRefusal::Document("pendingTime"))?;
    let started = u64::try_from(started.as_second()).map_err(|_| AwsInstanceRefusal::Age)?;
    let expires_at = max_age.map_or(UnixSeconds(u64::MAX), |age| {
        UnixSeconds(started).plus(age.as_secs())
    });
    if UnixSeconds(started) > now.plus(LEEWAY) || expires_at <= now {
        return Err(AwsInstanceRefusal::Age);
    }
    Ok(expires_at)
}

/// The signed document.
struct Document(Map<String, Value>);

impl Document {
    fn text(&self, name: &'static str) -> Result<&str, AwsInstanceRefusal> {
        match self.0.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            _ => Err(AwsInstanceRefusal::Document(name)),
        }
    }

    fn attributes(&self) -> Result<Attributes, AwsInstanceRefusal> {
        let mut attributes = Attributes::default();
        for (name, member) in [
            ("account", "accountId"),
            ("region", "region"),
            ("instance_id", "instanceId"),
            ("availability_zone", "availabilityZone"),
            ("image_id", "imageId"),
            ("instance_type", "instanceType"),
            ("architecture", "architecture"),
            ("pending_time", "pendingTime"),
        ] {
            attributes.tell(name, self.text(member)?)?;
        }
        if !matches!(self.0.get("privateIp"), None | Some(Value::Null)) {
            attributes.tell("private_ip", self.text("privateIp")?)?;
        }
        Ok(attributes)
    }
}

#[cfg(test)]
#[path = "aws_instance_tests.rs"]
mod tests;
