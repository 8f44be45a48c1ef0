//! Authorization servers that are asked about opaque tokens: where, who we are to them, whose word counts.

use std::time::Duration;

use edgeward_core::jose::Algorithm;
use edgeward_core::token::Issuer;

use super::sources::{fetch_settings, file_path, source_url};
use super::{Context, exactly_one, scalar};
use crate::attestation::introspection::{Authentication, Client, IntrospectionSettings};
use crate::config::problem::{Field, Findings};
use crate::config::raw_evidence::{RawClient, RawIntrospection};
use crate::fetch::{FetchSettings, SourceUrl};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

pub(super) fn introspection(
    raw: RawIntrospection,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<IntrospectionSettings> {
    let field = field.key("introspection");
    let endpoint = source_url(&raw.endpoint, &field.key("endpoint"), context, findings);
    let issuer: Option<Option<Issuer>> = raw
        .issuer
        .map(|text| findings.accept(&field.key("issuer"), text.parse()));
    let audiences = raw.audiences.unwrap_or_default();
    if audiences.is_empty() || audiences.iter().any(String::is_empty) {
        let message =
            "must name what this PDP is called in tokens, such as `https://edgeward.example`";
        findings.refuse(&field.key("audiences"), message);
    }
    let fetch = fetch_settings(
        raw.fetch,
        true,
        &FetchSettings::default(),
        &field,
        context,
        findings,
    );
    let called = issuer.as_ref().and_then(Option::as_ref).map(Issuer::as_str);
    let called = called.or(endpoint.as_ref().map(SourceUrl::as_str));
    let client = client(raw.client, called, &field.key("client"), context, findings);
    let mut duration = |name: &str, text, default, range| {
        scalar::duration_or(text, default, range, &field.key(name), findings)
    };
    let leeway = duration(
        "leeway",
        raw.leeway.as_ref(),
        MINUTE,
        Duration::ZERO..=5 * MINUTE,
    );
    let max_lifetime = duration(
        "max_lifetime",
        raw.max_lifetime.as_ref(),
        DAY,
        MINUTE..=30 * DAY,
    );
    let recheck_after = duration(
        "recheck_after",
        raw.recheck_after.as_ref(),
        Duration::from_secs(10),
        Duration::ZERO..=60 * MINUTE,
    );
    Some(IntrospectionSettings {
        endpoint: endpoint?,
        issuer: match issuer {
            Some(issuer) => Some(issuer?),
            None => None,
        },
        audiences,
        client: client?,
        claims: raw.claims,
        leeway,
        max_lifetime,
        recheck_after,
        fetch,
    })
}

fn client(
    raw: RawClient,
    server: Option<&str>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<Client> {
    if raw.id.is_empty() {
        findings.refuse(&field.key("id"), "must not be empty: the server gave one");
    }
    let has_key = raw.key_file.is_some();
    let (basic, post, key) = (raw.secret_file, raw.posted_secret_file, raw.key_file);
    let choices = vec![
        ("secret_file", basic.map(|file| ("secret_file", file))),
        (
            "posted_secret_file",
            post.map(|file| ("posted_secret_file", file)),
        ),
        ("key_file", key.map(|file| ("key_file", file))),
    ];
    for (name, is_there) in [
        ("algorithm", raw.algorithm.is_some()),
        ("audience", raw.audience.is_some()),
    ] {
        if is_there && !has_key {
            findings.refuse(&field.key(name), "is only for `key_file`: remove it");
        }
    }
    let algorithm: Option<Algorithm> = raw
        .algorithm
        .and_then(|name| findings.accept(&field.key("algorithm"), name.0.parse()));
    let (name, file) = exactly_one(choices, field, findings)?;
    let file = file_path(&file, &field.key(name), context, findings)?;
    let authentication = match name {
        "secret_file" => Authentication::Basic(file),
        "posted_secret_file" => Authentication::Post(file),
        _ => Authentication::PrivateKey {
            file,
            algorithm,
            audience: raw.audience.or(server.map(str::to_owned))?,
        },
    };
    Some(Client {
        id: raw.id,
        authentication,
    })
}
