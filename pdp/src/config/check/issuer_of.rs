//! Whose tokens a platform's are: its one issuer, or the one that is written; and where such an issuer has its keys.

use crate::attestation::jwt::Platform;
use crate::config::problem::{Field, Findings};
use crate::config::raw_trust::RawIssuerKeys;

pub(super) fn issuer_of(
    platform: Platform,
    issuer: Option<String>,
    tenant: Option<String>,
    field: &Field,
    findings: &mut Findings,
) -> Option<String> {
    if tenant.is_some() && platform != Platform::Azure {
        findings.refuse(&field.key("tenant"), "is only for `azure`: remove it");
    }
    let default = match platform {
        Platform::Github => "https://token.actions.githubusercontent.com",
        Platform::Gitlab => "https://gitlab.com",
        Platform::Gcp => "https://accounts.google.com",
        Platform::Terraform => "https://app.terraform.io",
        Platform::Azure => return azure_issuer(issuer, tenant, field, findings),
        Platform::AwsOidc
        | Platform::Bitbucket
        | Platform::CircleCi
        | Platform::Kubernetes
        | Platform::Oidc
        | Platform::Spiffe => "",
    };
    let issuer = issuer.unwrap_or_else(|| default.to_owned());
    if issuer.is_empty() {
        let message = "is missing: write the `iss` of its tokens, to the last slash";
        findings.refuse(&field.key("issuer"), message);
        return None;
    }
    Some(issuer)
}

/// Tokens of a managed identity have the older of Azure's two issuers; either names its tenant.
fn azure_issuer(
    issuer: Option<String>,
    tenant: Option<String>,
    field: &Field,
    findings: &mut Findings,
) -> Option<String> {
    let Some(tenant) = tenant else {
        let message = "is missing: write the id of the tenant, a UUID";
        findings.refuse(&field.key("tenant"), message);
        return None;
    };
    let is_uuid = tenant.len() == 36
        && tenant
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    if !is_uuid {
        let message =
            format!("`{tenant}` is no UUID in lower case: a tenant's name can change hands");
        findings.refuse(&field.key("tenant"), message);
        return None;
    }
    let issuer = issuer.unwrap_or_else(|| format!("https://sts.windows.net/{tenant}/"));
    if !issuer.split('/').any(|part| part == tenant) {
        let message =
            format!("does not name the tenant `{tenant}`: tokens of others would be taken");
        findings.refuse(&field.key("issuer"), message);
        return None;
    }
    Some(issuer)
}

/// Discovery, and where the platform keeps its keys on another host than the issuer's.
pub(super) fn default_keys(platform: Platform) -> RawIssuerKeys {
    let hosts: &[&str] = match platform {
        Platform::Gcp => &["www.googleapis.com"],
        Platform::Azure => &["login.microsoftonline.com", "login.windows.net"],
        _ => &[],
    };
    let hosts = hosts
        .iter()
        .map(|host| (*host).to_owned())
        .collect::<Vec<_>>();
    RawIssuerKeys {
        discovery: Some(true),
        jwks_hosts: (!hosts.is_empty()).then_some(hosts),
        ..RawIssuerKeys::default()
    }
}
