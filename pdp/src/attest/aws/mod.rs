//! AWS: a signed `GetCallerIdentity`, made of the credentials that this workload has; or the identity
//! document of an instance that has none.
//!
//! Credentials, in this order: `AWS_ACCESS_KEY_ID` and its like; the container endpoint (ECS, EKS pod
//! identity); the instance's role. The secret key leaves this process in a signature only.
//!
//! Sources: docs.aws.amazon.com "AWS SDKs and Tools Reference Guide" (variables, container and IMDS
//! credential providers, service-specific endpoints), "Use the Instance Metadata Service".

mod imds;
mod keys;
mod presigned;

use self::imds::{Imds, Role};
use self::keys::Keys;
use super::evidence::{Evidence, EvidenceType};
use super::probe::{ProbeError, Probed, Surroundings};
use super::variables::Variables;
use crate::attestation::evidence::EvidenceKind;
use crate::fetch::{Plaintext, SourceUrl};

/// Signs a request for the token service.
pub(super) async fn probe_caller(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let variables = &surroundings.variables;
    let (keys, instance) = match credentials(variables).await? {
        Ok(found) => found,
        Err(absent) => return Ok(Probed::absent(absent)),
    };
    let region = region(variables, instance.as_ref()).await?;
    let place = endpoint(variables, &region)?;
    let (audience, now) = (&surroundings.audience, Surroundings::now());
    let signed = presigned::token(&keys, &region, &place, audience, now);
    let signed = signed.ok_or_else(|| ProbeError::Missing("the clock says no time".to_owned()))?;
    let kind = EvidenceType::Other(EvidenceKind::AwsSts);
    Ok(Probed::Found(Evidence::of_text(
        &signed,
        kind,
        "the signed request",
    )?))
}

/// The credentials, with the instance where they are its role's; where there are none, the reason.
async fn credentials(
    variables: &Variables,
) -> Result<Result<(Keys, Option<Imds>), String>, ProbeError> {
    if let Some(keys) = Keys::of_variables(variables)? {
        return Ok(Ok((keys, None)));
    }
    if let Some(keys) = Keys::of_container(variables).await? {
        return Ok(Ok((keys, None)));
    }
    let imds = match Imds::open(variables).await? {
        Ok(imds) => imds,
        Err(absent) => {
            let absent = format!("no credentials in the environment, and {absent}");
            return Ok(Err(absent));
        }
    };
    Ok(match imds.role().await? {
        Role::Keys(keys) => Ok((keys, Some(imds))),
        Role::None => Err("this instance has no role: give it one".to_owned()),
    })
}

/// Fetches the instance identity document.
pub(super) async fn probe_instance(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let imds = match Imds::open(&surroundings.variables).await? {
        Ok(imds) => imds,
        Err(absent) => return Ok(Probed::absent(absent)),
    };
    let document = imds.document().await?;
    let kind = EvidenceType::Other(EvidenceKind::AwsInstance);
    Ok(Probed::Found(Evidence::of_text(
        &document,
        kind,
        "the instance's document",
    )?))
}

async fn region(variables: &Variables, instance: Option<&Imds>) -> Result<String, ProbeError> {
    let named = variables
        .get("AWS_REGION")
        .or_else(|| variables.get("AWS_DEFAULT_REGION"));
    let region = match (named, instance) {
        (Some(region), _) => region.to_owned(),
        (None, Some(imds)) => imds.region().await?,
        (None, None) => {
            return Err(ProbeError::Missing(
                "there are AWS credentials, but no region: set AWS_REGION to one of the provider's \
                 `regions`"
                    .to_owned(),
            ));
        }
    };
    if crate::attestation::aws_instance::is_region(&region) {
        return Ok(region);
    }
    Err(ProbeError::Variable {
        name: "AWS_REGION",
        reason: "is no region: it must be such as `eu-central-1`".to_owned(),
    })
}

/// For which STS a request is signed; it is the token service that sends it there.
fn endpoint(variables: &Variables, region: &str) -> Result<SourceUrl, ProbeError> {
    let named = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"];
    let mut named = named
        .into_iter()
        .filter_map(|name| Some((name, variables.get(name)?)));
    let (name, text) = if let Some((name, url)) = named.next() {
        (name, url.to_owned())
    } else {
        let is_fips = variables.says_true("AWS_USE_FIPS_ENDPOINT");
        let service = if is_fips { "sts-fips" } else { "sts" };
        let end = if region.starts_with("cn-") { ".cn" } else { "" };
        let url = format!("https://{service}.{region}.amazonaws.com{end}/");
        ("AWS_REGION", url)
    };
    SourceUrl::parse(&text, Plaintext::Loopback).map_err(|error| ProbeError::Variable {
        name,
        reason: error.to_string(),
    })
}
