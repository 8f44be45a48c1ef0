//! AWS callers: a signed `GetCallerIdentity` of the Security Token Service (STS), made by the workload
//! and sent by us. STS alone can say whose signature it is.
//!
//! Two forms: a presigned URL as `aws-iam-authenticator` makes it (`presigned`), and the posted request
//! of Vault's `aws` method (`posted`). Either must have signed our own name in [`SERVER_ID_HEADER`]:
//! what was signed for another party is of no use here.
//!
//! The request is made anew and never relayed: host, path, method, body and names of headers are ours
//! (`endpoint`, `signing`), and of what the workload sent only values with one reading are put in.
//! Order of reading: `presigned` and `posted`, `parameters`, `signing`, `endpoint`, `call`, `answer`,
//! `principal`.

mod answer;
mod call;
mod endpoint;
mod parameters;
mod posted;
mod presigned;
mod principal;
mod refusal;
mod signing;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use edgeward_core::revocation::hex;
use edgeward_core::time::UnixSeconds;
use sha2::{Digest as _, Sha256};

pub use self::endpoint::{StsEndpoints, StsEndpointsError};
use self::principal::Principal;
pub use self::refusal::AwsStsRefusal;
use super::{Attested, AwsAccount, Once};
use crate::fetch::FetchSettings;

/// The header, in lower case, by which a request says for whom it was signed.
pub const SERVER_ID_HEADER: &str = "x-edgeward-server-id";
/// The longest answer of STS, in bytes.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// The checked settings of one provider.
#[derive(Debug, Clone)]
pub struct AwsStsSettings {
    /// What a request must have signed in [`SERVER_ID_HEADER`]: 1 to 256 visible ASCII characters.
    pub server_id: String,
    /// The accounts whose callers are known; never empty.
    pub accounts: BTreeSet<AwsAccount>,
    /// Which services may be asked.
    pub endpoints: StsEndpoints,
    /// How they are asked; of `max_bytes` no more than [`MAX_ANSWER_BYTES`] count.
    pub fetch: FetchSettings,
}

/// A request that was made anew: all of it is ours, or was checked.
#[derive(Debug)]
struct CallerRequest {
    /// Where it goes, with the query.
    url: crate::fetch::SourceUrl,
    /// Its headers, but for `Host`.
    headers: Vec<(&'static str, String)>,
    /// What is posted; none for a GET.
    body: Option<&'static str>,
    /// The signature, 64 hexadecimal digits in lower case.
    signature: String,
    /// When the signature ends to be honoured.
    expires_at: UnixSeconds,
}

/// Checks `evidence`, and asks STS whose it is.
///
/// Attributes: `account`, `arn` (of a role or user, always with its account), `user_id` (never given
/// again, even to a role of the same name), `caller_arn` (as STS says it); of an assumed role also
/// `role` (the same as `arn`) and `session`, which whoever assumed the role chose.
pub async fn verify(
    evidence: &str,
    settings: &AwsStsSettings,
    now: UnixSeconds,
) -> Result<Attested, AwsStsRefusal> {
    let request = if evidence.starts_with('{') {
        posted::read(evidence, settings, now)?
    } else {
        presigned::read(evidence, settings, now)?
    };
    let answer = call::send(&request, &settings.fetch).await?;
    let caller = answer::read(&answer)?;
    let principal = Principal::of(&caller)?;
    if !settings.accounts.contains(principal.account()) {
        return Err(AwsStsRefusal::Account(principal.account().clone()));
    }
    let id = hex(&Sha256::digest(request.signature));
    Ok(Attested {
        attributes: principal.attributes()?,
        expires_at: request.expires_at,
        once: Some(Once {
            id: format!("aws-sts:{id}"),
            until: Some(request.expires_at),
        }),
    })
}
