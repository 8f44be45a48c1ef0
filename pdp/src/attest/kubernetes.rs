//! Kubernetes: a projected service account token, which the kubelet keeps fresh in a file.
//!
//! Source: kubernetes.io, "Configure Service Accounts for Pods", `ServiceAccount` token volume projection.

use std::path::Path;

use super::evidence::{Evidence, EvidenceType};
use super::probe::{ProbeError, Probed, Surroundings};

/// Where the token is, unless `--evidence-file` says otherwise.
pub(super) const TOKEN_FILE: &str = "/var/run/secrets/tokens/edgeward";

/// Reads the file.
pub(super) fn probe(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let named = surroundings.evidence_file.as_deref();
    let file = named.unwrap_or(Path::new(TOKEN_FILE));
    if let Some(evidence) = Evidence::of_file(file, EvidenceType::Jwt)? {
        return Ok(Probed::Found(evidence));
    }
    let is_here = surroundings
        .variables
        .get("KUBERNETES_SERVICE_HOST")
        .is_some();
    let file = file.display();
    Ok(Probed::absent(if is_here || named.is_some() {
        // The API server's own token, which every pod has, is not for us.
        format!(
            "there is no `{file}`: mount a projected serviceAccountToken with the audience `{}` there",
            surroundings.audience
        )
    } else {
        format!("there is no `{file}`, and KUBERNETES_SERVICE_HOST is not set")
    }))
}
