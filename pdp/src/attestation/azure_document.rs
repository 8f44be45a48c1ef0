//! Azure attested documents: signed by Azure for one virtual machine, as its metadata service gives
//! them at `/metadata/attested/document?nonce=`.
//!
//! The signer's own certificate (not the first that comes along) must be for one of the cloud's
//! metadata services, and a pinned authority must vouch for it. Intermediates come from the
//! configuration or with the message; none are fetched.
//!
//! What this is not: proof of who runs on the machine. Every process on it can ask for a document; the
//! nonce ([`nonce`]) says for whom it was asked.

use std::collections::BTreeSet;
use std::time::Duration;

use edgeward_core::json;
use edgeward_core::revocation::hex;
use edgeward_core::time::UnixSeconds;
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::cms::{Authorities, ChainRefusal, CmsRefusal, Message, SignerCertificate, bytes_of};
use super::{Attested, AttributeError, Attributes, Once};

/// The names of metadata services: all clouds, US Government, China.
pub const METADATA_NAMES: [&str; 3] = [
    "metadata.azure.com",
    "metadata.azure.us",
    "metadata.azure.cn",
];
/// The longest that a document may be honoured: Azure's own are good for so long.
pub const LONGEST_AGE: Duration = Duration::from_hours(6);
/// How long one nonce is good; the one before and the next are taken too.
const NONCE_SECONDS: u64 = 300;
/// How far Azure's clock, or ours, may be wrong.
const LEEWAY: u64 = 300;

/// The checked settings of one provider.
#[derive(Debug, Clone)]
pub struct AzureDocumentSettings {
    /// Who vouches for the signer.
    pub authorities: Authorities,
    /// Names that the signer's certificate is for, or below which it is; never empty.
    pub names: Vec<String>,
    /// The subscriptions whose machines are known, in lower case; never empty.
    pub subscriptions: BTreeSet<String>,
    /// For whom a document must have been asked for, by its nonce.
    pub audience: String,
    /// How long after it was made a document is taken; at most [`LONGEST_AGE`].
    pub max_age: Duration,
}

/// Why an attested document does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AzureDocumentRefusal {
    /// The signed message around it.
    #[error(transparent)]
    Message(#[from] CmsRefusal),
    /// Nobody vouches for the signer.
    #[error(transparent)]
    Chain(#[from] ChainRefusal),
    /// The signer's certificate is for something else.
    #[error("the signer's certificate is not for a metadata service of this cloud")]
    SignerName,
    /// Not strict JSON, or a member is missing or of a wrong form.
    #[error("attested document: `{0}` is missing or not as it must be")]
    Document(&'static str),
    /// Of a subscription that is not configured.
    #[error("subscription `{0}` is not configured")]
    Subscription(String),
    /// Asked for another, or too long ago.
    #[error("`nonce` is not the one for this audience and time")]
    Nonce,
    /// Made too long ago, or in the future.
    #[error("document was made too long ago, or in the future")]
    Age,
    /// Something that cannot be an attribute.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
}

impl AzureDocumentRefusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Message(refusal) => refusal.code(),
            Self::Chain(refusal) => refusal.code(),
            Self::SignerName => "evidence-signer-name-mismatch",
            Self::Document(_) => "evidence-document-invalid",
            Self::Subscription(_) => "evidence-account-unknown",
            Self::Nonce => "evidence-nonce-mismatch",
            Self::Age => "evidence-too-old",
            Self::Attribute(_) => "evidence-attribute-invalid",
        }
    }
}

/// The nonce with which a document is to be asked for at `now`: ten digits, which is all that Azure
/// signs. Whoever asks works it out: it says for whom, not that anybody was asked.
///
/// The SHA-256 of `edgeward-azure-nonce`, a line break, `audience`, a line break and the number of
/// whole five minutes since 1970; its first eight bytes as a number, of which the last ten digits.
pub fn nonce(audience: &str, now: UnixSeconds) -> String {
    nonce_of(audience, now.0 / NONCE_SECONDS)
}

fn nonce_of(audience: &str, window: u64) -> String {
    let digest = Sha256::digest(format!("edgeward-azure-nonce\n{audience}\n{window}"));
    let first = digest.iter().take(8);
    let number = first.fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{:010}", number % 10_000_000_000)
}

/// Checks `evidence`: the metadata service's whole answer, or its `signature` alone.
///
/// Attributes: `subscription_id` and `vm_id` in lower case; `sku`, `license_type`, `plan_publisher`,
/// `plan_product` and `plan_name` where the machine has them.
pub fn verify(
    evidence: &str,
    settings: &AzureDocumentSettings,
    now: UnixSeconds,
) -> Result<Attested, AzureDocumentRefusal> {
    let bytes = bytes_of(&signature_of(evidence)?)?;
    let message = Message::read(&bytes)?;
    let brought = message.certificates().to_vec();
    // What is of no kind that signs here may still be on the way to an authority.
    let candidates: Vec<SignerCertificate> = brought
        .iter()
        .filter_map(|der| SignerCertificate::from_der(der).ok())
        .collect();
    let verified = message.verify(&candidates)?;
    settings.authorities.check(verified.signer, &brought, now)?;
    if !verified
        .signer
        .dns_names()
        .iter()
        .any(|name| is_at_or_below(name, &settings.names))
    {
        return Err(AzureDocumentRefusal::SignerName);
    }
    let document = Document(
        json::parse_object(&verified.content)
            .map_err(|_| AzureDocumentRefusal::Document("the whole"))?,
    );
    document.check_nonce(&settings.audience, now)?;
    let expires_at = document.expiry(settings.max_age, now)?;
    let subscription = document.text("subscriptionId")?.to_ascii_lowercase();
    if !settings.subscriptions.contains(&subscription) {
        return Err(AzureDocumentRefusal::Subscription(subscription));
    }
    Ok(Attested {
        attributes: document.attributes(subscription)?,
        expires_at,
        once: Some(Once {
            id: format!("azure-document:{}", hex(&Sha256::digest(&verified.content))),
            until: Some(expires_at),
        }),
    })
}

/// The signed message, also where the answer around it is shown.
fn signature_of(evidence: &str) -> Result<String, AzureDocumentRefusal> {
    if !evidence.starts_with('{') {
        return Ok(evidence.to_owned());
    }
    let answer = json::parse_object(evidence.as_bytes())
        .map_err(|_| AzureDocumentRefusal::Document("signature"))?;
    let answer = Document(answer);
    if answer.text("encoding")? != "pkcs7" {
        return Err(AzureDocumentRefusal::Document("encoding"));
    }
    Ok(answer.text("signature")?.to_owned())
}

/// Whether `name` is one of `names` or lies below it. A wildcard is no name of a service.
fn is_at_or_below(name: &str, names: &[String]) -> bool {
    let name = name.to_ascii_lowercase();
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(allowed)
    };
    name.split('.').all(is_label)
        && names.iter().any(|suffix| {
            let below = name.strip_suffix(suffix.as_str());
            below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
        })
}

/// The signed document.
struct Document(Map<String, Value>);

impl Document {
    fn text(&self, name: &'static str) -> Result<&str, AzureDocumentRefusal> {
        text_of(&self.0, name).ok_or(AzureDocumentRefusal::Document(name))
    }

    fn check_nonce(&self, audience: &str, now: UnixSeconds) -> Result<(), AzureDocumentRefusal> {
        let told = self.text("nonce")?;
        let window = now.0 / NONCE_SECONDS;
        let around = window.saturating_sub(1)..=window.saturating_add(1);
        if around
            .into_iter()
            .any(|window| nonce_of(audience, window) == told)
        {
            return Ok(());
        }
        Err(AzureDocumentRefusal::Nonce)
    }

    /// When it ends to count: by its own word, and by ours.
    fn expiry(
        &self,
        max_age: Duration,
        now: UnixSeconds,
    ) -> Result<UnixSeconds, AzureDocumentRefusal> {
        let created = self.time("createdOn")?;
        let expires_at = self.time("expiresOn")?.min(created.plus(max_age.as_secs()));
        if created > now.plus(LEEWAY) || expires_at <= now {
            return Err(AzureDocumentRefusal::Age);
        }
        Ok(expires_at)
    }

    /// A time such as `04/19/22 01:27:21 -0000`.
    fn time(&self, name: &'static str) -> Result<UnixSeconds, AzureDocumentRefusal> {
        let text = match self.0.get("timeStamp") {
            Some(Value::Object(times)) => text_of(times, name),
            _ => None,
        };
        let time = text.and_then(|text| Timestamp::strptime("%m/%d/%y %H:%M:%S %z", text).ok());
        time.and_then(|time| u64::try_from(time.as_second()).ok())
            .map(UnixSeconds)
            .ok_or(AzureDocumentRefusal::Document(name))
    }

    fn attributes(&self, subscription: String) -> Result<Attributes, AzureDocumentRefusal> {
        let mut attributes = Attributes::default();
        attributes.tell("subscription_id", subscription)?;
        attributes.tell("vm_id", self.text("vmId")?.to_ascii_lowercase())?;
        let plan = match self.0.get("plan") {
            Some(Value::Object(plan)) => plan,
            None | Some(Value::Null) => &Map::new(),
            Some(_) => return Err(AzureDocumentRefusal::Document("plan")),
        };
        for (name, members, member) in [
            ("sku", &self.0, "sku"),
            ("license_type", &self.0, "licenseType"),
            ("plan_publisher", plan, "publisher"),
            ("plan_product", plan, "product"),
            ("plan_name", plan, "name"),
        ] {
            match members.get(member) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.is_empty() => {}
                Some(Value::String(text)) => attributes.tell(name, text.as_str())?,
                Some(_) => return Err(AzureDocumentRefusal::Document(member)),
            }
        }
        Ok(attributes)
    }
}

/// A text that is there and not empty.
fn text_of<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    let text = members.get(name)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
#[path = "azure_document_tests.rs"]
mod tests;
