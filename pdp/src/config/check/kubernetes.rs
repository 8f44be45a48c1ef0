//! The API server that is asked about tokens: which one, who we are to it, what it is asked.

use std::path::PathBuf;
use std::time::Duration;

use super::sources::{allowed_plaintext, fetch_settings};
use super::{Context, scalar};
use crate::attestation::kubernetes::ReviewSettings;
use crate::config::problem::{Field, Findings};
use crate::config::raw_attestation::RawReview;
use crate::fetch::{FetchSettings, SourceUrl};

/// As a pod sees the API server of its own cluster (kubernetes.io, "Accessing the Kubernetes API from a Pod").
const SERVER: &str = "https://kubernetes.default.svc";
const POD: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const RECHECK: Duration = Duration::from_secs(30);
const LONGEST_RECHECK: Duration = Duration::from_hours(1);

pub(super) fn review(
    raw: RawReview,
    audiences: Vec<String>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<ReviewSettings> {
    let in_pod = |name: &str| PathBuf::from(POD).join(name);
    let defaults = FetchSettings::default();
    let mut fetch = fetch_settings(raw.fetch, true, &defaults, field, context, findings);
    if raw.server.is_none() && fetch.ca_file.is_none() {
        fetch.ca_file = Some(in_pod("ca.crt"));
    }
    let server = raw.server.as_deref().unwrap_or(SERVER);
    let server = SourceUrl::parse(server, allowed_plaintext(context));
    let server = findings.accept(&field.key("server"), server);
    if let Some(url) = server.as_ref().map(SourceUrl::as_url)
        && url.query().is_some()
    {
        let message = "must have no query: write the URL as `kubectl cluster-info` shows it";
        findings.refuse(&field.key("server"), message);
    }
    let pods = raw.pods.unwrap_or(true);
    if raw.nodes && !pods {
        findings.refuse(&field.key("nodes"), "needs `pods`: a node is its pod's");
    }
    let token_file = raw.token_file.map(|path| context.resolve(&path));
    Some(ReviewSettings {
        server: server?,
        token_file: token_file.unwrap_or_else(|| in_pod("token")),
        audiences,
        pods,
        nodes: raw.nodes,
        recheck_after: scalar::duration_or(
            raw.recheck_after.as_ref(),
            RECHECK,
            Duration::ZERO..=LONGEST_RECHECK,
            &field.key("recheck_after"),
            findings,
        ),
        fetch,
    })
}
